/** Objects that come back, are copied, replaced, or taken out of the operator's hands. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { assertNoOverlap, at, isLaunch, isPoll, jobsOf, stored, verdict } from "../support/expectations.ts"
import type { JsonObject } from "../support/SimulatedKubernetes.ts"
import { aapRequests } from "../support/schedulesHarms.ts"
import { makeWorld, PROVISION_TEMPLATE, type World } from "../support/World.ts"

const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }
const quick = { pendingFor: "2 seconds", runningFor: "10 seconds", ends: "successful" } as const
const long = { pendingFor: "2 seconds", runningFor: "30 minutes", ends: "successful" } as const

const FINALIZER = "cloudkit.openshift.io/computeinstance"
const INTENT = "cloudkit.openshift.io/launch-intent"
const MANAGEMENT = "cloudkit.openshift.io/management-state"

const ready = Effect.fnUntraced(function* (play: typeof quick | typeof long = quick) {
  const world = yield* makeWorld()
  yield* world.aap.play((launch) => (launch.template === PROVISION_TEMPLATE ? play : quick))
  yield* world.start
  yield* world.user.create("vm-1", spec)
  yield* TestClock.adjust("1 minute")
  return world
})

const annotation = (object: unknown, name: string): string => String(at(object, "metadata", "annotations", name))
const phase = (world: World, name = "vm-1") =>
  Effect.map(stored(world, name), (object) => at(object, "status", "phase"))
/** Takes the object away as if it had never been here, and answers what a backup of it holds. */
const lost = Effect.fnUntraced(function* (world: World) {
  const object = yield* stored(world, "vm-1")
  yield* world.user.patch("vm-1", { metadata: { finalizers: [] } })
  yield* world.user.remove("vm-1")
  return object
})

const metadataOf = (object: JsonObject | undefined): JsonObject => ({
  annotations: { [INTENT]: annotation(object, INTENT) },
  finalizers: [FINALIZER]
})

// ── restored, copied, replaced ───────────────────────────────────────────────────────────────────────────────────────

it.effect("an object restored from a backup without its status adopts its job and launches nothing", () =>
  Effect.gen(function* () {
    const world = yield* ready(long)
    const backup = yield* lost(world)
    yield* world.user.create("vm-1", spec, metadataOf(backup))
    yield* TestClock.adjust("2 minutes")
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "provisionJob", "id"), "1")
    yield* TestClock.adjust("1 hour")
    assert.strictEqual(yield* phase(world), "Ready")
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 1)
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("5 minutes")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 2)
  })
)

it.effect("a copy under another name ignores the intent it inherited and is provisioned by itself", () =>
  Effect.gen(function* () {
    const world = yield* ready()
    const original = yield* stored(world, "vm-1")
    yield* world.user.create("vm-2", spec, { annotations: { [INTENT]: annotation(original, INTENT) } })
    yield* TestClock.adjust("1 minute")
    const [job, ...others] = yield* jobsOf(world, "vm-2")
    assert.deepStrictEqual(others, [])
    assert.include(job?.launchKey ?? "", String(at(yield* stored(world, "vm-2"), "metadata", "uid")))
    assert.strictEqual(yield* phase(world, "vm-2"), "Ready")
  })
)

it.effect("an annotation that is no intent at all is replaced, and provisioning goes on", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    yield* world.start
    yield* world.user.create("vm-1", spec, { annotations: { [INTENT]: '{"key": "nonsense"' } })
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(yield* phase(world), "Ready")
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 1)
  })
)

it.effect("an object whose annotation and finalizer were replaced away searches for the next key before using it", () =>
  Effect.gen(function* () {
    const world = yield* ready(long)
    yield* TestClock.adjust("40 minutes")
    yield* world.aapWire.order({ when: aapRequests.launch, harm: { _tag: "Lose", code: "ECONNRESET", after: true } })
    yield* world.aapWire.order({ when: aapRequests.search, harm: { _tag: "Lose", code: "ECONNRESET" }, times: 6 })
    yield* world.user.patch("vm-1", { spec: { vcpu: 8 } })
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 2)
    yield* world.user.patch("vm-1", { metadata: { annotations: { [INTENT]: null }, finalizers: [] } })
    yield* TestClock.adjust("5 minutes")
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 2, "the job that the lost intent led to is found")
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "provisionJob", "id"), "2")
    yield* TestClock.adjust("40 minutes")
    assert.strictEqual(yield* phase(world), "Ready")
    yield* assertNoOverlap(world)
  })
)

// ── the finalizer ────────────────────────────────────────────────────────────────────────────────────────────────────

