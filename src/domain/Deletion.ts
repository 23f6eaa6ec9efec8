/**
 * Deletion: stop what runs, tear down what may have been built, let go when nothing is owed.
 */
import { DEPROVISIONED_ANNOTATION, PLAYBOOK_FINALIZERS } from "./ComputeInstance.ts"
import { type History, type Instance, wantsRetry } from "./Instance.ts"
import { isLive, type Job, type JobState, newest } from "./Job.ts"
import { isSilent, launch, lostForGood, notConfigured, settlesAt, unrecorded } from "./Launching.ts"
import { block, type Found, type Observation, type Step, searchFor } from "./Step.ts"

/**
 * Something may have been built: a job was recorded, a launch was given up, a playbook left its finalizer, or it was to be
 * torn down already (the record of what for may be lost).
 */
const wasLaunched = ({ intent, object }: Instance, history: History): boolean =>
  history.jobs.some((job) => job.type === "provision") ||
  history.attempts.deprovision > 0 ||
  intent?.operation === "deprovision" ||
  history.lostLaunches.some((lost) => lost.operation === "provision") ||
  (object.metadata.finalizers ?? []).some((finalizer) => PLAYBOOK_FINALIZERS.includes(finalizer))

/** Whether the newest deprovision came after every provision. */
const coversAll = (history: History, deprovision: Job): boolean =>
  history.jobs.findLastIndex((job) => job.type === "provision") < history.jobs.indexOf(deprovision)

const ended: ReadonlySet<JobState> = new Set(["Succeeded", "Failed", "Canceled"])

/**
 * A job that turned up late matters if it is alive, or was until after the newest deprovision began. Others were covered
 * by that deprovision, or will be; the bounded record may well have known them once.
 */
const matters = (history: History, found: Found): boolean => {
  if (!ended.has(found.state)) return true
  const deprovision = newest(history.jobs, "deprovision")
  // another deprovision is owed already
  if (deprovision?.timestamp === undefined || !coversAll(history, deprovision)) return false
  return found.finishedAt === undefined || Date.parse(found.finishedAt) > Date.parse(deprovision.timestamp)
}

/** What must be certain before anything is torn down or let go: launches given up earlier left no job after all. */
const lostFirst = (o: Observation, then: Step): Step => {
  const unknown = o.history.lostLaunches.find((lost) => !o.providers.of(lost.provider).configured)
  if (unknown !== undefined) {
    return block(
      "ProviderNotConfigured",
      `A launch at provider ${unknown.provider} was given up, and ${unknown.provider} is not configured; configure it so that its job can be looked for once more`
    )
  }
  const searchable = o.history.lostLaunches.filter((lost) => o.providers.of(lost.provider).canFind)
  // what has to wait anyway needs no search yet
  if (searchable.length === 0 || then._tag === "Wait") return then
  const search = searchFor(o, "lost")
  if (search === undefined) return { _tag: "Search", purpose: "lost", lost: searchable }
  const late = unrecorded(o.history, search.found).filter((found) => matters(o.history, found))
  return late.length === 0 ? then : { _tag: "Adopt", first: "duplicate", intent: undefined, found: late }
}

/** Nothing can stop this job and nobody sees it: it is given time to signal, and then no longer waited for. */
const outwait = (o: Observation, job: Job): Step => {
  const until = settlesAt(o, job)
  if (until === undefined) return { _tag: "Follow", job }
  if (isSilent(o, job)) return { _tag: "Supersede", jobs: [job] }
  const message = `Job ${job.jobID} cannot be cancelled and has not signalled its end; waiting for it until ${new Date(until).toISOString().slice(0, 19)}Z`
  return { _tag: "Wait", until, reason: "WaitingForPlaybook", message }
}

