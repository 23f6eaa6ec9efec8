import { assert, it } from "@effect/vitest"
import { Duration, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as AdaptiveLimit from "../../../src/providers/aap/AdaptiveLimit.ts"

const always = () => true

/** Requests of this length, one after the other through each of many hands, for a while. Answers the most under way at once. */
const busy = Effect.fnUntraced(function* (
  limit: AdaptiveLimit.AdaptiveLimit,
  takes: (underWay: number) => Duration.Input,
  hands: number
) {
  let underWay = 0
  let most = 0
  const request = Effect.suspend(() => {
    underWay += 1
    most = Math.max(most, underWay)
    return Effect.delay(
      Effect.sync(() => {
        underWay -= 1
      }),
      takes(underWay)
    )
  })
  const one = Effect.scoped(Effect.andThen(limit.enter, limit.observe(request, always)))
  const fibers = yield* Effect.forEach(Array.from({ length: hands }), () => Effect.forkChild(Effect.forever(one)))
  yield* TestClock.adjust("10 seconds")
  yield* Fiber.interruptAll(fibers)
  return most
})

it.effect("grows to its bound while AAP answers as quickly as ever, and never beyond", () =>
  Effect.gen(function* () {
    const limit = AdaptiveLimit.make(4, 25)
    assert.strictEqual(yield* busy(limit, () => "30 millis", 100), 25)
    assert.strictEqual(limit.current(), 25)
  })
)

it.effect("does not grow while nobody waits", () =>
  Effect.gen(function* () {
    const limit = AdaptiveLimit.make(4, 25)
    yield* busy(limit, () => "30 millis", 4)
    assert.strictEqual(limit.current(), 4)
  })
)

it.effect("stops growing where AAP begins to queue", () =>
  Effect.gen(function* () {
    const limit = AdaptiveLimit.make(4, 100)
    // eight at a time; whoever comes on top waits
    yield* busy(limit, (underWay) => Duration.millis(Math.max(1, underWay / 8) * 200), 200)
    assert.isAtLeast(limit.current(), 8)
    // what is under way when the first slow answer comes may be twice of what AAP bears
    assert.isAtMost(limit.current(), 40)
  })
)

it.effect("halves once for all requests that were under way when AAP struggled, and recovers slowly", () =>
  Effect.gen(function* () {
    const limit = AdaptiveLimit.make(16, 16)
    const struggle = Effect.exit(limit.observe(Effect.delay(Effect.fail("503"), "1 second"), always))
    const fibers = yield* Effect.forEach(Array.from({ length: 10 }), () => Effect.forkChild(struggle))
    yield* TestClock.adjust("1 second")
    yield* Fiber.joinAll(fibers)
    assert.strictEqual(limit.current(), 8)
    yield* Effect.andThen(Effect.forkChild(struggle), TestClock.adjust("2 seconds"))
    assert.strictEqual(limit.current(), 4)
    yield* busy(limit, () => "1 second", 100)
    // one more for every round of answers
    assert.isAbove(limit.current(), 4)
    assert.isAtMost(limit.current(), 14)
  })
)

it.effect("never falls below one, and a refusal that is no struggle changes nothing", () =>
  Effect.gen(function* () {
    const limit = AdaptiveLimit.make(2, 16)
    const failing = (struggles: boolean) => Effect.exit(limit.observe(Effect.fail("no"), () => struggles))
    yield* failing(false)
    assert.strictEqual(limit.current(), 2)
    for (let turn = 0; turn < 5; turn++) yield* Effect.andThen(TestClock.adjust("1 second"), failing(true))
    assert.strictEqual(limit.current(), 1)
  })
)

it.effect("an interrupted waiter takes no place", () =>
  Effect.gen(function* () {
    const limit = AdaptiveLimit.make(1, 1)
    const hold = Effect.scoped(Effect.andThen(limit.enter, Effect.sleep("1 second")))
    const holder = yield* Effect.forkChild(hold)
    const waiter = yield* Effect.forkChild(hold)
    yield* TestClock.adjust("500 millis")
    yield* Fiber.interrupt(waiter)
    yield* TestClock.adjust("500 millis")
    yield* Fiber.join(holder)
    yield* Effect.andThen(Effect.forkChild(hold), TestClock.adjust("1 second"))
    assert.strictEqual(limit.current(), 1)
  })
)
