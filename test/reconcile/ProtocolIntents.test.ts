/** What becomes of a launch that nobody confirmed: renewed, closed, or left to a person. */
import { assert, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { assertNoOverlap, at, condition, isLaunch, jobsOf, stored, verdict } from "../support/expectations.ts"
import type { Harm } from "../support/Faults.ts"
import { aapRequests } from "../support/schedulesHarms.ts"
import { json } from "../support/Wire.ts"
import { makeWorld, type World, type WorldOptions } from "../support/World.ts"

const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }
const quick = { pendingFor: Duration.seconds(2), runningFor: Duration.seconds(10), ends: "successful" } as const

const RETRY = "cloudkit.openshift.io/retry-requested-at"
const ADOPT = "cloudkit.openshift.io/adopt-job"
const INTENT = "cloudkit.openshift.io/launch-intent"

const neverArrives: Harm = { _tag: "Lose", code: "ECONNRESET" }

const begun = Effect.fnUntraced(function* (harm: Harm, options: WorldOptions = {}) {
  const world = yield* makeWorld(options)
  yield* world.aap.play(() => quick)
  yield* world.aapWire.order({ when: aapRequests.launch, harm })
  const process = yield* world.start
  yield* world.user.create("vm-1", spec)
  return { world, process }
})

const intentOf = Effect.fnUntraced(function* (world: World) {
  const value = at(yield* stored(world, "vm-1"), "metadata", "annotations", INTENT)
  const intent: unknown = JSON.parse(String(value))
  return { key: at(intent, "key"), stamp: at(intent, "stamp"), since: at(intent, "since"), retry: at(intent, "retry") }
})

const phase = (world: World) => Effect.map(stored(world, "vm-1"), (object) => at(object, "status", "phase"))

const launchesSent = (world: World) => world.aapWire.count(isLaunch)

// ── renewed or closed ────────────────────────────────────────────────────────────────────────────────────────────────

it.effect("a renewed launch keeps its key and its first stamp, and marks the doubt for good", () =>
  Effect.gen(function* () {
    const { world } = yield* begun(neverArrives)
    const first = yield* intentOf(world)
    yield* TestClock.adjust("10 minutes")
    const second = yield* intentOf(world)
    assert.strictEqual(second.key, first.key)
    assert.notStrictEqual(second.stamp, first.stamp)
    assert.strictEqual(second.since, first.stamp)
    const object = yield* stored(world, "vm-1")
    assert.strictEqual(at(object, "status", "phase"), "Ready")
    assert.strictEqual(at(object, "status", "lostLaunches", 0, "since"), first.stamp)
  })
)

it.effect("a launch that is lost again and again is renewed once a quiet period, and ends in one job", () =>
  Effect.gen(function* () {
    const { world } = yield* begun(neverArrives)
    yield* world.aapWire.order({ when: aapRequests.launch, harm: neverArrives, times: 3 })
    yield* TestClock.adjust("15 minutes")
    assert.isAtMost(yield* launchesSent(world), 4)
    yield* TestClock.adjust("10 minutes")
    assert.strictEqual(yield* launchesSent(world), 5)
    assert.strictEqual(yield* phase(world), "Ready")
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 1)
    const lost = at(yield* stored(world, "vm-1"), "status", "lostLaunches")
    assert.strictEqual(Array.isArray(lost) ? lost.length : 0, 1)
  })
)

it.effect("a spec that changed meanwhile closes the launch as not found, and the new one gets a new key", () =>
  Effect.gen(function* () {
    const { world } = yield* begun(neverArrives)
    const first = yield* intentOf(world)
    yield* TestClock.adjust("1 minute")
    yield* world.user.patch("vm-1", { spec: { vcpu: 8 } })
    yield* TestClock.adjust("2 minutes")
    assert.strictEqual(yield* launchesSent(world), 1, "the quiet period is kept for the old launch")
    yield* TestClock.adjust("7 minutes")
    const [job, ...others] = yield* jobsOf(world, "vm-1")
    assert.deepStrictEqual(others, [])
    assert.notStrictEqual(job?.launchKey, first.key)
    assert.isTrue(job?.launchKey?.endsWith("/2"), "an attempt is never used twice")
    assert.strictEqual(yield* phase(world), "Ready")
  })
)

