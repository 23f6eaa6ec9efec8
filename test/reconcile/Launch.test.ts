import { assert, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { assertNoOverlap, at, condition, isLaunch, jobsOf, stored, verdict } from "../support/expectations.ts"
import type { Harm } from "../support/Faults.ts"
import { ConnectionLost, json, text, type WireRequest } from "../support/Wire.ts"
import { makeWorld, type World } from "../support/World.ts"

const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }
const quick = { pendingFor: Duration.seconds(2), runningFor: Duration.seconds(10), ends: "successful" } as const

const launches = (request: WireRequest): boolean =>
  request.method === "POST" && request.url.pathname.endsWith("/launch/")

const started = Effect.fnUntraced(function* (harm: Harm) {
  const world = yield* makeWorld()
  yield* world.aap.play(() => quick)
  yield* world.aapWire.order({ when: launches, harm })
  const process = yield* world.start
  yield* world.user.create("vm-1", spec)
  return { world, process }
})

const assertReadyWithOneJob = Effect.fnUntraced(function* (world: World) {
  const object = yield* stored(world, "vm-1")
  assert.strictEqual(at(object, "status", "phase"), "Ready", JSON.stringify(at(object, "status"), null, 1))
  assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 1)
  yield* assertNoOverlap(world)
})

it.effect("a launch whose answer was lost is found by its key and adopted, not repeated", () =>
  Effect.gen(function* () {
    const { world } = yield* started({ _tag: "Lose", code: "ECONNRESET", after: true })
    yield* TestClock.adjust("10 minutes")
    yield* assertReadyWithOneJob(world)
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 1)
  })
)

it.effect("a launch that never arrived is sent again under the same key after a quiet period, and not before", () =>
  Effect.gen(function* () {
    const { world } = yield* started({ _tag: "Lose", code: "ECONNRESET" })
    yield* TestClock.adjust(Duration.seconds(235))
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 1)
    const waiting = yield* stored(world, "vm-1")
    assert.strictEqual(verdict(waiting, "Reconciling"), "True LaunchAmbiguous")
    yield* TestClock.adjust("5 minutes")
    yield* assertReadyWithOneJob(world)
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 2)
    const [job] = yield* jobsOf(world, "vm-1")
    assert.isTrue(job?.launchKey?.endsWith("/1"))
    assert.notStrictEqual(at(yield* stored(world, "vm-1"), "status", "lostLaunches", 0), undefined)
  })
)

it.effect("a launch that commits two minutes after a proxy gave it up is adopted, not repeated", () =>
  Effect.gen(function* () {
    const { world } = yield* started({
      _tag: "CommitLate",
      by: "2 minutes",
      answer: text(504, "<html><head><title>504 Gateway Time-out</title></head></html>", "text/html")
    })
    yield* TestClock.adjust("10 minutes")
    yield* assertReadyWithOneJob(world)
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 1)
  })
)

for (const [name, harm] of [
  ["a timeout", { _tag: "Hang", after: true }],
  ["a reset", { _tag: "Lose", code: "ECONNRESET", after: true }],
  ["a 500", { _tag: "Answer", response: json(500, { detail: "A server error has occurred." }), after: true }],
  ["a 502 page", { _tag: "Answer", response: text(502, "<html>Bad Gateway</html>", "text/html"), after: true }],
  ["a 408", { _tag: "Answer", response: text(408, "Request Timeout"), after: true }],
  ["a truncated answer", { _tag: "Truncate", characters: 40 }],
  ["a redirect", { _tag: "Answer", response: { status: 307, headers: { location: "/x/" }, body: "" }, after: true }]
] satisfies ReadonlyArray<readonly [string, Harm]>) {
  it.effect(`${name} in answer to a launch that was accepted leads to one job`, () =>
    Effect.gen(function* () {
      const { world } = yield* started(harm)
      yield* TestClock.adjust("15 minutes")
      yield* assertReadyWithOneJob(world)
      assert.strictEqual(yield* world.aapWire.count(isLaunch), 1)
    })
  )
}

