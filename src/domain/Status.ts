/**
 * The one place that turns what is known of a ComputeInstance into its status.
 *
 * Guarantees: the same knowledge gives the same status, so that nothing is written where nothing changed; `jobs` is the
 * record and everything else is derived from it; fields of other writers stay as they are.
 */
import { Result, type Schema } from "effect"
import type { JobProjection, Phase } from "./ComputeInstance.ts"
import { applyVerdicts, type ConditionType, type Verdict } from "./Conditions.ts"
import type { Limits, Step } from "./Decision.ts"
import { type History, type Instance, openIntent } from "./Instance.ts"
import { type Job, newest } from "./Job.ts"
import { type Reason, reasons } from "./Reasons.ts"
import { equal, isObject, type JsonObject } from "./Resource.ts"

/** Why a step could not be taken, in the words of the closed set. */
export interface Problem {
  readonly reason: Reason
  readonly message: string
}

/** Everything a status is made from. */
export interface Knowledge {
  readonly instance: Instance
  readonly history: History
  readonly step: Step
  readonly problem: Problem | undefined
  /** What a person should know besides, however the object stands. */
  readonly remarks?: ReadonlyArray<string>
  readonly now: number
  readonly limits: Limits
}

const projection = (job: Job): JobProjection => ({
  id: job.jobID,
  state: job.state,
  ...(job.message === undefined ? {} : { message: job.message }),
  blockDeletionOnFailure: job.blockDeletionOnFailure ?? false,
  ...(job.provider === undefined ? {} : { provider: job.provider }),
  ...(job.configVersion === undefined ? {} : { configVersion: job.configVersion }),
  ...(job.timestamp === undefined ? {} : { timestamp: job.timestamp }),
  ...(job.startedAt === undefined ? {} : { startedAt: job.startedAt }),
  ...(job.finishedAt === undefined ? {} : { finishedAt: job.finishedAt })
})

/** Where the object stands: `done` is Ready, everything else says why it is not. */
type Standing = { readonly done: true } | ({ readonly done: false } & Problem)

const not = (reason: Reason, message: string): Standing => ({ done: false, reason, message })

const overdue = (since: string | undefined, limit: number, now: number): boolean =>
  since !== undefined && now - Date.parse(since) > limit

const following = (k: Knowledge, job: Job): Standing => {
  if (k.problem !== undefined) return not(k.problem.reason, k.problem.message)
  if (overdue(job.timestamp, k.limits.jobDeadline, k.now)) {
    return not(
      "JobDeadlineExceeded",
      `Job ${job.jobID} has been alive since ${job.timestamp ?? "an unknown time"}; look at it at the provider, and cancel it there if it hangs`
    )
  }
  if (job.type === "deprovision") return not("Deprovisioning", job.message ?? "")
  return not(job.state === "Running" ? "JobRunning" : "JobPending", job.message ?? "")
}

const cancelling = (k: Knowledge, jobs: ReadonlyArray<Job>): Standing => {
  const ids = jobs.map((job) => job.jobID).join(", ")
  if (k.problem?.reason === "PermissionDenied") return not("CancelForbidden", k.problem.message)
  if (k.problem !== undefined) return not(k.problem.reason, k.problem.message)
  const since = k.instance.deletingSince ?? jobs[0]?.timestamp
  return overdue(since, k.limits.cancelDeadline, k.now)
    ? not("CancelDeadlineExceeded", `Job ${ids} was cancelled and is still alive; look at it at the provider`)
    : not("CancelingJob", `Waiting for job ${ids} to be cancelled`)
}

const ambiguous = ({ instance, problem, remarks = [], step }: Knowledge): Standing => {
  const said = instance.conditions.find((condition) => condition.type === "Ready")
  // what the last search found is said until the next one has ended
  if (step._tag === "Search" && problem === undefined && said?.reason === "LaunchAmbiguous") {
    return not("LaunchAmbiguous", said.message ?? "")
  }
  const words = "A launch may or may not have reached the provider; looking for its job, and sending nothing meanwhile"
  return not("LaunchAmbiguous", [words, ...(problem === undefined ? [] : [problem.message]), ...remarks].join(". "))
}

const standing = (k: Knowledge): Standing => {
  const { problem, step } = k
  switch (step._tag) {
    case "Settle":
      return { done: true }
    case "HoldForPlaybook":
      return standing({ ...k, step: step.next })
    case "Follow":
      return following(k, step.job)
    case "Cancel":
      return cancelling(k, step.jobs)
    case "Block":
    case "Wait":
      return not(step.reason, step.message)
    case "Manual":
      return not("Manual", "The management-state annotation says that people provision this resource")
    case "Search":
      return step.purpose === "lost"
        ? not("Deprovisioning", problem?.message ?? "Looking once more for jobs of launches that were given up")
        : ambiguous(k)
    case "AwaitQuiet":
    case "Renew":
    case "Presume":
    case "Close":
    case "Adopt":
      return ambiguous(k)
    case "Launch":
      return problem === undefined
        ? not("LaunchPending", `The ${step.operation} job is about to be launched`)
        : not(problem.reason, problem.message)
    case "Supersede":
      return not("LaunchPending", "A job that gave no sign is no longer waited for")
    case "AdoptNamed":
      return not(problem?.reason ?? "LaunchPending", problem?.message ?? `Looking for job ${step.id}`)
    case "LeaveAlone":
      return step.why === "Unmanaged"
        ? not("Unmanaged", "The management-state annotation says hands off")
        : not("Deprovisioning", "Nothing is left to clean up")
    case "Release":
      return problem === undefined
        ? not("Deprovisioning", "Nothing is left to clean up")
        : not(problem.reason, problem.message)
  }
}

