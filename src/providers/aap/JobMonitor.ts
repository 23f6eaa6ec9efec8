/**
 * Watches all live jobs together: one list request per round for up to two hundred of them, every poll interval, and
 * nothing while nothing is followed.
 *
 * Guarantees: one round at a time; an outage changes no job, waits longer from round to round and becomes a problem that
 * every object is told once, when it begins to matter and when it ends; a failed job is made known together with its
 * reason; hints (a launch, a cancel, a job found at start) only pull the next look forward and decide nothing.
 */
import { Cause, Clock, Duration, Effect, Latch, Option, Random, Stream } from "effect"
import type { JobObservation } from "../../domain/Job.ts"
import type { KubernetesObject } from "../../ports/KubernetesClient.ts"
import type { ProviderError } from "../../ports/ProviderError.ts"
import type { JobReference, Tracked } from "../../ports/ProvisioningProvider.ts"
import * as Backoff from "../../runtime/Backoff.ts"
import { AapClient, PAGE } from "./AapClient.ts"
import { type AapError, retryAfterOf } from "./AapError.ts"
import { AapSettings } from "./AapSettings.ts"
import { larger, smaller } from "./Chunks.ts"
import { failureReason } from "./FailureReason.ts"
import { JobLedger } from "./JobLedger.ts"
import { makeSweep, type Round } from "./JobSweep.ts"
import { toProviderError } from "./ProviderErrors.ts"
import type { JobRow } from "./Wire.ts"

/** Jobs found in the status at start arrive in a burst: they are looked at together. */
const DEBOUNCE = 1_000
/** A failed round or two is nothing to tell; the credential never mends itself. */
const ROUNDS_BEFORE_PROBLEM = 3
const EXPECTED = 10_000

const now = Effect.map(Clock.monotonicTimeNanos, (nanoseconds) => Number(nanoseconds / 1_000_000n))

const isDenied = (error: AapError): boolean => error._tag === "Unauthorized" || error._tag === "Forbidden"

/** A struggling AAP gets smaller requests. */
const isStruggle = (error: AapError): boolean =>
  error._tag === "ServerFailure" ||
  error._tag === "Timeout" ||
  error._tag === "TooManyRequests" ||
  error._tag === "Overloaded"

/** When the next round is due, in milliseconds of the monotonic clock. */
class Timetable {
  regular: number | undefined = undefined
  early: number | undefined = undefined
  notBefore = 0

  next(): number | undefined {
    const due = Math.min(this.regular ?? Number.POSITIVE_INFINITY, this.early ?? Number.POSITIVE_INFINITY)
    return Number.isFinite(due) ? Math.max(due, this.notBefore) : undefined
  }
}

