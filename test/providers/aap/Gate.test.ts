/** What a thousand pending launches may cost while a credential or a template is failing. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { ProviderError } from "../../../src/ports/ProviderError.ts"
import * as Gate from "../../../src/providers/aap/Gate.ts"

const denied = (retryAfter?: number) =>
  new ProviderError({
    provider: "aap",
    operation: "find template",
    reason: "CredentialsRejected",
    message: "AAP rejects the token (401 Unauthorized)",
    applied: "unknown",
    ...(retryAfter === undefined ? {} : { retryAfter })
  })

interface State {
  probes: number
  answer: Effect.Effect<string, ProviderError>
}

/** A gate whose probe answers what the test says, after a second. */
const makeGate = Effect.gen(function* () {
  const state: State = { probes: 0, answer: Effect.succeed("template") }
  const gate = yield* Gate.make({
    probe: Effect.suspend(() => {
      state.probes++
      return Effect.delay(state.answer, "1 second")
    }),
    keep: Duration.minutes(5)
  })
  return { gate, state }
})

/** All waiters at once, and what became of them a second later. */
const rush = <A>(gate: Gate.Gate<A>, waiters = 200) =>
  Effect.gen(function* () {
    const fibers = yield* Effect.forEach(Array.from({ length: waiters }), () =>
      Effect.forkChild(Effect.result(gate.pass), { startImmediately: true })
    )
    yield* TestClock.adjust("1 second")
    return yield* Effect.forEach(fibers, Fiber.join)
  })

describe("a gate that opens", () => {
  it.effect("is probed once by 200 waiters, and all of them pass", () =>
    Effect.gen(function* () {
      const { gate, state } = yield* makeGate
      const results = yield* rush(gate)
      assert.isTrue(results.every((result) => result._tag === "Success" && result.success === "template"))
      assert.strictEqual(state.probes, 1)
    })
  )

  it.effect("is not probed again for five minutes, unless what was found is to be forgotten", () =>
    Effect.gen(function* () {
      const { gate, state } = yield* makeGate
      yield* rush(gate)
      yield* TestClock.adjust("298 seconds")
      yield* rush(gate)
      assert.strictEqual(state.probes, 1)
      yield* TestClock.adjust("2 seconds")
      yield* rush(gate)
      assert.strictEqual(state.probes, 2)
      yield* gate.forget
      yield* rush(gate)
      assert.strictEqual(state.probes, 3)
    })
  )

  it.effect("opens for the others when the waiter that began the probe is interrupted", () =>
    Effect.gen(function* () {
      const { gate, state } = yield* makeGate
      const first = yield* Effect.forkChild(gate.pass, { startImmediately: true })
      const second = yield* Effect.forkChild(gate.pass, { startImmediately: true })
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(second), "template")
      assert.strictEqual(state.probes, 1)
    })
  )

  it.effect("is probed again after a probe that broke", () =>
    Effect.gen(function* () {
      const { gate, state } = yield* makeGate
      state.answer = Effect.die(new Error("bug"))
      const fiber = yield* Effect.forkChild(Effect.exit(gate.pass), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Failure")
      state.answer = Effect.succeed("mended")
      assert.isTrue((yield* rush(gate)).every((result) => result._tag === "Success"))
    })
  )
})

describe("a gate that stays shut", () => {
  it.effect("costs one probe per step of a growing backoff, whatever the number of waiters", () =>
    Effect.gen(function* () {
      const { gate, state } = yield* makeGate
      state.answer = Effect.fail(denied())
      const waits: Array<number> = []
      for (let step = 1; step <= 9; step++) {
        assert.isTrue((yield* rush(gate)).every((result) => result._tag === "Failure"))
        assert.strictEqual(state.probes, step)
        const again = yield* Effect.flip(gate.pass)
        assert.strictEqual(state.probes, step)
        waits.push(again.retryAfter ?? 0)
        yield* TestClock.adjust(Math.ceil(again.retryAfter ?? 0))
      }
      waits.forEach((wait, index) => {
        const expected = Math.min(5_000 * 2 ** index, 300_000)
        assert.isAtLeast(wait, expected * 0.79 - 1_000)
        assert.isAtMost(wait, expected * 1.21)
      })
    })
  )

  it.effect("says what is wrong at once, that this try had no effect, and when to come back", () =>
    Effect.gen(function* () {
      const { gate, state } = yield* makeGate
      state.answer = Effect.fail(denied(90_000))
      yield* rush(gate)
      yield* TestClock.adjust("30 seconds")
      const error = yield* Effect.flip(gate.pass)
      assert.strictEqual(error.message, "AAP rejects the token (401 Unauthorized)")
      assert.strictEqual(error.applied, "no")
      assert.strictEqual(error.retryAfter, 60_000)
      yield* TestClock.adjust("59 seconds")
      yield* Effect.flip(gate.pass)
      assert.strictEqual(state.probes, 1)
    })
  )

  it.effect("opens for all by the first probe that succeeds, and begins anew with short waits afterwards", () =>
    Effect.gen(function* () {
      const { gate, state } = yield* makeGate
      state.answer = Effect.fail(denied())
      for (let step = 0; step < 4; step++) {
        yield* rush(gate)
        yield* TestClock.adjust("1 minute")
      }
      state.answer = Effect.succeed("template")
      assert.isTrue((yield* rush(gate)).every((result) => result._tag === "Success"))
      yield* gate.forget
      state.answer = Effect.fail(denied())
      yield* rush(gate)
      assert.isAtMost((yield* Effect.flip(gate.pass)).retryAfter ?? 0, 6_000)
    })
  )
})

describe("a launch that fails for everybody", () => {
  it.effect("shuts the gate, longer each time until a launch succeeds, although probes succeed in between", () =>
    Effect.gen(function* () {
      const { gate } = yield* makeGate
      const waits: Array<number> = []
      const failOnce = Effect.gen(function* () {
        yield* rush(gate, 1)
        yield* gate.shut(denied())
        const wait = (yield* Effect.flip(gate.pass)).retryAfter ?? 0
        yield* TestClock.adjust(Math.ceil(wait))
        return wait
      })
      for (let step = 0; step < 4; step++) waits.push(yield* failOnce)
      assert.isTrue(waits.every((wait, index) => index === 0 || wait > (waits[index - 1] ?? 0)))
      yield* rush(gate, 1)
      yield* gate.launched
      assert.isAtMost(yield* failOnce, 6_000)
    })
  )

  it.effect("keeps the gate shut when a probe that began before succeeds after it", () =>
    Effect.gen(function* () {
      const held = yield* Deferred.make<string, ProviderError>()
      const gate = yield* Gate.make({ probe: Deferred.await(held), keep: Duration.minutes(5) })
      const fiber = yield* Effect.forkChild(Effect.result(gate.pass), { startImmediately: true })
      yield* gate.shut(denied())
      yield* Deferred.succeed(held, "late")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Success")
      assert.strictEqual((yield* Effect.flip(gate.pass)).reason, "CredentialsRejected")
    })
  )
})
