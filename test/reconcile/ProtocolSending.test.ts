/** The sending itself: within its window, once, by whoever wrote the intent, and its answer recorded come what may. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { assertNoOverlap, at, condition, isLaunch, jobsOf, stored, verdict } from "../support/expectations.ts"
import type { Harm } from "../support/Faults.ts"
import type { JsonObject } from "../support/SimulatedKubernetes.ts"
import { aapRequests, kubernetesRequests } from "../support/schedulesHarms.ts"
import { json } from "../support/Wire.ts"
import { makeWorld, PROVISION_TEMPLATE, type World } from "../support/World.ts"

const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }
const quick = { pendingFor: "2 seconds", runningFor: "10 seconds", ends: "successful" } as const

const isObject = (value: unknown): value is JsonObject => typeof value === "object" && value !== null
const asObject = (value: unknown): JsonObject => (isObject(value) ? value : {})

const phase = (world: World) => Effect.map(stored(world, "vm-1"), (object) => at(object, "status", "phase"))

const launchesSent = (world: World) => world.aapWire.count(isLaunch)

it.effect("an intent that took longer to write than the send window is not sent, and the launch is tried again", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    yield* world.kubernetesWire.order({
      when: kubernetesRequests.intent,
      harm: { _tag: "Delay", by: "12 seconds", after: true }
    })
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("15 seconds")
    assert.strictEqual(yield* launchesSent(world), 0)
    assert.include(String(condition(yield* stored(world, "vm-1"), "Ready")?.message), "send window")
    yield* TestClock.adjust("2 minutes")
    assert.strictEqual(yield* phase(world), "Ready")
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 1)
  })
)

it.effect("an intent whose write was answered by an error is not sent, and is looked for like any other", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    yield* world.kubernetesWire.order({
      when: kubernetesRequests.intent,
      harm: { _tag: "Lose", code: "ECONNRESET", after: true }
    })
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("3 minutes")
    assert.strictEqual(yield* launchesSent(world), 0)
    assert.strictEqual(verdict(yield* stored(world, "vm-1"), "Reconciling"), "True LaunchAmbiguous")
    yield* TestClock.adjust("5 minutes")
    assert.strictEqual(yield* phase(world), "Ready")
    assert.strictEqual(yield* launchesSent(world), 1)
  })
)

it.effect("the answer of a launch is recorded however often the API server refuses to", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => ({ ...quick, runningFor: "1 hour" }))
    const failing: Harm = { _tag: "Answer", response: json(500, { kind: "Status", code: 500 }) }
    yield* world.kubernetesWire.order({ when: kubernetesRequests.status, harm: failing, times: 30 })
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("5 minutes")
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "provisionJob", "id"), "1")
    assert.strictEqual(yield* launchesSent(world), 1)
  })
)

it.effect("an object that is gone before its launch is answered leaves no running job", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => ({ ...quick, runningFor: "1 hour" }))
    yield* world.aapWire.order({ when: aapRequests.launch, harm: { _tag: "Delay", by: "5 seconds", after: true } })
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("2 seconds")
    yield* world.user.remove("vm-1")
    yield* world.user.patch("vm-1", { metadata: { finalizers: [] } })
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    yield* TestClock.adjust("2 minutes")
    const [job] = yield* world.aap.ledger
    assert.strictEqual(job?.template, PROVISION_TEMPLATE)
    assert.isAtLeast(job?.cancelRequests.length ?? 0, 1)
  })
)

it.effect("two processes that both believe to lead launch once", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    yield* world.start
    yield* world.start
    for (const name of ["vm-1", "vm-2", "vm-3", "vm-4"]) yield* world.user.create(name, spec)
    yield* TestClock.adjust("10 minutes")
    for (const name of ["vm-1", "vm-2", "vm-3", "vm-4"]) {
      assert.strictEqual(at(yield* stored(world, name), "status", "phase"), "Ready")
    }
    assert.strictEqual(yield* launchesSent(world), 4)
    for (const name of ["vm-1", "vm-2", "vm-3", "vm-4"]) yield* world.user.remove(name)
    yield* TestClock.adjust("10 minutes")
    assert.deepStrictEqual(yield* world.kubernetes.objects, [])
    assert.strictEqual(yield* launchesSent(world), 8)
    yield* assertNoOverlap(world)
  })
)

it.effect("a write decided on a stale view changes nothing and is not worth a word", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    yield* world.kubernetesWire.order({ when: kubernetesRequests.intent, harm: { _tag: "Delay", by: "3 seconds" } })
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* world.user.patch("vm-1", { spec: { vcpu: 16 } })
    yield* TestClock.adjust("2 minutes")
    const conflicts = yield* world.kubernetesWire.count(({ status, method }) => method === "PATCH" && status === 409)
    assert.strictEqual(conflicts, 1)
    const [job, ...others] = yield* jobsOf(world, "vm-1")
    assert.deepStrictEqual(others, [])
    assert.strictEqual(at(job?.payload, "spec", "vcpu"), 16)
    assert.strictEqual(yield* phase(world), "Ready")
    const warnings = (yield* world.kubernetes.stored("events")).filter(({ type }) => type === "Warning")
    assert.deepStrictEqual(warnings, [])
  })
)

it.effect("a status decided on a stale view is not written over what came after it", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => ({ ...quick, runningFor: "1 hour" }))
    yield* world.start
    yield* world.user.create("vm-1", spec)
    // the news that the job runs takes its time, and meanwhile a person records how the job ended
    yield* world.kubernetesWire.order({ when: kubernetesRequests.status, harm: { _tag: "Delay", by: "20 seconds" } })
    yield* TestClock.adjust("35 seconds")
    const job = at(yield* stored(world, "vm-1"), "status", "jobs", 0)
    assert.strictEqual(at(job, "state"), "Pending", "the news is on its way")
    yield* world.user.patchStatus("vm-1", { jobs: [{ ...asObject(job), state: "Canceled" }] })
    yield* TestClock.adjust("2 hours")
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "jobs", 0, "state"), "Canceled")
    assert.isAtLeast(yield* world.kubernetesWire.count(({ status, method }) => method === "PATCH" && status === 409), 1)
  })
)
