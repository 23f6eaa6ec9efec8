/** An upgrade in a live cluster: the objects that an earlier operator left, recorded whole, go on where it stopped. */
import { readFileSync } from "node:fs"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { at, condition, isLaunch, jobsOf, stored, verdict } from "../support/expectations.ts"
import type { JsonObject } from "../support/SimulatedKubernetes.ts"
import { makeWorld, settled, type World, type WorldOptions } from "../support/World.ts"
import { launchByHand } from "./person.ts"

const RECORDED = Date.parse("2026-11-21T11:45:00Z")
const VERSION = "cfd490dd9e0eef4b"
const RETRY = "cloudkit.openshift.io/retry-requested-at"
const RECONCILED = "cloudkit.openshift.io/reconciled-config-version"
const PLAYBOOK = "cloudkit.openshift.io/computeinstance-aap"
const quick = { pendingFor: "2 seconds", runningFor: "10 seconds", ends: "successful" } as const

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const asObject = (value: unknown): JsonObject => (isObject(value) ? value : {})

const recording = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../fixtures/earlier-operator/${name}.json`, import.meta.url), "utf8"))

/**
 * The recorded object in a new cluster, before the new operator starts. The job it waits for is run by AAP as the earlier
 * operator launched it, without a key, under an id of this AAP.
 */
const imported = Effect.fnUntraced(function* (
  name: string,
  options: WorldOptions = {},
  live?: "provision" | "deprovision"
) {
  yield* TestClock.setTime(RECORDED)
  // what the earlier CRD allowed, the new one does not: the stored objects are older than the schema
  const world = yield* makeWorld({ ...options, cluster: { quirks: { schemasChecked: false } } })
  yield* world.aap.play(() => ({ ...quick, runningFor: "5 minutes" }))
  const object = recording(name)
  const { annotations = {}, finalizers = [] } = asObject(at(object, "metadata"))
  const created = yield* world.user.create("vm-1", asObject(at(object, "spec")), { annotations, finalizers })
  const status = asObject(at(object, "status"))
  yield* world.user.patchStatus("vm-1", status)
  if (live !== undefined) {
    const metadata = asObject(at(created, "metadata"))
    const payload = { metadata: { uid: metadata.uid, name: metadata.name, namespace: metadata.namespace } }
    const job = yield* launchByHand(world, live === "provision" ? 7 : 8, { ansible_eda: { event: { payload } } })
    const jobs = at(status, "jobs")
    const renamed = (Array.isArray(jobs) ? jobs : []).map((one) => ({
      ...asObject(one),
      ...(at(one, "type") === live ? { jobID: String(job.id) } : {})
    }))
    yield* world.user.patchStatus("vm-1", { jobs: renamed })
  }
  if (at(object, "metadata", "deletionTimestamp") !== undefined) yield* world.user.remove("vm-1")
  yield* world.start
  yield* TestClock.adjust("1 minute")
  return world
})

const phase = (world: World) => Effect.map(stored(world, "vm-1"), (object) => at(object, "status", "phase"))

const assertNothingLaunched = Effect.fnUntraced(function* (world: World) {
  assert.strictEqual(yield* world.aapWire.count(isLaunch), 0)
  assert.strictEqual((yield* world.eda.webhooks).length, 0)
})

const assertNothingLost = Effect.fnUntraced(function* (world: World, ids: ReadonlyArray<string>) {
  const object = yield* stored(world, "vm-1")
  const jobs = at(object, "status", "jobs")
  assert.deepStrictEqual(
    (Array.isArray(jobs) ? jobs : []).map((job) => at(job, "jobID")),
    [...ids]
  )
  assert.deepStrictEqual(at(object, "status", "tenantReference"), {
    name: "tenant-bdd76b5vnjpbm",
    namespace: "bench"
  })
  assert.strictEqual(at(object, "metadata", "annotations", "cloudkit.openshift.io/tenant"), "t1")
  assert.strictEqual(condition(object, "Accepted"), undefined, "conditions that nobody maintains any more go")
})

const bothWays = [
  ["aap", "eda"],
  ["eda", "aap"]
] as const

for (const providers of bothWays) {
  for (const [name, id] of [
    ["aap-provisioned", "1000"],
    ["eda-provisioned", "eda-webhook-1"]
  ] as const) {
    it.effect(`${name} is Ready under ${providers[0]}, stays Ready, and nothing is launched for it`, () =>
      Effect.gen(function* () {
        const world = yield* imported(name, { providers })
        assert.strictEqual(yield* phase(world), "Ready", JSON.stringify(at(yield* stored(world, "vm-1"), "status")))
        yield* TestClock.adjust("12 hours")
        const object = yield* stored(world, "vm-1")
        assert.strictEqual(at(object, "status", "phase"), "Ready")
        assert.strictEqual(at(object, "status", "reconciledConfigVersion"), VERSION)
        yield* assertNothingLost(world, [id])
        yield* assertNothingLaunched(world)
      })
    )
  }
}

it.effect("aap-provisioned is provisioned again when its spec changes, and is torn down when it is deleted", () =>
  Effect.gen(function* () {
    const world = yield* imported("aap-provisioned")
    yield* world.aap.play(() => quick)
    yield* world.user.patch("vm-1", { spec: { templateParameters: '{"cpu":4}' } })
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(yield* phase(world), "Ready")
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 1)
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 2)
  })
)

it.effect("aap-failed stays Failed until a person asks for another run", () =>
  Effect.gen(function* () {
    const world = yield* imported("aap-failed")
    yield* TestClock.adjust("12 hours")
    assert.strictEqual(yield* phase(world), "Failed")
    assert.strictEqual(verdict(yield* stored(world, "vm-1"), "Stalled"), "True JobFailed")
    yield* assertNothingLost(world, ["1001"])
    yield* assertNothingLaunched(world)
    yield* world.aap.play(() => quick)
    yield* world.user.annotate("vm-1", { [RETRY]: "yes" })
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(yield* phase(world), "Ready")
  })
)

it.effect("aap-running is followed to its end, although its job carries no key", () =>
  Effect.gen(function* () {
    const world = yield* imported("aap-running", {}, "provision")
    assert.strictEqual(yield* phase(world), "Progressing")
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "provisionJob", "message"), "Job running")
    yield* TestClock.adjust("10 minutes")
    assert.strictEqual(yield* phase(world), "Ready")
    yield* assertNothingLost(world, ["1"])
    yield* assertNothingLaunched(world)
  })
)

it.effect("aap-running whose job AAP no longer has is of unknown outcome, and nothing is launched", () =>
  Effect.gen(function* () {
    const world = yield* imported("aap-running")
    yield* TestClock.adjust("2 hours")
    assert.strictEqual(verdict(yield* stored(world, "vm-1"), "Stalled"), "True JobOutcomeUnknown")
    yield* assertNothingLost(world, ["1002"])
    yield* assertNothingLaunched(world)
  })
)

it.effect("aap-running is cancelled when it is deleted, and then torn down", () =>
  Effect.gen(function* () {
    const world = yield* imported("aap-running", {}, "provision")
    yield* settled(
      world.aap.setUserRoles("operator", [
        { role: "admin", template: 7 },
        { role: "execute", template: 8 }
      ])
    )
    yield* world.aap.play(() => quick)
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("2 minutes")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    assert.deepStrictEqual(
      (yield* jobsOf(world, "vm-1")).map(({ status }) => status),
      ["canceled", "successful"]
    )
  })
)

it.effect("aap-deleting waits for the deprovision that is under way, and launches no other", () =>
  Effect.gen(function* () {
    const world = yield* imported("aap-deleting", {}, "deprovision")
    assert.strictEqual(yield* phase(world), "Deleting")
    yield* assertNothingLost(world, ["1000", "1"])
    yield* TestClock.adjust("10 minutes")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    yield* assertNothingLaunched(world)
  })
)

it.effect("eda-requested waits for its signal, calls nobody again, and is Ready when it comes", () =>
  Effect.gen(function* () {
    const world = yield* imported("eda-requested", { providers: ["eda", "aap"] })
    yield* TestClock.adjust("2 hours")
    yield* assertNothingLaunched(world)
    assert.strictEqual(yield* phase(world), "Progressing")
    yield* world.user.annotate("vm-1", { [RECONCILED]: VERSION })
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(yield* phase(world), "Ready")
    yield* assertNothingLost(world, ["eda-webhook-1"])
    yield* assertNothingLaunched(world)
  })
)

it.effect("eda-deleting waits until the playbook takes its finalizer off, and calls nobody again", () =>
  Effect.gen(function* () {
    const world = yield* imported("eda-deleting", { providers: ["eda", "aap"] })
    yield* TestClock.adjust("2 hours")
    assert.strictEqual(yield* phase(world), "Deleting")
    yield* assertNothingLost(world, ["eda-webhook-1", "eda-webhook-2"])
    const finalizers = at(yield* stored(world, "vm-1"), "metadata", "finalizers")
    yield* world.user.patch("vm-1", {
      metadata: { finalizers: (Array.isArray(finalizers) ? finalizers : []).filter((one) => one !== PLAYBOOK) }
    })
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    yield* assertNothingLaunched(world)
  })
)
