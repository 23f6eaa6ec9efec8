/**
 * Leadership as a scope: work runs while this process holds the lock, and is interrupted before anybody else may take it.
 *
 * - Who has lost stands by again once everything inside has ended; nothing of it is left over.
 * - Interrupted from outside, the work ends first, while renewals go on; then the lock is let go of.
 * - Neither a lock that does not answer nor a permission that is missing ends it: it says so and tries again.
 *
 * How long the holder may be sure is the `Tenure`'s business, when somebody else may take over the `Candidate`'s.
 */
import { Cause, Clock, Duration, Effect, Fiber, Option, Random, type Scope } from "effect"
import * as Backoff from "./Backoff.ts"
import { makeJudge } from "./Candidate.ts"
import type { Claim, Held, Lock } from "./Lock.ts"
import * as Tenure from "./Tenure.ts"

export interface Options<E> {
  readonly lock: Lock<E>
  /** Different for every process that ever runs. */
  readonly identity: string
  /** How long a holder that is not heard of is waited for. */
  readonly duration: Duration.Duration
}

export interface Standing {
  readonly leads: boolean
  /** As last seen; empty when nobody holds the lock. */
  readonly holder: string
  /** Why the lock cannot be read or written. */
  readonly problem: Option.Option<string>
}

export interface Leader {
  /**
   * Runs the work each time this process leads, anew. The work is given what tells whether it still does. Ends only with
   * the work's own failure, or by interruption.
   */
  readonly lead: <E, R>(work: (isClear: () => boolean) => Effect.Effect<unknown, E, R>) => Effect.Effect<never, E, R>
  readonly standing: Effect.Effect<Standing>
  /** `Clock.monotonicTimeNanos` of the last thing it did. While it waits for its work to end, that is some time ago. */
  readonly lastSign: Effect.Effect<bigint>
}

/** How often a candidate looks: often enough for a hand-over within two seconds. */
const LOOK = 1_000

/** The same complaint again is worth a line this much later. */
const REPEAT = Duration.toNanosUnsafe("1 minute")

const toMillis = (nanos: bigint): number => Number(nanos) / 1_000_000

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** What is known of the lock, and who was told. */
const makeJournal = (identity: string, clock: Clock.Clock) => {
  let standing: Standing = { leads: false, holder: "", problem: Option.none() }
  let sign = clock.monotonicTimeNanosUnsafe()
  let said: { readonly words: string; readonly at: bigint } | undefined
  let waitsFor: string | undefined

  return {
    standing: Effect.sync(() => standing),
    lastSign: Effect.sync(() => sign),
    sign: Effect.sync(() => {
      sign = clock.monotonicTimeNanosUnsafe()
    }),
    well: Effect.sync(() => {
      sign = clock.monotonicTimeNanosUnsafe()
      said = undefined
      standing = { ...standing, problem: Option.none() }
    }),
    problem: (error: unknown) =>
      Effect.suspend(() => {
        const words = wordsOf(error)
        sign = clock.monotonicTimeNanosUnsafe()
        standing = { ...standing, problem: Option.some(words) }
        if (said?.words === words && sign - said.at < REPEAT) return Effect.void
        said = { words, at: sign }
        return Effect.logWarning("the leader election lock cannot be used; trying again", { reason: words })
      }),
    waits: (holder: string) =>
      Effect.suspend(() => {
        standing = { leads: false, holder, problem: Option.none() }
        said = undefined
        if (waitsFor === holder) return Effect.void
        waitsFor = holder
        return Effect.logInfo("standing by", { holder: holder === "" ? "nobody" : holder })
      }),
    leads: (transitions: number) =>
      Effect.suspend(() => {
        standing = { leads: true, holder: identity, problem: Option.none() }
        waitsFor = undefined
        return Effect.logInfo("leading", { identity, transitions })
      }),
    stopped: Effect.sync(() => {
      standing = { ...standing, leads: false, holder: "" }
    })
  }
}

