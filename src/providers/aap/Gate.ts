/**
 * What many launches depend on, checked once for all of them: a value (here a template) that a probe finds, and a door
 * that is shut while the probe fails.
 *
 * Guarantees: at most one probe at a time, whatever the number of waiters, and an interrupted waiter stops it for nobody.
 * While the door is shut callers fail at once with the last error and the time left, so that a thousand pending objects
 * cost one probe per backoff step. A launch that fails for a reason that the next one would share shuts it as well; the
 * backoff then grows until a launch succeeds, even if probes succeed in between.
 */
import { Cause, Clock, Deferred, Duration, Effect, Exit, Option, type Scope } from "effect"
import { ProviderError } from "../../ports/ProviderError.ts"
import * as Backoff from "../../runtime/Backoff.ts"

export interface Gate<A> {
  /** The value, from memory, from a probe under way, or from a new one. */
  readonly pass: Effect.Effect<A, ProviderError>
  /** A launch failed for a reason that the next one would share. */
  readonly shut: (error: ProviderError) => Effect.Effect<void>
  /** A launch went through. */
  readonly launched: Effect.Effect<void>
  /** The value is no longer to be trusted; nothing else is wrong. */
  readonly forget: Effect.Effect<void>
}

type Knowledge<A> =
  | { readonly _tag: "Nothing" }
  | { readonly _tag: "Open"; readonly value: A; readonly until: number }
  | { readonly _tag: "Shut"; readonly error: ProviderError; readonly until: number }

const policy: Backoff.Policy<ProviderError> = {
  backoff: Backoff.exponential("5 seconds", "5 minutes"),
  retryAfter: (error) => Option.map(Option.fromUndefinedOr(error.retryAfter), Duration.millis)
}

/** Not moved by changes of the wall clock. */
const now = Effect.map(Clock.monotonicTimeNanos, (nanoseconds) => Number(nanoseconds / 1_000_000n))

/** The same error, with the time that is left. It did nothing now, whatever it may have done then. */
const repeated = (error: ProviderError, retryAfter: number): ProviderError =>
  new ProviderError({
    provider: error.provider,
    operation: error.operation,
    reason: error.reason,
    message: error.message,
    applied: "no",
    retryAfter,
    ...(error.cause === undefined ? {} : { cause: error.cause })
  })

export const make = Effect.fnUntraced(function* <A>(options: {
  readonly probe: Effect.Effect<A, ProviderError>
  /** How long a found value is good. */
  readonly keep: Duration.Duration
}): Effect.fn.Return<Gate<A>, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const probes = Backoff.make(policy)
  const launches = Backoff.make(policy)
  let known: Knowledge<A> = { _tag: "Nothing" }
  let probing: Deferred.Deferred<A, ProviderError> | undefined

  const shutFor = Effect.fnUntraced(function* (backoff: Backoff.Backoff<ProviderError>, error: ProviderError) {
    const { delay } = yield* backoff.next(Cause.fail(error))
    const until = (yield* now) + Duration.toMillis(delay)
    known = { _tag: "Shut", error, until: known._tag === "Shut" ? Math.max(known.until, until) : until }
  })

  const learn = Effect.fnUntraced(function* (exit: Exit.Exit<A, ProviderError>) {
    const error = Exit.findErrorOption(exit)
    if (Exit.isSuccess(exit)) {
      probes.reset()
      const at = yield* now
      // a launch that failed while the probe was under way knows better
      if (known._tag === "Shut" && at < known.until) return
      known = { _tag: "Open", value: exit.value, until: at + Duration.toMillis(options.keep) }
    } else if (Option.isSome(error)) yield* shutFor(probes, error.value)
    else known = { _tag: "Nothing" }
  })

  /** Whoever hears of a failed probe hears when the next one may be made: to come sooner would be to come in vain. */
  const told = (exit: Exit.Exit<A, ProviderError>, at: number): Exit.Exit<A, ProviderError> => {
    const error = Exit.findErrorOption(exit)
    return Option.isSome(error) && known._tag === "Shut"
      ? Exit.fail(repeated(error.value, Math.max(0, known.until - at)))
      : exit
  }

  const probe = Effect.uninterruptibleMask((restore) => {
    const outcome = Deferred.makeUnsafe<A, ProviderError>()
    probing = outcome
    return Effect.exit(options.probe).pipe(
      Effect.tap(learn),
      Effect.zip(now),
      Effect.flatMap(([exit, at]) => {
        probing = undefined
        return Deferred.done(outcome, told(exit, at))
      }),
      Effect.forkIn(scope),
      Effect.andThen(restore(Deferred.await(outcome)))
    )
  })

  const pass = Effect.gen(function* () {
    const at = yield* now
    if (known._tag === "Open" && at < known.until) return known.value
    if (probing !== undefined) return yield* Deferred.await(probing)
    if (known._tag === "Shut" && at < known.until) return yield* repeated(known.error, known.until - at)
    return yield* probe
  })

  return {
    pass,
    shut: (error) => shutFor(launches, error),
    launched: Effect.sync(launches.reset),
    forget: Effect.sync(() => {
      if (known._tag === "Open") known = { _tag: "Nothing" }
    })
  }
})
