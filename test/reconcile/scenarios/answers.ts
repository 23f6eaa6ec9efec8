/** What AAP may answer to a look-up or to a launch, and what becomes of a launch in doubt. */
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { jobsOf } from "../../support/expectations.ts"
import type { Harm } from "../../support/Faults.ts"
import type { Options } from "../../support/SimulatedAap.ts"
import { aapRequests } from "../../support/schedulesHarms.ts"
import type { Scenario } from "../../support/tour.ts"
import { json, text, type WireRequest } from "../../support/Wire.ts"
import { DEPROVISION_TEMPLATE, PROVISION_TEMPLATE, type World } from "../../support/World.ts"
import { RETRY, spec } from "../courses.ts"
import { launchAgain, relaunch } from "../person.ts"
import { long, quick, underWay } from "./jobs.ts"

const answer = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Harm => ({
  _tag: "Answer",
  response: json(status, body, headers)
})
const lost: Harm = { _tag: "Lose", code: "ECONNRESET" }
const everything = (): boolean => true

/** A resource that waits for AAP to mend its ways, and is built then. */
const waiting = (name: string, when: (request: WireRequest) => boolean, harm: Harm): Scenario => ({
  name,
  play: Effect.fnUntraced(function* (world) {
    yield* world.aap.play(() => quick)
    yield* world.aapWire.order({ when, harm, times: 10_000 })
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("2 minutes")
    yield* world.aapWire.heal
    yield* TestClock.adjust("15 minutes")
  }),
  course: ["InProgress", "Current"]
})

const withTemplates = (name: string, templates: Options["templates"]): Scenario => ({
  name,
  world: { aap: { ...(templates === undefined ? {} : { templates }) } },
  play: Effect.fnUntraced(function* (world) {
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("1 minute")
  }),
  course: ["InProgress"]
})

const refusals: ReadonlyArray<Scenario> = [
  waiting("a token that AAP rejects", everything, answer(401, { detail: "Invalid token." })),
  waiting("a role that is missing", everything, answer(403, { detail: "No." })),
  waiting("an AAP that is away", everything, { _tag: "Lose", code: "ECONNREFUSED" }),
  waiting("an AAP that asks for patience", everything, answer(429, {}, { "retry-after": "20" })),
  waiting("an AAP that fails", everything, answer(500, { detail: "A server error has occurred." })),
  waiting("a page where AAP should be", everything, {
    _tag: "Answer",
    response: text(200, "<html><title>Log in</title></html>", "text/html")
  }),
  waiting("a conflict", everything, answer(409, { detail: "Busy." })),
  waiting("a launch that is refused", aapRequests.launch, answer(400, { extra_vars: ["no good"] })),
  withTemplates("a template that is missing", [{ name: DEPROVISION_TEMPLATE }]),
  withTemplates("a template that is there twice", [
    { name: PROVISION_TEMPLATE },
    { name: PROVISION_TEMPLATE, kind: "workflow_job_template" },
    { name: DEPROVISION_TEMPLATE }
  ]),
  withTemplates("a template that takes no variables", [
    { name: PROVISION_TEMPLATE, asks: [] },
    { name: DEPROVISION_TEMPLATE }
  ])
]

/** A launch whose answer is lost, and nobody can search for its job for a while. */
const inDoubt = Effect.fnUntraced(function* (world: World, after: boolean) {
  yield* world.aap.play(({ template }) => (template === PROVISION_TEMPLATE ? long : quick))
  yield* world.aapWire.order({ when: aapRequests.launch, harm: { ...lost, after } })
  yield* world.aapWire.order({ when: aapRequests.search, harm: lost, times: 8 })
  yield* world.start
  yield* world.user.create("vm-1", spec)
})

const firstJob = (world: World) =>
  Effect.flatMap(jobsOf(world, "vm-1"), ([job]) => Effect.orDie(Effect.fromNullishOr(job)))

const doubts: ReadonlyArray<Scenario> = [
  {
    name: "an answer that was lost, and one job too many",
    play: Effect.fnUntraced(function* (world) {
      yield* inDoubt(world, true)
      yield* launchAgain(world, yield* firstJob(world))
      yield* TestClock.adjust("3 minutes")
    }),
    course: ["InProgress"]
  },
  {
    name: "one job too many that may not be cancelled, and then does not end",
    play: Effect.fnUntraced(function* (world) {
      yield* inDoubt(world, true)
      yield* world.aap.play(() => ({ ...long, cancelTakes: Duration.hours(2) }))
      yield* launchAgain(world, yield* firstJob(world))
      yield* world.aapWire.order({ when: aapRequests.cancel, harm: answer(403, { detail: "No." }), times: 10 })
      yield* TestClock.adjust("30 minutes")
    }),
    course: ["InProgress", "Failed"]
  },
  {
    name: "a person's relaunch while the launch is in doubt",
    play: Effect.fnUntraced(function* (world) {
      yield* world.aap.play(() => ({ ...quick, runningFor: Duration.hours(1) }))
      yield* underWay(world)
      const job = yield* firstJob(world)
      yield* world.aap.setStatus(job.id, "canceled")
      yield* TestClock.adjust("1 minute")
      yield* world.aapWire.order({ when: aapRequests.launch, harm: lost })
      yield* world.user.annotate("vm-1", { [RETRY]: "again" })
      yield* relaunch(world, job)
      yield* TestClock.adjust("2 minutes")
    }),
    course: ["InProgress", "Failed", "InProgress"]
  },
  {
    name: "a launch that left no trace, and is no longer wanted",
    play: Effect.fnUntraced(function* (world) {
      yield* inDoubt(world, false)
      yield* world.user.patch("vm-1", { spec: { vcpu: 4 } })
      yield* TestClock.adjust("6 minutes")
    }),
    course: ["InProgress"]
  },
  {
    name: "a launch too old to tell",
    world: { settings: { jobRetention: Duration.toMillis("1 hour") } },
    play: Effect.fnUntraced(function* (world) {
      yield* inDoubt(world, false)
      yield* world.aapWire.order({ when: aapRequests.search, harm: lost, times: 10_000 })
      yield* TestClock.adjust("70 minutes")
      yield* world.aapWire.heal
      yield* TestClock.adjust("10 minutes")
    }),
    course: ["InProgress", "Failed"]
  }
]

export const answerScenarios = [...refusals, ...doubts]