/** Our claim upon what was seen. */
const claimOver = (seen: Option.Option<Held>, identity: string, duration: Duration.Duration, now: number): Claim => {
  const before = Option.getOrUndefined(seen)?.claim
  return {
    holder: identity,
    seconds: Math.ceil(Duration.toSeconds(duration)),
    acquired: now,
    renewed: now,
    transitions: before === undefined ? 0 : before.transitions + (before.holder === identity ? 0 : 1)
  }
}

export const make = Effect.fnUntraced(function* <E>(options: Options<E>): Effect.fn.Return<Leader> {
  const { duration, identity, lock } = options
  const clock = yield* Clock.Clock
  const timing = Tenure.timingOf(duration)
  const journal = makeJournal(identity, clock)
  const judge = makeJudge(identity, duration)
  const tenureOptions = { lock, timing, onProblem: journal.problem, onRenewed: journal.well }
  const now = () => clock.monotonicTimeNanosUnsafe()

  /** Not interrupted half-way: a claim that nobody remembers would keep everybody else waiting. */
  const claim = (seen: Option.Option<Held>) =>
    Effect.gen(function* () {
      const started = now()
      const wanted = claimOver(seen, identity, duration, yield* Clock.currentTimeMillis)
      const request = Option.match(seen, {
        onNone: () => lock.create(wanted),
        onSome: ({ version }) => lock.update(wanted, version)
      })
      const held = yield* Tenure.within(timing.request, request)
      const tenure = Tenure.make(tenureOptions, clock, held, started)
      yield* Effect.addFinalizer(() => tenure.release)
      yield* journal.leads(held.claim.transitions)
      return tenure
    }).pipe(Effect.uninterruptible)

  /** One look at the lock: it is ours, or it is to be looked at again after so many milliseconds. */
  const look = Effect.gen(function* () {
    const seen = yield* Tenure.within(timing.request, lock.read)
    yield* journal.sign
    const at = now()
    const wait = toMillis(judge.freeAt(seen, at) - at)
    if (wait <= 0) return yield* claim(seen)
    yield* journal.waits(Option.match(seen, { onNone: () => "", onSome: (held) => held.claim.holder }))
    return Math.min(wait, LOOK * (yield* Random.nextBetween(0.8, 1.2)))
  })

  const acquire: Effect.Effect<Tenure.Tenure, never, Scope.Scope> = Effect.gen(function* () {
    const backoff = Backoff.make<unknown>({
      backoff: Backoff.exponential(LOOK, 5 * LOOK),
      retryAfter: () => Option.none()
    })
    for (;;) {
      const outcome = yield* Effect.catch(look, (error) =>
        Effect.gen(function* () {
          // somebody else was quicker
          if (!(error instanceof Tenure.Silent) && lock.isConflict(error)) return LOOK
          yield* journal.problem(error)
          return Duration.toMillis((yield* backoff.next(Cause.fail(error))).delay)
        })
      )
      if (typeof outcome !== "number") return outcome
      if (Option.isNone((yield* journal.standing).problem)) backoff.reset()
      yield* Effect.sleep(outcome)
    }
  })

  /** Its scope closes in reverse order: the work ends, then the renewals, then the lock is let go of. */
  const term = <E2, R>(work: (isClear: () => boolean) => Effect.Effect<unknown, E2, R>) =>
    Effect.gen(function* () {
      const tenure = yield* acquire
      const renewal = yield* Effect.forkScoped(tenure.renew, { startImmediately: true })
      const working = yield* Effect.forkScoped(work(tenure.isClear), { startImmediately: true })
      const lost = yield* Effect.raceFirst(Fiber.join(renewal), Effect.as(Fiber.join(working), "the work has ended"))
      yield* journal.stopped
      yield* Effect.logWarning("no longer leading; everything is stopped", { reason: lost })
    }).pipe(Effect.scoped)

  return {
    lead: (work) => Effect.forever(Effect.andThen(term(work), journal.sign)),
    standing: journal.standing,
    lastSign: journal.lastSign
  }
})
