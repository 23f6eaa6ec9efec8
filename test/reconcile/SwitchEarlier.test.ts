/** The objects that an earlier operator left, recorded whole, each through its whole life under either provider. */
import { readdirSync, readFileSync } from "node:fs"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { at, isLaunch, stored } from "../support/expectations.ts"
import type { JsonObject } from "../support/SimulatedKubernetes.ts"
import { makeWorld, type World } from "../support/World.ts"
import { courseOf, PLAYBOOK, phaseOf, RECONCILED } from "./courses.ts"
import { launchByHand } from "./person.ts"

const RECORDED = Date.parse("2026-11-21T11:45:00Z")
const VERSION = "cfd490dd9e0eef4b"
const RETIRED = "cloudkit.openshift.io/computeinstance-feedback"
const folder = new URL("../fixtures/earlier-operator/", import.meta.url)

/** What the CRD declares for the earlier operator's sake; no recording happens to hold all of it. */
const declared = {
  virtualMachineReference: { namespace: "bench", kubeVirtVirtualMachineName: "vm-1" },
  tenantReference: { name: "tenant-bdd76b5vnjpbm", namespace: "bench" },
  lastRestartedAt: "2026-11-21T11:30:00Z"
}

interface Fate {
  /** What the earlier operator was waiting for, which a job of AAP or the user's hand brings about. */
  readonly awaits?: "provision job" | "deprovision job" | "annotation" | "finalizer"
  readonly phase: string
  readonly afterwards: "Ready" | "Failed" | "gone"
}

