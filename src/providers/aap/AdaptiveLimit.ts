/**
 * How many requests may be under way at once, learnt from how AAP bears them: one more for every answer while answers come
 * as quickly as ever, then one more for every round of them; half as many, at most once per round, when AAP struggles.
 *
 * How quick an answer is, is told by its like alone: a list of jobs takes longer than a look-up, and that is no queue. Where
 * an answer says how long AAP worked on it, that is compared. The rest of the time cannot be left out: AAP's own begins when
 * one of its workers takes the request up, so that it knows nothing of those that wait for a worker, which is the queue
 * that is looked for. But the wire and this process have their part in the rest, and so it counts only when it is long.
 *
 * Never below 1 nor above `most`. Who waits longest is let in first, and an interrupted waiter takes nothing.
 */
import { Clock, Effect, Exit, Option, type Scope, Semaphore } from "effect"

/** What sort of request it is, and what its outcome says of AAP. */
export interface Sort<A, E> {
  /** One of a few. */
  readonly operation: string
  /** Whether AAP has too much to do, by a failure. */
  readonly struggles: (error: E) => boolean
  /** Milliseconds that AAP says to have worked on the answer. Absent or undefined: it does not say. */
  readonly worked?: (answer: A) => number | undefined
}

export interface AdaptiveLimit {
  /** Waits until there is room, which the scope gives back. */
  readonly enter: Effect.Effect<void, never, Scope.Scope>
  /** Learns from a request. */
  readonly observe: <A, E, R>(request: Effect.Effect<A, E, R>, sort: Sort<A, E>) => Effect.Effect<A, E, R>
  /** As many as may be under way now. */
  readonly current: () => number
}

/** Answers that take this much longer than the quickest ones mean that AAP has begun to queue. */
const TOLERANCE = 2
/** Milliseconds that say nothing about AAP. */
const NOISE = 50
/** Milliseconds that an answer may take beside the time that AAP worked on it: less is no harm to AAP, whoever spent it. */
const REST = 250
/** Milliseconds. Nothing counts as quicker: of an answer that took no time at all, nothing would ever be forgotten. */
const LEAST = 1
/** The quickest answer known counts for this much more with every minute, so that a slower AAP becomes the normal one. */
const FORGETTING = 0.1 / 60_000

/** Whether what took this long is as quick as ever. */
type Pace = (took: number, now: number, noise: number) => boolean

const makePace = (): Pace => {
  let quickest = Number.POSITIVE_INFINITY
  let at = 0
  return (took, now, noise) => {
    quickest = Math.min(Math.max(LEAST, took), quickest * (1 + FORGETTING * (now - at)))
    at = now
    return took <= TOLERANCE * quickest + noise
  }
}

const makePaces = () => {
  const paces = new Map<string, Pace>()
  return (name: string): Pace => {
    const pace = paces.get(name) ?? makePace()
    paces.set(name, pace)
    return pace
  }
}

export const make = (start: number, most: number): AdaptiveLimit => {
  let limit = Math.max(1, Math.min(start, most))
  const places = Semaphore.makeUnsafe(limit)
  let waiting = 0
  const paceOf = makePaces()
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

  const isQuick = (operation: string, took: number, worked: number | undefined, now: number): boolean => {
    if (worked === undefined) return paceOf(operation)(took, now, NOISE)
    const works = paceOf(`${operation}: work`)(worked, now, NOISE)
    const waits = paceOf(`${operation}: rest`)(Math.max(0, took - worked), now, REST)
    return works && waits
  }

  const answered = (quick: boolean) =>
    // while nobody has to wait, nothing is learnt about more
    waiting === 0 || !quick ? Effect.void : adapt(limit + (halvedAt === Number.NEGATIVE_INFINITY ? 1 : 1 / limit))

  const milliseconds = Effect.map(Clock.monotonicTimeNanos, (nanoseconds) => Number(nanoseconds) / 1e6)

  const observe: AdaptiveLimit["observe"] = (request, { operation, struggles, worked }) =>
    Effect.flatMap(milliseconds, (began) =>
      Effect.onExit(request, (exit) =>
        Effect.flatMap(milliseconds, (now) => {
          if (Exit.isSuccess(exit)) return answered(isQuick(operation, now - began, worked?.(exit.value), now))
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
