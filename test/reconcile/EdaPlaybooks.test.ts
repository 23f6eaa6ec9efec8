/** Playbooks that misbehave, one way each, and what must come out: never a second request, never a machine left behind. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { at, condition, stored, verdict } from "../support/expectations.ts"
import type { Playbook } from "../support/SimulatedEda.ts"
import { makeWorld, type World } from "../support/World.ts"
import {
  assertClean,
  assertNothingPolled,
  DEPROVISIONED,
  PLAYBOOK,
  phaseOf,
  RECONCILED,
  RETRY,
  spec,
  webhooksOf
} from "./courses.ts"

/** A machine is ordered, and its playbook goes like this. */
const ordered = Effect.fnUntraced(function* (playbook: Partial<Playbook>) {
  const world = yield* makeWorld({ providers: ["eda"] })
  yield* world.eda.playNext(playbook)
  yield* world.start
  yield* world.user.create("vm-1", spec)
  return world
})

/** Ready after a provision that went well, and deleted while the deprovision goes like this. */
const deleted = Effect.fnUntraced(function* (playbook: Partial<Playbook>) {
  const world = yield* ordered({})
  yield* TestClock.adjust("2 minutes")
  assert.strictEqual(yield* phaseOf(world, "vm-1"), "Ready")
  yield* world.eda.playNext(playbook)
  yield* world.user.remove("vm-1")
  yield* TestClock.adjust("1 minute")
  return world
})

const assertGone = Effect.fnUntraced(function* (world: World, ...webhooks: ReadonlyArray<"provision" | "deprovision">) {
  yield* assertClean(world, "vm-1")
  assert.strictEqual((yield* world.eda.machines).size, 0)
  assert.deepStrictEqual(yield* webhooksOf(world), [...webhooks])
  yield* assertNothingPolled(world)
})

const removed = Effect.fnUntraced(function* (world: World) {
  yield* world.user.remove("vm-1")
  yield* TestClock.adjust("15 minutes")
})

it.effect(
  "a playbook that signals late: a person is told after the settle period, and the late signal still counts",
  () =>
    Effect.gen(function* () {
      const world = yield* ordered({ worksFor: "25 minutes" })
      yield* TestClock.adjust("9 minutes")
      assert.strictEqual(verdict(yield* stored(world, "vm-1"), "Reconciling"), "True JobPending")
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual(verdict(yield* stored(world, "vm-1"), "Stalled"), "True AwaitingSignal")
      assert.strictEqual(yield* phaseOf(world, "vm-1"), "Progressing")
      yield* TestClock.adjust("15 minutes")
      assert.strictEqual(yield* phaseOf(world, "vm-1"), "Ready")
      assert.strictEqual(verdict(yield* stored(world, "vm-1"), "Stalled"), "absent")
      yield* removed(world)
      yield* assertGone(world, "provision", "deprovision")
    })
)

for (const ends of ["never", "failed"] as const) {
  const how = ends === "never" ? "hangs" : "fails"
  it.effect(
    `a playbook that ${how}: no word comes, a person is told, and it runs again only when the person asks`,
    () =>
      Effect.gen(function* () {
        const world = yield* ordered({ ends })
        yield* TestClock.adjust("12 hours")
        const silent = yield* stored(world, "vm-1")
        assert.strictEqual(verdict(silent, "Stalled"), "True AwaitingSignal")
        assert.strictEqual(verdict(silent, "Ready"), "False AwaitingSignal")
        assert.include(String(condition(silent, "Stalled")?.message), RETRY)
        assert.deepStrictEqual(yield* webhooksOf(world), ["provision"])
        yield* world.user.annotate("vm-1", { [RETRY]: "1" })
        yield* TestClock.adjust("2 minutes")
        assert.strictEqual(yield* phaseOf(world, "vm-1"), "Ready")
        yield* removed(world)
        yield* assertGone(world, "provision", "provision", "deprovision")
      })
  )

  it.effect(`a deprovision that ${how}: the object stays, says so, and is torn down when a person asks again`, () =>
    Effect.gen(function* () {
      const world = yield* deleted({ ends })
      assert.strictEqual(verdict(yield* stored(world, "vm-1"), "Reconciling"), "True Deprovisioning")
      yield* TestClock.adjust("12 hours")
      const silent = yield* stored(world, "vm-1")
      assert.strictEqual(verdict(silent, "DeletionBlocked"), "True AwaitingSignal")
      assert.strictEqual(verdict(silent, "Stalled"), "True AwaitingSignal")
      for (const way of [RETRY, DEPROVISIONED]) {
        assert.include(String(condition(silent, "DeletionBlocked")?.message), way)
      }
      assert.strictEqual((yield* world.eda.machines).size, 1)
      yield* world.user.annotate("vm-1", { [RETRY]: "1" })
      yield* TestClock.adjust("2 minutes")
      yield* assertGone(world, "provision", "deprovision", "deprovision")
    })
  )
}

it.effect("a deprovision that dies before its signal: a person who says the machine is gone lets the object go", () =>
  Effect.gen(function* () {
    const world = yield* deleted({ releases: false })
    yield* TestClock.adjust("1 hour")
    assert.strictEqual(verdict(yield* stored(world, "vm-1"), "DeletionBlocked"), "True AwaitingSignal")
    yield* world.user.annotate("vm-1", { [DEPROVISIONED]: "true" })
    yield* TestClock.adjust("1 minute")
    yield* assertGone(world, "provision", "deprovision")
  })
)

