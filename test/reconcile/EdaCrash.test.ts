/** EDA cannot be asked what became of a request, so whatever happens to a process, a request is sent once or not at all. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { stored, verdict } from "../support/expectations.ts"
import type { WireRequest } from "../support/Wire.ts"
import { makeWorld, type World } from "../support/World.ts"
import { assertClean, assertNothingPolled, phaseOf, RETRY, spec, webhooksOf } from "./courses.ts"

const isOperatorsWrite = ({ headers, method, url }: WireRequest): boolean =>
  method !== "GET" &&
  (headers["user-agent"] ?? "").startsWith("cloudkit-operator") &&
  (url.host === "eda.test" || url.pathname.includes("/computeinstances/"))

/** Everything that takes effect outside of the process, from 1: writes to the object, and requests to EDA. */
const nthEffect = (n: number) => {
  let seen = 0
  return (request: WireRequest): boolean => isOperatorsWrite(request) && ++seen === n
}

/** The process stops dead at its nth effect: before it happens, or when it has happened and the answer is on its way. */
const stopsDeadAt = Effect.fnUntraced(function* (world: World, n: number, after: boolean) {
  const when = nthEffect(n)
  yield* world.kubernetesWire.order({ when, harm: { _tag: "Hang", after } })
  yield* world.edaWire.order({ when, harm: { _tag: "Hang", after } })
})

/** A life in which the process dies at its nth effect of the operation, and another takes over. */
const life = Effect.fnUntraced(function* (n: number, after: boolean, operation: "provision" | "deprovision") {
  const world = yield* makeWorld({ providers: ["eda"] })
  let process = yield* world.start
  if (operation === "deprovision") {
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("2 minutes")
    assert.strictEqual(yield* phaseOf(world, "vm-1"), "Ready")
  }
  yield* stopsDeadAt(world, n, after)
  yield* operation === "provision" ? world.user.create("vm-1", spec) : world.user.remove("vm-1")
  yield* TestClock.adjust("5 seconds")
  yield* process.kill
  yield* world.kubernetesWire.heal
  yield* world.edaWire.heal
  process = yield* world.start
  yield* TestClock.adjust("20 minutes")
  return world
})

const times = (requests: ReadonlyArray<string | undefined>, operation: string) =>
  requests.filter((one) => one === operation).length

/** The intent was written, and the process died before the request left: nobody can tell, so it counts as sent. */
const neverLeft = (n: number, after: boolean): boolean => (n === 1 && after) || (n === 2 && !after)

/** More effects than a provision or a deprovision takes: intent, request, record, signal. */
const EFFECTS = [1, 2, 3, 4, 5]

for (const after of [false, true]) {
  const when = after ? "right after" : "right before"
  for (const n of EFFECTS) {
    it.effect(
      `a process that dies ${when} effect ${n} of a provision makes at most one request, and none is missed in silence`,
      () =>
        Effect.gen(function* () {
          const world = yield* life(n, after, "provision")
          const sent = times(yield* webhooksOf(world), "provision")
          assert.strictEqual(sent, neverLeft(n, after) ? 0 : 1)
          if (sent === 1) assert.strictEqual(yield* phaseOf(world, "vm-1"), "Ready")
          else {
            assert.strictEqual(verdict(yield* stored(world, "vm-1"), "Stalled"), "True AwaitingSignal")
            yield* world.user.annotate("vm-1", { [RETRY]: "1" })
            yield* TestClock.adjust("2 minutes")
            assert.strictEqual(yield* phaseOf(world, "vm-1"), "Ready")
          }
          yield* world.user.remove("vm-1")
          yield* TestClock.adjust("2 minutes")
          yield* assertClean(world, "vm-1")
          assert.strictEqual((yield* world.eda.machines).size, 0)
          yield* assertNothingPolled(world)
        })
    )

    it.effect(
      `a process that dies ${when} effect ${n} of a deprovision makes at most one request, and none is missed in silence`,
      () =>
        Effect.gen(function* () {
          const world = yield* life(n, after, "deprovision")
          const sent = times(yield* webhooksOf(world), "deprovision")
          assert.strictEqual(sent, neverLeft(n, after) ? 0 : 1)
          if (sent === 0) {
            assert.strictEqual(verdict(yield* stored(world, "vm-1"), "DeletionBlocked"), "True AwaitingSignal")
            yield* world.user.annotate("vm-1", { [RETRY]: "1" })
            yield* TestClock.adjust("2 minutes")
          }
          yield* assertClean(world, "vm-1")
          assert.strictEqual((yield* world.eda.machines).size, 0)
          assert.strictEqual(times(yield* webhooksOf(world), "provision"), 1)
          yield* assertNothingPolled(world)
        })
    )
  }
}

it.effect("one request for each needed operation, through a dozen clean restarts", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld({ providers: ["eda"] })
    yield* world.eda.play(() => ({ worksFor: "3 minutes" }))
    let process = yield* world.start
    const restarted = Effect.gen(function* () {
      yield* process.stop
      process = yield* world.start
      yield* TestClock.adjust("1 minute")
    })
    yield* world.user.create("vm-1", spec)
    for (let n = 0; n < 4; n++) yield* restarted
    assert.strictEqual(yield* phaseOf(world, "vm-1"), "Ready")
    yield* world.user.patch("vm-1", { spec: { vcpu: 4 } })
    for (let n = 0; n < 4; n++) yield* restarted
    assert.strictEqual(yield* phaseOf(world, "vm-1"), "Ready")
    yield* world.user.remove("vm-1")
    for (let n = 0; n < 4; n++) yield* restarted
    yield* assertClean(world, "vm-1")
    assert.deepStrictEqual(yield* webhooksOf(world), ["provision", "provision", "deprovision"])
    yield* assertNothingPolled(world)
  })
)

it.effect("two processes at once make one request for each operation", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld({ providers: ["eda"] })
    yield* world.start
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("5 minutes")
    assert.strictEqual(yield* phaseOf(world, "vm-1"), "Ready")
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("20 minutes")
    assert.deepStrictEqual(yield* webhooksOf(world), ["provision", "deprovision"])
    assert.strictEqual((yield* world.eda.machines).size, 0)
  })
)

it.effect("a restored object that lost its status is not provisioned again", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld({ providers: ["eda"] })
    const process = yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("5 minutes")
    yield* process.stop
    yield* world.user.patchStatus("vm-1", {
      phase: null,
      jobs: null,
      provisionJob: null,
      conditions: null,
      attempts: null,
      reconciledConfigVersion: null
    })
    yield* world.start
    yield* TestClock.adjust("20 minutes")
    assert.strictEqual(yield* phaseOf(world, "vm-1"), "Ready")
    assert.deepStrictEqual(yield* webhooksOf(world), ["provision"])
  })
)

it.effect(
  "a process that dies between request and record, and comes back when the playbook has signalled, takes the signal",
  () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ providers: ["eda"] })
      const deadAtRequest = world.edaWire.order({ when: () => true, harm: { _tag: "Hang", after: true } })
      yield* deadAtRequest
      const first = yield* world.start
      yield* world.user.create("vm-1", spec)
      yield* first.kill
      yield* TestClock.adjust("5 minutes")
      const second = yield* world.start
      assert.strictEqual(yield* phaseOf(world, "vm-1"), "Ready")
      yield* deadAtRequest
      yield* world.user.remove("vm-1")
      yield* second.kill
      yield* TestClock.adjust("5 minutes")
      yield* world.start
      yield* assertClean(world, "vm-1")
      assert.deepStrictEqual(yield* webhooksOf(world), ["provision", "deprovision"])
    })
)
