/** From EDA to AAP in the middle of everything: what EDA began is followed to its end, and AAP tears down what it built. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { at, condition, isLaunch, isPoll, stored, verdict } from "../support/expectations.ts"
import type { Playbook } from "../support/SimulatedEda.ts"
import { text } from "../support/Wire.ts"
import { makeWorld, type World } from "../support/World.ts"
import { assertClean, courseOf, DEPROVISIONED, PLAYBOOK, phaseOf, RETRY, spec, webhooksOf } from "./courses.ts"

const quick = { pendingFor: "2 seconds", runningFor: "10 seconds", ends: "successful" } as const

/** Ordered under EDA, whose playbook goes like this, and one minute old. */
const underEda = Effect.fnUntraced(function* (playbook: Partial<Playbook>) {
  const world = yield* makeWorld({ providers: ["eda"] })
  yield* world.aap.play(() => quick)
  yield* world.eda.playNext(playbook)
  const process = yield* world.start
  yield* world.user.create("vm-1", spec)
  yield* TestClock.adjust("1 minute")
  return { world, process }
})

/** The operator comes back with AAP. EDA needs no variable to be observed, so it is always there. */
const switched = Effect.fnUntraced(function* (playbook: Partial<Playbook>) {
  const { process, world } = yield* underEda(playbook)
  yield* process.stop
  yield* world.startAs("aap", "eda")
  return world
})

const removed = Effect.fnUntraced(function* (world: World) {
  yield* world.user.remove("vm-1")
  yield* TestClock.adjust("2 minutes")
})

it.effect(
  "Ready: stays Ready with no launch and no poll, and is torn down by AAP, which takes the finalizers off",
  () =>
    Effect.gen(function* () {
      const world = yield* switched({})
      yield* TestClock.adjust("2 hours")
      const ready = yield* stored(world, "vm-1")
      assert.strictEqual(at(ready, "status", "phase"), "Ready")
      assert.include(JSON.stringify(at(ready, "metadata", "finalizers")), PLAYBOOK)
      assert.strictEqual(yield* world.aapWire.count(isLaunch), 0)
      assert.strictEqual(yield* world.aapWire.count(isPoll), 0)
      yield* removed(world)
      yield* assertClean(world, "vm-1")
      assert.deepStrictEqual(yield* courseOf(world, "vm-1"), ["eda provision successful", "aap deprovision successful"])
    })
)

it.effect("Ready: a changed spec is provisioned by AAP", () =>
  Effect.gen(function* () {
    const world = yield* switched({})
    yield* world.user.patch("vm-1", { spec: { vcpu: 4 } })
    yield* TestClock.adjust("2 minutes")
    assert.strictEqual(yield* phaseOf(world, "vm-1"), "Ready")
    yield* removed(world)
    yield* assertClean(world, "vm-1")
    const course = ["eda provision successful", "aap provision successful", "aap deprovision successful"]
    assert.deepStrictEqual(yield* courseOf(world, "vm-1"), course)
  })
)

it.effect("provisioning: its playbook is waited for, nothing is launched beside it, and it is Ready in the end", () =>
  Effect.gen(function* () {
    const world = yield* switched({ worksFor: "8 minutes" })
    assert.strictEqual(yield* phaseOf(world, "vm-1"), "Progressing")
    yield* TestClock.adjust("10 minutes")
    assert.strictEqual(yield* phaseOf(world, "vm-1"), "Ready")
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 0)
    yield* removed(world)
    yield* assertClean(world, "vm-1")
  })
)

it.effect("provisioning: a deletion waits for the playbook, and AAP tears down what it built", () =>
  Effect.gen(function* () {
    const world = yield* switched({ worksFor: "8 minutes" })
    yield* removed(world)
    const waiting = yield* stored(world, "vm-1")
    assert.strictEqual(verdict(waiting, "Reconciling"), "True WaitingForPlaybook")
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 0)
    yield* TestClock.adjust("8 minutes")
    yield* assertClean(world, "vm-1")
    assert.deepStrictEqual(yield* courseOf(world, "vm-1"), ["eda provision successful", "aap deprovision successful"])
  })
)

it.effect("provisioning: a spec changed meanwhile is AAP's, once the playbook has signalled", () =>
  Effect.gen(function* () {
    const world = yield* switched({ worksFor: "5 minutes" })
    yield* world.user.patch("vm-1", { spec: { vcpu: 4 } })
    yield* TestClock.adjust("3 minutes")
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 0)
    yield* TestClock.adjust("4 minutes")
    assert.strictEqual(yield* phaseOf(world, "vm-1"), "Ready")
    yield* removed(world)
    yield* assertClean(world, "vm-1")
    assert.deepStrictEqual(yield* webhooksOf(world), ["provision"])
  })
)

it.effect("provisioning: a request that nobody recorded counts as sent, and AAP launches nothing beside it", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld({ providers: ["eda"] })
    yield* world.aap.play(() => quick)
    yield* world.eda.playNext({ worksFor: "5 minutes" })
    yield* world.edaWire.order({ when: () => true, harm: { _tag: "Delay", by: "3 seconds", after: true } })
    const process = yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* process.kill
    yield* world.startAs("aap", "eda")
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "provisionJob", "id"), "eda-webhook-1")
    yield* TestClock.adjust("10 minutes")
    assert.strictEqual(yield* phaseOf(world, "vm-1"), "Ready")
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 0)
    yield* removed(world)
    yield* assertClean(world, "vm-1")
  })
)

