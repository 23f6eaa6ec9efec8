/** Plays the stories, all at once, and judges what came of them. */
import { Duration, Effect } from "effect"
import { defaultPlaybook, type Launch, type Playbook } from "../../test/support/SimulatedAap.ts"
import { makeUser } from "../../test/support/User.ts"
import type { Installation } from "./Installation.ts"
import { judge } from "./judge.ts"
import type { Observation } from "./Observation.ts"
import type { Operators } from "./Operators.ts"
import { overHttp } from "./overHttp.ts"
import type { Programme } from "./Programme.ts"
import { actorOf, type Evidence, keyOf, type Story } from "./Story.ts"
import { otherPlaybook } from "./stories.ts"
import type { Verdict } from "./summary.ts"

/** Everything there is when a demo begins. */
export interface Stage {
  readonly programme: Programme
  readonly installation: Installation
  readonly observation: Observation
  readonly operators: Operators
}

/** Long enough for whatever should not happen any more. */
const AFTERMATH = Duration.millis(2500)

/** The playbook of a launch, by the object it is for and how often that template ran for it. */
const director = (stories: ReadonlyArray<Story>): ((launch: Launch) => Playbook) => {
  const runs = new Map<string, number>()
  return ({ payload, template }) => {
    const metadata = typeof payload === "object" && payload !== null && "metadata" in payload ? payload.metadata : {}
    const [namespace, name] = [wordIn(metadata, "namespace"), wordIn(metadata, "name")]
    const run = `${namespace}/${name} ${template}`
    const n = (runs.get(run) ?? 0) + 1
    runs.set(run, n)
    const story = stories.find((one) => keyOf(one) === `${namespace}/${name}`)
    return story === undefined ? otherPlaybook(name, n) : (story.playbook?.({ template, n }) ?? defaultPlaybook)
  }
}

const wordIn = (value: unknown, key: string): string => {
  const found =
    typeof value === "object" && value !== null ? Object.entries(value).find(([one]) => one === key) : undefined
  return typeof found?.[1] === "string" ? found[1] : ""
}

const play = Effect.fnUntraced(function* (stage: Stage, story: Story) {
  const { installation, observation, operators } = stage
  const user = makeUser(overHttp, installation.openUrl, story.site.namespace)
  const actor = actorOf(story, { observation, operators, kubernetes: installation.kubernetes, user })
  return yield* story.act(actor).pipe(
    Effect.as<ReadonlyArray<string>>([]),
    Effect.catchTag("Stuck", ({ message }) => Effect.succeed([message]))
  )
})

const evidenceOf = ({ installation, observation }: Stage, story: Story): Evidence => ({
  revisions: observation.revisions(keyOf(story)),
  object: observation.current(keyOf(story)),
  ran: observation.ran(keyOf(story)),
  jobs: observation.jobs(keyOf(story)),
  launches: installation.launches.filter(({ key }) => key === keyOf(story))
})

const verdictOf = (evidence: Evidence, story: Story, by: string, stuck: ReadonlyArray<string>): Verdict => ({
  title: story.title,
  shows: story.shows,
  ran: evidence.ran.map(({ id, status }) => `${id} ${status}`).join(", "),
  findings: [...stuck, ...judge(evidence, story.expected, by)]
})

/** Answers what came of every story. */
export const perform = Effect.fnUntraced(function* (stage: Stage) {
  const { installation, programme } = stage
  const { by, stories } = programme
  yield* installation.aap.play(director(stories))
  yield* installation.eda.play(
    (event) => stories.find((one) => keyOf(one) === `${event.namespace}/${event.name}`)?.event?.(event) ?? {}
  )
  const stuck = yield* Effect.forEach(stories, (story) => play(stage, story), { concurrency: "unbounded" })
  yield* Effect.sleep(AFTERMATH)
  return stories.map((story, index) => verdictOf(evidenceOf(stage, story), story, by, stuck[index] ?? []))
})
