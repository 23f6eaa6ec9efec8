import { assert, describe, it } from "@effect/vitest"
import { Cause, Duration, Effect, Option, Random, Schedule } from "effect"
import * as Backoff from "../../src/runtime/Backoff.ts"

const none = () => Option.none<Duration.Duration>()
const seconds = (wait: Backoff.Wait) => Duration.toSeconds(wait.delay)
const take = <E>(backoff: Backoff.Backoff<E>, times: number, cause: Cause.Cause<E>) =>
  Effect.forEach(Array.from({ length: times }), () => backoff.next(cause))

describe("Backoff", () => {
  it.effect("doubles up to the cap and stays there, spread by a fifth either way", () =>
    Effect.gen(function* () {
      const backoff = Backoff.make<string>({ backoff: Backoff.exponential("1 second", "60 seconds"), retryAfter: none })
      const waits = yield* take(backoff, 2000, Cause.fail("down"))
      for (const [index, wait] of waits.entries()) {
        const unspread = Math.min(2 ** index, 60)
        assert.strictEqual(wait.attempt, index + 1)
        assert.isAtLeast(seconds(wait), unspread * 0.8)
        assert.isAtMost(seconds(wait), unspread * 1.2)
      }
      const atCap = waits.slice(10).map(seconds)
      assert.isAbove(Math.max(...atCap) - Math.min(...atCap), 12)
    }).pipe(Random.withSeed("spread"))
  )

  it.effect("begins anew after a success", () =>
    Effect.gen(function* () {
      const backoff = Backoff.make<string>({ backoff: Schedule.exponential("1 second"), retryAfter: none })
      const before = yield* take(backoff, 4, Cause.fail("down"))
      assert.deepStrictEqual(before.map(seconds), [1, 2, 4, 8])
      backoff.reset()
      assert.deepStrictEqual(yield* backoff.next(Cause.fail("down")), { attempt: 1, delay: Duration.seconds(1) })
    })
  )

  it.effect("waits at least as long as the other side asked", () =>
    Effect.gen(function* () {
      const backoff = Backoff.make<number>({
        backoff: Schedule.spaced("10 seconds"),
        retryAfter: (asked) => Option.some(Duration.seconds(asked))
      })
      assert.strictEqual(seconds(yield* backoff.next(Cause.fail(90))), 90)
      assert.strictEqual(seconds(yield* backoff.next(Cause.fail(3))), 10)
      assert.strictEqual(seconds(yield* backoff.next(Cause.die("a bug"))), 10)
    })
  )

  it.effect("lets the schedule decide by the cause", () =>
    Effect.gen(function* () {
      const byCause = Schedule.spaced("1 second").pipe(
        Schedule.setInputType<Cause.Cause<string>>(),
        Schedule.modifyDelay(({ input, duration }) =>
          Effect.succeed(Cause.hasDies(input) ? Duration.minutes(10) : duration)
        )
      )
      const backoff = Backoff.make<string>({ backoff: byCause, retryAfter: none })
      assert.strictEqual(seconds(yield* backoff.next(Cause.fail("down"))), 1)
      assert.strictEqual(seconds(yield* backoff.next(Cause.die("a bug"))), 600)
    })
  )

  it.effect("keeps the last delay when the schedule ends, and never answers none at all", () =>
    Effect.gen(function* () {
      const ending = Schedule.spaced("7 seconds").pipe(Schedule.upTo({ times: 2 }))
      const backoff = Backoff.make<string>({ backoff: ending, retryAfter: none })
      assert.deepStrictEqual((yield* take(backoff, 4, Cause.fail("down"))).map(seconds), [7, 7, 7, 7])
      const mute = Backoff.make<string>({ backoff: Schedule.recurs(0), retryAfter: none })
      assert.strictEqual(seconds(yield* mute.next(Cause.fail("down"))), 1)
    })
  )

  it.effect("survives a schedule and a retryAfter that throw", () =>
    Effect.gen(function* () {
      const broken = Schedule.spaced("1 second").pipe(Schedule.modifyDelay(() => Effect.die("a bug in the policy")))
      const backoff = Backoff.make<string>({
        backoff: broken,
        retryAfter: () => {
          throw new Error("a bug in the policy")
        }
      })
      assert.deepStrictEqual(yield* backoff.next(Cause.fail("down")), { attempt: 1, delay: Duration.seconds(1) })
    })
  )
})
