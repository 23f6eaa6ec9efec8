/** From AAP to EDA in the middle of everything, with AAP still configured and without it. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { at, condition, isLaunch, stored, verdict } from "../support/expectations.ts"
import type { Playbook } from "../support/SimulatedAap.ts"
import { makeWorld, type World } from "../support/World.ts"
import {
  assertClean,
  courseOf,
  DEPROVISIONED,
  OPERATOR,
  PLAYBOOK,
  phaseOf,
  RETRY,
  spec,
  webhooksOf
} from "./courses.ts"

const quick: Playbook = { pendingFor: "2 seconds", runningFor: "10 seconds", ends: "successful" }
const slow: Playbook = { ...quick, runningFor: "10 minutes", cancelTakes: "3 minutes" }

/** Ordered under AAP, whose playbooks go like this, and one minute old. */
const underAap = Effect.fnUntraced(function* (playbook: Playbook) {
  const world = yield* makeWorld({ providers: ["aap"] })
  yield* world.aap.play(() => playbook)
  const process = yield* world.start
  yield* world.user.create("vm-1", spec)
  yield* TestClock.adjust("1 minute")
  return { world, process }
})

type Configured = ReadonlyArray<"aap">
const both: Configured = ["aap"]
const edaAlone: Configured = []

/** The operator comes back with EDA. */
const switched = Effect.fnUntraced(function* (playbook: Playbook, besides: Configured) {
  const { process, world } = yield* underAap(playbook)
  yield* process.stop
  const successor = yield* world.startAs("eda", ...besides)
  return { world, process: successor }
})

const removed = Effect.fnUntraced(function* (world: World) {
  yield* world.user.remove("vm-1")
  yield* TestClock.adjust("2 minutes")
})

const finalizersOf = (world: World) =>
  Effect.map(stored(world, "vm-1"), (object) => JSON.stringify(at(object, "metadata", "finalizers")))

/** Said in a condition, and nobody guesses. */
const assertWaitsForAap = Effect.fnUntraced(function* (world: World, type: "Stalled" | "DeletionBlocked") {
  const waiting = yield* stored(world, "vm-1")
  assert.strictEqual(verdict(waiting, type), "True ProviderNotConfigured")
  assert.match(String(condition(waiting, type)?.message), /aap.* is not configured; configure it/u)
  assert.isEmpty(yield* world.eda.webhooks)
})

for (const besides of [both, edaAlone]) {
  const how = besides.length > 0 ? "with AAP" : "without AAP"
  it.effect(`Ready, ${how}: stays Ready with no request, gets the playbooks' finalizer, and is torn down by EDA`, () =>
    Effect.gen(function* () {
      const { world } = yield* switched(quick, besides)
      yield* TestClock.adjust("2 hours")
      assert.strictEqual(yield* phaseOf(world, "vm-1"), "Ready")
      assert.strictEqual(yield* finalizersOf(world), JSON.stringify([OPERATOR, PLAYBOOK]))
      assert.isEmpty(yield* world.eda.webhooks)
      yield* removed(world)
      yield* assertClean(world, "vm-1")
      assert.deepStrictEqual(yield* courseOf(world, "vm-1"), ["aap provision successful", "eda deprovision successful"])
    })
  )

  it.effect(`failed, ${how}: stays Failed with no request, and a retry is EDA's`, () =>
    Effect.gen(function* () {
      const { world } = yield* switched({ ...quick, ends: "failed" }, besides)
      yield* TestClock.adjust("2 hours")
      assert.strictEqual(yield* phaseOf(world, "vm-1"), "Failed")
      assert.strictEqual(verdict(yield* stored(world, "vm-1"), "Stalled"), "True JobFailed")
      assert.isEmpty(yield* world.eda.webhooks)
      yield* world.user.annotate("vm-1", { [RETRY]: "1" })
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual(yield* phaseOf(world, "vm-1"), "Ready")
      yield* removed(world)
      yield* assertClean(world, "vm-1")
    })
  )

  it.effect(`failed, ${how}: what it may have built is torn down by EDA, and no person is needed`, () =>
    Effect.gen(function* () {
      const { world } = yield* switched({ ...quick, ends: "failed" }, besides)
      yield* removed(world)
      yield* assertClean(world, "vm-1")
      assert.deepStrictEqual(yield* webhooksOf(world), ["deprovision"])
    })
  )
}