it.effect("a deletion after a launch of which nothing came deprovisions, as one cannot be sure", () =>
  Effect.gen(function* () {
    const { world } = yield* begun(neverArrives)
    yield* TestClock.adjust("10 seconds")
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("3 minutes")
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 0, "not before the quiet period is over")
    yield* TestClock.adjust("10 minutes")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    const templates = (yield* jobsOf(world, "vm-1")).map(({ template }) => template)
    assert.deepStrictEqual(templates, ["osac-delete-compute-instance"])
  })
)

it.effect("the quiet period is counted by each process from when it first saw the launch", () =>
  Effect.gen(function* () {
    const { world, process } = yield* begun(neverArrives)
    yield* TestClock.adjust("225 seconds")
    yield* process.kill
    yield* world.start
    yield* TestClock.adjust("225 seconds")
    assert.strictEqual(yield* launchesSent(world), 1)
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(yield* launchesSent(world), 2)
  })
)

it.effect("while AAP cannot be searched nothing is sent, however long it lasts", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    yield* world.aapWire.order({ when: aapRequests.launch, harm: { ...neverArrives, after: true } })
    yield* world.aapWire.order({
      when: aapRequests.search,
      harm: { _tag: "Answer", response: json(500, { detail: "A server error" }) },
      times: 10_000
    })
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("3 hours")
    assert.strictEqual(yield* launchesSent(world), 1)
    const object = yield* stored(world, "vm-1")
    assert.strictEqual(verdict(object, "Reconciling"), "True LaunchAmbiguous")
    assert.include(String(condition(object, "Ready")?.message), "500 Internal Server Error")
    yield* world.aapWire.heal
    yield* TestClock.adjust("10 minutes")
    assert.strictEqual(yield* phase(world), "Ready")
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 1)
  })
)

// ── too old to tell ──────────────────────────────────────────────────────────────────────────────────────────────────

/** A launch that never arrived, and nobody could look for it until AAP may have dropped its job. */
const tooOld = Effect.gen(function* () {
  const { world } = yield* begun(neverArrives, { settings: { jobRetention: Duration.toMillis("1 hour") } })
  yield* world.aapWire.order({ when: aapRequests.search, harm: neverArrives, times: 10_000 })
  yield* TestClock.adjust("70 minutes")
  yield* world.aapWire.heal
  yield* TestClock.adjust("10 minutes")
  return world
})

it.effect("a launch too old to tell is left to a person: said, and nothing is sent", () =>
  Effect.gen(function* () {
    const world = yield* tooOld
    const object = yield* stored(world, "vm-1")
    assert.strictEqual(verdict(object, "Stalled"), "True LaunchOutcomeUnknown")
    const message = String(condition(object, "Ready")?.message)
    assert.include(message, RETRY)
    assert.include(message, ADOPT)
    yield* TestClock.adjust("5 hours")
    assert.strictEqual(yield* launchesSent(world), 1)
  })
)

it.effect("a launch too old to tell is sent anew, under a new key, when a person asks", () =>
  Effect.gen(function* () {
    const world = yield* tooOld
    yield* world.user.annotate("vm-1", { [RETRY]: "yes" })
    yield* TestClock.adjust("2 minutes")
    assert.strictEqual(yield* phase(world), "Ready")
    const [job] = yield* jobsOf(world, "vm-1")
    assert.isTrue(job?.launchKey?.endsWith("/2"))
    assert.strictEqual((yield* intentOf(world)).retry, "yes")
  })
)

it.effect("a launch too old to tell is deprovisioned when the object is deleted", () =>
  Effect.gen(function* () {
    const world = yield* tooOld
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("5 minutes")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    const templates = (yield* jobsOf(world, "vm-1")).map(({ template }) => template)
    assert.deepStrictEqual(templates, ["osac-delete-compute-instance"])
  })
)

it.effect("a deprovision too old to tell blocks the deletion until a person asks for another", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld({ settings: { jobRetention: Duration.toMillis("1 hour") } })
    yield* world.aap.play(() => quick)
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("1 minute")
    yield* world.aapWire.order({ when: aapRequests.launch, harm: neverArrives })
    yield* world.aapWire.order({ when: aapRequests.search, harm: neverArrives, times: 10_000 })
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("70 minutes")
    yield* world.aapWire.heal
    yield* TestClock.adjust("10 minutes")
    assert.strictEqual(verdict(yield* stored(world, "vm-1"), "DeletionBlocked"), "True LaunchOutcomeUnknown")
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 1)
    yield* world.user.annotate("vm-1", { [RETRY]: "yes" })
    yield* TestClock.adjust("5 minutes")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    yield* assertNoOverlap(world)
  })
)
