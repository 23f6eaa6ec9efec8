/**
 * Says what happened, once, when it is first recorded: log lines and Events. Nothing happened, nothing is said.
 */
import { Effect, Result, Schema } from "effect"
import { Condition } from "../domain/Conditions.ts"
import { type EventReason, isAnnounced } from "../domain/EventReasons.ts"
import type { History, Instance } from "../domain/Instance.ts"
import { isTerminal, type Job } from "../domain/Job.ts"
import type { JsonObject } from "../domain/Resource.ts"
import { Events } from "../ports/Events.ts"

export const publish = Effect.fnUntraced(function* (instance: Instance, reason: EventReason, note: string) {
  const events = yield* Events
  const { name, namespace, resourceVersion, uid } = instance.object.metadata
  yield* events.publish({ reason, note, regarding: { name, namespace, uid, resourceVersion } })
})

const fields = (instance: Instance, job: Job) => ({
  computeinstance: instance.key,
  jobID: job.jobID,
  state: job.state,
  provider: job.provider
})

const lineOf = (job: Job): string => {
  switch (job.state) {
    case "Succeeded":
      return `${job.type} job succeeded`
    case "Failed":
      return `${job.type} job failed: ${job.message ?? "no reason given"}`
    case "Canceled":
      return `${job.type} job canceled`
    default:
      return job.gone === true ? `${job.type} job is gone: ${job.message ?? ""}` : `${job.type} job still running`
  }
}

const eventOf = (job: Job): EventReason | undefined => {
  switch (job.state) {
    case "Succeeded":
      return "JobSucceeded"
    case "Failed":
      return "JobFailed"
    case "Canceled":
      return job.duplicate === true ? "DuplicateJobCanceled" : "JobCanceled"
    default:
      return isTerminal(job) ? "JobGone" : undefined
  }
}

/** Tells of every job whose state is new, compared with what the object recorded before. */
export const report = Effect.fnUntraced(function* (before: Instance, history: History) {
  const known = Result.match(before.history, { onFailure: () => [], onSuccess: (recorded) => recorded.jobs })
  for (const job of history.jobs) {
    const earlier = known.find((one) => one.jobID === job.jobID && one.provider === job.provider)
    if (earlier === undefined || (earlier.state === job.state && earlier.gone === job.gone)) continue
    const reason = eventOf(job)
    yield* Effect.logInfo(lineOf(job), fields(before, job))
    if (reason !== undefined) {
      yield* publish(before, reason, `${job.type} job ${job.jobID}: ${job.message ?? job.state}`)
    }
  }
})

const isCondition = Schema.is(Condition)

const whyNotReady = (conditions: ReadonlyArray<Condition>): Condition | undefined =>
  conditions.find((condition) => condition.type === "Ready" && condition.status !== "True")

const blocking = (conditions: ReadonlyArray<Condition>): string | undefined =>
  conditions.find((condition) => condition.type === "DeletionBlocked" && condition.status === "True")?.reason

/** What a new reason for not being Ready is told as, when it is worth a person's attention. */
const told = (before: Instance, conditions: ReadonlyArray<Condition>, now: Condition): EventReason | undefined => {
  const blocked = blocking(conditions)
  if (blocked !== undefined) return blocked === blocking(before.conditions) ? undefined : "DeletionBlocked"
  const { reason = "" } = now
  return whyNotReady(before.conditions)?.reason === reason || !isAnnounced(reason) ? undefined : reason
}

/** Tells of a new reason for not being Ready, or for not being let go. */
export const announce = Effect.fnUntraced(function* (before: Instance, patch: JsonObject) {
  const conditions = Array.isArray(patch.conditions) ? patch.conditions.filter(isCondition) : []
  const now = whyNotReady(conditions)
  const reason = now === undefined ? undefined : told(before, conditions, now)
  if (now?.reason === undefined || reason === undefined) return
  const message = now.message ?? now.reason
  yield* Effect.logWarning(message, { computeinstance: before.key, reason: now.reason })
  yield* publish(before, reason, reason === now.reason ? message : `${now.reason}: ${message}`)
})
