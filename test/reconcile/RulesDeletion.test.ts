/** Rules of deletion that no other scenario states: whose failure keeps the object, and whose does not. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { at, isLaunch, stored, verdict } from "../support/expectations.ts"
import { aapRequests } from "../support/schedulesHarms.ts"
import { DEPROVISION_TEMPLATE, makeWorld } from "../support/World.ts"

const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }
const quick = { pendingFor: "2 seconds", runningFor: "10 seconds", ends: "successful" } as const

/** An object that is Ready, and whose deprovisions fail from now on. */
const doomed = Effect.gen(function* () {
  const world = yield* makeWorld()
  yield* world.aap.play(({ template }) => (template === DEPROVISION_TEMPLATE ? { ...quick, ends: "failed" } : quick))
  yield* world.start
  yield* world.user.create("vm-1", spec)
  yield* TestClock.adjust("2 minutes")
  assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "phase"), "Ready")
  return world
})

it.effect("a failed deprovision whose launch nobody confirmed keeps the object like any other", () =>
  Effect.gen(function* () {
    const world = yield* doomed
    yield* world.aapWire.order({ when: aapRequests.launch, harm: { _tag: "Lose", code: "ECONNRESET", after: true } })
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("30 minutes")
    const object = yield* stored(world, "vm-1")
    assert.strictEqual(verdict(object, "DeletionBlocked"), "True DeprovisionFailed")
    assert.strictEqual(at(object, "status", "deprovisionJob", "blockDeletionOnFailure"), true)
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 2)
  })
)

it.effect("a failed deprovision that a person says need not block lets the object go, with a Warning", () =>
  Effect.gen(function* () {
    const world = yield* doomed
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("5 minutes")
    const object = yield* stored(world, "vm-1")
    assert.strictEqual(verdict(object, "DeletionBlocked"), "True DeprovisionFailed")
    const jobs = at(object, "status", "jobs")
    const [provision, deprovision] = Array.isArray(jobs) ? jobs : []
    yield* world.user.patchStatus("vm-1", { jobs: [provision, { ...deprovision, blockDeletionOnFailure: false }] })
    yield* TestClock.adjust("5 minutes")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    const warnings = (yield* world.kubernetes.stored("events")).filter(({ reason }) => reason === "DeletedAfterFailure")
    assert.deepStrictEqual(
      warnings.map(({ type }) => type),
      ["Warning"]
    )
  })
)