it.effect("Ready: a changed spec is provisioned by EDA", () =>
  Effect.gen(function* () {
    const { world } = yield* switched(quick, edaAlone)
    yield* world.user.patch("vm-1", { spec: { vcpu: 4 } })
    yield* TestClock.adjust("2 minutes")
    assert.strictEqual(yield* phaseOf(world, "vm-1"), "Ready")
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "provisionJob", "id"), "eda-webhook-1")
    yield* removed(world)
    yield* assertClean(world, "vm-1")
    assert.strictEqual((yield* world.eda.machines).size, 0)
  })
)

it.effect("provisioning, with AAP: the job is followed to its end, nothing is requested beside it", () =>
  Effect.gen(function* () {
    const { world } = yield* switched(slow, both)
    assert.strictEqual(verdict(yield* stored(world, "vm-1"), "Reconciling"), "True JobRunning")
    yield* TestClock.adjust("10 minutes")
    assert.strictEqual(yield* phaseOf(world, "vm-1"), "Ready")
    assert.isEmpty(yield* world.eda.webhooks)
    yield* removed(world)
    yield* assertClean(world, "vm-1")
  })
)

it.effect("provisioning, with AAP: a deletion cancels the job, and then EDA tears down", () =>
  Effect.gen(function* () {
    const { world } = yield* switched(slow, both)
    yield* removed(world)
    assert.strictEqual(verdict(yield* stored(world, "vm-1"), "Reconciling"), "True CancelingJob")
    assert.isEmpty(yield* world.eda.webhooks)
    yield* TestClock.adjust("5 minutes")
    yield* assertClean(world, "vm-1")
    assert.deepStrictEqual(yield* courseOf(world, "vm-1"), ["aap provision canceled", "eda deprovision successful"])
  })
)

it.effect(
  "provisioning, without AAP: that is said, also when it is deleted, and nobody guesses until AAP is back",
  () =>
    Effect.gen(function* () {
      const { process, world } = yield* switched(slow, edaAlone)
      yield* TestClock.adjust("1 hour")
      yield* assertWaitsForAap(world, "Stalled")
      yield* removed(world)
      yield* TestClock.adjust("1 hour")
      yield* assertWaitsForAap(world, "DeletionBlocked")
      yield* process.stop
      yield* world.startAs("eda", "aap")
      yield* TestClock.adjust("2 minutes")
      yield* assertClean(world, "vm-1")
      assert.deepStrictEqual(yield* courseOf(world, "vm-1"), ["aap provision successful", "eda deprovision successful"])
    })
)

for (const besides of [both, edaAlone]) {
  it.effect(
    `a launch that nobody recorded, ${besides.length > 0 ? "with AAP: its job is found and followed" : "without AAP: that is said, and nobody guesses"}`,
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld({ providers: ["aap"] })
        yield* world.aap.play(() => quick)
        yield* world.aapWire.order({
          when: ({ method, url }) => method === "POST" && url.pathname.endsWith("/launch/"),
          harm: { _tag: "Hang", after: true }
        })
        const process = yield* world.start
        yield* world.user.create("vm-1", spec)
        yield* process.kill
        const successor = yield* world.startAs("eda", ...besides)
        yield* TestClock.adjust("10 minutes")
        if (besides.length === 0) {
          yield* assertWaitsForAap(world, "Stalled")
          yield* successor.stop
          yield* world.startAs("eda", "aap")
          yield* TestClock.adjust("10 minutes")
        }
        assert.strictEqual(yield* phaseOf(world, "vm-1"), "Ready")
        assert.strictEqual(yield* world.aapWire.count(isLaunch), 1)
        assert.isEmpty(yield* world.eda.webhooks)
        yield* removed(world)
        yield* assertClean(world, "vm-1")
      })
  )
}

