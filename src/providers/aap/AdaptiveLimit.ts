/**
 * How many requests may be under way at once, learnt from how AAP bears them: one more for every answer while answers come
 * as quickly as ever, then one more for every round of them; half as many, at most once per round, when AAP struggles.
 *
 * Never below 1 nor above `most`. Who waits longest is let in first, and an interrupted waiter takes nothing.
 */
import { Clock, Effect, Exit, Option, type Scope, Semaphore } from "effect"

export interface AdaptiveLimit {
  /** Waits until there is room, which the scope gives back. */
  readonly enter: Effect.Effect<void, never, Scope.Scope>
  /** Learns from a request; `struggles` tells of a failure whether AAP has too much to do. */
  readonly observe: <A, E, R>(
    request: Effect.Effect<A, E, R>,
    struggles: (error: E) => boolean
  ) => Effect.Effect<A, E, R>
  /** As many as may be under way now. */
  readonly current: () => number
}

/** Answers that take this much longer than the quickest ones mean that AAP has begun to queue. */
const TOLERANCE = 2
/** Milliseconds that say nothing about AAP. */
const NOISE = 50
/** The quickest answer known counts for this much more with every minute, so that a slower AAP becomes the normal one. */
const FORGETTING = 0.1 / 60_000

export const make = (start: number, most: number): AdaptiveLimit => {
  let limit = Math.max(1, Math.min(start, most))
  const places = Semaphore.makeUnsafe(limit)
  let waiting = 0
  let quickest = Number.POSITIVE_INFINITY
  let answeredAt = 0
  let halvedAt = Number.NEGATIVE_INFINITY

  const adapt = (next: number) =>
    Effect.suspend(() => {
      limit = Math.min(most, Math.max(1, next))
      return places.resize(Math.floor(limit))
    })

  /** What was sent before the last halving says nothing new. */
  const struggled = (began: number, now: number) => {
    if (began < halvedAt) return Effect.void
    halvedAt = now
    return adapt(limit / 2)
  }

  const answered = (took: number, now: number) => {
    quickest = Math.min(took, quickest * (1 + FORGETTING * (now - answeredAt)))
    answeredAt = now
    // while nobody has to wait, nothing is learnt about more
    if (waiting === 0 || took > TOLERANCE * quickest + NOISE) return Effect.void
    return adapt(limit + (halvedAt === Number.NEGATIVE_INFINITY ? 1 : 1 / limit))
  }

  const milliseconds = Effect.map(Clock.monotonicTimeNanos, (nanoseconds) => Number(nanoseconds) / 1e6)

  const observe: AdaptiveLimit["observe"] = (request, struggles) =>
    Effect.flatMap(milliseconds, (began) =>
      Effect.onExit(request, (exit) =>
        Effect.flatMap(milliseconds, (now) => {
          if (Exit.isSuccess(exit)) return answered(now - began, now)
          const error = Exit.findErrorOption(exit)
          return Option.isSome(error) && struggles(error.value) ? struggled(began, now) : Effect.void
        })
      )
    )

  return {
    enter: Effect.suspend(() => {
      waiting += 1
      return Effect.ensuring(
        places.takeScoped(1),
        Effect.sync(() => {
          waiting -= 1
        })
      )
    }),
    observe,
    current: () => Math.floor(limit)
  }
}