it.effect("a rule that fires twice for one request: one job, Ready after the first run, torn down after both", () =>
  Effect.gen(function* () {
    const world = yield* ordered({ runs: 2 })
    yield* TestClock.adjust("40 seconds")
    assert.strictEqual(yield* phaseOf(world, "vm-1"), "Ready")
    yield* TestClock.adjust("2 minutes")
    assert.strictEqual((yield* world.eda.runs).length, 2)
    assert.strictEqual(yield* phaseOf(world, "vm-1"), "Ready")
    yield* world.eda.playNext({ runs: 2 })
    yield* removed(world)
    yield* assertGone(world, "provision", "deprovision")
  })
)

it.effect("an event that is lost behind the receiver: nothing is sent again by itself", () =>
  Effect.gen(function* () {
    const world = yield* ordered({ runs: 0 })
    yield* TestClock.adjust("2 hours")
    assert.deepStrictEqual(yield* webhooksOf(world), ["provision"])
    assert.strictEqual(verdict(yield* stored(world, "vm-1"), "Stalled"), "True AwaitingSignal")
  })
)

it.effect("an annotation for an older version is no signal for the newer one", () =>
  Effect.gen(function* () {
    const world = yield* ordered({ worksFor: "4 minutes", olderVersion: "0123456789abcdef" })
    yield* TestClock.adjust("3 minutes")
    const midway = yield* stored(world, "vm-1")
    assert.strictEqual(at(midway, "metadata", "annotations", RECONCILED), "0123456789abcdef")
    assert.strictEqual(at(midway, "status", "phase"), "Progressing")
    assert.strictEqual(at(midway, "status", "reconciledConfigVersion"), undefined)
    yield* TestClock.adjust("2 minutes")
    assert.strictEqual(yield* phaseOf(world, "vm-1"), "Ready")
    yield* removed(world)
    yield* assertGone(world, "provision", "deprovision")
  })
)

it.effect("a signal for the spec as it was provisions the newest spec next, once", () =>
  Effect.gen(function* () {
    const world = yield* ordered({ worksFor: "5 minutes" })
    yield* TestClock.adjust("1 minute")
    yield* world.user.patch("vm-1", { spec: { vcpu: 4 } })
    yield* world.user.patch("vm-1", { spec: { vcpu: 8 } })
    yield* TestClock.adjust("2 minutes")
    assert.deepStrictEqual(yield* webhooksOf(world), ["provision"])
    yield* TestClock.adjust("10 minutes")
    const ready = yield* stored(world, "vm-1")
    assert.strictEqual(at(ready, "status", "phase"), "Ready")
    assert.deepStrictEqual([...(yield* world.eda.machines).values()], [at(ready, "status", "desiredConfigVersion")])
    assert.deepStrictEqual(yield* webhooksOf(world), ["provision", "provision"])
  })
)

it.effect("the finalizer long before the annotation is not Ready, and is waited for when the object is deleted", () =>
  Effect.gen(function* () {
    const world = yield* ordered({ worksFor: "5 minutes", finalizer: "atStart" })
    yield* TestClock.adjust("1 minute")
    assert.include(JSON.stringify(at(yield* stored(world, "vm-1"), "metadata", "finalizers")), PLAYBOOK)
    assert.strictEqual(yield* phaseOf(world, "vm-1"), "Progressing")
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("3 minutes")
    assert.strictEqual(verdict(yield* stored(world, "vm-1"), "Reconciling"), "True WaitingForPlaybook")
    assert.deepStrictEqual(yield* webhooksOf(world), ["provision"])
    yield* TestClock.adjust("5 minutes")
    yield* assertGone(world, "provision", "deprovision")
  })
)

it.effect("the annotation before the finalizer is Ready at once, and torn down by the finalizer all the same", () =>
  Effect.gen(function* () {
    const world = yield* ordered({ finalizer: "atEnd" })
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(yield* phaseOf(world, "vm-1"), "Ready")
    assert.include(JSON.stringify(at(yield* stored(world, "vm-1"), "metadata", "finalizers")), PLAYBOOK)
    yield* removed(world)
    yield* assertGone(world, "provision", "deprovision")
  })
)

it.effect(
  "a playbook that puts no finalizer on: its deprovision can only be told by the annotation, and a person is told",
  () =>
    Effect.gen(function* () {
      const world = yield* ordered({ finalizer: "notAtAll" })
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* phaseOf(world, "vm-1"), "Ready")
      yield* removed(world)
      const waiting = yield* stored(world, "vm-1")
      assert.strictEqual(verdict(waiting, "DeletionBlocked"), "True AwaitingSignal")
      assert.include(String(condition(waiting, "DeletionBlocked")?.message), DEPROVISIONED)
      yield* world.user.annotate("vm-1", { [DEPROVISIONED]: "true" })
      yield* TestClock.adjust("1 minute")
      yield* assertGone(world, "provision", "deprovision")
    })
)

it.effect("a playbook without finalizer that sets the annotation itself needs no person", () =>
  Effect.gen(function* () {
    const world = yield* ordered({ finalizer: "notAtAll" })
    yield* TestClock.adjust("1 minute")
    yield* world.eda.playNext({ marksDeprovisioned: true })
    yield* removed(world)
    yield* assertGone(world, "provision", "deprovision")
  })
)