it.effect("a refused launch is said in the condition, leaves no job, and is tried again by itself", () =>
  Effect.gen(function* () {
    const { world } = yield* started({ _tag: "Answer", response: json(400, { extra_vars: ["no good"] }) })
    yield* TestClock.adjust("2 seconds")
    const refused = yield* stored(world, "vm-1")
    assert.strictEqual(verdict(refused, "Reconciling"), "True LaunchRefused")
    assert.include(String(condition(refused, "Ready")?.message), "no good")
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 0)
    yield* TestClock.adjust("10 minutes")
    yield* assertReadyWithOneJob(world)
  })
)

it.effect("a deletion waits until an unresolved launch is resolved, and then deprovisions what came of it", () =>
  Effect.gen(function* () {
    const { world } = yield* started({
      _tag: "CommitLate",
      by: "100 seconds",
      answer: new ConnectionLost({ code: "ECONNRESET" })
    })
    yield* TestClock.adjust("5 seconds")
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("1 minute")
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 0)
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "phase"), "Deleting")
    yield* TestClock.adjust("10 minutes")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    const templates = (yield* jobsOf(world, "vm-1")).map((job) => job.template)
    assert.deepStrictEqual(templates, ["osac-create-compute-instance", "osac-delete-compute-instance"])
    yield* assertNoOverlap(world)
  })
)

it.effect("a process killed after AAP accepted leaves an intent from which the next one adopts the job", () =>
  Effect.gen(function* () {
    const { process, world } = yield* started({ _tag: "Delay", by: "5 seconds", after: true })
    yield* TestClock.adjust("2 seconds")
    yield* process.kill
    yield* TestClock.adjust("10 seconds")
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status"), undefined)
    yield* world.start
    yield* TestClock.adjust("5 minutes")
    yield* assertReadyWithOneJob(world)
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 1)
  })
)

it.effect("a process killed before the launch left leaves an intent that the next one sends after a quiet period", () =>
  Effect.gen(function* () {
    const { process, world } = yield* started({ _tag: "Hang" })
    yield* TestClock.adjust("2 seconds")
    yield* process.kill
    yield* world.start
    yield* TestClock.adjust("3 minutes")
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 0)
    yield* TestClock.adjust("5 minutes")
    yield* assertReadyWithOneJob(world)
  })
)

it.effect("a process told to stop while a launch is under way records the job before it ends", () =>
  Effect.gen(function* () {
    const { process, world } = yield* started({ _tag: "Delay", by: "5 seconds", after: true })
    yield* TestClock.adjust("2 seconds")
    const stopping = yield* Effect.forkChild(process.stop, { startImmediately: true })
    yield* TestClock.adjust("10 seconds")
    const [job] = yield* jobsOf(world, "vm-1")
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "jobs", 0, "jobID"), String(job?.id))
    assert.notStrictEqual(stopping.pollUnsafe(), undefined)
  })
)

const recording = (request: WireRequest): boolean =>
  request.method === "PATCH" && request.url.pathname.endsWith("/status")

it.effect("an API server that does not answer for a while does not keep the id of a job from being recorded", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    yield* world.kubernetesWire.order({ when: recording, times: 3, harm: { _tag: "Hang" } })
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("5 minutes")
    yield* assertReadyWithOneJob(world)
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 1)
  })
)

it.effect("a shutdown while the API server is away ends in bounded time, and the next process finds the job", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    yield* world.kubernetesWire.order({ when: recording, times: 1_000, harm: { _tag: "Lose", code: "ECONNREFUSED" } })
    const process = yield* world.start
    yield* world.user.create("vm-1", spec)
    const stopping = yield* Effect.forkChild(process.stop, { startImmediately: true })
    yield* TestClock.adjust("1 minute")
    assert.notStrictEqual(stopping.pollUnsafe(), undefined)
    yield* world.kubernetesWire.heal
    yield* world.start
    yield* TestClock.adjust("5 minutes")
    yield* assertReadyWithOneJob(world)
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 1)
  })
)
