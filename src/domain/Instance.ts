/**
 * A ComputeInstance as the operator understands it: what is wanted, what was recorded, and what is wrong with either.
 *
 * Total: every object that the API server can send gives an Instance. Nothing is written back from here, so that fields
 * nobody decoded are never lost.
 */
import { Result, Schema } from "effect"
import {
  ADOPT_ANNOTATION,
  FINALIZER,
  type LostLaunch,
  MANAGEMENT_STATE_ANNOTATION,
  RETRY_ANNOTATION,
  Spec,
  Status
} from "./ComputeInstance.ts"
import { Condition } from "./Conditions.ts"
import { configVersion } from "./ConfigVersion.ts"
import { INTENT_ANNOTATION, type Intent, isClosed, type LaunchRecord, parse } from "./Intent.ts"
import { type Job, JobState, type Operation } from "./Job.ts"
import { brokenAt } from "./JsonPosition.ts"
import { isObject, type JsonObject, type KubernetesObject, keyOf } from "./Resource.ts"

/** What the status recorded, with everything an older operator may have left out filled in. */
export interface History {
  readonly jobs: ReadonlyArray<Job>
  /** Highest attempt ever used. */
  readonly attempts: Readonly<Record<Operation, number>>
  readonly launch: LaunchRecord | undefined
  /** The launch that was being looked for when the status was written. */
  readonly pendingLaunch?: Intent | undefined
  readonly lostLaunches: ReadonlyArray<LostLaunch>
  readonly reconciledConfigVersion: string | undefined
}

export interface Instance {
  readonly object: KubernetesObject
  readonly key: string
  readonly uid: string
  readonly deletingSince: string | undefined
  readonly holdsFinalizer: boolean
  /** The spec, or what is wrong with it and where. */
  readonly spec: Result.Result<Spec, string>
  readonly desiredVersion: string
  /** The record, or why it cannot be understood. */
  readonly history: Result.Result<History, string>
  readonly conditions: ReadonlyArray<Condition>
  /** The latest intent written for this very object. A copy's inherited intent, or one that cannot be read, is none. */
  readonly intent: Intent | undefined
  readonly management: "managed" | "unmanaged" | "manual"
  readonly retryRequested: string | undefined
  readonly adoptRequested: string | undefined
}

const asObject = (value: unknown): JsonObject => (isObject(value) ? value : {})

// ── spec ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

const decodeSpec = Schema.decodeUnknownResult(Schema.toCodecGoJson(Spec), { errors: "all" })

const parseParameters = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Says where the parameters are broken, never what is in them: they can hold secrets. */
const checkParameters = (spec: Spec): Result.Result<Spec, string> => {
  const text = spec.templateParameters
  if (text === undefined) return Result.succeed(spec)
  const parsed = parseParameters(text)
  if (isObject(parsed)) return Result.succeed(spec)
  if (parsed !== undefined) {
    return Result.fail(
      'spec.templateParameters must hold a JSON object, such as {"cpu": 2}; it holds another JSON value'
    )
  }
  const position = brokenAt(text)
  const what = position >= text.length ? "it ends too early, at" : "unexpected character at"
  return Result.fail(`spec.templateParameters is not valid JSON: ${what} position ${position}`)
}

const specOf = (json: JsonObject): Result.Result<Spec, string> =>
  Result.flatMap(
    Result.mapError(decodeSpec(json), (error) => `spec: ${error.message}`),
    (spec) =>
      spec.name === undefined && spec.templateID === undefined
        ? Result.fail("spec: at least one of name and templateID must be set")
        : checkParameters(spec)
  )

// ── history ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const decodeStatus = Schema.decodeUnknownResult(Schema.toCodecGoJson(Status), { errors: "all" })
const isState = Schema.is(JobState)
const isCondition = Schema.is(Condition)

/** A state that a newer or foreign writer recorded is Unknown, its word kept in the message. */
const knownState = (job: JsonObject): JsonObject => {
  if (isState(job.state)) return job
  const word = typeof job.state === "string" ? job.state : "missing"
  const message = typeof job.message === "string" && job.message !== "" ? `${job.message} ` : ""
  return { ...job, state: "Unknown", message: `${message}(recorded state: ${word})` }
}

const projected = (projection: JsonObject, type: Operation): ReadonlyArray<JsonObject> =>
  typeof projection.id === "string" && projection.id !== ""
    ? [knownState({ ...projection, jobID: projection.id, type })]
    : []

/** Records without a list of jobs, as the oldest operators wrote them, become one. */
const jobsOf = (status: JsonObject): Schema.Json => {
  if (Array.isArray(status.jobs)) return status.jobs.map((job) => (isObject(job) ? knownState(job) : job))
  if (status.jobs !== undefined && status.jobs !== null) return status.jobs
  return [
    ...projected(asObject(status.provisionJob), "provision"),
    ...projected(asObject(status.deprovisionJob), "deprovision")
  ]
}

