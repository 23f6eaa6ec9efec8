/**
 * What must hold of the record itself, whatever was late: nothing that lives is dropped from it, and it does not contradict
 * itself about a launch. Each answers what is wrong, or nothing.
 */
import type { Change, Verdict } from "./Change.ts"
import { isLiveRecord, NOTHING } from "./Versions.ts"

export const recordsKept = ({ after: { stored: now }, before: { stored: old } }: Change): Verdict => {
  if (now === old || now === NOTHING || now.object.status === undefined) return undefined
  for (const job of old.jobs) {
    const later = now.jobs.find(({ jobID, provider }) => jobID === job.jobID && provider === job.provider)
    if (later === undefined && isLiveRecord(job)) return `the record of job ${job.jobID} was dropped while it was alive`
    if (later !== undefined && !isLiveRecord(job) && isLiveRecord(later))
      return `the record of job ${job.jobID} came to life again`
  }
  return undefined
}

export const oneCounts = ({ after, before: { stored: old } }: Change): Verdict => {
  const { jobs } = after.stored
  if (after.stored === old) return undefined
  const counting = jobs.filter(({ duplicate, launchKey }) => duplicate !== true && launchKey !== undefined)
  const twin = counting.find((job, index) => counting.findIndex((other) => other.launchKey === job.launchKey) !== index)
  return twin && `more than one job of ${twin.launchKey} is taken for the one that counts`
}

/** What is recorded of a launch without a job is not said of one whose job is recorded. */
export const outcomeTrue = ({ after, before: { stored: old } }: Change): Verdict => {
  const { history } = after.stored.instance
  if (after.stored === old || history._tag === "Failure") return undefined
  const { jobs, launch } = history.success
  const job = jobs.find(({ duplicate, launchKey }) => duplicate !== true && launchKey === launch?.key)
  return launch && job && `${launch.outcome} is said of ${launch.key}, which is job ${job.jobID}`
}
