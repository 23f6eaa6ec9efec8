/** A person names the job that an object is to follow. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { at, condition, isLaunch, jobsOf, stored, verdict } from "../support/expectations.ts"
import { aapRequests } from "../support/schedulesHarms.ts"
import { makeWorld, type World } from "../support/World.ts"
import { launchByHand, relaunch } from "./person.ts"

const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }
const quick = { pendingFor: "2 seconds", runningFor: "10 seconds", ends: "successful" } as const

const ADOPT = "cloudkit.openshift.io/adopt-job"

const phase = (world: World, name = "vm-1") =>
  Effect.map(stored(world, name), (object) => at(object, "status", "phase"))
const eventNotes = (world: World, reason: string) =>
  Effect.map(world.kubernetes.stored("events"), (all) =>
    all.filter((event) => event.reason === reason).map(({ note, message }) => String(note ?? message))
  )

/** An object whose provision failed. */
const failed = Effect.gen(function* () {
  const world = yield* makeWorld()
  yield* world.aap.play(() => ({ ...quick, ends: "failed" }))
  yield* world.start
  yield* world.user.create("vm-1", spec)
  yield* TestClock.adjust("1 minute")
  yield* world.aap.play(() => quick)
  const [job] = yield* jobsOf(world, "vm-1")
  return { world, job: yield* Effect.orDie(Effect.fromNullishOr(job)) }
})

const assertFollows = Effect.fnUntraced(function* (world: World, id: number) {
  yield* world.user.annotate("vm-1", { [ADOPT]: String(id) })
  yield* TestClock.adjust("2 minutes")
  const object = yield* stored(world, "vm-1")
  assert.strictEqual(at(object, "status", "provisionJob", "id"), String(id))
  assert.strictEqual(at(object, "status", "phase"), "Ready", String(condition(object, "Ready")?.message))
  assert.strictEqual(at(object, "metadata", "annotations", ADOPT), undefined)
  yield* TestClock.adjust("1 hour")
  assert.strictEqual(yield* phase(world), "Ready")
  assert.strictEqual(yield* world.aapWire.count(isLaunch), 1)
})

it.effect("the job that adopt-job names is followed, and the annotation goes", () =>
  Effect.gen(function* () {
    const { world, job } = yield* failed
    const payload = { metadata: { uid: job.object?.uid, name: "vm-1", namespace: "default" } }
    const mended = yield* launchByHand(world, job.templateId, { ansible_eda: { event: { payload } } })
    yield* assertFollows(world, mended.id)
  })
)

it.effect("so is the relaunch of a failed job, although it carries the failed job's key", () =>
  Effect.gen(function* () {
    const { world, job } = yield* failed
    yield* assertFollows(world, (yield* relaunch(world, job)).id)
  })
)

it.effect("a job that AAP does not have is refused with an Event, and the annotation goes", () =>
  Effect.gen(function* () {
    const { world } = yield* failed
    yield* world.user.annotate("vm-1", { [ADOPT]: "4711" })
    yield* TestClock.adjust("1 minute")
    const object = yield* stored(world, "vm-1")
    assert.strictEqual(at(object, "metadata", "annotations", ADOPT), undefined)
    assert.strictEqual(verdict(object, "Stalled"), "True JobFailed")
    assert.include((yield* eventNotes(world, "AdoptRefused")).join(), "4711")
  })
)

it.effect("another object's job is refused with an Event, and stays the other's", () =>
  Effect.gen(function* () {
    const { world } = yield* failed
    yield* world.user.create("vm-2", spec)
    yield* TestClock.adjust("1 minute")
    const [theirs] = yield* jobsOf(world, "vm-2")
    yield* world.user.annotate("vm-1", { [ADOPT]: String(theirs?.id) })
    yield* TestClock.adjust("1 minute")
    const object = yield* stored(world, "vm-1")
    assert.strictEqual(at(object, "metadata", "annotations", ADOPT), undefined)
    assert.strictEqual(verdict(object, "Stalled"), "True JobFailed")
    assert.include((yield* eventNotes(world, "AdoptRefused")).join(), "another object")
    assert.strictEqual(yield* phase(world, "vm-2"), "Ready")
  })
)

it.effect("a job under the object's own key can be named while its launch is still in doubt", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    yield* world.aapWire.order({ when: aapRequests.launch, harm: { _tag: "Lose", code: "ECONNRESET", after: true } })
    yield* world.aapWire.order({ when: aapRequests.search, harm: { _tag: "Lose", code: "ECONNRESET" }, times: 10_000 })
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("1 minute")
    yield* world.user.annotate("vm-1", { [ADOPT]: "1" })
    yield* TestClock.adjust("2 minutes")
    assert.strictEqual(yield* phase(world), "Ready")
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 1)
  })
)