/** Stops jobs; nothing else starts meanwhile. */
export const cancel = (o: Observation, jobs: ReadonlyArray<Job>, why: "Duplicate" | "Deletion"): Step => {
  const stuck = jobs.find((job) => !o.providers.of(job.provider ?? "").canCancel)
  if (stuck === undefined) return { _tag: "Cancel", jobs, why }
  return o.providers.of(stuck.provider ?? "").configured
    ? outwait(o, stuck)
    : block("ProviderNotConfigured", notConfigured(stuck))
}

/** No playbook will take its finalizer off: another provider tore the machine down, or somebody says that it is gone. */
const abandoned = (o: Observation, deprovision: Job | undefined): boolean =>
  deprovision?.state === "Succeeded" &&
  (o.providers.of(deprovision.provider ?? "").playbooksHoldFinalizer !== true ||
    o.instance.object.metadata.annotations?.[DEPROVISIONED_ANNOTATION] === "true")

const release = (o: Observation, deprovision: Job | undefined, warning: string | undefined): Step =>
  lostFirst(o, { _tag: "Release", warning, playbookFinalizers: abandoned(o, deprovision) })

const afterDeprovision = (o: Observation, deprovision: Job): Step => {
  if (!coversAll(o.history, deprovision) || deprovision.gone === true) return lostFirst(o, launch(o, "deprovision"))
  if (deprovision.state === "Succeeded") return release(o, deprovision, undefined)
  if (wantsRetry(o.instance)) return lostFirst(o, launch(o, "deprovision"))
  const failure = `Deprovision job ${deprovision.jobID} ended ${deprovision.state}: ${deprovision.message ?? "no reason given"}`
  // absent means false, as older operators wrote it and as the projection prints it
  if (deprovision.blockDeletionOnFailure !== true) return release(o, deprovision, failure)
  return block(
    "DeprovisionFailed",
    `${failure}. Set the annotation cloudkit.openshift.io/retry-requested-at to run it again, or tear the machine down by hand and remove the finalizer`
  )
}

/** A deprovision is under way. One that only signals its end may need a person when the signal does not come. */
const underWay = (o: Observation, deprovision: Job): Step => {
  if (!o.providers.of(deprovision.provider ?? "").configured) {
    return block("ProviderNotConfigured", notConfigured(deprovision))
  }
  const until = settlesAt(o, deprovision)
  if (until === undefined) return { _tag: "Follow", job: deprovision }
  if (isSilent(o, deprovision) && wantsRetry(o.instance)) return { _tag: "Supersede", jobs: [deprovision] }
  // a person who has asked already need not do so again when the time has come
  const expected = deprovision.kind !== "annotation" || wantsRetry(o.instance)
  if (expected && !isSilent(o, deprovision)) {
    return { _tag: "Wait", until, reason: "Deprovisioning", message: deprovision.message ?? "Waiting for the playbook" }
  }
  return block(
    "AwaitingSignal",
    `Job ${deprovision.jobID} was requested and has not signalled its end. When the machine is gone, set the annotation cloudkit.openshift.io/deprovisioned to "true"; to request it again, set cloudkit.openshift.io/retry-requested-at`
  )
}

export const remove = (o: Observation): Step => {
  const { history, instance } = o
  const provisions = history.jobs.filter((job) => job.type === "provision" && isLive(job))
  if (provisions.length > 0) return cancel(o, provisions, "Deletion")
  const deprovision = newest(history.jobs, "deprovision")
  const live = history.jobs.find((job) => job.type === "deprovision" && isLive(job))
  if (live !== undefined) return underWay(o, live)
  const lost = lostForGood(o, "deprovision")
  if (lost !== undefined) return lost
  if (deprovision !== undefined) return afterDeprovision(o, deprovision)
  if (!wasLaunched(instance, history)) return release(o, undefined, undefined)
  if (instance.management === "manual") {
    return block(
      "ManualDeletion",
      "The resource is managed by people and something was provisioned for it; tear the machine down and remove the finalizer, or remove the management-state annotation"
    )
  }
  return lostFirst(o, launch(o, "deprovision"))
}