/** Deleted under AAP in the middle of its first job, and switched before the deprovision began. */
const switchedWhileCancelling = Effect.fnUntraced(function* (besides: Configured) {
  const { process, world } = yield* underAap(slow)
  yield* world.user.remove("vm-1")
  yield* TestClock.adjust("1 minute")
  assert.strictEqual(verdict(yield* stored(world, "vm-1"), "Reconciling"), "True CancelingJob")
  yield* process.stop
  const successor = yield* world.startAs("eda", ...besides)
  yield* TestClock.adjust("10 minutes")
  return { world, process: successor }
})

it.effect("deleting, before the deprovision began, with AAP: EDA is asked after the cancel, and a person is told", () =>
  Effect.gen(function* () {
    const { world } = yield* switchedWhileCancelling(both)
    const waiting = yield* stored(world, "vm-1")
    assert.strictEqual(verdict(waiting, "DeletionBlocked"), "True AwaitingSignal")
    for (const way of [RETRY, DEPROVISIONED]) {
      assert.include(String(condition(waiting, "DeletionBlocked")?.message), way)
    }
    assert.deepStrictEqual(yield* courseOf(world, "vm-1"), ["aap provision canceled", "eda deprovision successful"])
    yield* world.user.annotate("vm-1", { [DEPROVISIONED]: "true" })
    yield* TestClock.adjust("1 minute")
    yield* assertClean(world, "vm-1")
    assert.deepStrictEqual(yield* webhooksOf(world), ["deprovision"])
  })
)

it.effect("deleting, before the deprovision began, without AAP: deletion waits for a person, who is told why", () =>
  Effect.gen(function* () {
    const { process, world } = yield* switchedWhileCancelling(edaAlone)
    yield* assertWaitsForAap(world, "DeletionBlocked")
    yield* process.stop
    yield* world.startAs("aap", "eda")
    yield* TestClock.adjust("20 minutes")
    yield* assertClean(world, "vm-1")
    assert.isEmpty(yield* world.eda.webhooks)
  })
)

/** Ready under AAP, deleted, and switched in the middle of its deprovision. */
const switchedWhileDeprovisioning = Effect.fnUntraced(function* (playbook: Playbook, besides: Configured) {
  const { process, world } = yield* underAap(quick)
  yield* world.aap.play(() => playbook)
  yield* removed(world)
  yield* process.stop
  const successor = yield* world.startAs("eda", ...besides)
  return { world, process: successor }
})

it.effect("deleting, after the deprovision began, with AAP: AAP's job finishes it, and EDA is not asked", () =>
  Effect.gen(function* () {
    const { world } = yield* switchedWhileDeprovisioning(slow, both)
    assert.strictEqual(verdict(yield* stored(world, "vm-1"), "Reconciling"), "True Deprovisioning")
    yield* TestClock.adjust("10 minutes")
    yield* assertClean(world, "vm-1")
    assert.isEmpty(yield* world.eda.webhooks)
  })
)

it.effect("deleting, after the deprovision began, without AAP: deletion waits for a person, who is told why", () =>
  Effect.gen(function* () {
    const { process, world } = yield* switchedWhileDeprovisioning(slow, edaAlone)
    yield* TestClock.adjust("1 hour")
    yield* assertWaitsForAap(world, "DeletionBlocked")
    yield* process.stop
    yield* world.startAs("eda", "aap")
    yield* TestClock.adjust("1 minute")
    yield* assertClean(world, "vm-1")
    assert.isEmpty(yield* world.eda.webhooks)
  })
)

for (const besides of [both, edaAlone]) {
  it.effect(
    `deleting, and AAP's deprovision failed, ${besides.length > 0 ? "with" : "without"} AAP: the object stays until a person asks again`,
    () =>
      Effect.gen(function* () {
        const { world } = yield* switchedWhileDeprovisioning({ ...quick, ends: "failed" }, besides)
        yield* TestClock.adjust("2 hours")
        assert.strictEqual(verdict(yield* stored(world, "vm-1"), "DeletionBlocked"), "True DeprovisionFailed")
        assert.isEmpty(yield* world.eda.webhooks)
        yield* world.eda.play(() => ({ marksDeprovisioned: true }))
        yield* world.user.annotate("vm-1", { [RETRY]: "1" })
        yield* TestClock.adjust("2 minutes")
        yield* assertClean(world, "vm-1")
        assert.deepStrictEqual(yield* webhooksOf(world), ["deprovision"])
      })
  )
}
