/**
 * The one place that decides what happens to a ComputeInstance: a total function from what was observed to one Step.
 *
 * Guarantees, whatever the observation: nothing starts while a launch is unresolved or a job is alive; a deprovision starts
 * only when no provision can still be running; the finalizer goes only when nothing is owed.
 */
import { Result } from "effect"
import type { LostLaunch } from "./ComputeInstance.ts"
import type { Reason } from "./Conditions.ts"
import { type History, type Instance, nextAttempt, openIntent, wantsRetry } from "./Instance.ts"
import type { Intent } from "./Intent.ts"
import { isLive, isTerminal, type Job, newest, type Operation } from "./Job.ts"

/** A job that a search found under one of the object's keys. */
export interface Found {
  readonly id: string
  readonly launchKey: string
  readonly relaunched: boolean
}

/** A search made in this very pass. */
export interface Search {
  /** The keys looked for belong to this intent, to launches given up earlier, or to a launch about to be made. */
  readonly purpose: "intent" | "lost" | "next"
  /** A whole quiet period had passed when the search began. */
  readonly quiet: boolean
  /** Oldest first. */
  readonly found: ReadonlyArray<Found>
}

/** What the providers can do. */
export interface ProviderFacts {
  readonly active: { readonly name: string; readonly blockDeletionOnFailure: boolean }
  readonly of: (name: string) => {
    readonly configured: boolean
    readonly canFind: boolean
    readonly canCancel: boolean
  }
}

export interface Limits {
  /** Milliseconds. How long finished jobs are sure to be kept by the provider. */
  readonly jobRetention: number
  /** Milliseconds. A job alive longer needs a person. */
  readonly jobDeadline: number
  /** Milliseconds. A cancelled job alive longer needs a person. */
  readonly cancelDeadline: number
}

export interface Observation {
  readonly instance: Instance
  /** The record, brought up to date with what the providers saw. */
  readonly history: History
  /** Wall clock, milliseconds. */
  readonly now: number
  readonly providers: ProviderFacts
  readonly limits: Limits
  readonly search: Search | undefined
}

export interface LaunchStep {
  readonly _tag: "Launch"
  readonly operation: Operation
  readonly attempt: number
  readonly configVersion: string
  /** The record says that keys were used of which no intent is left: look for the next key before using it. */
  readonly searchFirst: boolean
}

export type Step =
  /** Nothing to do with this object, nothing to say about it. */
  | { readonly _tag: "LeaveAlone"; readonly why: "Cleaned" | "Unmanaged" }
  /** All is as wanted. */
  | { readonly _tag: "Settle" }
  /** People provision this object. */
  | { readonly _tag: "Manual" }
  /** A person is needed; anything but a change of the object would be a guess. */
  | { readonly _tag: "Block"; readonly reason: Reason; readonly message: string }
  /** Not before this time (milliseconds). */
  | { readonly _tag: "Wait"; readonly until: number; readonly reason: Reason; readonly message: string }
  /** Live jobs go their way. */
  | { readonly _tag: "Follow"; readonly job: Job }
  | LaunchStep
  /** Look for the jobs of an open intent, or of launches given up earlier. */
  | { readonly _tag: "Search"; readonly purpose: "intent"; readonly intent: Intent }
  | { readonly _tag: "Search"; readonly purpose: "lost"; readonly lost: ReadonlyArray<LostLaunch> }
  /** Nothing found yet, and a launch may still appear. */
  | { readonly _tag: "AwaitQuiet"; readonly intent: Intent }
  /** Nothing came of it: send it again under the same key and a new stamp. */
  | { readonly _tag: "Renew"; readonly intent: Intent }
  /** Give the intent up: nothing found, or too old to tell, or sent to a provider that cannot tell. */
  | { readonly _tag: "Close"; readonly intent: Intent; readonly outcome: "NotFound" | "Unknown" }
  /** Record what the search found, oldest first: the first counts where `first` says so, all others are duplicates. */
  | {
      readonly _tag: "Adopt"
      readonly first: "counts" | "duplicate"
      readonly intent: Intent | undefined
      readonly found: ReadonlyArray<Found>
    }
  /** A person named the job to follow. */
  | { readonly _tag: "AdoptNamed"; readonly id: string }
  /** Stop these jobs; nothing else starts meanwhile. */
  | { readonly _tag: "Cancel"; readonly jobs: ReadonlyArray<Job>; readonly why: "Duplicate" | "Deletion" }
  /** Nothing is owed any more. */
  | { readonly _tag: "Release"; readonly warning: string | undefined }

const block = (reason: Reason, message: string): Step => ({ _tag: "Block", reason, message })

/** Jobs of the search that the record does not know, a person's relaunches left out. */
const unrecorded = (history: History, found: ReadonlyArray<Found>): ReadonlyArray<Found> =>
  found.filter((one) => !one.relaunched && !history.jobs.some((job) => job.jobID === one.id))

