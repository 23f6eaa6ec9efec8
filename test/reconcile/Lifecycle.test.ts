import { assert, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import {
  assertNoOverlap,
  at,
  condition,
  isLaunch,
  isLiveGet,
  isPoll,
  isWrite,
  jobsOf,
  stored,
  verdict
} from "../support/expectations.ts"
import { makeWorld } from "../support/World.ts"

const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }

const long = { pendingFor: Duration.seconds(40), runningFor: Duration.seconds(100), ends: "successful" } as const
const quick = { pendingFor: Duration.seconds(2), runningFor: Duration.seconds(10), ends: "successful" } as const

it.effect("becomes one provision job and is Ready when the job has succeeded", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => long)
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("1 second")
    const launched = yield* stored(world, "vm-1")
    assert.strictEqual(at(launched, "status", "phase"), "Progressing")
    assert.strictEqual(at(launched, "status", "provisionJob", "state"), "Pending")
    assert.strictEqual(at(launched, "status", "provisionJob", "message"), "Job queued")
    assert.deepStrictEqual(at(launched, "metadata", "finalizers"), ["cloudkit.openshift.io/computeinstance"])
    yield* TestClock.adjust("70 seconds")
    const running = yield* stored(world, "vm-1")
    assert.strictEqual(at(running, "status", "provisionJob", "message"), "Job running")
    assert.strictEqual(verdict(running, "Reconciling"), "True JobRunning")
    yield* TestClock.adjust("2 minutes")
    const ready = yield* stored(world, "vm-1")
    assert.strictEqual(at(ready, "status", "phase"), "Ready")
    assert.strictEqual(at(ready, "status", "provisionJob", "message"), "Job completed successfully")
    assert.strictEqual(verdict(ready, "Ready"), "True Provisioned")
    assert.strictEqual(verdict(ready, "Reconciling"), "absent")
    assert.strictEqual(verdict(ready, "Stalled"), "absent")
    assert.strictEqual(at(ready, "status", "reconciledConfigVersion"), at(ready, "status", "desiredConfigVersion"))
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 1)
  })
)

it.effect("costs two launches, eight writes, no live read, and one status request a tick", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => long)
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("5 minutes")
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "phase"), "Ready")
    const polled = yield* world.aapWire.count(isPoll)
    yield* TestClock.adjust("1 hour")
    assert.strictEqual(yield* world.aapWire.count(isPoll), polled, "a Ready object costs no status request")
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("5 minutes")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 2)
    assert.strictEqual(yield* world.kubernetesWire.count(isLiveGet), 0)
    assert.isAtMost(yield* world.kubernetesWire.count(isWrite), 8)
    assert.isAtMost(polled, 5)
    yield* assertNoOverlap(world)
  })
)

it.effect("costs six writes when both jobs end within one tick", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("2 minutes")
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("2 minutes")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    assert.isAtMost(yield* world.kubernetesWire.count(isWrite), 6)
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 2)
  })
)

it.effect("asks for 200 live jobs in one request a tick", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld({ concurrency: 50 })
    yield* world.aap.play(() => long)
    yield* world.start
    yield* Effect.forEach(Array.from({ length: 200 }), (_, n) => world.user.create(`vm-${n}`, spec), {
      discard: true
    })
    yield* TestClock.adjust("20 seconds")
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 200)
    yield* world.aapWire.forget
    yield* TestClock.adjust("60 seconds")
    assert.strictEqual(yield* world.aapWire.count(isPoll), 2)
  })
)

it.effect("says why a playbook failed, keeps saying it, and launches nothing by itself", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => ({
      ...quick,
      ends: "failed",
      failure: { host: "localhost", task: "Create the VM", message: "quota exceeded" }
    }))
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("1 minute")
    const failed = yield* stored(world, "vm-1")
    assert.strictEqual(at(failed, "status", "phase"), "Failed")
    assert.include(String(at(failed, "status", "provisionJob", "message")), "AAP job failed: ")
    assert.include(String(at(failed, "status", "provisionJob", "message")), "quota exceeded")
    assert.strictEqual(verdict(failed, "Stalled"), "True JobFailed")
    assert.include(String(condition(failed, "Ready")?.message), "quota exceeded")
    yield* TestClock.adjust("24 hours")
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "phase"), "Failed")
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 1)
  })
)

it.effect("runs a failed provision again when a person asks for it, once per value", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    let launches = 0
    yield* world.aap.play(() => (++launches === 1 ? { ...quick, ends: "failed" } : quick))
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("1 minute")
    yield* world.user.annotate("vm-1", { "cloudkit.openshift.io/retry-requested-at": "2026-11-21T10:00:00Z" })
    yield* TestClock.adjust("2 minutes")
    const ready = yield* stored(world, "vm-1")
    assert.strictEqual(at(ready, "status", "phase"), "Ready")
    assert.strictEqual(at(ready, "status", "jobs", 1, "attempt"), 2)
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 2)
    yield* TestClock.adjust("1 hour")
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 2)
  })
)

it.effect("provisions again when the spec changes, and goes back when it changes back", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("1 minute")
    yield* world.user.patch("vm-1", { spec: { vcpu: 4 } })
    yield* TestClock.adjust("1 minute")
    yield* world.user.patch("vm-1", { spec: { vcpu: 2 } })
    yield* TestClock.adjust("1 minute")
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 3)
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "phase"), "Ready")
    yield* assertNoOverlap(world)
  })
)

it.effect("lets a run end before a spec change is provisioned, and then provisions the newest", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => long)
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("20 seconds")
    yield* world.user.patch("vm-1", { spec: { vcpu: 3 } })
    yield* TestClock.adjust("20 seconds")
    yield* world.user.patch("vm-1", { spec: { vcpu: 4 } })
    yield* TestClock.adjust("10 minutes")
    const jobs = yield* jobsOf(world, "vm-1")
    assert.strictEqual(jobs.length, 2)
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "phase"), "Ready")
    yield* assertNoOverlap(world)
  })
)

it.effect("removes the finalizer and nothing else when nothing was ever launched", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.user.create("vm-1", spec, { finalizers: ["cloudkit.openshift.io/computeinstance"] })
    yield* world.user.remove("vm-1")
    yield* world.start
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 0)
  })
)