for (const ends of ["failed", "never"] as const) {
  it.effect(
    `a playbook that ${ends === "failed" ? "failed" : "hangs"}: a person is told, and whose retry is AAP's`,
    () =>
      Effect.gen(function* () {
        const world = yield* switched({ ends })
        yield* TestClock.adjust("1 hour")
        const silent = yield* stored(world, "vm-1")
        assert.strictEqual(verdict(silent, "Stalled"), "True AwaitingSignal")
        assert.include(String(condition(silent, "Stalled")?.message), RETRY)
        assert.strictEqual(yield* world.aapWire.count(isLaunch), 0)
        yield* world.user.annotate("vm-1", { [RETRY]: "1" })
        yield* TestClock.adjust("2 minutes")
        assert.strictEqual(yield* phaseOf(world, "vm-1"), "Ready")
        yield* removed(world)
        yield* assertClean(world, "vm-1")
      })
  )

  it.effect(
    `a playbook that ${ends === "failed" ? "failed" : "hangs"}: what it may have built is torn down by AAP`,
    () =>
      Effect.gen(function* () {
        const world = yield* switched({ ends })
        yield* world.user.remove("vm-1")
        yield* TestClock.adjust("12 minutes")
        yield* assertClean(world, "vm-1")
        assert.include(yield* courseOf(world, "vm-1"), "aap deprovision successful")
      })
  )
}

it.effect("refused by EDA: AAP provisions in its place", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld({ providers: ["eda"] })
    yield* world.aap.play(() => quick)
    yield* world.edaWire.order({ when: () => true, times: 100, harm: { _tag: "Answer", response: text(500, "oops") } })
    const process = yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("3 minutes")
    yield* process.stop
    yield* world.startAs("aap", "eda")
    yield* TestClock.adjust("6 minutes")
    assert.strictEqual(yield* phaseOf(world, "vm-1"), "Ready")
    yield* removed(world)
    yield* assertClean(world, "vm-1")
    assert.deepStrictEqual(yield* courseOf(world, "vm-1"), ["aap provision successful", "aap deprovision successful"])
  })
)

it.effect("deleting, before the deprovision began: the wait for the playbook goes on, and then AAP tears down", () =>
  Effect.gen(function* () {
    const { process, world } = yield* underEda({ worksFor: "6 minutes" })
    yield* removed(world)
    assert.strictEqual(verdict(yield* stored(world, "vm-1"), "Reconciling"), "True WaitingForPlaybook")
    yield* process.stop
    yield* world.startAs("aap", "eda")
    yield* TestClock.adjust("2 minutes")
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 0)
    yield* TestClock.adjust("5 minutes")
    yield* assertClean(world, "vm-1")
    assert.deepStrictEqual(yield* webhooksOf(world), ["provision"])
  })
)

/** Deleted under EDA, whose deprovision goes like this, and then switched. */
const switchedWhileDeleting = Effect.fnUntraced(function* (playbook: Partial<Playbook>) {
  const { process, world } = yield* underEda({})
  yield* world.eda.playNext(playbook)
  yield* removed(world)
  assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "deprovisionJob", "id"), "eda-webhook-2")
  yield* process.stop
  yield* world.startAs("aap", "eda")
  return world
})

it.effect("deleting, after the deprovision began: EDA's playbook finishes it, and AAP launches nothing", () =>
  Effect.gen(function* () {
    const world = yield* switchedWhileDeleting({ worksFor: "7 minutes" })
    yield* TestClock.adjust("8 minutes")
    yield* assertClean(world, "vm-1")
    assert.strictEqual((yield* world.eda.machines).size, 0)
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 0)
  })
)

it.effect("deleting, and EDA's deprovision hangs: a person is told both ways out, and a retry is AAP's", () =>
  Effect.gen(function* () {
    const world = yield* switchedWhileDeleting({ ends: "never" })
    yield* TestClock.adjust("2 hours")
    const waiting = yield* stored(world, "vm-1")
    assert.strictEqual(verdict(waiting, "DeletionBlocked"), "True AwaitingSignal")
    for (const way of [RETRY, DEPROVISIONED]) assert.include(String(condition(waiting, "Stalled")?.message), way)
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 0)
    yield* world.user.annotate("vm-1", { [RETRY]: "1" })
    yield* TestClock.adjust("2 minutes")
    yield* assertClean(world, "vm-1")
    assert.include(yield* courseOf(world, "vm-1"), "aap deprovision successful")
  })
)

it.effect("a deprovision by AAP that fails keeps the object and the playbooks' finalizer", () =>
  Effect.gen(function* () {
    const world = yield* switched({})
    yield* world.aap.play(() => ({ ...quick, ends: "failed" }))
    yield* removed(world)
    const blocked = yield* stored(world, "vm-1")
    assert.strictEqual(verdict(blocked, "DeletionBlocked"), "True DeprovisionFailed")
    assert.include(JSON.stringify(at(blocked, "metadata", "finalizers")), PLAYBOOK)
    yield* world.aap.play(() => quick)
    yield* world.user.annotate("vm-1", { [RETRY]: "1" })
    yield* TestClock.adjust("2 minutes")
    yield* assertClean(world, "vm-1")
  })
)
