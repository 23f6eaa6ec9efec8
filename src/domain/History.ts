/**
 * The changes a record of jobs can go through. Pure, idempotent, and never forgetting: an attempt number only grows, a mark
 * of a lost launch stays, an id that is recorded is not recorded twice.
 */
import type { LostLaunch } from "./ComputeInstance.ts"
import type { History } from "./Instance.ts"
import { type Intent, isClosed, type LaunchRecord, readKey } from "./Intent.ts"
import { describe, type Job, type JobObservation, type JobState, type Operation, observed, trim } from "./Job.ts"
import type { ProviderReason } from "./Reasons.ts"

/** RFC 3339 in UTC, whole seconds, as Kubernetes writes times. */
export const timestampOf = (milliseconds: number): string => `${new Date(milliseconds).toISOString().slice(0, 19)}Z`

const used = (history: History, operation: Operation, attempt: number): History["attempts"] => ({
  ...history.attempts,
  [operation]: Math.max(history.attempts[operation], attempt)
})

/** The record brought up to date with what providers saw. The same history if nothing changed. */
export const withSeen = (history: History, seen: ReadonlyMap<string, JobObservation>): History => {
  const jobs = history.jobs.map((job) => {
    const observation = seen.get(job.jobID)
    return observation === undefined ? job : observed(job, observation)
  })
  return jobs.every((job, index) => job === history.jobs[index]) ? history : { ...history, jobs }
}

/** A job that a provider answered for a launch. */
export interface Launched {
  readonly id: string
  readonly kind: string | undefined
  readonly state: JobState
  readonly detail: string
  readonly blockDeletionOnFailure: boolean
}

/**
 * Records the answer of a launch. It closes the intent if the intent is still this very sending and still open; otherwise
 * the job is one too many, and recorded as a duplicate to cancel.
 */
export const withLaunched = (
  history: History,
  launched: Launched,
  sent: Intent,
  current: Intent | undefined,
  now: number,
  limit: number
): History => {
  if (history.jobs.some((job) => job.jobID === launched.id && job.provider === sent.provider)) return history
  const counts =
    current?.key === sent.key && current.stamp === sent.stamp && !isClosed(sent, history.jobs, history.launch)
  const job: Job = {
    jobID: launched.id,
    type: sent.operation,
    provider: sent.provider,
    ...(launched.kind === undefined ? {} : { kind: launched.kind }),
    state: launched.state,
    message: describe(sent.operation, launched.state, launched.detail),
    timestamp: timestampOf(now),
    configVersion: sent.configVersion,
    blockDeletionOnFailure: launched.blockDeletionOnFailure,
    launchKey: sent.key,
    launchStamp: sent.stamp,
    attempt: sent.attempt,
    ...(counts ? {} : { duplicate: true })
  }
  return {
    ...history,
    jobs: trim([...history.jobs, job], limit, current?.key ?? sent.key),
    attempts: used(history, sent.operation, sent.attempt),
    launch: counts ? undefined : history.launch
  }
}

/** The job exists and is worthless: recorded, to be cancelled, and not counted. */
export const withUnusable = (history: History, id: string): History => ({
  ...history,
  jobs: history.jobs.map((job) => (job.jobID === id ? { ...job, duplicate: true } : job))
})

/** These jobs are no longer waited for. */
export const withSuperseded = (history: History, jobs: ReadonlyArray<Job>): History =>
  withSeen(
    history,
    new Map(
      jobs.map((job) => [
        job.jobID,
        { state: "Unknown", detail: "no signal within the settle period; no longer waited for", gone: true }
      ])
    )
  )

export interface Refusal {
  readonly reason: ProviderReason
  readonly message: string
  /** Milliseconds the provider asked for. */
  readonly retryAfter: number | undefined
}

const FIRST_REFUSAL_WAIT = 10_000
const LONGEST_REFUSAL_WAIT = 300_000

/** How long to wait after this many refusals in a row, in milliseconds. */
export const refusalWait = (refusals: number, retryAfter: number | undefined): number =>
  Math.max(retryAfter ?? 0, Math.min(LONGEST_REFUSAL_WAIT, FIRST_REFUSAL_WAIT * 2 ** Math.min(refusals - 1, 10)))

const closing = (intent: Intent, outcome: LaunchRecord["outcome"], now: number): LaunchRecord => ({
  key: intent.key,
  stamp: intent.stamp,
  operation: intent.operation,
  outcome,
  configVersion: intent.configVersion,
  time: timestampOf(now)
})

/** The record says which job came of this very sending, so that nothing else is to be said of it. */
const hasJob = (history: History, { key, stamp }: Intent): boolean =>
  history.jobs.some((job) => job.launchKey === key && job.launchStamp === stamp && job.duplicate !== true)

