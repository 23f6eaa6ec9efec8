/** Objects that no careful person would write: each costs a condition on itself, and nothing else. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { at, condition, isLaunch, jobsOf, stored, verdict } from "../support/expectations.ts"
import type { JsonObject } from "../support/SimulatedKubernetes.ts"
import { crd, makeWorld, settled, type World } from "../support/World.ts"
import { permissive } from "./scenarios/permissive.ts"

const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }
const quick = { pendingFor: "2 seconds", runningFor: "10 seconds", ends: "successful" } as const

/** A cluster that takes anything, the operator, and a well-behaved neighbour. */
const open = Effect.gen(function* () {
  const world = yield* makeWorld({ cluster: { crds: [permissive(crd)] } })
  yield* world.aap.play(() => quick)
  yield* world.start
  return world
})

/** Whatever stands in vm-1, others are provisioned, and go again. */
const assertOthersGoOn = Effect.fnUntraced(function* (world: World) {
  yield* world.user.create("neighbour", { ...spec, name: "neighbour" })
  yield* TestClock.adjust("1 minute")
  assert.strictEqual(at(yield* stored(world, "neighbour"), "status", "phase"), "Ready")
  yield* world.user.remove("neighbour")
  yield* TestClock.adjust("1 minute")
  assert.strictEqual(yield* stored(world, "neighbour"), undefined)
})

const wrongSpecs: ReadonlyArray<readonly [string, JsonObject, string]> = [
  ["a word where a number belongs", { ...spec, vcpu: "two" }, "vcpu"],
  ["a number below one", { ...spec, memory: 0 }, "memory"],
  ["a number beyond counting", { ...spec, disk: 1e300 }, "disk"],
  ["a name that is no label", { ...spec, name: "Not A Label" }, "name"],
  ["an object where text belongs", { ...spec, templateID: { a: 1 } }, "templateID"],
  ["neither name nor template", { vcpu: 1 }, "at least one of name and templateID"],
  ["nothing at all", {}, "at least one of name and templateID"],
  ["parameters that are no JSON", { ...spec, templateParameters: "{cpu: 2}" }, "templateParameters"],
  ["parameters that are cut off", { ...spec, templateParameters: '{"cpu": 2' }, "templateParameters"],
  ["parameters that are a list", { ...spec, templateParameters: "[1, 2]" }, "JSON object"],
  [
    "parameters beyond all bounds",
    { ...spec, templateParameters: `{"a":"${"x".repeat(300_000)}"}` },
    "templateParameters"
  ]
]

for (const [name, wrong, word] of wrongSpecs) {
  it.effect(`${name} in the spec is said, launches nothing, and is mended by mending the spec`, () =>
    Effect.gen(function* () {
      const world = yield* open
      yield* world.user.create("vm-1", wrong)
      yield* TestClock.adjust("10 seconds")
      const object = yield* stored(world, "vm-1")
      assert.strictEqual(verdict(object, "Stalled"), "True SpecInvalid")
      const message = String(condition(object, "Ready")?.message)
      assert.include(message, word)
      assert.isBelow(message.length, 4_000)
      assert.strictEqual(at(object, "status", "phase"), "Failed")
      yield* assertOthersGoOn(world)
      assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 0)
      yield* world.user.patch("vm-1", { spec: { templateID: null, templateParameters: null, ...spec } })
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "phase"), "Ready")
    })
  )
}

it.effect("a spec that is broken after it was provisioned keeps its machine, and is deprovisioned all the same", () =>
  Effect.gen(function* () {
    const world = yield* open
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("1 minute")
    yield* world.user.patch("vm-1", { spec: { vcpu: "many" } })
    yield* TestClock.adjust("1 minute")
    const object = yield* stored(world, "vm-1")
    assert.strictEqual(verdict(object, "Stalled"), "True SpecInvalid")
    assert.strictEqual(verdict(object, "Provisioned"), "True Provisioned")
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("2 minutes")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 2)
  })
)