/** An open intent: nothing else happens to the object until it is known what came of it. */
const resolve = (o: Observation, intent: Intent): Step => {
  const facts = o.providers.of(intent.provider)
  if (!facts.configured) {
    return block(
      "ProviderNotConfigured",
      `A launch at provider ${intent.provider} is unresolved, and ${intent.provider} is not configured; configure it so that the job can be looked for`
    )
  }
  if (!facts.canFind) return { _tag: "Close", intent, outcome: "Unknown" }
  if (o.search === undefined) return { _tag: "Search", purpose: "intent", intent }
  const ours = o.search.found.filter((one) => one.launchKey === intent.key && !one.relaunched)
  if (ours.length > 0) return { _tag: "Adopt", first: "counts", intent, found: ours }
  if (!o.search.quiet) return { _tag: "AwaitQuiet", intent }
  if (o.now - Date.parse(intent.since ?? intent.stamp) > o.limits.jobRetention) {
    return { _tag: "Close", intent, outcome: "Unknown" }
  }
  return stillWanted(o.instance, intent) ? { _tag: "Renew", intent } : { _tag: "Close", intent, outcome: "NotFound" }
}

const stillWanted = (instance: Instance, intent: Intent): boolean =>
  intent.operation === "deprovision"
    ? instance.deletingSince !== undefined
    : instance.deletingSince === undefined &&
      instance.management === "managed" &&
      Result.isSuccess(instance.spec) &&
      intent.configVersion === instance.desiredVersion

/** A refused launch is tried again only after a while; a different launch need not wait. */
const refusalHolds = (o: Observation, operation: Operation): Step | undefined => {
  const { launch } = o.history
  if (launch?.outcome !== "Refused" || launch.operation !== operation || launch.retryAt === undefined) return undefined
  if (operation === "provision" && launch.configVersion !== o.instance.desiredVersion) return undefined
  const until = Date.parse(launch.retryAt)
  if (!(until > o.now) || wantsRetry(o.instance)) return undefined
  return {
    _tag: "Wait",
    until,
    reason: refusalReason(launch.reason),
    message: launch.message ?? "The launch was refused"
  }
}

const refusalReasons: ReadonlyArray<Reason> = [
  "CredentialsRejected",
  "PermissionDenied",
  "TemplateNotFound",
  "TemplateRefusesVariables",
  "ProviderUnreachable",
  "ProviderOverloaded",
  "ProviderFailure",
  "ProviderMisaddressed",
  "ProviderRefused"
]
const refusalReason = (recorded: string | undefined): Reason =>
  refusalReasons.find((reason) => reason === recorded) ?? "LaunchRefused"

const launch = (o: Observation, operation: Operation): Step =>
  refusalHolds(o, operation) ?? {
    _tag: "Launch",
    operation,
    attempt: nextAttempt(o.instance, o.history, operation),
    configVersion: o.instance.desiredVersion,
    searchFirst:
      o.instance.intent === undefined &&
      (o.instance.holdsFinalizer || o.history.attempts[operation] > 0) &&
      o.search?.purpose !== "next"
  }

/** A launch nobody can tell about any more: only a person may send again. */
const lostForGood = (o: Observation, operation: Operation): Step | undefined => {
  const { launch: record } = o.history
  if (record?.outcome !== "Unknown" || record.operation !== operation || wantsRetry(o.instance)) return undefined
  return block(
    "LaunchOutcomeUnknown",
    record.message ??
      "It cannot be told whether the last launch happened; look for the machine, then set the annotation cloudkit.openshift.io/retry-requested-at or cloudkit.openshift.io/adopt-job"
  )
}

const wasLaunched = (history: History): boolean =>
  history.jobs.some((job) => job.type === "provision") ||
  history.lostLaunches.some((lost) => lost.operation === "provision")

/** Whether the newest deprovision came after every provision. */
const coversAll = (history: History, deprovision: Job): boolean =>
  history.jobs.findLastIndex((job) => job.type === "provision") < history.jobs.indexOf(deprovision)

/** What must be certain before anything is torn down or let go: launches given up earlier left no job after all. */
const lostFirst = (o: Observation, then: Step): Step => {
  const searchable = o.history.lostLaunches.filter((lost) => o.providers.of(lost.provider).canFind)
  if (searchable.length === 0) return then
  if (o.search?.purpose !== "lost") return { _tag: "Search", purpose: "lost", lost: searchable }
  const late = unrecorded(o.history, o.search.found)
  return late.length === 0 ? then : { _tag: "Adopt", first: "duplicate", intent: undefined, found: late }
}