/** A person should look, and yet nothing has failed. */
const stillUnderWay: ReadonlySet<Reason> = new Set<Reason>(["JobDeadlineExceeded", "AwaitingSignal"])

/** Failures of the object's own; anything that recovers by itself is still progress. */
const phaseOf = (instance: Instance, at: Standing): Phase => {
  if (instance.deletingSince !== undefined) return "Deleting"
  if (at.done) return "Ready"
  return reasons[at.reason].person && !stillUnderWay.has(at.reason) ? "Failed" : "Progressing"
}

const verdicts = (k: Knowledge, at: Standing, reconciled: string | undefined): ReadonlyArray<Verdict> => {
  const built: Verdict =
    reconciled === undefined
      ? {
          type: "Provisioned",
          status: "False",
          reason: at.done ? "LaunchPending" : at.reason,
          message: "No machine has been built yet"
        }
      : {
          type: "Provisioned",
          status: "True",
          reason: "Provisioned",
          message: `Built from config version ${reconciled}`
        }
  if (at.done) {
    return [{ type: "Ready", status: "True", reason: "Provisioned", message: "The machine is as specified" }, built]
  }
  const person = reasons[at.reason].person
  const say = (type: ConditionType, status: Verdict["status"]): Verdict => ({
    type,
    status,
    reason: at.reason,
    message: at.message
  })
  const resting = at.reason === "Manual" || at.reason === "Unmanaged"
  return [
    say("Ready", "False"),
    ...(resting ? [] : [say(person ? "Stalled" : "Reconciling", "True")]),
    built,
    ...(person && k.instance.deletingSince !== undefined ? [say("DeletionBlocked", "True")] : [])
  ]
}

const reconciledVersion = (history: History): string | undefined =>
  history.jobs.findLast((job) => job.type === "provision" && job.state === "Succeeded" && job.duplicate !== true)
    ?.configVersion ?? history.reconciledConfigVersion

const optional = <A>(key: string, value: A | undefined): Readonly<Record<string, A>> =>
  value === undefined ? {} : { [key]: value }

const second = (now: number): string => `${new Date(now).toISOString().slice(0, 19)}Z`

/** The fields of the status that are ours. A field that is absent here is to be absent there. */
export const project = (k: Knowledge): JsonObject => {
  const { history, instance } = k
  const at = standing(k)
  const reconciled = reconciledVersion(history)
  const provision = newest(history.jobs, "provision")
  const deprovision = newest(history.jobs, "deprovision")
  const { generation } = instance.object.metadata
  const pending = openIntent(instance, history)
  return {
    phase: phaseOf(instance, at),
    ...optional("observedGeneration", generation),
    desiredConfigVersion: instance.desiredVersion,
    ...optional("reconciledConfigVersion", reconciled),
    ...(history.jobs.length === 0 ? {} : { jobs: history.jobs.map((job): JsonObject => ({ ...job })) }),
    ...optional("provisionJob", provision && { ...projection(provision) }),
    ...optional("deprovisionJob", deprovision && { ...projection(deprovision) }),
    conditions: applyVerdicts(instance.conditions, verdicts(k, at, reconciled), generation, second(k.now)).map(
      (condition): JsonObject => ({ ...condition })
    ),
    ...(history.attempts.provision === 0 && history.attempts.deprovision === 0
      ? {}
      : { attempts: attemptsOf(history) }),
    ...optional("launch", history.launch && { ...history.launch }),
    ...optional("pendingLaunch", pending && { ...pending }),
    ...(history.lostLaunches.length === 0
      ? {}
      : { lostLaunches: history.lostLaunches.map((lost): JsonObject => ({ ...lost })) })
  }
}

const attemptsOf = (history: History): JsonObject => ({
  ...(history.attempts.provision === 0 ? {} : { provision: history.attempts.provision }),
  ...(history.attempts.deprovision === 0 ? {} : { deprovision: history.attempts.deprovision })
})

/** All the keys `project` may set: the ones a patch removes when they are no longer set. */
const ownKeys = [
  "phase",
  "observedGeneration",
  "desiredConfigVersion",
  "reconciledConfigVersion",
  "jobs",
  "provisionJob",
  "deprovisionJob",
  "conditions",
  "attempts",
  "launch",
  "pendingLaunch",
  "lostLaunches"
] as const

/** JSON merge patch (RFC 7386) that turns `from` into `to`. */
const mergePatch = (from: JsonObject, to: JsonObject): JsonObject => {
  const patch: Record<string, Schema.Json> = {}
  for (const key of new Set([...Object.keys(from), ...Object.keys(to)])) {
    const before = from[key]
    const after = to[key]
    if (equal(before, after)) continue
    if (after === undefined) patch[key] = null
    else patch[key] = isObject(before) && isObject(after) ? mergePatch(before, after) : after
  }
  return patch
}

const pick = (from: JsonObject, keys: ReadonlyArray<string>): JsonObject =>
  Object.fromEntries(keys.flatMap((key) => (from[key] === undefined ? [] : [[key, from[key]]])))

/**
 * What has to be written to make the object say what is known; undefined when it does already. A record that cannot be
 * understood is left as it is: only phase and conditions speak.
 */
export const statusPatch = (k: Knowledge): JsonObject | undefined => {
  const { instance } = k
  const keys: ReadonlyArray<string> = Result.isSuccess(instance.history)
    ? ownKeys
    : ["phase", "observedGeneration", "conditions"]
  const current = instance.object.status
  const patch = mergePatch(pick(isObject(current) ? current : {}, keys), pick(project(k), keys))
  return Object.keys(patch).length === 0 ? undefined : patch
}