it.effect("a secret in broken parameters is not shown", () =>
  Effect.gen(function* () {
    const world = yield* open
    yield* world.user.create("vm-1", { ...spec, templateParameters: '{"password": "hunter2", oops}' })
    yield* TestClock.adjust("10 seconds")
    const object = yield* stored(world, "vm-1")
    assert.strictEqual(verdict(object, "Stalled"), "True SpecInvalid")
    assert.notInclude(JSON.stringify(at(object, "status")), "hunter2")
    assert.notInclude(JSON.stringify(yield* world.kubernetes.stored("events")), "hunter2")
  })
)

it.effect("fields that nobody knows travel to the playbook, stay in the object, and count as a change", () =>
  Effect.gen(function* () {
    const world = yield* open
    yield* world.user.create("vm-1", { ...spec, gpu: { count: 2 } })
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "phase"), "Ready")
    const [job] = yield* jobsOf(world, "vm-1")
    assert.deepStrictEqual(at(job?.payload, "spec", "gpu"), { count: 2 })
    assert.deepStrictEqual(at(yield* stored(world, "vm-1"), "spec", "gpu"), { count: 2 })
    yield* world.user.patch("vm-1", { spec: { gpu: { count: 4 } } })
    yield* TestClock.adjust("1 minute")
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 2)
  })
)

it.effect("parameters of a quarter of a megabyte are provisioned", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    yield* world.start
    const templateParameters = JSON.stringify({ a: "x".repeat(262_000) })
    yield* world.user.create("vm-1", { ...spec, templateParameters })
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "phase"), "Ready")
    const [job] = yield* jobsOf(world, "vm-1")
    assert.strictEqual(at(job?.payload, "spec", "templateParameters"), templateParameters)
  })
)

// ── the record ───────────────────────────────────────────────────────────────────────────────────────────────────────

it.effect("a state of a job that nobody knows is Unknown, not lost, and is looked up at AAP", () =>
  Effect.gen(function* () {
    const world = yield* open
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("3 seconds")
    const jobs = at(yield* stored(world, "vm-1"), "status", "jobs")
    const [job] = Array.isArray(jobs) ? jobs : []
    yield* world.user.patchStatus("vm-1", { jobs: [{ ...job, state: "Levitating" }] })
    yield* TestClock.adjust("2 minutes")
    const object = yield* stored(world, "vm-1")
    assert.strictEqual(at(object, "status", "phase"), "Ready")
    assert.strictEqual(at(object, "status", "provisionJob", "state"), "Succeeded")
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 1)
  })
)

const wrongRecords: ReadonlyArray<readonly [string, JsonObject]> = [
  ["a job without an id", { jobs: [{ type: "provision", state: "Running" }] }],
  ["a job of a type nobody knows", { jobs: [{ jobID: "1", type: "dance", state: "Running" }] }],
  ["attempts that are words", { jobs: [], attempts: { provision: "many" } }],
  ["a launch record that is text", { launch: "yes" }],
  ["a list of numbers for jobs", { jobs: [1, 2, 3] }]
]

for (const [name, record] of wrongRecords) {
  it.effect(`${name} in the record is said, nothing is lost of it, and nothing is launched or removed`, () =>
    Effect.gen(function* () {
      const world = yield* open
      yield* world.user.create("vm-1", spec)
      yield* TestClock.adjust("1 minute")
      yield* world.user.patchStatus("vm-1", { ...record, tenantReference: { name: "t1" } })
      const broken = at(yield* stored(world, "vm-1"), "status")
      yield* world.user.patch("vm-1", { spec: { vcpu: 8 } })
      yield* TestClock.adjust("10 minutes")
      const object = yield* stored(world, "vm-1")
      assert.strictEqual(verdict(object, "Stalled"), "True RecordInvalid")
      assert.deepInclude(at(object, "status"), record)
      assert.deepStrictEqual(at(object, "status", "tenantReference"), at(broken, "tenantReference"))
      assert.strictEqual(yield* world.aapWire.count(isLaunch), 1)
      yield* assertOthersGoOn(world)
      yield* world.user.remove("vm-1")
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(verdict(yield* stored(world, "vm-1"), "DeletionBlocked"), "True RecordInvalid")
      assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 1)
    })
  )
}

