/**
 * Cancelling a job, with care: only the object's own, and with the truth about what AAP's answer means.
 *
 * AAP answers a cancel of an ended job with 405 to superusers and with 403 to everybody else, so that a 403 alone proves
 * nothing; and a 404 may only mean that the job is of the other kind.
 */
import { Effect, Option } from "effect"
import type { KubernetesObject } from "../../ports/KubernetesClient.ts"
import { ProviderError } from "../../ports/ProviderError.ts"
import type { CancelAnswer, JobReference } from "../../ports/ProvisioningProvider.ts"
import { AapClient } from "./AapClient.ts"
import type { AapError } from "./AapError.ts"
import type { JobMonitor } from "./JobMonitor.ts"
import { isTerminalStatus } from "./JobStates.ts"
import { belongsTo } from "./Ownership.ts"
import { plain } from "./PlainText.ts"
import { PROVIDER, toProviderError } from "./ProviderErrors.ts"
import { retryReads } from "./ReadRetry.ts"
import { type JobKind, type JobRow, jobKind } from "./Wire.ts"

const isId = /^\d{1,15}$/u

/**
 * One job of either kind, or none if AAP confirms that it has none. A job that the list hides from us is still found, or
 * found to be forbidden.
 */
export const readJob = Effect.fnUntraced(function* (
  id: string,
  kind?: JobKind
): Effect.fn.Return<Option.Option<JobRow>, AapError, AapClient> {
  if (!isId.test(id)) return Option.none()
  const client = yield* AapClient
  const { rows } = yield* retryReads(client.jobsById([id]))
  const row = rows.find((candidate) => String(candidate.id) === id)
  if (row !== undefined) return Option.some(row)
  const kinds: ReadonlyArray<JobKind> = kind === undefined ? ["job", "workflow_job"] : [kind]
  for (const each of kinds) {
    const found = yield* retryReads(client.jobDetail(each, id)).pipe(
      Effect.asSome,
      Effect.catchTag("NotFound", () => Effect.succeedNone)
    )
    if (Option.isSome(found)) return found
  }
  return Option.none()
})

const forbidden = (id: string, row: JobRow): ProviderError =>
  new ProviderError({
    provider: PROVIDER,
    operation: `cancel job ${id}`,
    reason: "PermissionDenied",
    message: plain(
      `AAP does not let the token's user cancel job ${id}, which is ${row.status} (403 Forbidden): grant it the role admin on template '${row.name ?? ""}', and use a token with write scope`
    ),
    applied: "no"
  })

type Answered = Effect.Effect<CancelAnswer, AapError | ProviderError, AapClient>

export const makeCancel = (monitor: JobMonitor) => {
  /** The job as it is now, if it is the object's; what is seen is made known. */
  const own = Effect.fnUntraced(function* (object: KubernetesObject, job: JobReference, kind?: JobKind) {
    const order = yield* monitor.begin
    const row = yield* readJob(job.id, kind)
    if (Option.isNone(row)) return row
    yield* monitor.learn(row.value, order)
    return Option.filter(
      row,
      ({ type, extra_vars }) => jobKind(type) !== undefined && belongsTo(extra_vars, object.metadata.uid, job.launchKey)
    )
  })

  /** What a refusal means depends on how the job is. */
  const refused = Effect.fnUntraced(function* (object: KubernetesObject, job: JobReference) {
    const row = yield* own(object, job)
    if (Option.isNone(row)) return "Gone" as const
    if (isTerminalStatus(row.value.status)) return "AlreadyTerminal" as const
    return yield* forbidden(job.id, row.value)
  })

  const post: (object: KubernetesObject, job: JobReference, kind: JobKind, tries: number) => Answered = (
    object,
    job,
    kind,
    tries
  ) =>
    AapClient.use((client) => client.cancel(kind, job.id)).pipe(
      Effect.tap(() => monitor.hint(job.id)),
      Effect.as("Requested" as const),
      Effect.catchTags({
        MethodNotAllowed: () => Effect.as(monitor.hint(job.id), "AlreadyTerminal" as const),
        Forbidden: () => refused(object, job),
        NotFound: () => elsewhere(object, job, tries)
      })
    )

  /** 404: gone, or of the other kind. */
  const elsewhere = Effect.fnUntraced(function* (
    object: KubernetesObject,
    job: JobReference,
    tries: number
  ): Effect.fn.Return<CancelAnswer, AapError | ProviderError, AapClient> {
    const row = yield* own(object, job)
    const kind = jobKind(Option.getOrUndefined(row)?.type)
    if (Option.isNone(row) || kind === undefined) return "Gone"
    if (isTerminalStatus(row.value.status)) return "AlreadyTerminal"
    // the row is there and alive: whoever said 404 was wrong, and the pipeline asks again
    return tries > 1 ? "Requested" : yield* post(object, job, kind, tries + 1)
  })

  return (object: KubernetesObject, job: JobReference) =>
    Effect.gen(function* () {
      const verified = monitor.verifiedKind(object.metadata.uid, job.id)
      if (verified !== undefined) return yield* post(object, job, verified, 1)
      const row = yield* own(object, job, jobKind(job.kind))
      const kind = jobKind(Option.getOrUndefined(row)?.type)
      return kind === undefined ? ("Gone" as const) : yield* post(object, job, kind, 1)
    }).pipe(
      Effect.mapError((error) =>
        error._tag === "ProviderError" ? error : toProviderError({ operation: `cancel job ${job.id}` })(error)
      )
    )
}