it.effect("taking the finalizer off an object that is being deleted always works, and is never undone", () =>
  Effect.gen(function* () {
    const world = yield* ready(long)
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("1 second")
    yield* world.user.patch("vm-1", { metadata: { finalizers: [] } })
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    const launched = yield* world.aapWire.count(isLaunch)
    yield* TestClock.adjust("2 hours")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    assert.strictEqual(yield* world.aapWire.count(isLaunch), launched)
  })
)

it.effect("taking it off while another's finalizer holds the object ends our part for good", () =>
  Effect.gen(function* () {
    const world = yield* ready(long)
    yield* world.user.patch("vm-1", { metadata: { finalizers: [FINALIZER, "example.com/backup"] } })
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("1 second")
    yield* world.user.patch("vm-1", { metadata: { finalizers: ["example.com/backup"] } })
    const version = at(yield* stored(world, "vm-1"), "metadata", "resourceVersion")
    yield* TestClock.adjust("2 hours")
    assert.strictEqual(at(yield* stored(world, "vm-1"), "metadata", "resourceVersion"), version)
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 1)
  })
)

it.effect("off an object that lives on, it is put back by the next launch and not before", () =>
  Effect.gen(function* () {
    const world = yield* ready()
    yield* world.user.patch("vm-1", { metadata: { finalizers: [] } })
    yield* TestClock.adjust("1 hour")
    assert.notInclude(JSON.stringify(yield* stored(world, "vm-1")), `"finalizers":["${FINALIZER}"]`)
    yield* world.user.patch("vm-1", { spec: { vcpu: 8 } })
    yield* TestClock.adjust("1 minute")
    assert.deepStrictEqual(at(yield* stored(world, "vm-1"), "metadata", "finalizers"), [FINALIZER])
    assert.strictEqual(yield* phase(world), "Ready")
  })
)

// ── hands off ────────────────────────────────────────────────────────────────────────────────────────────────────────

it.effect("an unmanaged object is not launched for, not polled and not written to, until it is managed again", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    yield* world.start
    yield* world.user.create("vm-1", spec, { annotations: { [MANAGEMENT]: "unmanaged" } })
    const version = at(yield* stored(world, "vm-1"), "metadata", "resourceVersion")
    yield* TestClock.adjust("2 hours")
    assert.strictEqual(at(yield* stored(world, "vm-1"), "metadata", "resourceVersion"), version)
    assert.strictEqual((yield* world.aapWire.exchanges).length, 0)
    yield* world.user.annotate("vm-1", { [MANAGEMENT]: null })
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(yield* phase(world), "Ready")
  })
)

it.effect("an object that becomes unmanaged while its job runs is no longer followed, and is again afterwards", () =>
  Effect.gen(function* () {
    const world = yield* ready(long)
    yield* world.user.annotate("vm-1", { [MANAGEMENT]: "unmanaged" })
    yield* TestClock.adjust("1 minute")
    yield* world.aapWire.forget
    yield* TestClock.adjust("1 hour")
    assert.strictEqual(yield* world.aapWire.count(isPoll), 0)
    assert.strictEqual(yield* phase(world), "Progressing")
    yield* world.user.annotate("vm-1", { [MANAGEMENT]: null })
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(yield* phase(world), "Ready")
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 1)
  })
)

it.effect("an unmanaged object that is deleted is torn down all the same", () =>
  Effect.gen(function* () {
    const world = yield* ready()
    yield* world.user.annotate("vm-1", { [MANAGEMENT]: "unmanaged" })
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("2 minutes")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    assert.strictEqual((yield* jobsOf(world, "vm-1")).at(-1)?.template, "osac-delete-compute-instance")
  })
)

it.effect("a manual object is left to people, says so, and blocks its deletion if something was provisioned", () =>
  Effect.gen(function* () {
    const world = yield* ready()
    yield* world.user.annotate("vm-1", { [MANAGEMENT]: "manual" })
    yield* world.user.patch("vm-1", { spec: { vcpu: 8 } })
    yield* world.user.create("vm-2", spec, { annotations: { [MANAGEMENT]: "manual" } })
    yield* TestClock.adjust("10 minutes")
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 1)
    assert.strictEqual(verdict(yield* stored(world, "vm-2"), "Ready"), "False Manual")
    yield* world.user.remove("vm-1")
    yield* world.user.remove("vm-2")
    yield* TestClock.adjust("10 minutes")
    assert.strictEqual(yield* stored(world, "vm-2"), undefined, "nothing was ever provisioned for it")
    const blocked = yield* stored(world, "vm-1")
    assert.strictEqual(verdict(blocked, "DeletionBlocked"), "True ManualDeletion")
    yield* world.user.annotate("vm-1", { [MANAGEMENT]: null })
    yield* TestClock.adjust("2 minutes")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 2)
  })
)