it.effect("conditions and fields of other writers stay where they are", () =>
  Effect.gen(function* () {
    const world = yield* open
    yield* world.user.create("vm-1", spec)
    yield* world.user.patchStatus("vm-1", {
      conditions: [
        { type: "example.com/Backup", status: "True", reason: "Done", lastTransitionTime: "2026-01-01T00:00:00Z" }
      ],
      virtualMachineReference: { namespace: "a", kubeVirtVirtualMachineName: "b" },
      lastRestartedAt: "2026-01-01T00:00:00Z"
    })
    yield* TestClock.adjust("2 minutes")
    const object = yield* stored(world, "vm-1")
    assert.strictEqual(at(object, "status", "phase"), "Ready")
    assert.strictEqual(condition(object, "example.com/Backup")?.reason, "Done")
    assert.deepStrictEqual(at(object, "status", "virtualMachineReference"), {
      namespace: "a",
      kubeVirtVirtualMachineName: "b"
    })
    assert.strictEqual(at(object, "status", "lastRestartedAt"), "2026-01-01T00:00:00Z")
  })
)

it.effect("many hostile objects at once do not keep one good object waiting", () =>
  Effect.gen(function* () {
    const world = yield* open
    yield* Effect.forEach(
      wrongSpecs,
      ([, wrong], index) => Effect.andThen(world.user.create(`bad-${index}`, wrong), settled(Effect.void)),
      { discard: true }
    )
    yield* assertOthersGoOn(world)
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 2)
  })
)

// ── what people write around the spec ────────────────────────────────────────────────────────────────────────────────

const evil = "\r\nHost: evil.test\r\n\u001b[2J\u202E"

const wrongAnnotations: ReadonlyArray<readonly [string, Readonly<Record<string, string>>]> = [
  ["a retry that is no single line", { "cloudkit.openshift.io/retry-requested-at": evil }],
  ["a job to adopt that is a path", { "cloudkit.openshift.io/adopt-job": "../../users/1/?x=" }],
  ["a job to adopt that is no single line", { "cloudkit.openshift.io/adopt-job": evil }],
  ["an intent that is no JSON", { "cloudkit.openshift.io/launch-intent": evil }],
  [
    "an intent of prototypes",
    { "cloudkit.openshift.io/launch-intent": '{"__proto__": {"key": "x"}, "constructor": 1}' }
  ],
  ["an intent of a hundred thousand levels", { "cloudkit.openshift.io/launch-intent": "[".repeat(100_000) }],
  ["a management state that nobody knows", { "cloudkit.openshift.io/management-state": evil }]
]

for (const [name, annotations] of wrongAnnotations) {
  it.effect(`${name} keeps the resource from nothing, and reaches AAP as data at most`, () =>
    Effect.gen(function* () {
      const world = yield* open
      yield* world.user.create("vm-1", spec, { annotations })
      yield* TestClock.adjust("10 minutes")
      const object = yield* stored(world, "vm-1")
      assert.strictEqual(at(object, "status", "phase"), "Ready")
      assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 1)
      assert.notMatch(JSON.stringify(at(object, "status", "conditions")), /evil|users|proto/u)
      for (const { path, query } of yield* world.aapWire.exchanges) assert.notMatch(path + query, /evil|users|[\r\n]/u)
      yield* world.user.remove("vm-1")
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    })
  )
}

const parameters: ReadonlyArray<readonly [string, string]> = [
  ["of prototypes", '{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}'],
  ["of a hundred thousand levels", `{"a": ${"[".repeat(100_000)}${"]".repeat(100_000)}}`],
  ["full of line ends and escapes", JSON.stringify({ [evil]: evil })],
  ["of one endless word", `{"a": "${"a".repeat(260_000)}"}`]
]

for (const [name, templateParameters] of parameters) {
  it.effect(`parameters ${name} reach the playbook as they were written, and nothing else`, () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.aap.play(() => quick)
      yield* world.start
      yield* world.user.create("vm-1", { ...spec, templateParameters })
      yield* TestClock.adjust("1 minute")
      const [job] = yield* jobsOf(world, "vm-1")
      assert.strictEqual(at(job?.payload, "spec", "templateParameters"), templateParameters)
      assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "phase"), "Ready")
      assert.isUndefined(Reflect.get({}, "polluted"))
    })
  )
}
