/**
 * The loop behind a reflector: one step after the other, each a page of a list or one watch, for ever.
 *
 * Where it stands survives a failed step: a failed page is asked for again, a broken watch resumes after the last event.
 * Only an expired history, repeated watches without a sign of life, or age make it list anew.
 */
import { Cause, Clock, Data, Duration, Effect, Exit, type Latch, Option, Random, type Schedule, Stream } from "effect"
import * as Backoff from "./Backoff.ts"
import type { Change, Identity, Replica } from "./Replica.ts"
import { isNewer } from "./ResourceVersion.ts"

/** One page of a list. `continue` asks for the next page of the same snapshot. */
export interface Page<A> {
  readonly items: ReadonlyArray<A>
  readonly resourceVersion: string
  readonly continue: Option.Option<string>
}

export type Event<A> =
  | { readonly _tag: "Applied"; readonly object: A }
  | { readonly _tag: "Deleted"; readonly object: A }
  | { readonly _tag: "Bookmark"; readonly resourceVersion: string }

/** Where the objects come from. The watch ends by itself when the server closes it, about `timeout` after its start. */
export interface Source<A, E> {
  readonly list: (page: {
    readonly limit: number
    readonly continue: Option.Option<string>
  }) => Effect.Effect<Page<A>, E>
  readonly watch: (from: {
    readonly resourceVersion: string
    readonly timeout: Duration.Duration
  }) => Stream.Stream<Event<A>, E>
}

/** The source failed without an error of its own: it did not answer, or closed a watch as soon as it was open. */
export class Stalled extends Data.TaggedError("Stalled")<{ readonly message: string }> {}

/** A failed step and what follows from it. */
export interface Problem<E> extends Backoff.Wait {
  readonly activity: "list" | "watch"
  readonly cause: Cause.Cause<E | Stalled>
}

export interface Options<A, E> extends Identity<A> {
  readonly source: Source<A, E>
  /** The history (or the continue token) is gone: only a new list helps. */
  readonly isExpired: (error: E) => boolean
  /** How long the server asked us to wait. */
  readonly retryAfter: (error: E) => Option.Option<Duration.Duration>
  /** Told of every real change, never of own writes. Told again if it dies. */
  readonly onChange: (key: string, change: Change) => Effect.Effect<void>
  /** Hears of every failed step; logging and counting is the caller's. */
  readonly onProblem: (problem: Problem<E>) => Effect.Effect<void>
  readonly pageSize: number
  /** A page that takes longer has failed. */
  readonly pageTimeout: Duration.Duration
  /** The longest watch asked for; each one is asked to end within two thirds to the whole of it. */
  readonly watchTimeout: Duration.Duration
  /** How long a watch may outlive the time it was given before it counts as dead. */
  readonly grace: Duration.Duration
  /** The longest time between two lists, however healthy the watch looks. */
  readonly relist: Duration.Duration
  readonly backoff: Schedule.Schedule<unknown, Cause.Cause<E | Stalled>>
}

/** What the loop feeds. */
export interface Sink<A> {
  readonly replica: Replica<A>
  /** A sign of life from the source. */
  readonly progress: Effect.Effect<void>
  /** The copy is complete. */
  readonly synced: Effect.Effect<void>
  /** Open once somebody no longer trusts the watch: it is opened anew, where it was. */
  readonly again: Latch.Latch
}

/** A watch that closes sooner than this is no ordinary end; opening the next one at once could become a storm. */
const brief = Duration.seconds(5)

/** After this many watches in a row without a sign of life, list again: perhaps our position is what is wrong. */
const patience = 5

interface Listing {
  readonly _tag: "Listing"
  token: Option.Option<string>
}

interface Watching {
  readonly _tag: "Watching"
  readonly relistAt: bigint
  resourceVersion: string
}

const listing = (): Listing => ({ _tag: "Listing", token: Option.none() })

const answeredWithin = (duration: Duration.Duration, message: string) =>
  Effect.timeoutOrElse({ duration, orElse: () => Effect.fail(new Stalled({ message })) })

/** Spreads a duration downwards, so that what was started together does not stay together. */
const spread = (duration: Duration.Duration, least: number) =>
  Effect.map(Random.nextBetween(least, 1), (part) => Duration.times(duration, part))

/** Tells every change not told yet. One that cannot be told stays, and does not hold up the others. */
const tell = <A, E>(options: Options<A, E>, replica: Replica<A>) =>
  Effect.gen(function* () {
    for (const [key, change] of replica.changes) {
      const exit = yield* Effect.exit(Effect.suspend(() => options.onChange(key, change)))
      if (Exit.isSuccess(exit)) replica.changes.delete(key)
      else yield* Effect.logError(`could not tell that ${key} was ${change}; will try again`, exit.cause)
    }
  })

