/**
 * Runs passes over keys: wake → at most one pass per key at a time → reconcile → sleep until due or woken.
 *
 * - Keys travel, objects do not; what is known about a key is when to look at it next. Who is looked at when is the
 *   `Agenda`'s business.
 * - A failed pass is tried again after the backoff. Neither an error nor a defect loses a key, stops another key or
 *   ends the controller. A success resets the backoff; a wake shortens the wait but does not reset it, and neither does a
 *   pass that did not get to its work.
 * - Passes are started one at a time, with the answers of those under way taken in between: however many are ready, an
 *   urgent key that comes then does not wait for all of them.
 * - One scheduler fiber and at most one timer, whatever the number of keys: an idle key costs no fiber.
 * - Closing the scope interrupts the running passes and waits for their finalizers and uninterruptible parts.
 */
import { type Cause, Clock, Duration, Effect, Exit, Fiber, FiberSet, Latch, Option, Random, type Scope } from "effect"
import * as Action from "./Action.ts"
import { Agenda, type Priority, type Stats } from "./Agenda.ts"
import * as Backoff from "./Backoff.ts"
import { reportDeath } from "./Supervision.ts"

export type { Priority, Stats } from "./Agenda.ts"

/** A pass that did not succeed: `cause` holds the error, the defect or the interruption. */
export interface Failure<E> extends Backoff.Wait {
  readonly key: string
  readonly cause: Cause.Cause<E>
}

/** A pass that has ended. Times in milliseconds. */
export interface Measured {
  /** From when it was due to its start. */
  readonly waited: number
  readonly took: number
  /** None: the pass failed. */
  readonly action: Option.Option<Action.Action>
}

/** What is under way and waiting at this moment. Times in milliseconds. */
export interface Load extends Stats {
  /** How often a key became due, ever. */
  readonly added: number
  /** What the passes under way have taken until now, added up. */
  readonly unfinished: number
  /** The same of the one that has taken longest. */
  readonly longest: number
}

export interface Options<E, R = never> extends Backoff.Policy<E> {
  readonly name: string
  /** One pass. Must be safe to repeat at any time. */
  readonly reconcile: (key: string) => Effect.Effect<Action.Action, E, R>
  /** Hears of every failed pass; logging and counting is the caller's. A failure in here is logged and changes nothing. */
  readonly onFailure: (failure: Failure<E>) => Effect.Effect<void, never, R>
  /** Hears of every pass that has ended. */
  readonly onPass?: (measured: Measured) => Effect.Effect<void>
  /** How many passes may run at the same time. */
  readonly concurrency: number
  /** A key that awaits a change is looked at anyway within this time, at the earliest after four fifths of it. */
  readonly resync: Duration.Input
}

export interface Wake {
  /** `"normal"` unless told. Passes that a key asked for itself are `"normal"`, the idle resync is `"low"`. */
  readonly priority?: Priority
  /** At the latest after this time, instead of now. */
  readonly after?: Duration.Input
  /** What the pass is to look at, for `withdraw`. */
  readonly cause?: string
}

export interface Controller {
  /** Asks for a pass. Wakes of one key merge into one pass; a wake during a pass leads to exactly one further pass. */
  readonly wake: (key: string, options?: Wake) => Effect.Effect<void>
  /** The pass under way has seen this: if a further one was asked for because of it and of nothing else, there is none. */
  readonly withdraw: (key: string, cause: string) => Effect.Effect<void>
  readonly stats: Effect.Effect<Stats>
  readonly load: () => Load
  /** Suspends until no key is active, ready or due. */
  readonly quiet: Effect.Effect<void>
  /** Never ends, except with the scheduler's own death: supervise it, since nothing would be reconciled any more. */
  readonly join: Effect.Effect<never>
}

/** What became of one attempt: when next, and whether it succeeded. */
interface Attempted {
  readonly action: Action.Action
  readonly succeeded: boolean
}

/** Runs one pass of a key and turns a failure into the wait before the next. Never fails; remembers only failing keys. */
const attempting = <E, R>(options: Options<E, R>): ((key: string) => Effect.Effect<Attempted, never, R>) => {
  const failing = new Map<string, Backoff.Backoff<E>>()

  const failed = Effect.fnUntraced(function* (key: string, cause: Cause.Cause<E>) {
    const backoff = failing.get(key) ?? Backoff.make(options)
    failing.set(key, backoff)
    const wait = yield* backoff.next(cause)
    yield* Effect.catchCause(
      Effect.suspend(() => options.onFailure({ key, cause, ...wait })),
      (inner) => Effect.logError(`${options.name}: reporting a failed pass failed itself`, inner)
    )
    return { action: Action.after(wait.delay), succeeded: false }
  })

  const succeeded = (key: string, action: Action.Action) =>
    Effect.sync(() => {
      if (!(action._tag === "After" && action.untried === true)) failing.delete(key)
      return { action, succeeded: true }
    })

  return (key) =>
    Effect.matchCauseEffect(
      Effect.suspend(() => options.reconcile(key)),
      {
        onSuccess: (action) => succeeded(key, action),
        onFailure: (cause) => failed(key, cause)
      }
    )
}