const fates: Readonly<Record<string, Fate>> = {
  "aap-provisioned": { phase: "Ready", afterwards: "Ready" },
  "aap-failed": { phase: "Failed", afterwards: "Failed" },
  "aap-running": { awaits: "provision job", phase: "Progressing", afterwards: "Ready" },
  "aap-deleting": { awaits: "deprovision job", phase: "Deleting", afterwards: "gone" },
  "eda-provisioned": { phase: "Ready", afterwards: "Ready" },
  "eda-requested": { awaits: "annotation", phase: "Progressing", afterwards: "Ready" },
  "eda-deleting": { awaits: "finalizer", phase: "Deleting", afterwards: "gone" }
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const objectAt = (value: unknown, ...path: ReadonlyArray<string>): JsonObject => {
  const found = at(value, ...path)
  return isObject(found) ? found : {}
}
const listAt = (value: unknown, ...path: ReadonlyArray<string>): ReadonlyArray<unknown> => {
  const found = at(value, ...path)
  return Array.isArray(found) ? found : []
}

/** The job that the earlier operator launched, without a key, lives on in this AAP, under an id of its own. */
const liveJob = Effect.fnUntraced(function* (world: World, created: JsonObject, operation: string) {
  yield* world.aap.play(() => ({ pendingFor: "2 seconds", runningFor: "5 minutes", ends: "successful" }))
  const { name, namespace, uid } = objectAt(created, "metadata")
  const payload = { metadata: { uid, name, namespace } }
  const job = yield* launchByHand(world, operation === "provision" ? 7 : 8, { ansible_eda: { event: { payload } } })
  return String(job.id)
})

/** The recording in a new cluster, with the retired finalizer besides, before the new operator starts. */
const imported = Effect.fnUntraced(function* (name: string, { awaits }: Fate) {
  yield* TestClock.setTime(RECORDED)
  const world = yield* makeWorld({ cluster: { quirks: { schemasChecked: false } } })
  const recording: unknown = JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8"))
  const created = yield* world.user.create("vm-1", objectAt(recording, "spec"), {
    annotations: objectAt(recording, "metadata", "annotations"),
    finalizers: [...listAt(recording, "metadata", "finalizers").filter((one) => typeof one === "string"), RETIRED]
  })
  const [operation = "", what] = awaits?.split(" ") ?? []
  const id = what === "job" ? yield* liveJob(world, created, operation) : undefined
  const jobs = listAt(recording, "status", "jobs")
    .filter(isObject)
    .map((job) => (id !== undefined && job.type === operation ? { ...job, jobID: id } : job))
  yield* world.user.patchStatus("vm-1", { ...objectAt(recording, "status"), ...declared, jobs })
  if (at(recording, "metadata", "deletionTimestamp") !== undefined) yield* world.user.remove("vm-1")
  return { world, ids: jobs.map((job) => job.jobID) }
})

/** What the earlier operator waited for comes to pass. */
const comesToPass = Effect.fnUntraced(function* (world: World, { awaits }: Fate) {
  if (awaits === "annotation") yield* world.user.annotate("vm-1", { [RECONCILED]: VERSION })
  if (awaits === "finalizer") {
    const finalizers = listAt(yield* stored(world, "vm-1"), "metadata", "finalizers")
    yield* world.user.patch("vm-1", {
      metadata: { finalizers: finalizers.filter((one) => one !== PLAYBOOK).map(String) }
    })
  }
  yield* TestClock.adjust("6 minutes")
})

const assertNothingLaunched = Effect.fnUntraced(function* (world: World) {
  assert.strictEqual(yield* world.aapWire.count(isLaunch), 0)
  assert.isEmpty(yield* world.eda.webhooks)
})

/** Every record and every field of the earlier operator's is still there, and none is added. */
const assertNothingLost = Effect.fnUntraced(function* (world: World, ids: ReadonlyArray<unknown>) {
  const object = yield* stored(world, "vm-1")
  assert.deepStrictEqual(
    listAt(object, "status", "jobs").map((job) => at(job, "jobID")),
    [...ids]
  )
  assert.strictEqual(at(object, "status", "desiredConfigVersion"), VERSION)
  for (const [field, value] of Object.entries(declared)) assert.deepStrictEqual(at(object, "status", field), value)
})

it("every recording has its fate here", () => {
  assert.deepStrictEqual(
    readdirSync(folder).toSorted(),
    Object.keys(fates)
      .map((name) => `${name}.json`)
      .toSorted()
  )
})

for (const [active, other] of [
  ["eda", "aap"],
  ["aap", "eda"]
] as const) {
  for (const [name, fate] of Object.entries(fates)) {
    it.effect(
      `${name}, under ${active}, is ${fate.phase}, then ${fate.afterwards}, with nothing launched or lost`,
      () =>
        Effect.gen(function* () {
          const { ids, world } = yield* imported(name, fate)
          yield* world.startAs(active, other)
          yield* TestClock.adjust("1 minute")
          assert.strictEqual(yield* phaseOf(world, "vm-1"), fate.phase)
          yield* assertNothingLost(world, ids)
          yield* comesToPass(world, fate)
          yield* assertNothingLaunched(world)
          if (fate.afterwards === "gone") {
            assert.strictEqual(yield* stored(world, "vm-1"), undefined, "the retired finalizer went with ours")
            return
          }
          assert.strictEqual(yield* phaseOf(world, "vm-1"), fate.afterwards)
          yield* assertNothingLost(world, ids)
          yield* world.user.remove("vm-1")
          yield* TestClock.adjust("7 minutes")
          assert.isUndefined(yield* stored(world, "vm-1"), "the retired finalizer went with ours")
          assert.strictEqual((yield* courseOf(world, "vm-1")).at(-1), `${active} deprovision successful`)
        })
    )
  }
}

for (const name of ["aap-running", "aap-deleting"]) {
  it.effect(`${name}, under eda without AAP, waits for a person, who is told why`, () =>
    Effect.gen(function* () {
      const { ids, world } = yield* imported(name, fates[name] ?? { phase: "", afterwards: "gone" })
      yield* world.startAs("eda")
      yield* TestClock.adjust("2 hours")
      const conditions = JSON.stringify(at(yield* stored(world, "vm-1"), "status", "conditions"))
      assert.include(conditions, '"reason":"ProviderNotConfigured"')
      assert.include(conditions, `Job ${String(ids.at(-1))} belongs to a provider that is not configured; configure it`)
      yield* assertNothingLost(world, ids)
      yield* assertNothingLaunched(world)
    })
  )
}
