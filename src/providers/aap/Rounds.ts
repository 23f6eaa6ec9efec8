/**
 * When AAP is asked about jobs, and how its silence is borne.
 *
 * Guarantees: one round at a time; a regular round every interval while there is anything to ask, none otherwise, counted
 * from beginning to beginning; after a long one AAP has a rest from regular ones, as long as it took or half an interval; an
 * early round only for those who asked for one, all of them together; after a failed round nothing is asked, early or not,
 * until the backoff (at least what AAP asked for) has passed.
 */
import { Cause, Clock, Duration, Effect, Latch, Option, Random, type Scope } from "effect"
import * as Backoff from "../../runtime/Backoff.ts"
import { PAGE } from "./AapClient.ts"
import { type AapError, retryAfterOf } from "./AapError.ts"
import { larger, smaller } from "./Chunks.ts"
import type { Round } from "./JobSweep.ts"
import { isStruggle } from "./Permits.ts"

/** Jobs found in the status at start arrive in a burst: they are looked at together, once no more have come for a while. */
const DEBOUNCE = 1_000
/** Nor does the first of them wait longer than this. */
const LONGEST_BURST = 5_000
const LONGEST_BACKOFF = 300_000

export interface Rounds {
  /** There is something to be looked at: soon, or in the regular round. */
  readonly plan: (soon: boolean) => Effect.Effect<void>
}

const now = Effect.map(Clock.monotonicTimeNanos, (nanoseconds) => Number(nanoseconds / 1_000_000n))

/** When the next round is due, in milliseconds of the monotonic clock. */
class Timetable {
  regular: number | undefined = undefined
  early: number | undefined = undefined
  burstSince: number | undefined = undefined
  notBefore = 0

  next(): number | undefined {
    const due = Math.min(this.regular ?? Number.POSITIVE_INFINITY, this.early ?? Number.POSITIVE_INFINITY)
    return Number.isFinite(due) ? Math.max(due, this.notBefore) : undefined
  }
}

export interface Asking {
  readonly interval: Duration.Duration
  /** Asks once, for everything or only for what is urgent, `limit` at a time. None: there was nothing to ask. */
  readonly ask: (urgentOnly: boolean, limit: number) => Effect.Effect<Option.Option<Round>>
  /** Rounds failed `failures` times in a row, the last time with `error`. */
  readonly onFailure: (error: AapError, failures: number) => Effect.Effect<void>
  readonly onSuccess: Effect.Effect<void>
}

/** Starts the loop; it ends with the scope. */
export const makeRounds = Effect.fnUntraced(function* (asking: Asking): Effect.fn.Return<Rounds, never, Scope.Scope> {
  const interval = Duration.toMillis(asking.interval)
  const times = new Timetable()
  const wake = yield* Latch.make(false)
  const backoff = Backoff.make<AapError>({
    backoff: Backoff.exponential(interval, Math.max(interval, LONGEST_BACKOFF)),
    retryAfter: (error) => Option.map(Option.fromUndefinedOr(retryAfterOf(error)), Duration.millis)
  })
  let limit = PAGE

  const failed = Effect.fnUntraced(function* (error: AapError) {
    const wait = yield* backoff.next(Cause.fail(error))
    times.notBefore = (yield* now) + Duration.toMillis(wait.delay)
    times.regular = times.notBefore
    yield* asking.onFailure(error, wait.attempt)
  })

  const succeeded = Effect.fnUntraced(function* (round: Round, regular: boolean, begun: number) {
    backoff.reset()
    const at = yield* now
    times.notBefore = at + (round.failure === undefined ? 0 : (retryAfterOf(round.failure) ?? 0))
    // a little early rather than late, and never in step with other operators
    const next = begun + interval * (yield* Random.nextBetween(0.95, 1))
    if (regular) times.regular = Math.max(next, at + Math.min(at - begun, interval / 2))
    yield* asking.onSuccess
  })

  const round = Effect.fnUntraced(function* (at: number) {
    const regular = times.regular !== undefined && times.regular <= at
    times.early = undefined
    times.burstSince = undefined
    const asked = yield* asking.ask(!regular, limit)
    if (Option.isNone(asked)) {
      if (regular) times.regular = undefined
      return
    }
    const { answered, failure } = asked.value
    if (failure !== undefined && answered > 0 && isStruggle(failure)) limit = smaller(limit)
    else if (regular) limit = larger(limit)
    yield* failure !== undefined && answered === 0 ? failed(failure) : succeeded(asked.value, regular, at)
  })

  const step = Effect.gen(function* () {
    const due = times.next()
    const at = yield* now
    if (due !== undefined && due <= at) return yield* round(at)
    yield* due === undefined ? wake.await : Effect.timeoutOption(wake.await, due - at)
    wake.closeUnsafe()
  })

  yield* step.pipe(
    Effect.catchCause((cause) =>
      Effect.andThen(Effect.logError("AAP job poll failed unexpectedly", cause), Effect.sleep(asking.interval))
    ),
    Effect.forever,
    Effect.forkScoped
  )

  return {
    plan: (soon) =>
      Effect.map(now, (at) => {
        const before = times.next()
        times.regular ??= at + interval
        if (soon) {
          times.burstSince ??= at
          times.early = Math.min(at + DEBOUNCE, times.burstSince + LONGEST_BURST)
        }
        if ((times.next() ?? Number.POSITIVE_INFINITY) < (before ?? Number.POSITIVE_INFINITY)) wake.openUnsafe()
      })
  }
})
