/** What the tests of the controller share: one under observation, which keeps the ground truth of who ran when. */
import { Clock, Duration, Effect, Option, Schedule } from "effect"
import { TestClock } from "effect/testing"
import * as Action from "../../src/runtime/Action.ts"
import * as Controller from "../../src/runtime/Controller.ts"

export interface Started {
  readonly key: string
  readonly at: number
}

/**
 * A controller whose every started pass and every reported failure is on record, with defaults that keep out of the way.
 * `reconcile` is told how many passes of the key have begun, itself included.
 */
export const observed = <E = never>(
  reconcile: (key: string, nth: number) => Effect.Effect<Action.Action, E> = () => Effect.succeed(Action.awaitChange),
  overrides: Partial<Controller.Options<E>> = {}
) =>
  Effect.gen(function* () {
    const started: Array<Started> = []
    const counts = new Map<string, number>()
    const failures: Array<Controller.Failure<E>> = []
    const controller = yield* Controller.make<E>({
      name: "test",
      reconcile: (key) =>
        Effect.gen(function* () {
          started.push({ key, at: yield* Clock.currentTimeMillis })
          const nth = (counts.get(key) ?? 0) + 1
          counts.set(key, nth)
          return yield* reconcile(key, nth)
        }),
      backoff: Schedule.spaced("1 minute"),
      retryAfter: () => Option.none(),
      onFailure: (failure) => Effect.sync(() => void failures.push(failure)),
      concurrency: 4,
      resync: Duration.days(100),
      ...overrides
    })
    return { controller, started, failures, keys: () => started.map(({ key }) => key) }
  })

/** Lets everything that can run now run, without moving time. */
export const settled = Effect.andThen(
  Effect.forEach(Array.from({ length: 20 }), () => Effect.yieldNow),
  TestClock.adjust(0)
)