export const makeMonitor = Effect.gen(function* () {
  const client = yield* AapClient
  const settings = yield* AapSettings
  const scope = yield* Effect.scope
  const interval = Duration.toMillis(settings.pollInterval)
  const ledger = new JobLedger()
  const times = new Timetable()
  const wake = yield* Latch.make(false)
  const news = yield* Latch.make(false)
  const launchedHere = new Set<string>()
  const backoff = Backoff.make<AapError>({
    backoff: Backoff.exponential(interval, Math.max(interval, 300_000)),
    retryAfter: (error) => Option.map(Option.fromUndefinedOr(retryAfterOf(error)), Duration.millis)
  })
  let limit = PAGE
  let problem: ProviderError | undefined

  const announce = () => {
    if (ledger.hasNews()) news.openUnsafe()
  }

  // ── what is learnt ───────────────────────────────────────────────────────────────────────────────────────────────

  const explain = (row: JobRow) =>
    failureReason(row).pipe(
      Effect.provideService(AapClient, client),
      Effect.map((reason) => {
        ledger.conclude(row, reason)
        announce()
      }),
      Effect.forkIn(scope),
      Effect.asVoid
    )

  const learn = Effect.fnUntraced(function* (row: JobRow, order: number) {
    const verdicts = ledger.apply(row, order)
    announce()
    for (const verdict of verdicts) {
      yield* Effect.logWarning(`AAP's job ${row.id} is not this object's: the id is taken for one AAP no longer has`, {
        jobID: String(row.id),
        computeinstance: `${verdict.namespace}/${verdict.name}`
      })
    }
    if (ledger.claimExplanation(String(row.id))) yield* explain(row)
  })

  const sweep = makeSweep({
    begin: Effect.sync(() => ledger.begin()),
    row: learn,
    gone: (id, order) =>
      Effect.andThen(
        Effect.logWarning(`AAP no longer has job ${id} (404 Not Found)`, { jobID: id }),
        Effect.sync(() => {
          ledger.bury(id, order)
          announce()
        })
      ),
    doubt: (id, error) =>
      Effect.sync(() => {
        ledger.doubt(id, toProviderError({ operation: `read job ${id}` })(error))
        announce()
      })
  })

  // ── rounds ───────────────────────────────────────────────────────────────────────────────────────────────────────

  const tellProblem = (next: ProviderError | undefined) => {
    if (problem?.message !== next?.message) ledger.tellEverybody()
    problem = next
    announce()
  }

  const failed = Effect.fnUntraced(function* (error: AapError) {
    const wait = yield* backoff.next(Cause.fail(error))
    times.notBefore = (yield* now) + Duration.toMillis(wait.delay)
    times.regular = times.notBefore
    if (wait.attempt >= ROUNDS_BEFORE_PROBLEM || isDenied(error)) {
      tellProblem(toProviderError({ operation: "read jobs" })(error))
    }
  })

  const succeeded = Effect.fnUntraced(function* (round: Round, regular: boolean) {
    backoff.reset()
    tellProblem(undefined)
    const at = yield* now
    const asked = round.failure === undefined ? 0 : (retryAfterOf(round.failure) ?? 0)
    times.notBefore = at + asked
    // a little early rather than late, and never in step with other operators
    if (regular) times.regular = at + interval * (yield* Random.nextBetween(0.95, 1))
  })

  const round = Effect.fnUntraced(function* (at: number) {
    const regular = times.regular !== undefined && times.regular <= at
    times.early = undefined
    const wanted = ledger.wanted(!regular)
    if (wanted.length === 0) {
      if (regular) times.regular = undefined
      return
    }
    ledger.calm(wanted.map((job) => job.id))
    const outcome = yield* sweep(wanted, limit)
    yield* Effect.logDebug("AAP job poll", { jobs: wanted.length, answered: outcome.answered })
    if (outcome.failure !== undefined && isStruggle(outcome.failure)) limit = smaller(limit)
    else if (regular) limit = larger(limit)
    if (outcome.failure !== undefined && outcome.answered === 0) yield* failed(outcome.failure)
    else yield* succeeded(outcome, regular)
  })

  const step = Effect.gen(function* () {
    const due = times.next()
    const at = yield* now
    if (due !== undefined && due <= at) return yield* round(at)
    yield* due === undefined ? wake.await : Effect.raceFirst(Effect.sleep(due - at), wake.await)
    wake.closeUnsafe()
  })

  yield* step.pipe(
    Effect.catchCause((cause) => Effect.logError("AAP job poll failed unexpectedly", cause)),
    Effect.provideService(AapClient, client),
    Effect.forever,
    Effect.forkScoped
  )

  /** A job is to be looked at: soon, or in the regular round that is planned or planned now. */
  const plan = (soon: boolean) =>
    Effect.map(now, (at) => {
      const before = times.next()
      times.regular ??= at + interval
      if (soon) times.early ??= at + DEBOUNCE
      if (times.next() !== before) wake.openUnsafe()
    })

  // ── the monitor's face ───────────────────────────────────────────────────────────────────────────────────────────

  const track = Effect.fnUntraced(function* (
    object: KubernetesObject,
    jobs: ReadonlyArray<JobReference>
  ): Effect.fn.Return<Tracked> {
    const { namespace, name, uid } = object.metadata
    const subject = { uid, name: { namespace, name }, bytes: () => JSON.stringify(object).length }
    const followed = [...ledger.follow(subject, jobs, (id) => launchedHere.delete(id)).values()]
    if (followed.some((job) => job.seen === undefined)) yield* plan(followed.some((job) => job.hurried))
    const seen = new Map<string, JobObservation>()
    for (const job of followed) if (job.seen !== undefined) seen.set(job.reference.id, job.seen)
    const own = followed.find((job) => job.problem !== undefined)?.problem
    return { seen, problem: Option.fromUndefinedOr(followed.length === 0 ? undefined : (problem ?? own)) }
  })

  return {
    track,
    /** Each object that has news, once until it is taken. For one reader. */
    changes: Stream.fromIterableEffectRepeat(
      Effect.map(news.await, () => {
        news.closeUnsafe()
        return ledger.takeNews()
      })
    ),
    /** This process launched the job: nobody needs to prove whose it is, and it is too young to be looked at early. */
    expect: (id: string): Effect.Effect<void> =>
      Effect.sync(() => {
        if (launchedHere.size < EXPECTED) launchedHere.add(id)
      }),
    /** Begins a read of a single job elsewhere; its answer goes to `learn`. */
    begin: Effect.sync(() => ledger.begin()),
    learn,
    /** Something may be about to happen to the job. */
    hint: (id: string): Effect.Effect<void> => Effect.suspend(() => (ledger.hurry(id) ? plan(true) : Effect.void)),
    verifiedKind: (uid: string, id: string) => ledger.verifiedKind(uid, id)
  }
})

export type JobMonitor = Effect.Success<typeof makeMonitor>
