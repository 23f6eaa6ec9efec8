/** Rules of the launch that no other scenario states: what is written before, and what comes of answers that come late. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { assertNoOverlap, at, isLaunch, isWrite, jobsOf, stored, verdict } from "../support/expectations.ts"
import { aapRequests, kubernetesRequests } from "../support/schedulesHarms.ts"
import { ConnectionLost, type WireHandler } from "../support/Wire.ts"
import { makeWorld, type World } from "../support/World.ts"

const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }
const quick = { pendingFor: "2 seconds", runningFor: "10 seconds", ends: "successful" } as const
const long = { ...quick, runningFor: "1 hour" } as const

const FINALIZER = "cloudkit.openshift.io/computeinstance"
const INTENT = "cloudkit.openshift.io/launch-intent"
const RETRY = "cloudkit.openshift.io/retry-requested-at"

const finalizers = (object: unknown): ReadonlyArray<unknown> => {
  const list = at(object, "metadata", "finalizers")
  return Array.isArray(list) ? list : []
}

const phase = (world: World) => Effect.map(stored(world, "vm-1"), (object) => at(object, "status", "phase"))

const templates = (world: World) =>
  Effect.map(jobsOf(world, "vm-1"), (jobs) => jobs.map(({ template, status }) => `${template} ${status}`))

it.effect("one write carries the finalizer and the intent, before anything is sent", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    yield* world.aapWire.order({ when: aapRequests.launch, harm: { _tag: "Delay", by: "5 seconds" } })
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("2 seconds")
    const object = yield* stored(world, "vm-1")
    assert.deepStrictEqual(yield* jobsOf(world, "vm-1"), [], "the launch is still on its way")
    assert.include(finalizers(object), FINALIZER)
    assert.include(String(at(object, "metadata", "annotations", INTENT)), '"operation":"provision"')
    assert.strictEqual(yield* world.kubernetesWire.count((one) => isWrite(one) && !one.path.endsWith("/status")), 1)
    // a launch that is on its way is waited for by whoever ends the process
    yield* TestClock.adjust("1 minute")
  })
)

it.effect(
  "a process killed after AAP accepted a deprovision leaves an intent from which the next one adopts the job",
  () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.aap.play(() => quick)
      const process = yield* world.start
      yield* world.user.create("vm-1", spec)
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual(yield* phase(world), "Ready")
      yield* world.aap.play(() => ({ ...quick, runningFor: "10 minutes" }))
      yield* world.aapWire.order({ when: aapRequests.launch, harm: { _tag: "Hang", after: true } })
      yield* world.user.remove("vm-1")
      yield* TestClock.adjust("3 seconds")
      yield* process.kill
      const object = yield* stored(world, "vm-1")
      assert.include(String(at(object, "metadata", "annotations", INTENT)), '"operation":"deprovision"')
      yield* world.start
      yield* TestClock.adjust("30 minutes")
      assert.strictEqual(yield* stored(world, "vm-1"), undefined)
      assert.deepStrictEqual(yield* templates(world), [
        "osac-create-compute-instance successful",
        "osac-delete-compute-instance successful"
      ])
    })
)

it.effect("a launch that waits behind an AAP that is away has written no intent", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    yield* world.aapWire.order({ when: () => true, harm: { _tag: "Lose", code: "ECONNREFUSED" }, times: 10_000 })
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("10 minutes")
    const object = yield* stored(world, "vm-1")
    assert.strictEqual(verdict(object, "Ready"), "False ProviderUnreachable")
    assert.isUndefined(at(object, "metadata", "annotations", INTENT))
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined, "nothing was sent, and nothing is owed")
  })
)

it.effect("whoever lost the lease while its intent was written sends nothing, and its successor sends it once", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld({ leader: "5 seconds" })
    yield* world.aap.play(() => quick)
    let cut = false
    const wire =
      (inner: WireHandler): WireHandler =>
      (request) =>
        cut && request.url.pathname.includes("/leases")
          ? Effect.fail(new ConnectionLost({ code: "ECONNRESET" }))
          : inner(request)
    const first = yield* world.startAt({ wire })
    yield* TestClock.adjust("1 minute")
    yield* world.start
    yield* TestClock.adjust("1 minute")
    cut = true
    yield* world.kubernetesWire.order({
      when: kubernetesRequests.intent,
      harm: { _tag: "Delay", by: "8 seconds", after: true }
    })
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("1 minute")
    assert.isFalse((yield* first.standing).leads)
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 0, "the quiet period is not over")
    yield* TestClock.adjust("10 minutes")
    assert.strictEqual(yield* phase(world), "Ready")
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 1)
  })
)

/** One process waits for its answer for so long that another one, which believes to lead too, has renewed the launch. */
const overtaken = Effect.gen(function* () {
  const world = yield* makeWorld({ settings: { quietPeriod: 5_000, pollInterval: 1_000 } })
  yield* world.aap.play(() => long)
  yield* world.aapWire.order({ when: aapRequests.launch, harm: { _tag: "Delay", by: "20 seconds" } })
  yield* world.start
  yield* world.user.create("vm-1", spec)
  yield* TestClock.adjust("1 second")
  yield* world.start
  yield* TestClock.adjust("14 seconds")
  assert.strictEqual(yield* world.aapWire.count(isLaunch), 1, "the answered one")
  assert.deepStrictEqual(yield* templates(world), ["osac-create-compute-instance running"])
  return world
})

it.effect("an answer that comes after the launch was renewed is recorded as a duplicate, and cancelled", () =>
  Effect.gen(function* () {
    const world = yield* overtaken
    yield* TestClock.adjust("1 minute")
    assert.deepStrictEqual(yield* templates(world), [
      "osac-create-compute-instance running",
      "osac-create-compute-instance canceled"
    ])
    const jobs = at(yield* stored(world, "vm-1"), "status", "jobs")
    const records = (Array.isArray(jobs) ? jobs : []).map((job) => [at(job, "jobID"), at(job, "duplicate")])
    assert.sameDeepMembers(records, [
      ["1", undefined],
      ["2", true]
    ])
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "provisionJob", "id"), "1")
  })
)

it.effect("a refusal that comes after the launch was renewed changes nothing", () =>
  Effect.gen(function* () {
    const world = yield* overtaken
    yield* world.aap.revokeToken("operator-token")
    yield* TestClock.adjust("8 seconds")
    yield* world.aap.issueToken("operator", "operator-token")
    assert.isAtLeast(yield* world.aapWire.count((one) => isLaunch(one) && one.status === 401), 1)
    yield* TestClock.adjust("1 minute")
    const object = yield* stored(world, "vm-1")
    assert.isUndefined(at(object, "status", "launch"))
    assert.strictEqual(verdict(object, "Ready"), "False JobRunning")
    assert.deepStrictEqual(yield* templates(world), ["osac-create-compute-instance running"])
  })
)

it.effect("a retry that is asked for while a job runs launches nothing beside it", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => ({ ...quick, runningFor: "10 minutes" }))
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("1 minute")
    yield* world.user.annotate("vm-1", { [RETRY]: "2026-11-21T10:00:00Z" })
    yield* TestClock.adjust("30 minutes")
    assert.strictEqual(yield* phase(world), "Ready")
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 1)
    yield* assertNoOverlap(world)
  })
)
