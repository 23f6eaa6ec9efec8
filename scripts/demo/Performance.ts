/** Plays the stories, all at once, and judges what came of them. */
import { Duration, Effect } from "effect"
import type { Launch, Playbook } from "../../test/support/SimulatedAap.ts"
import { makeUser } from "../../test/support/User.ts"
import type { Installation } from "./Installation.ts"
import { judge } from "./judge.ts"
import type { Observation } from "./Observation.ts"
import { overHttp } from "./overHttp.ts"
import { actorOf, type Evidence, type Story } from "./Story.ts"
import { otherPlaybook, stories } from "./stories.ts"
import type { Verdict } from "./summary.ts"

/** Whatever was not there in time will not come. */
const LONGEST_STORY = Duration.seconds(42)
/** Long enough for whatever should not happen any more. */
const AFTERMATH = Duration.millis(2500)

const keyOf = (story: Story): string => `${story.namespace}/${story.name}`

/** The playbook of a launch, by the object it is for and how often that template ran for it. */
const director = (): ((launch: Launch) => Playbook) => {
  const runs = new Map<string, number>()
  return ({ payload, template }) => {
    const metadata = typeof payload === "object" && payload !== null && "metadata" in payload ? payload.metadata : {}
    const [namespace, name] = [wordIn(metadata, "namespace"), wordIn(metadata, "name")]
    const run = `${namespace}/${name} ${template}`
    const n = (runs.get(run) ?? 0) + 1
    runs.set(run, n)
    const story = stories.find((one) => one.namespace === namespace && one.name === name)
    return story === undefined ? otherPlaybook(name, n) : story.playbook({ template, n })
  }
}

const wordIn = (value: unknown, key: string): string => {
  const found =
    typeof value === "object" && value !== null ? Object.entries(value).find(([one]) => one === key) : undefined
  return typeof found?.[1] === "string" ? found[1] : ""
}

const play = Effect.fnUntraced(function* (
  installation: Installation,
  observation: Observation,
  deadline: number,
  story: Story
) {
  const user = makeUser(overHttp, installation.openUrl, story.namespace)
  const actor = actorOf(story, { observation, kubernetes: installation.kubernetes, user, deadline })
  return yield* story.act(actor).pipe(
    Effect.as<ReadonlyArray<string>>([]),
    Effect.catchTag("Stuck", ({ message }) => Effect.succeed([message]))
  )
})

const evidenceOf = (installation: Installation, observation: Observation, story: Story): Evidence => ({
  revisions: observation.revisions(keyOf(story)),
  object: observation.current(keyOf(story)),
  jobs: observation.jobs(keyOf(story)),
  launches: installation.launches.filter(({ key }) => key === keyOf(story))
})

const verdictOf = (evidence: Evidence, story: Story, stuck: ReadonlyArray<string>): Verdict => ({
  title: story.title,
  shows: story.shows,
  ran: evidence.jobs.map(({ id, status }) => `${id} ${status}`).join(", "),
  findings: [...stuck, ...judge(evidence, story.expected)]
})

/** Answers what came of every story. */
export const perform = Effect.fnUntraced(function* (installation: Installation, observation: Observation) {
  yield* installation.aap.play(director())
  const deadline = observation.startedAt + Duration.toMillis(LONGEST_STORY)
  const stuck = yield* Effect.forEach(stories, (story) => play(installation, observation, deadline, story), {
    concurrency: "unbounded"
  })
  yield* Effect.sleep(AFTERMATH)
  return stories.map((story, index) =>
    verdictOf(evidenceOf(installation, observation, story), story, stuck[index] ?? [])
  )
})

/** How many jobs all stories together are to launch. */
export const expectedLaunches = stories.reduce((sum, { expected }) => sum + expected.jobs.length, 0)
