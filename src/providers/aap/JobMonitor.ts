/**
 * Watches all live jobs together: one list request per round for up to two hundred of them, every poll interval, and
 * nothing while nothing is followed.
 *
 * Guarantees: an outage changes no job, and becomes a problem that every object is told once, when it begins to matter and
 * when it ends; a failed job is made known together with its reason; hints (a cancel, a job found at start) only pull the
 * next look forward and decide nothing.
 */
import { Clock, Effect, Latch, Option, type Scope, Stream } from "effect"
import type { JobObservation } from "../../domain/Job.ts"
import type { KubernetesObject, NamespacedName } from "../../ports/KubernetesClient.ts"
import type { ProviderError } from "../../ports/ProviderError.ts"
import type { JobReference, Tracked } from "../../ports/ProvisioningProvider.ts"
import { aapMetrics } from "../../telemetry/Metrics.ts"
import { AapClient } from "./AapClient.ts"
import type { AapError } from "./AapError.ts"
import { AapSettings } from "./AapSettings.ts"
import { failureReason } from "./FailureReason.ts"
import { JobLedger } from "./JobLedger.ts"
import { type Findings, makeSweep } from "./JobSweep.ts"
import { toProviderError } from "./ProviderErrors.ts"
import { makeRounds } from "./Rounds.ts"
import type { JobRow } from "./Wire.ts"

/** A failed round or two is nothing to tell. */
const ROUNDS_BEFORE_PROBLEM = 3
/** Launches whose job was never followed are forgotten beyond this many. */
const EXPECTED = 10_000

const isDenied = (error: AapError): boolean => error._tag === "Unauthorized" || error._tag === "Forbidden"

const sayAnswered = Effect.flatMap(Clock.currentTimeMillis, (now) => aapMetrics.lastPoll.set({}, now / 1_000))

/** A ledger whose every change is announced to whoever waits for news. */
const makeNews = Effect.gen(function* () {
  const ledger = new JobLedger()
  const news = yield* Latch.make(false)
  const change = <A>(f: () => A): A => {
    const result = f()
    if (ledger.hasNews()) news.openUnsafe()
    return result
  }
  const changes = Stream.fromIterableEffectRepeat(
    Effect.map(news.await, () => {
      news.closeUnsafe()
      return ledger.takeNews()
    })
  )
  return { ledger, change, changes }
})
type News = Effect.Success<typeof makeNews>

/** From answers of AAP to what is known. The reasons of failures are looked for beside the rounds, not in them. */
const makeFindings = Effect.fnUntraced(function* ({
  ledger,
  change
}: News): Effect.fn.Return<Findings, never, AapClient | Scope.Scope> {
  const client = yield* AapClient
  const scope = yield* Effect.scope

  const explain = (row: JobRow) =>
    failureReason(row).pipe(
      Effect.provideService(AapClient, client),
      Effect.map((reason) => change(() => ledger.conclude(row, reason))),
      Effect.forkIn(scope),
      Effect.asVoid
    )

  return {
    begin: Effect.sync(() => ledger.begin()),
    row: Effect.fnUntraced(function* (row, order) {
      for (const object of change(() => ledger.apply(row, order))) {
        yield* Effect.logWarning(`AAP's job ${row.id} is another object's: the id is taken for one AAP no longer has`, {
          jobID: String(row.id),
          computeinstance: `${object.namespace}/${object.name}`
        })
      }
      if (ledger.claimExplanation(String(row.id))) yield* explain(row)
    }),
    gone: (id, order) =>
      Effect.andThen(
        Effect.logWarning(`AAP no longer has job ${id} (404 Not Found)`, { jobID: id }),
        Effect.sync(() => change(() => ledger.bury(id, order)))
      ),
    doubt: (id, error) =>
      Effect.sync(() => change(() => ledger.doubt(id, toProviderError({ operation: `read job ${id}` })(error))))
  }
})

export const makeMonitor = Effect.gen(function* () {
  const client = yield* AapClient
  const settings = yield* AapSettings
  const news = yield* makeNews
  const { ledger, change } = news
  const findings = yield* makeFindings(news)
  const sweep = makeSweep(findings)
  const launchedHere = new Set<string>()
  let problem: ProviderError | undefined

  const trouble = (next: ProviderError | undefined) =>
    Effect.sync(() =>
      change(() => {
        if (problem?.message !== next?.message) ledger.tellEverybody()
        problem = next
      })
    )

  const rounds = yield* makeRounds({
    interval: settings.pollInterval,
    ask: Effect.fnUntraced(function* (urgentOnly, limit) {
      const wanted = ledger.wanted(urgentOnly)
      if (wanted.length === 0) return Option.none()
      ledger.calm(wanted.map((job) => job.id))
      const round = yield* Effect.provideService(sweep(wanted, limit), AapClient, client)
      yield* Effect.logDebug("AAP job poll", { jobs: wanted.length, answered: round.answered })
      return Option.some(round)
    }),
    onFailure: (error, failures) =>
      failures >= ROUNDS_BEFORE_PROBLEM || isDenied(error)
        ? trouble(toProviderError({ operation: "read jobs" })(error))
        : Effect.void,
    onSuccess: Effect.andThen(sayAnswered, trouble(undefined))
  })

  const track = Effect.fnUntraced(function* (
    object: KubernetesObject,
    jobs: ReadonlyArray<JobReference>
  ): Effect.fn.Return<Tracked> {
    const { namespace, name, uid } = object.metadata
    const subject = { uid, name: { namespace, name }, bytes: () => JSON.stringify(object).length }
    const followed = [...ledger.follow(subject, jobs, (id) => launchedHere.delete(id)).values()]
    if (followed.some((job) => job.seen === undefined)) yield* rounds.plan(followed.some((job) => job.hurried))
    const seen = new Map<string, JobObservation>()
    for (const job of followed) if (job.seen !== undefined) seen.set(job.reference.id, job.seen)
    const own = followed.find((job) => job.problem !== undefined)?.problem
    return { seen, problem: Option.fromUndefinedOr(followed.length === 0 ? undefined : (problem ?? own)) }
  })

  return {
    track,
    forget: (object: NamespacedName): Effect.Effect<void> => Effect.sync(() => ledger.forget(object)),
    /** Each object that has news, named once until it is taken. For one reader. */
    changes: news.changes,
    /** This process launched the job: nobody needs to prove whose it is, and it is too young to be looked at early. */
    expect: (id: string): Effect.Effect<void> =>
      Effect.sync(() => {
        if (launchedHere.size < EXPECTED) launchedHere.add(id)
      }),
    /** For reads of single jobs elsewhere: the place of the request, and what it found. */
    begin: findings.begin,
    learn: findings.row,
    /** Something may be about to happen to the job. */
    hint: (id: string): Effect.Effect<void> =>
      Effect.suspend(() => (ledger.hurry(id) ? rounds.plan(true) : Effect.void)),
    verifiedKind: (uid: string, id: string) => ledger.verifiedKind(uid, id)
  }
})

export type JobMonitor = Effect.Success<typeof makeMonitor>
