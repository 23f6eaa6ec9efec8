import { assert, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { assertNoOverlap, at, condition, isLaunch, jobsOf, stored, verdict } from "../support/expectations.ts"
import { makeWorld } from "../support/World.ts"

const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }
const long = { pendingFor: Duration.seconds(5), runningFor: Duration.minutes(30), ends: "successful" } as const
const quick = { pendingFor: Duration.seconds(2), runningFor: Duration.seconds(10), ends: "successful" } as const

const RETRY = "cloudkit.openshift.io/retry-requested-at"

it.effect("in the middle of provisioning cancels the job, waits for its end, deprovisions, and lets go", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play((launch) =>
      launch.template.includes("create") ? { ...long, cancelTakes: Duration.minutes(2) } : quick
    )
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("1 minute")
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("20 seconds")
    const waiting = yield* stored(world, "vm-1")
    assert.strictEqual(at(waiting, "status", "phase"), "Deleting")
    assert.strictEqual(verdict(waiting, "Reconciling"), "True CancelingJob")
    yield* TestClock.adjust("5 minutes")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    const [provision, deprovision, ...rest] = yield* jobsOf(world, "vm-1")
    assert.strictEqual(provision?.status, "canceled")
    assert.strictEqual(deprovision?.status, "successful")
    assert.deepStrictEqual(rest, [])
    yield* assertNoOverlap(world)
  })
)

it.effect("goes on at once when the job ended between look and cancel, and records how it ended", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("15 seconds")
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("3 seconds")
    const object = yield* stored(world, "vm-1")
    assert.strictEqual(at(object, "status", "provisionJob", "state"), "Succeeded")
    assert.notStrictEqual(at(object, "status", "deprovisionJob", "id"), undefined)
    yield* TestClock.adjust("2 minutes")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    yield* assertNoOverlap(world)
  })
)

it.effect("is blocked by a failed deprovision, says how to go on, and goes on when a person asks", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    let attempts = 0
    yield* world.aap.play((launch) =>
      launch.template.includes("delete") && ++attempts === 1
        ? { ...quick, ends: "failed", failure: { host: "h", task: "t", message: "volume busy" } }
        : quick
    )
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("1 minute")
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("10 minutes")
    const blocked = yield* stored(world, "vm-1")
    assert.strictEqual(at(blocked, "status", "phase"), "Deleting")
    assert.strictEqual(verdict(blocked, "DeletionBlocked"), "True DeprovisionFailed")
    assert.strictEqual(verdict(blocked, "Stalled"), "True DeprovisionFailed")
    assert.include(String(condition(blocked, "DeletionBlocked")?.message), "volume busy")
    assert.include(String(condition(blocked, "DeletionBlocked")?.message), RETRY)
    assert.strictEqual(attempts, 1)
    yield* world.user.annotate("vm-1", { [RETRY]: "now" })
    yield* TestClock.adjust("2 minutes")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    assert.strictEqual(attempts, 2)
  })
)

it.effect("deprovisions what a failed provision may have left behind", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play((launch) => (launch.template.includes("create") ? { ...quick, ends: "failed" } : quick))
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("1 minute")
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 2)
  })
)

it.effect("runs the deprovision again when AAP dropped it before its end was seen", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("1 minute")
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("15 seconds")
    const [, deprovision] = yield* jobsOf(world, "vm-1")
    yield* world.aap.purge(deprovision?.id ?? 0)
    yield* TestClock.adjust("3 minutes")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    assert.strictEqual((yield* jobsOf(world, "vm-1")).filter((job) => job.template.includes("delete")).length, 2)
  })
)

it.effect("keeps the finalizers of others, and says Deleting until they go", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    yield* world.start
    yield* world.user.create("vm-1", spec, { finalizers: ["example.com/backup"] })
    yield* TestClock.adjust("1 minute")
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("2 minutes")
    const object = yield* stored(world, "vm-1")
    assert.deepStrictEqual(at(object, "metadata", "finalizers"), ["example.com/backup"])
    assert.strictEqual(at(object, "status", "phase"), "Deleting")
    assert.strictEqual(at(object, "status", "deprovisionJob", "state"), "Succeeded")
  })
)
