/**
 * The one place that decides what happens to a ComputeInstance: a total function from what was observed to one Step.
 *
 * Guarantees, whatever the observation: nothing starts while a launch is unresolved or a job is alive; a deprovision starts
 * only when no provision can still be running; the finalizer goes only when nothing is owed.
 */
import { Result } from "effect"
import { PLAYBOOK_FINALIZERS } from "./ComputeInstance.ts"
import { cancel, remove } from "./Deletion.ts"
import { type History, openIntent, wantsRetry } from "./Instance.ts"
import { isLive, isTerminal, type Job, newest } from "./Job.ts"
import { awaitSignal, isSilent, launch, lostForGood, notConfigured, resolve, unrecorded } from "./Launching.ts"
import { block, type Observation, type Step, searchFor } from "./Step.ts"

export type { Found, LaunchStep, Limits, Observation, ProviderFacts, Search, Step } from "./Step.ts"

const ended = (job: Job): Step => {
  const words = job.message ?? ""
  if (job.state === "Failed") return block("JobFailed", words)
  if (job.state === "Canceled") return block("JobCanceled", `Job ${job.jobID} was cancelled at the provider`)
  return block("JobOutcomeUnknown", `Job ${job.jobID}: ${words}`)
}

/**
 * What there is of a machine came from a provider whose playbooks hold no finalizer; the active one's would have. It is
 * put on whatever became of the job, as deletion will ask the active provider to tear down what may be there.
 */
const needsPlaybookFinalizer = (o: Observation): boolean => {
  const job = newest(o.history.jobs, "provision")
  return (
    job !== undefined &&
    o.providers.active.playbooksHoldFinalizer === true &&
    o.providers.of(job.provider ?? "").playbooksHoldFinalizer !== true &&
    !(o.instance.object.metadata.finalizers ?? []).some((finalizer) => PLAYBOOK_FINALIZERS.includes(finalizer))
  )
}

/** A live job has its way first: duplicates are stopped, all others followed. */
const liveFirst = (o: Observation): Step | undefined => {
  const duplicates = o.history.jobs.filter((job) => job.duplicate === true && isLive(job))
  if (duplicates.length > 0) return cancel(o, duplicates, "Duplicate")
  const live = o.history.jobs.find(isLive)
  if (live === undefined) return undefined
  return o.providers.of(live.provider ?? "").configured
    ? { _tag: "Follow", job: live }
    : block("ProviderNotConfigured", notConfigured(live))
}

/** The provider dropped the job, and no other version was tried between it and the one that was built. */
const wasBuiltBy = (job: Job, history: History): boolean => {
  const provisions = history.jobs.filter((one) => one.type === "provision" && one.duplicate !== true)
  const before = provisions.at(-2)
  return (
    job.gone === true &&
    history.reconciledConfigVersion === job.configVersion &&
    (before === undefined || before.configVersion === job.configVersion)
  )
}

const provision = (o: Observation): Step => {
  const { history, instance } = o
  const live = history.jobs.find(isLive)
  if (live !== undefined) {
    if (!o.providers.of(live.provider ?? "").configured) return block("ProviderNotConfigured", notConfigured(live))
    const wanted = live.configVersion !== instance.desiredVersion || wantsRetry(instance)
    return wanted && isSilent(o, live) ? { _tag: "Supersede", jobs: [live] } : awaitSignal(o, live)
  }
  if (Result.isFailure(instance.spec)) return block("SpecInvalid", instance.spec.failure)
  const job = newest(history.jobs, "provision")
  const built = job?.state === "Succeeded" && job.configVersion === instance.desiredVersion
  if (instance.management === "manual" && !built) return { _tag: "Manual" }
  const lost = lostForGood(o, "provision")
  if (lost !== undefined) return lost
  if (job === undefined || job.configVersion !== instance.desiredVersion) return launch(o, "provision")
  if (job.state === "Succeeded" || wasBuiltBy(job, history)) return { _tag: "Settle" }
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
  if (intent !== undefined) {
    const resolved = resolve(o, intent)
    return resolved._tag === "Renew" ? (liveFirst(o) ?? resolved) : resolved
  }
  const next = searchFor(o, "next")
  if (next !== undefined) {
    const late = unrecorded(history, next.found)
    if (late.length > 0) return { _tag: "Adopt", first: "counts", intent: undefined, found: late }
  }
  const duplicates = history.jobs.filter((job) => job.duplicate === true && !isTerminal(job))
  if (duplicates.length > 0) return cancel(o, duplicates, "Duplicate")
  if (deleting) return remove(o)
  const step = provision(o)
  return needsPlaybookFinalizer(o) ? { _tag: "HoldForPlaybook", next: step } : step
}
