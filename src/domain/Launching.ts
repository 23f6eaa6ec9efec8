/**
 * Launches: whether one may be made now, and what becomes of one that nobody confirmed.
 */
import { Result } from "effect"
import { type History, type Instance, nextAttempt, wantsRetry } from "./Instance.ts"
import type { Intent } from "./Intent.ts"
import type { Job, Operation } from "./Job.ts"
import { providerReasons, type Reason } from "./Reasons.ts"
import { block, type Found, type Observation, type Step, searchFor } from "./Step.ts"

/** Jobs of the search that the record does not know, a person's relaunches left out. */
export const unrecorded = (history: History, found: ReadonlyArray<Found>): ReadonlyArray<Found> =>
  found.filter((one) => !one.relaunched && !history.jobs.some((job) => job.jobID === one.id))

/**
 * A provider's clock and ours may differ by this much, in milliseconds: a search begins so much before the stamp. A stamp
 * further ahead is of a clock that was put back.
 */
export const CLOCK_SKEW = 10 * 60_000

/**
 * AAP may have dropped its job, so that nothing is sent again because of an absence. An age that cannot be told is too old,
 * and so is one from the future: the job may be from before anything that is searched.
 */
export const isTooOld = (o: Observation, intent: Intent): boolean => {
  const age = o.now - Date.parse(intent.since ?? intent.stamp)
  return !(age >= -CLOCK_SKEW && age <= o.limits.jobRetention)
}

/** An open intent: nothing else happens to the object until it is known what came of it. */
export const resolve = (o: Observation, intent: Intent): Step => {
  const facts = o.providers.of(intent.provider)
  if (!facts.configured) {
    return block(
      "ProviderNotConfigured",
      `A launch at provider ${intent.provider} is unresolved, and ${intent.provider} is not configured; configure it so that the job can be looked for`
    )
  }
  if (!facts.canFind) {
    return facts.canPresume === true ? { _tag: "Presume", intent } : { _tag: "Close", intent, outcome: "Unknown" }
  }
  const search = searchFor(o, "intent")
  if (search === undefined) return { _tag: "Search", purpose: "intent", intent }
  const ours = search.found.filter((one) => one.launchKey === intent.key && !one.relaunched)
  if (ours.length > 0) return { _tag: "Adopt", first: "counts", intent, found: ours }
  if (!search.quiet) return { _tag: "AwaitQuiet", intent }
  // a clock that was set back since the search began makes no proof of it
  if (search.bounded === true || isTooOld(o, intent)) return { _tag: "Close", intent, outcome: "Unknown" }
  return stillWanted(o.instance, intent) ? { _tag: "Renew", intent } : { _tag: "Close", intent, outcome: "NotFound" }
}

const stillWanted = (instance: Instance, intent: Intent): boolean =>
  intent.operation === "deprovision"
    ? instance.deletingSince !== undefined
    : instance.deletingSince === undefined &&
      instance.management === "managed" &&
      Result.isSuccess(instance.spec) &&
      intent.configVersion === instance.desiredVersion

/** Milliseconds; what a provider may ask for at the most. */
const LONGEST_WAIT = 601_000

/** A refused launch is tried again only after a while; a different launch need not wait. */
const refusalHolds = (o: Observation, operation: Operation): Step | undefined => {
  const { launch } = o.history
  if (launch?.outcome !== "Refused" || launch.operation !== operation || launch.retryAt === undefined) return undefined
  if (operation === "provision" && launch.configVersion !== o.instance.desiredVersion) return undefined
  const until = Date.parse(launch.retryAt)
  // a clock that was set back must not make the wait longer than any wait there is
  if (!(until > o.now) || until - o.now > LONGEST_WAIT || wantsRetry(o.instance)) return undefined
  return {
    _tag: "Wait",
    until,
    reason: refusalReason(launch.reason),
    message: launch.message ?? "The launch was refused"
  }
}

const refusalReason = (recorded: string | undefined): Reason =>
  providerReasons.find((reason) => reason === recorded) ?? "LaunchRefused"

/** Two launches of an operation for one object keep their distance: what is left of it is waited for. */
const tooSoon = (o: Observation, operation: Operation): Step | undefined => {
  const { minimumInterval = 0, name } = o.providers.active
  const last = o.history.jobs.findLast((job) => job.type === operation && job.provider === name)
  if (minimumInterval === 0 || last?.timestamp === undefined) return undefined
  // the stamp has the milliseconds that the timestamp lacks
  const sent = Math.max(Date.parse(last.timestamp), Date.parse(last.launchStamp ?? last.timestamp))
  const until = sent + minimumInterval
  // a clock that was set back must not make the wait longer than the interval
  if (!(until > o.now) || until - o.now > minimumInterval) return undefined
  const message = `The next ${operation} request may be sent at ${new Date(until).toISOString().slice(0, 19)}Z`
  return { _tag: "Wait", until, reason: "LaunchPending", message }
}

/** Nobody ever acted on the object: no finalizer of ours, no status. */
const isNew = ({ holdsFinalizer, object }: Instance): boolean =>
  !holdsFinalizer && Object.keys(object.status ?? {}).length === 0

export const launch = (o: Observation, operation: Operation): Step =>
  refusalHolds(o, operation) ??
  tooSoon(o, operation) ?? {
    _tag: "Launch",
    operation,
    attempt: nextAttempt(o.instance, o.history, operation),
    configVersion: o.instance.desiredVersion,
    searchFirst: o.instance.intent === undefined && !isNew(o.instance) && o.search?.purpose !== "next"
  }

/** A launch nobody can tell about any more: only a person may send again. */
export const lostForGood = (o: Observation, operation: Operation): Step | undefined => {
  const { launch: record } = o.history
  if (record?.outcome !== "Unknown" || record.operation !== operation || wantsRetry(o.instance)) return undefined
  return block(
    "LaunchOutcomeUnknown",
    record.message ??
      "It cannot be told whether the last launch happened; look for the machine, then set the annotation cloudkit.openshift.io/retry-requested-at or cloudkit.openshift.io/adopt-job"
  )
}

export const notConfigured = ({ jobID, provider }: Job): string => {
  const whose = provider === undefined ? "a provider that" : `provider ${provider}, which`
  return `Job ${jobID} belongs to ${whose} is not configured; configure it, or see to the job by hand and correct status.jobs`
}

/** When a job of a provider that only hears of ends is no longer waited for (milliseconds); undefined: it is seen. */
export const settlesAt = (o: Observation, job: Job): number | undefined => {
  const { settlePeriod } = o.providers.of(job.provider ?? "")
  if (settlePeriod === undefined) return undefined
  return (job.timestamp === undefined ? 0 : Date.parse(job.timestamp)) + settlePeriod
}

/** The job gave no sign for a whole settle period. */
export const isSilent = (o: Observation, job: Job): boolean => {
  const at = settlesAt(o, job)
  return at !== undefined && !(at > o.now)
}

/** A provision of a provider that only hears of ends is under way: waited for, and after the settle period a person's. */
export const awaitSignal = (o: Observation, job: Job): Step => {
  const until = settlesAt(o, job)
  if (until === undefined) return { _tag: "Follow", job }
  if (!isSilent(o, job)) return { _tag: "Wait", until, reason: "JobPending", message: job.message ?? "Job requested" }
  return block(
    "AwaitingSignal",
    `Job ${job.jobID} was requested and has not signalled its end; look at the playbook, and set the annotation cloudkit.openshift.io/retry-requested-at to request it again`
  )
}
