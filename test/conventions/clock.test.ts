/** Virtual time is what it says, on a busy machine too. */
import { assert, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { TestClock } from "effect/testing"

it.effect("the test clock goes on when whoever it woke has come to rest, and not before", () =>
  Effect.gen(function* () {
    const woken: Array<number> = []
    const busy = Effect.gen(function* () {
      yield* Effect.sleep("1 second")
      const until = performance.now() + 1_500
      while (performance.now() < until) yield* Effect.yieldNow
      yield* Effect.sleep("1 second")
      woken.push(yield* Clock.currentTimeMillis)
    })
    yield* Effect.forkChild(busy)
    yield* TestClock.adjust("10 seconds")
    assert.deepStrictEqual(woken, [2_000])
  })
)
