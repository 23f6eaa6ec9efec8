/**
 * Says what happened, once, when it is first recorded: log lines and Events. Nothing happened, nothing is said.
 */
import { Effect, Result, Schema } from "effect"
import { Condition } from "../domain/Conditions.ts"
import type { History, Instance } from "../domain/Instance.ts"
import { isTerminal, type Job } from "../domain/Job.ts"
import type { JsonObject } from "../domain/Resource.ts"
import { Events, type Happening } from "../ports/Events.ts"

export const publish = Effect.fnUntraced(function* (
  instance: Instance,
  happening: Pick<Happening, "type" | "reason" | "action" | "note">
) {
  const events = yield* Events
  const { name, namespace, resourceVersion, uid } = instance.object.metadata
  yield* events.publish({ ...happening, regarding: { name, namespace, uid, resourceVersion } })
})

const fields = (instance: Instance, job: Job) => ({
  computeinstance: instance.key,
  jobID: job.jobID,
  state: job.state,
  provider: job.provider
})

const says = (
  job: Job
): { readonly line: string; readonly event: Pick<Happening, "type" | "reason" | "action" | "note"> } => {
  const note = `${job.type} job ${job.jobID}: ${job.message ?? job.state}`
  switch (job.state) {
    case "Succeeded":
      return {
        line: `${job.type} job succeeded`,
        event: { type: "Normal", reason: "JobSucceeded", action: "Follow", note }
      }
    case "Failed":
      return {
        line: `${job.type} job failed: ${job.message ?? "no reason given"}`,
        event: { type: "Warning", reason: "JobFailed", action: "Follow", note }
      }
    case "Canceled":
      return {
        line: `${job.type} job canceled`,
        event: { type: "Warning", reason: "JobCanceled", action: "Follow", note }
      }
    default:
      return job.gone === true
        ? {
            line: `${job.type} job is gone: ${job.message ?? ""}`,
            event: { type: "Warning", reason: "JobGone", action: "Follow", note }
          }
        : {
            line: `${job.type} job still running`,
            event: { type: "Normal", reason: "JobProgressing", action: "Follow", note }
          }
  }
}

/** Tells of every job whose state is new, compared with what the object recorded before. */
export const report = Effect.fnUntraced(function* (before: Instance, history: History) {
  const known = Result.match(before.history, { onFailure: () => [], onSuccess: (recorded) => recorded.jobs })
  for (const job of history.jobs) {
    const earlier = known.find((one) => one.jobID === job.jobID && one.provider === job.provider)
    if (earlier === undefined || (earlier.state === job.state && earlier.gone === job.gone)) continue
    const { event, line } = says(job)
    yield* Effect.logInfo(line, fields(before, job))
    if (isTerminal(job)) yield* publish(before, event)
  }
})

/** Reasons that are the course of things, or that a job's own event tells. */
const unremarkable: ReadonlySet<string> = new Set([
  "Provisioned",
  "LaunchPending",
  "JobPending",
  "JobRunning",
  "Deprovisioning",
  "CancelingJob",
  "Manual",
  "JobFailed",
  "JobCanceled",
  "LaunchAmbiguous",
  "LaunchRefused"
])

const isCondition = Schema.is(Condition)

const whyNotReady = (conditions: ReadonlyArray<Condition>): Condition | undefined =>
  conditions.find((condition) => condition.type === "Ready" && condition.status !== "True")

/** Tells of a new reason for not being Ready, when it is worth a person's attention. */
export const announce = Effect.fnUntraced(function* (before: Instance, patch: JsonObject) {
  const conditions = Array.isArray(patch.conditions) ? patch.conditions.filter(isCondition) : []
  const now = whyNotReady(conditions)
  if (now?.reason === undefined || unremarkable.has(now.reason)) return
  if (whyNotReady(before.conditions)?.reason === now.reason) return
  const note = now.message ?? now.reason
  yield* Effect.logWarning(note, { computeinstance: before.key, reason: now.reason })
  yield* publish(before, { type: "Warning", reason: now.reason, action: "Reconcile", note })
})
