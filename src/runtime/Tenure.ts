/**
 * The lock while this process holds it: renewed every fifth of its duration, and given up in time.
 *
 * `isClear` counts from before the last renewal that succeeded was asked for, by the monotonic clock, and is false after two
 * thirds of the duration even if no timer fired, as in a process that was stopped for a while.
 */
import { Clock, Data, Duration, Effect, Exit, Option, Random, Result } from "effect"
import { RELEASED } from "./Candidate.ts"
import type { Held, Lock } from "./Lock.ts"

/** The lock did not answer. */
export class Silent extends Data.TaggedError("Silent")<{ readonly message: string }> {}

export interface Timing {
  /** Between the starts of two renewals. */
  readonly renewal: number
  /** From the start of the last renewal that succeeded to the end of the work. */
  readonly fence: number
  /** For one request. */
  readonly request: number
  /** After a request that was refused. One that was not answered has taken its time already. */
  readonly retry: number
}

/** All in milliseconds. Two renewals that are not answered leave time for a third. */
export const timingOf = (duration: Duration.Duration): Timing => {
  const whole = Duration.toMillis(duration)
  return {
    renewal: whole / 5,
    fence: (whole * 2) / 3,
    request: Math.min(whole / 5, 5_000),
    retry: Math.min(whole / 20, 1_000)
  }
}

export const within = <A, E, R>(millis: number, request: Effect.Effect<A, E, R>): Effect.Effect<A, E | Silent, R> =>
  Effect.timeoutOrElse(request, {
    duration: millis,
    orElse: () => Effect.fail(new Silent({ message: `no answer within ${Math.round(millis)} ms` }))
  })

export interface Options<E> {
  readonly lock: Lock<E>
  readonly timing: Timing
  /** Hears of every request that failed, conflicts apart. */
  readonly onProblem: (error: E | Silent) => Effect.Effect<void>
  readonly onRenewed: Effect.Effect<void>
}

export interface Tenure {
  readonly isClear: () => boolean
  /** Renews until that is no longer possible, and says why. */
  readonly renew: Effect.Effect<string>
  /** Lets go of the lock, if it is still held. For when everything that relied on it has ended. */
  readonly release: Effect.Effect<void>
}

const toNanos = (millis: number): bigint => BigInt(Math.round(millis * 1_000_000))

/** `started` is when the request was made that gave us `first`, in nanoseconds of the monotonic clock. */
export const make = <E>(options: Options<E>, clock: Clock.Clock, first: Held, started: bigint): Tenure => {
  const { lock, timing } = options
  const fence = toNanos(timing.fence)
  let held = first
  let last = started
  let over = false

  const now = () => clock.monotonicTimeNanosUnsafe()
  const left = () => Number(last + fence - now()) / 1_000_000
  const isClear = () => !over && left() > 0
  const isOurs = (one: Held) => one.claim.holder === first.claim.holder
  const isConflict = (error: E | Silent) => !(error instanceof Silent) && lock.isConflict(error)
  /** Never longer than there is time for. */
  const bounded = <A>(request: Effect.Effect<A, E>) =>
    Effect.suspend(() => within(Math.max(1, Math.min(timing.request, left())), request))

  const renewed = Effect.fnUntraced(function* (write: (renewedAt: number) => Effect.Effect<Held, E>) {
    const start = now()
    held = yield* bounded(write(yield* Clock.currentTimeMillis))
    last = start
    yield* options.onRenewed
  })
  const update = renewed((at) => lock.update({ ...held.claim, renewed: at }, held.version))
  const create = renewed((at) => lock.create({ ...held.claim, renewed: at }))

  /** Somebody wrote: a person who edits or deletes, a renewal of our own whose answer was lost, or another holder. */
  const contested = Effect.gen(function* () {
    const found = yield* bounded(lock.read)
    if (Option.isNone(found)) return yield* Effect.as(create, undefined)
    if (!isOurs(found.value)) {
      const { holder } = found.value.claim
      return holder === "" ? "somebody took the lock from us" : `${holder} holds the lock`
    }
    held = { claim: held.claim, version: found.value.version }
    return yield* Effect.as(update, undefined)
  })

  const attempt = Effect.catchIf(Effect.as(update, undefined), isConflict, () => contested)

  const pauseAfter = (outcome: Result.Result<unknown, E | Silent>): number => {
    if (Result.isSuccess(outcome)) return timing.renewal
    return outcome.failure instanceof Silent ? 0 : timing.retry
  }

  const renew = Effect.gen(function* () {
    let pause = timing.renewal
    for (;;) {
      const spread = yield* Random.nextBetween(0.9, 1.1)
      const due = pause === timing.renewal ? pause * spread - Number(now() - last) / 1_000_000 : pause * spread
      yield* Effect.sleep(Math.max(0, Math.min(due, left())))
      if (left() <= 0) return `it could not be renewed within ${Math.round(timing.fence)} ms`
      const outcome = yield* Effect.result(attempt)
      if (Result.isSuccess(outcome) && outcome.success !== undefined) return outcome.success
      pause = pauseAfter(outcome)
      if (Result.isFailure(outcome) && !isConflict(outcome.failure)) yield* options.onProblem(outcome.failure)
    }
  }).pipe(
    Effect.onExit((exit) =>
      Effect.sync(() => {
        // interrupted: the work has ended, and nothing relies on it any more
        over = Exit.isSuccess(exit) || over
      })
    )
  )

  const release = Effect.gen(function* () {
    over = true
    const found = yield* within(timing.request, lock.read)
    if (Option.isNone(found) || !isOurs(found.value)) return
    const at = yield* Clock.currentTimeMillis
    const { claim, version } = found.value
    yield* within(timing.request, lock.update({ ...claim, holder: "", seconds: RELEASED, renewed: at }, version))
    yield* Effect.logInfo("let go of the lock")
  }).pipe(Effect.catch((error) => (isConflict(error) ? Effect.void : options.onProblem(error))))

  return { isClear, renew, release }
}
