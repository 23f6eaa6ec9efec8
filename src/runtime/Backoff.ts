/**
 * How long to wait after a failure: a Schedule stepped by hand, one per thing that may fail.
 *
 * The Schedule sees every cause and decides; what the other side asked for (`retryAfter`) is a lower bound. Never fails
 * and never ends: a Schedule that ends keeps its last delay, and one that throws falls back to it.
 */
import { Cause, Clock, Duration, Effect, Option, Schedule } from "effect"

export interface Policy<E> {
  readonly backoff: Schedule.Schedule<unknown, Cause.Cause<E>>
  /** How long the other side asked us to wait. */
  readonly retryAfter: (error: E) => Option.Option<Duration.Duration>
}

export interface Wait {
  /** Consecutive failures so far, this one included. */
  readonly attempt: number
  readonly delay: Duration.Duration
}

export interface Backoff<E> {
  /** Counts a failure and answers how long to wait before the next attempt. */
  readonly next: (cause: Cause.Cause<E>) => Effect.Effect<Wait>
  /** A success: the next failure is a first one again. */
  readonly reset: () => void
}

/** Doubles from `from` to `cap`, each delay spread by ±20 % so that what failed together does not return together. */
export const exponential = (from: Duration.Input, cap: Duration.Input): Schedule.Schedule<unknown> =>
  Schedule.min([Schedule.exponential(from), Schedule.spaced(cap)]).pipe(Schedule.jittered)

/** When a Schedule gives no delay at all: a failure is never followed by an attempt at once. */
const fallback = Duration.seconds(1)

type Step<E> = Effect.Success<ReturnType<typeof Schedule.toStep<unknown, Cause.Cause<E>, never, never>>>

export const make = <E>(policy: Policy<E>): Backoff<E> => {
  let attempt = 0
  let last = fallback
  let step: Step<E> | undefined

  const scheduled = Effect.fnUntraced(function* (cause: Cause.Cause<E>) {
    step ??= yield* Schedule.toStep(policy.backoff)
    const [, delay] = yield* step(yield* Clock.currentTimeMillis, cause)
    return delay
  })

  const asked = (cause: Cause.Cause<E>): Duration.Duration =>
    Option.getOrElse(Option.flatMap(Cause.findErrorOption(cause), policy.retryAfter), () => Duration.zero)

  const next = Effect.fnUntraced(function* (cause: Cause.Cause<E>) {
    attempt++
    last = yield* Effect.catchCause(scheduled(cause), () => Effect.succeed(last))
    const least = yield* Effect.catchCause(
      Effect.sync(() => asked(cause)),
      () => Effect.succeed(Duration.zero)
    )
    return { attempt, delay: Duration.max(last, least) }
  })

  const reset = () => {
    attempt = 0
    last = fallback
    step = undefined
  }

  return { next, reset }
}