/** Asks for the next page. Answers where the list stands, or the watch to go on with once the list is complete. */
const listPage = <A, E>(options: Options<A, E>, { replica, progress, synced }: Sink<A>) =>
  Effect.fnUntraced(function* (at: Listing) {
    if (Option.isNone(at.token)) replica.beginList()
    const page = yield* options.source
      .list({ limit: options.pageSize, continue: at.token })
      .pipe(answeredWithin(options.pageTimeout, `no answer to a list within ${Duration.format(options.pageTimeout)}`))
    yield* progress
    replica.listed(page.items)
    at.token = page.continue
    if (Option.isSome(page.continue)) return at
    replica.completeList(page.resourceVersion)
    yield* synced
    yield* tell(options, replica)
    const relistAt = (yield* Clock.monotonicTimeNanos) + Duration.toNanosUnsafe(yield* spread(options.relist, 0.8))
    return { _tag: "Watching", relistAt, resourceVersion: page.resourceVersion } satisfies Watching
  })

/** One watch, to its ordinary end. Moves the position with every event; `alive` is run for each. */
const watch = <A, E>(options: Options<A, E>, { again, replica, progress }: Sink<A>, alive: () => void) =>
  Effect.fnUntraced(function* (at: Watching) {
    const received = (event: Event<A>) => {
      alive()
      if (event._tag === "Applied") replica.applied(event.object)
      if (event._tag === "Deleted") replica.deleted(event.object)
      const seen = event._tag === "Bookmark" ? event.resourceVersion : options.resourceVersion(event.object)
      if (isNewer(seen, at.resourceVersion)) at.resourceVersion = seen
      return Effect.andThen(progress, tell(options, replica))
    }
    yield* tell(options, replica)
    const opened = yield* Clock.monotonicTimeNanos
    const timeout = yield* spread(options.watchTimeout, 2 / 3)
    const limit = Duration.sum(timeout, options.grace)
    again.closeUnsafe()
    const mistrusted = yield* options.source
      .watch({ resourceVersion: at.resourceVersion, timeout })
      .pipe(
        Stream.runForEach(received),
        answeredWithin(limit, `watch still open after ${Duration.format(limit)}`),
        Effect.as(false),
        Effect.raceFirst(Effect.as(again.await, true))
      )
    if (mistrusted) return
    const lived = Duration.nanos((yield* Clock.monotonicTimeNanos) - opened)
    if (Duration.isLessThan(lived, Duration.min(brief, timeout))) {
      return yield* new Stalled({ message: `watch closed by the server after ${Duration.format(lived)}` })
    }
    alive()
    yield* progress
  })

export const loop = <A, E>(options: Options<A, E>, sink: Sink<A>): Effect.Effect<never> => {
  const retryAfter = (error: E | Stalled) => (error instanceof Stalled ? Option.none() : options.retryAfter(error))
  const expired = (cause: Cause.Cause<E | Stalled>) =>
    Option.exists(Cause.findErrorOption(cause), (error) => !(error instanceof Stalled) && options.isExpired(error))
  // Apart, because a list that works says nothing about the watch: list, refused watch, list, … must slow down too.
  const lists = Backoff.make({ backoff: options.backoff, retryAfter })
  const watches = Backoff.make({ backoff: options.backoff, retryAfter })
  const nextPage = listPage(options, sink)
  const nextWatch = watch(options, sink, watches.reset)
  let position: Listing | Watching = listing()

  const step = Effect.gen(function* () {
    if (position._tag === "Watching" && (yield* Clock.monotonicTimeNanos) >= position.relistAt) position = listing()
    if (position._tag === "Watching") return yield* nextWatch(position)
    position = yield* nextPage(position)
    if (position._tag === "Watching") lists.reset()
  })

  const recover = Effect.fnUntraced(function* (cause: Cause.Cause<E | Stalled>) {
    const activity = position._tag === "Listing" ? "list" : "watch"
    const wait = yield* (activity === "list" ? lists : watches).next(cause)
    if (expired(cause) || (activity === "watch" && wait.attempt % patience === 0)) position = listing()
    yield* Effect.catchCause(
      Effect.suspend(() => options.onProblem({ activity, cause, ...wait })),
      (inner) => Effect.logError("reporting a problem of the reflector failed itself", inner)
    )
    yield* Effect.timeoutOption(sink.again.await, wait.delay)
    // whoever asked is served by the step that comes now
    sink.again.closeUnsafe()
  })

  return Effect.forever(Effect.catchCause(step, recover))
}