/** Closes the intent as refused, if it is still this very sending, and no job of its key was found meanwhile. */
export const withRefused = (
  history: History,
  refusal: Refusal,
  sent: Intent,
  current: Intent | undefined,
  now: number
): History => {
  if (current?.key !== sent.key || current.stamp !== sent.stamp) return history
  if (hasJob(history, sent)) return history
  const before =
    history.launch?.outcome === "Refused" && history.launch.operation === sent.operation ? history.launch : undefined
  const refusals = (before?.refusals ?? 0) + 1
  return {
    ...history,
    attempts: used(history, sent.operation, sent.attempt),
    launch: {
      ...closing(sent, "Refused", now),
      reason: refusal.reason,
      message: refusal.message,
      refusals,
      // whole seconds, rounded up: never sooner than asked
      retryAt: timestampOf(Math.ceil((now + refusalWait(refusals, refusal.retryAfter)) / 1_000) * 1_000)
    }
  }
}

/**
 * Marks that a launch of the intent's template left no trace. One mark per template, operation and uid, the oldest time.
 * The uid is the key's, as an object that is restored from a backup gets another one, and its job keeps the key.
 */
export const withLost = (history: History, intent: Intent): History => {
  const uid = readKey(intent.key)?.uid
  const mark: LostLaunch = {
    provider: intent.provider,
    template: intent.template,
    operation: intent.operation,
    ...(uid === undefined ? {} : { uid }),
    since: intent.since ?? intent.stamp
  }
  const same = (lost: LostLaunch) =>
    lost.provider === mark.provider &&
    lost.template === mark.template &&
    lost.operation === mark.operation &&
    lost.uid === mark.uid
  return history.lostLaunches.some(same) ? history : { ...history, lostLaunches: [...history.lostLaunches, mark] }
}

/** Closes the intent without a job, and remembers for good that a launch may have happened. */
export const withClosed = (
  history: History,
  intent: Intent,
  outcome: "NotFound" | "Unknown",
  message: string,
  now: number
): History => ({
  ...withLost(history, intent),
  attempts: used(history, intent.operation, intent.attempt),
  launch: { ...closing(intent, outcome, now), message }
})

/** A job found at the provider. */
export interface FoundRecord {
  readonly id: string
  readonly provider: string
  readonly kind: string | undefined
  readonly operation: Operation
  readonly launchKey: string
  readonly state: JobState
  readonly detail: string
  readonly created: string
  readonly startedAt: string | undefined
  readonly finishedAt: string | undefined
  readonly blockDeletionOnFailure: boolean
}

const recordOf = (found: FoundRecord, fallbackVersion: string): Job => {
  const key = readKey(found.launchKey)
  const operation = key?.operation ?? found.operation
  return {
    jobID: found.id,
    type: operation,
    provider: found.provider,
    ...(found.kind === undefined ? {} : { kind: found.kind }),
    state: found.state,
    message: describe(operation, found.state, found.detail),
    ...(Number.isNaN(Date.parse(found.created)) ? {} : { timestamp: timestampOf(Date.parse(found.created)) }),
    ...(found.startedAt === undefined ? {} : { startedAt: found.startedAt }),
    ...(found.finishedAt === undefined ? {} : { finishedAt: found.finishedAt }),
    configVersion: key?.configVersion ?? fallbackVersion,
    blockDeletionOnFailure: found.blockDeletionOnFailure,
    ...(found.launchKey === "" ? {} : { launchKey: found.launchKey }),
    ...(key === undefined ? {} : { attempt: key.attempt })
  }
}

/**
 * Records jobs that were found, oldest first: the first counts and closes `intent` if `first` says so, all others are
 * duplicates. The one that counts is placed last, as the newest.
 */
export const withFound = (
  history: History,
  found: ReadonlyArray<FoundRecord>,
  first: "counts" | "duplicate",
  intent: Intent | undefined,
  fallbackVersion: string,
  limit: number
): History => {
  const ids = new Set(found.map((one) => one.id))
  const recorded = new Map(history.jobs.map((job) => [job.jobID, job]))
  const rows = found.filter((one, index) => found.findIndex((other) => other.id === one.id) === index)
  const jobs = rows.map((one, index): Job => {
    const { duplicate: _, ...job } = recorded.get(one.id) ?? recordOf(one, fallbackVersion)
    if (index > 0 || first === "duplicate") return { ...job, duplicate: true }
    return intent === undefined ? job : { ...job, launchKey: intent.key, launchStamp: intent.stamp }
  })
  const [counting, ...others] = jobs
  if (counting === undefined) return history
  const all = [...history.jobs.filter((job) => !ids.has(job.jobID)), ...others, counting]
  const highest = (operation: Operation) =>
    Math.max(
      intent?.operation === operation ? intent.attempt : 0,
      ...jobs.filter((job) => job.type === operation).map((job) => job.attempt ?? 0)
    )
  return {
    ...history,
    jobs: trim(all, limit, intent?.key),
    attempts: {
      provision: Math.max(history.attempts.provision, highest("provision")),
      deprovision: Math.max(history.attempts.deprovision, highest("deprovision"))
    },
    launch: first === "counts" ? undefined : history.launch
  }
}
