/**
 * How the cluster and the provider of the small world change: what is stored, and what runs.
 */
import { PLAYBOOK_FINALIZERS, RECONCILED_VERSION_ANNOTATION } from "../../src/domain/ComputeInstance.ts"
import { readKey } from "../../src/domain/Intent.ts"
import type { Row } from "./Request.ts"
import type { Seen } from "./Run.ts"
import { type Flight, type Job, type JobState, type Process, type State, timeOf } from "./State.ts"
import { BASE, isLiveRecord, NOTHING, type Version, withAnnotations, withFinalizers } from "./Versions.ts"

// ── the cluster ──────────────────────────────────────────────────────────────────────────────────────────────────────

const outdated = (process: Process): Process => ({
  ...process,
  current: false,
  fresh: process.fresh.map(() => false),
  held: process.held && { ...process.held, fresh: false }
})

const isRecorded = (job: Job, stored: Version): boolean =>
  stored.jobs.some(({ jobID, launchKey }) => (job.provider === "aap" ? jobID === job.id : launchKey === job.key))

/** What the new version records is recorded for good. */
const recorded = (jobs: State["jobs"], stored: Version): State["jobs"] =>
  jobs.every((job) => job.recorded || !isRecorded(job, stored))
    ? jobs
    : jobs.map((job) => (job.recorded || !isRecorded(job, stored) ? job : { ...job, recorded: true }))

/** Something new is stored: every view there is becomes old. */
export const store = (state: State, stored: Version): State =>
  stored === state.stored
    ? state
    : {
        ...state,
        stored,
        jobs: recorded(state.jobs, stored),
        processes: [outdated(state.processes[0]), outdated(state.processes[1])]
      }

// ── the provider ─────────────────────────────────────────────────────────────────────────────────────────────────────

export const create = (
  state: State,
  { key, operation, provider }: Flight
): { readonly state: State; readonly job: Job } => {
  const made: Job = {
    provider,
    id: String(state.jobs.length + 1),
    key,
    operation,
    created: timeOf(state),
    finished: undefined,
    state: "alive",
    cancelling: false,
    deaf: 0,
    runsOn: false,
    unusable: false,
    purged: false,
    recorded: false
  }
  // a call that nobody confirmed may be in the record before it arrives
  const job = isRecorded(made, state.stored) ? { ...made, recorded: true } : made
  return { state: { ...state, jobs: [...state.jobs, job] }, job }
}

export const changed = (state: State, job: Job, change: Partial<Job>): State => ({
  ...state,
  jobs: state.jobs.map((one) => (one === job ? { ...job, ...change } : one))
})

export const ended = (state: State, job: Job, how: JobState): State =>
  changed(state, job, { state: how, finished: timeOf(state) + 500, cancelling: false })

export const holding = (version: Version): Version => {
  const [playbook] = PLAYBOOK_FINALIZERS
  if (version === NOTHING || version.deleting || version.finalizers.includes(playbook)) return version
  const held = withFinalizers(version, [...version.finalizers, playbook])
  return held === "Invalid" ? version : held
}

/** What a playbook of EDA changes on the object when it is done: there is no other word of it. */
const signalled = ({ key, operation }: Job, version: Version): Version => {
  if (version === NOTHING) return version
  if (operation === "provision") {
    return withAnnotations(holding(version), { [RECONCILED_VERSION_ANNOTATION]: readKey(key)?.configVersion ?? "" })
  }
  const left = version.finalizers.filter((one) => !PLAYBOOK_FINALIZERS.includes(one))
  const released = left.length === version.finalizers.length ? version : withFinalizers(version, left)
  return released === "Invalid" ? version : released
}

/** The job succeeds, and says so in the way of its provider. */
export const succeeded = (state: State, job: Job): State => {
  const after = ended(state, job, "successful")
  return job.provider === "eda" ? store(after, signalled(job, after.stored)) : after
}

const states = { alive: "Pending", successful: "Succeeded", failed: "Failed", canceled: "Canceled" } as const

export const rowOf = (job: Job): Row => ({
  id: job.id,
  key: job.key,
  operation: job.operation,
  state: states[job.state],
  created: job.created,
  finished: job.finished
})

const missing = { state: "Unknown", detail: "no longer in AAP (404 Not Found)", gone: true } as const

/** What is to be told of the jobs that the view records as alive. */
export const news = (state: State, view: Version): ReadonlyArray<Seen> =>
  view.jobs.flatMap((record): ReadonlyArray<Seen> => {
    if (!isLiveRecord(record) || record.provider !== "aap") return []
    const job = state.jobs.find(({ id }) => id === record.jobID)
    if (job?.state === "alive") return []
    if (job === undefined || job.purged) return [{ id: record.jobID, observation: missing }]
    return [
      {
        id: job.id,
        observation: {
          state: states[job.state],
          detail: job.state === "failed" ? "AAP job failed: broken" : "",
          gone: false,
          ...(job.finished === undefined ? {} : { finishedAt: new Date(BASE + job.finished).toISOString() })
        }
      }
    ]
  })