const cancel = (o: Observation, jobs: ReadonlyArray<Job>, why: "Duplicate" | "Deletion"): Step => {
  const stuck = jobs.find((job) => !o.providers.of(job.provider ?? "").canCancel)
  if (stuck === undefined) return { _tag: "Cancel", jobs, why }
  return o.providers.of(stuck.provider ?? "").configured
    ? { _tag: "Follow", job: stuck }
    : block("ProviderNotConfigured", notConfigured(stuck))
}

const notConfigured = (job: Job): string =>
  `Job ${job.jobID} belongs to provider ${job.provider ?? "unknown"}, which is not configured; configure it, or see to the job by hand and correct status.jobs`

const afterDeprovision = (o: Observation, deprovision: Job): Step => {
  if (!coversAll(o.history, deprovision) || deprovision.gone === true) return lostFirst(o, launch(o, "deprovision"))
  if (deprovision.state === "Succeeded") return lostFirst(o, { _tag: "Release", warning: undefined })
  if (wantsRetry(o.instance)) return lostFirst(o, launch(o, "deprovision"))
  const failure = `Deprovision job ${deprovision.jobID} ended ${deprovision.state}: ${deprovision.message ?? "no reason given"}`
  if (deprovision.blockDeletionOnFailure === false) return lostFirst(o, { _tag: "Release", warning: failure })
  return block(
    "DeprovisionFailed",
    `${failure}. Set the annotation cloudkit.openshift.io/retry-requested-at to run it again, or tear the machine down by hand and remove the finalizer`
  )
}

const remove = (o: Observation): Step => {
  const { history, instance } = o
  const provisions = history.jobs.filter((job) => job.type === "provision" && isLive(job))
  if (provisions.length > 0) return cancel(o, provisions, "Deletion")
  const deprovision = newest(history.jobs, "deprovision")
  if (deprovision !== undefined && isLive(deprovision)) return { _tag: "Follow", job: deprovision }
  const lost = lostForGood(o, "deprovision")
  if (lost !== undefined) return lost
  if (deprovision !== undefined) return afterDeprovision(o, deprovision)
  if (!wasLaunched(history)) return lostFirst(o, { _tag: "Release", warning: undefined })
  if (instance.management === "manual") {
    return block(
      "ManualDeletion",
      "The resource is managed by people and something was provisioned for it; tear the machine down and remove the finalizer, or remove the management-state annotation"
    )
  }
  return lostFirst(o, launch(o, "deprovision"))
}

const ended = (job: Job): Step => {
  const words = job.message ?? ""
  if (job.state === "Failed") return block("JobFailed", words)
  if (job.state === "Canceled") return block("JobCanceled", `Job ${job.jobID} was cancelled at the provider`)
  return block("JobOutcomeUnknown", `Job ${job.jobID}: ${words}`)
}

const provision = (o: Observation): Step => {
  const { history, instance } = o
  const live = history.jobs.find(isLive)
  if (live !== undefined) {
    return o.providers.of(live.provider ?? "").configured
      ? { _tag: "Follow", job: live }
      : block("ProviderNotConfigured", notConfigured(live))
  }
  if (Result.isFailure(instance.spec)) return block("SpecInvalid", instance.spec.failure)
  if (instance.management === "manual") return { _tag: "Manual" }
  const lost = lostForGood(o, "provision")
  if (lost !== undefined) return lost
  const job = newest(history.jobs, "provision")
  if (job === undefined || job.configVersion !== instance.desiredVersion) return launch(o, "provision")
  if (job.state === "Succeeded") return { _tag: "Settle" }
  if (job.gone === true && history.reconciledConfigVersion === instance.desiredVersion) return { _tag: "Settle" }
  return wantsRetry(instance) ? launch(o, "provision") : ended(job)
}

/** What to do next, from nothing but what was observed. */
export const decide = (o: Observation): Step => {
  const { history, instance } = o
  const deleting = instance.deletingSince !== undefined
  if (deleting && !instance.holdsFinalizer) return { _tag: "LeaveAlone", why: "Cleaned" }
  if (!deleting && instance.management === "unmanaged") return { _tag: "LeaveAlone", why: "Unmanaged" }
  if (Result.isFailure(instance.history)) return block("RecordInvalid", instance.history.failure)
  if (instance.adoptRequested !== undefined) return { _tag: "AdoptNamed", id: instance.adoptRequested }
  const intent = openIntent(instance, history)
  if (intent !== undefined) return resolve(o, intent)
  if (o.search?.purpose === "next") {
    const late = unrecorded(history, o.search.found)
    if (late.length > 0) return { _tag: "Adopt", first: "counts", intent: undefined, found: late }
  }
  const duplicates = history.jobs.filter((job) => job.duplicate === true && !isTerminal(job))
  if (duplicates.length > 0) return cancel(o, duplicates, "Duplicate")
  return deleting ? remove(o) : provision(o)
}
