/**
 * One run of a playbook, as the custom resource records it: what was launched, by whom it is observed, and how it ended.
 *
 * Guarantees: a terminal record never becomes live again, and a history never forgets what is still needed (`trim`).
 */
import { Schema } from "effect"

export const Operation = Schema.Literals(["provision", "deprovision"])
export type Operation = typeof Operation.Type

export const JobState = Schema.Literals(["Pending", "Waiting", "Running", "Succeeded", "Failed", "Canceled", "Unknown"])
export type JobState = typeof JobState.Type

const timestamp = (description: string) =>
  Schema.optionalKey(Schema.String.annotate({ format: "date-time", description }))

export const Job = Schema.Struct({
  jobID: Schema.String.annotate({
    description: "Id of the job at its provider: AAP's job id, or eda-webhook-N for a call of an EDA webhook."
  }),
  type: Operation.annotate({ description: "What the job does to the machine." }),
  provider: Schema.optionalKey(
    Schema.String.annotate({
      description: "The provider that launched the job and observes it, whatever provider is active now."
    })
  ),
  kind: Schema.optionalKey(
    Schema.String.annotate({ description: "How the provider calls this kind of job (AAP: job or workflow_job)." })
  ),
  state: JobState.annotate({
    description: "Last known state of the job. Unknown is not terminal unless gone is true."
  }),
  message: Schema.optionalKey(
    Schema.String.annotate({ description: "What the state means, and why the job failed if it did." })
  ),
  timestamp: timestamp("When the job was launched (UTC)."),
  startedAt: timestamp("When the provider began to run the job (UTC)."),
  finishedAt: timestamp("When the job ended (UTC)."),
  configVersion: Schema.optionalKey(
    Schema.String.annotate({ description: "Version of the spec that the job was launched with." })
  ),
  blockDeletionOnFailure: Schema.optionalKey(
    Schema.Boolean.annotate({ description: "Whether a failure of this job keeps the resource from being deleted." })
  ),
  launchKey: Schema.optionalKey(
    Schema.String.annotate({ description: "Idempotency key that the launch carried to the provider." })
  ),
  launchStamp: Schema.optionalKey(
    Schema.String.annotate({ description: "Stamp of the launch intent that this record closes." })
  ),
  attempt: Schema.optionalKey(Schema.Int.annotate({ description: "Number of the attempt, counted per operation." })),
  duplicate: Schema.optionalKey(
    Schema.Boolean.annotate({
      description: "The job exists besides the one that counts, and is cancelled; it never decides anything."
    })
  ),
  gone: Schema.optionalKey(
    Schema.Boolean.annotate({ description: "The provider no longer knows the job; its outcome was not seen." })
  )
})
export type Job = typeof Job.Type

/** Nothing more will be heard of the job. */
export const isTerminal = (job: Job): boolean =>
  job.state === "Succeeded" || job.state === "Failed" || job.state === "Canceled" || job.gone === true

export const isLive = (job: Job): boolean => !isTerminal(job) && job.jobID !== ""

/** The newest job of an operation that counts: array order, duplicates and records without an id left out. */
export const newest = (jobs: ReadonlyArray<Job>, operation: Operation): Job | undefined =>
  jobs.findLast((job) => job.type === operation && job.duplicate !== true && job.jobID !== "")

const words: Record<Operation, Record<Exclude<JobState, "Failed" | "Unknown">, string>> = {
  provision: {
    Pending: "Job queued",
    Waiting: "Job waiting for capacity",
    Running: "Job running",
    Succeeded: "Job completed successfully",
    Canceled: "Job canceled"
  },
  deprovision: {
    Pending: "Deprovision job triggered",
    Waiting: "Deprovision job waiting for capacity",
    Running: "Deprovisioning in progress",
    Succeeded: "Deprovision completed",
    Canceled: "Job canceled"
  }
}

/** The message of a state. `detail` is the provider's own word: the reason of a failure, or a state it does not know. */
export const describe = (operation: Operation, state: JobState, detail: string): string => {
  switch (state) {
    case "Failed":
    case "Unknown":
      return detail
    default:
      return words[operation][state]
  }
}

/** What the provider says of a job now. */
export interface JobObservation {
  readonly state: JobState
  /** The reason of a failure, the original word of an unknown state, or empty. */
  readonly detail: string
  readonly startedAt?: string
  readonly finishedAt?: string
  /** The provider confirmed that it no longer has the job. */
  readonly gone: boolean
}

/** The record after an observation. Never leaves a terminal state; changes nothing if nothing changed. */
export const observed = (job: Job, seen: JobObservation): Job => {
  if (isTerminal(job)) return job
  const next: Job = {
    ...job,
    state: seen.state,
    message: describe(job.type, seen.state, seen.detail),
    ...(seen.startedAt === undefined ? {} : { startedAt: seen.startedAt }),
    ...(seen.finishedAt === undefined ? {} : { finishedAt: seen.finishedAt }),
    ...(seen.gone ? { gone: true } : {})
  }
  const same =
    next.state === job.state &&
    next.message === job.message &&
    next.gone === job.gone &&
    next.startedAt === job.startedAt &&
    next.finishedAt === job.finishedAt
  return same ? job : next
}

/**
 * Bounds a history to `limit` records by dropping the oldest that nothing depends on. Live jobs, the newest of each
 * operation, what was built after the newest deprovision, and the record of the key `named` by the launch intent stay, even if that leaves more than `limit`.
 */
export const trim = (jobs: ReadonlyArray<Job>, limit: number, named: string | undefined): ReadonlyArray<Job> => {
  const keep = new Set<Job>()
  for (const operation of Operation.literals) {
    const last = newest(jobs, operation)
    if (last !== undefined) keep.add(last)
  }
  // a provision after the newest deprovision, a duplicate even, is what another deprovision is owed for
  const torn = newest(jobs, "deprovision")
  const built = torn && jobs.slice(jobs.indexOf(torn)).findLast((job) => job.type === "provision")
  if (built !== undefined) keep.add(built)
  for (const job of jobs) if (isLive(job) || (named !== undefined && job.launchKey === named)) keep.add(job)
  let excess = jobs.length - limit
  if (excess <= 0) return jobs
  return jobs.filter((job) => keep.has(job) || excess-- <= 0)
}