/** Measuring is nobody's reason to fail. */
const tell = <E, R>(options: Options<E, R>, ended: Measured): Effect.Effect<void> =>
  Effect.catchCause(
    Effect.suspend(() => options.onPass?.(ended) ?? Effect.void),
    (cause) => Effect.logError(`${options.name}: measuring a pass failed`, cause)
  )

const loadOf = (agenda: Agenda, begun: ReadonlyMap<string, number>, now: number): Load => {
  const ages = [...begun.values()].map((start) => now - start)
  const unfinished = ages.reduce((sum, age) => sum + age, 0)
  return { ...agenda.stats, added: agenda.arrivals, unfinished, longest: Math.max(0, ...ages) }
}

/** Starts passes one at a time while there is room for more. Answers when the next key is due that is not. */
const startReady = Effect.fnUntraced(function* <R>(
  agenda: Agenda,
  now: () => number,
  concurrency: number,
  start: (key: string) => Effect.Effect<unknown, never, R>
) {
  for (;;) {
    const due = agenda.advance(now())
    const key = agenda.active < concurrency ? agenda.take() : undefined
    if (key === undefined) return due
    yield* start(key)
    if (agenda.stats.queued === 0) return due
    yield* Effect.yieldNow
  }
})

export const make = Effect.fnUntraced(function* <E, R = never>(
  options: Options<E, R>
): Effect.fn.Return<Controller, never, Scope.Scope | R> {
  const clock = yield* Clock.Clock
  const random = yield* Random.Random
  const agenda = new Agenda()
  const attempt = attempting(options)
  const changed = Latch.makeUnsafe()
  const finished = Latch.makeUnsafe()
  const resync = Duration.toMillis(options.resync)
  // The scope closes in reverse order: the scheduler ends first, then the passes, so that none starts meanwhile.
  const passes = yield* FiberSet.make<Action.Action>()
  const begun = new Map<string, number>()

  const now = () => Number(clock.monotonicTimeNanosUnsafe()) / 1_000_000
  // Whole milliseconds, as timers count; but "now" must not become "in less than a millisecond".
  const within = (millis: number) => (millis <= 0 ? now() : Math.ceil(now() + millis))

  const settle = (key: string, action: Action.Action) => {
    Action.match(action, {
      After: ({ delay }) => agenda.finish(key, within(Duration.toMillis(delay)), "normal"),
      AwaitChange: () => agenda.finish(key, within(resync * (1 - random.nextDoubleUnsafe() / 5)), "low"),
      Gone: () => agenda.finish(key, "gone", "low")
    })
    changed.openUnsafe()
    finished.openUnsafe()
  }

  const measured = Effect.fnUntraced(function* (key: string) {
    const start = now()
    begun.set(key, start)
    const waited = Math.max(0, start - (agenda.dueAt(key) ?? start))
    const { action, succeeded } = yield* attempt(key)
    const ended = { waited, took: now() - start, action: succeeded ? Option.some(action) : Option.none() }
    yield* tell(options, ended)
    return action
  })

  // However the pass ends, its place is freed and the key has a next pass.
  const pass = (key: string) =>
    Effect.onExit(measured(key), (exit) =>
      Effect.sync(() => {
        begun.delete(key)
        settle(key, Exit.isSuccess(exit) ? exit.value : Action.awaitChange)
      })
    )

  const turn = Effect.gen(function* () {
    changed.closeUnsafe()
    const due = yield* startReady(agenda, now, options.concurrency, (key) => FiberSet.run(passes, pass(key)))
    const wait = Number.isFinite(due) ? Duration.millis(Math.max(0, due - now())) : Duration.infinity
    yield* Effect.timeoutOption(changed.await, wait)
  })

  const scheduler = yield* Effect.forever(turn).pipe(
    reportDeath(`${options.name}: the scheduler died; nothing is reconciled any more`),
    Effect.forkScoped
  )

  const wake = (key: string, { after = 0, cause, priority = "normal" }: Wake = {}) =>
    Effect.sync(() => {
      agenda.wake(key, within(Duration.toMillis(after)), priority, cause)
      changed.openUnsafe()
    })

  const quiet: Effect.Effect<void> = Effect.suspend(() => {
    if (!agenda.busy(now())) return Effect.void
    finished.closeUnsafe()
    return Effect.andThen(finished.await, quiet)
  })

  return {
    wake,
    withdraw: (key, cause) => Effect.sync(() => agenda.withdraw(key, cause)),
    quiet,
    stats: Effect.sync(() => agenda.stats),
    load: () => loadOf(agenda, begun, now()),
    join: Fiber.join(scheduler)
  }
})