/** Fields that are derived from the others, and so are never read back. */
const derived = ["phase", "provisionJob", "deprovisionJob"]

/** Old records do not say which version a job was launched with; it was the one then recorded. */
const withVersion = (job: Job, fallback: string): Job =>
  job.configVersion === undefined && job.type === "provision" ? { ...job, configVersion: fallback } : job

const nonEmpty = (text: string | undefined): string | undefined => (text === "" ? undefined : text)

const historyOf = (json: JsonObject, desiredVersion: string): Result.Result<History, string> => {
  const read = Object.fromEntries(Object.entries(json).filter(([key]) => !derived.includes(key)))
  return Result.mapBoth(decodeStatus({ ...read, jobs: jobsOf(json) }), {
    onFailure: (error) => `status: ${error.message}`,
    onSuccess: (status): History => {
      const reconciled = nonEmpty(status.reconciledConfigVersion)
      const version = reconciled ?? nonEmpty(status.desiredConfigVersion) ?? desiredVersion
      const jobs = (status.jobs ?? []).filter((job) => job.jobID !== "").map((job) => withVersion(job, version))
      const used = (operation: Operation) =>
        Math.max(
          status.attempts?.[operation] ?? 0,
          ...jobs.filter((job) => job.type === operation).map((job) => job.attempt ?? 0)
        )
      return {
        jobs,
        attempts: { provision: used("provision"), deprovision: used("deprovision") },
        launch: status.launch,
        pendingLaunch: status.pendingLaunch,
        lostLaunches: status.lostLaunches ?? [],
        reconciledConfigVersion: reconciled
      }
    }
  })
}

// ── the whole ────────────────────────────────────────────────────────────────────────────────────────────────────────

const intentOf = (value: string | undefined, key: string): Intent | undefined => {
  if (value === undefined) return undefined
  const intent = Result.getOrUndefined(parse(value))
  return intent?.object === key ? intent : undefined
}

/** Somebody took the annotation off while the launch was in doubt: the status still knows. */
const pendingOf = (history: Instance["history"], key: string): Intent | undefined => {
  const pending = Result.isSuccess(history) ? history.success.pendingLaunch : undefined
  return pending?.object === key ? pending : undefined
}

const managementOf = (value: string | undefined): Instance["management"] =>
  value === "unmanaged" || value === "manual" ? value : "managed"

const understand = (object: KubernetesObject): Instance => {
  const { metadata } = object
  const annotations = metadata.annotations ?? {}
  const key = keyOf(metadata)
  const spec = asObject(object.spec)
  const status = asObject(object.status)
  const desiredVersion = configVersion(spec)
  const history = historyOf(status, desiredVersion)
  return {
    object,
    key,
    uid: metadata.uid,
    deletingSince: metadata.deletionTimestamp,
    holdsFinalizer: metadata.finalizers?.includes(FINALIZER) ?? false,
    spec: specOf(spec),
    desiredVersion,
    history,
    conditions: Array.isArray(status.conditions) ? status.conditions.filter(isCondition) : [],
    intent: intentOf(annotations[INTENT_ANNOTATION], key) ?? pendingOf(history, key),
    management: managementOf(annotations[MANAGEMENT_STATE_ANNOTATION]),
    retryRequested: nonEmpty(annotations[RETRY_ANNOTATION]),
    adoptRequested: nonEmpty(annotations[ADOPT_ANNOTATION])
  }
}

/** Objects never change, and a pass looks at the same one several times; so many passes may be under way at once. */
const RECENT = 256
const understood = new Map<KubernetesObject, Instance>()

export const decode = (object: KubernetesObject): Instance => {
  const known = understood.get(object)
  if (known !== undefined) return known
  const instance = understand(object)
  understood.set(object, instance)
  for (const oldest of understood.keys()) {
    if (understood.size <= RECENT) break
    understood.delete(oldest)
  }
  return instance
}

/** The intent of which the record does not tell yet how it ended. */
export const openIntent = (instance: Instance, history: History): Intent | undefined =>
  instance.intent !== undefined && !isClosed(instance.intent, history.jobs, history.launch)
    ? instance.intent
    : undefined

/** The attempt that a new launch of the operation uses: one more than any that was ever used. */
export const nextAttempt = (instance: Instance, history: History, operation: Operation): number =>
  Math.max(history.attempts[operation], instance.intent?.operation === operation ? instance.intent.attempt : 0) + 1

/** A person asks for the failed operation to be run again, and no launch answered it yet. */
export const wantsRetry = (instance: Instance): boolean =>
  instance.retryRequested !== undefined && instance.retryRequested !== instance.intent?.retry
