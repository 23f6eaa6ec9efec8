/** The ground truth: every job row that was ever made, whatever a client can still see of it. Tests assert on this. */
import { plain } from "./PythonJson.ts"
import {
  type CancelRequest,
  eventOf,
  type Job,
  type JobKind,
  memberOf,
  type Transition,
  terminalStatuses,
  type World
} from "./World.ts"

export interface LedgerJob {
  readonly id: number
  readonly kind: JobKind
  readonly template: string
  readonly templateId: number
  readonly launchType: "manual" | "relaunch" | "workflow"
  readonly launchedBy: string
  /** `extra_vars.ansible_eda.event.meta.uuid`. */
  readonly launchKey: string | undefined
  /** Whose job it is, out of `extra_vars.ansible_eda.event.payload.metadata`. */
  readonly object: { readonly uid: string; readonly name: string; readonly namespace: string } | undefined
  readonly payload: unknown
  readonly extraVars: unknown
  readonly status: string
  readonly created: number
  readonly started: number | undefined
  readonly finished: number | undefined
  /** Oldest first; the first is the creation. */
  readonly transitions: ReadonlyArray<Transition>
  readonly cancelRequests: ReadonlyArray<CancelRequest>
  /** The workflow job this is a part of. */
  readonly workflow: number | undefined
  /** When the row was deleted or purged. The job itself goes on. */
  readonly gone: number | undefined
}

const word = (value: unknown): string => (typeof value === "string" ? value : "")

const entry = (job: Job): LedgerJob => {
  const { payload, key } = eventOf(job.extraVars)
  const metadata = memberOf(payload, "metadata")
  return {
    id: job.id,
    kind: job.kind,
    template: job.template.name,
    templateId: job.template.id,
    launchType: job.launchType,
    launchedBy: job.createdBy.name,
    launchKey: key,
    object:
      metadata === undefined
        ? undefined
        : {
            uid: word(memberOf(metadata, "uid")),
            name: word(memberOf(metadata, "name")),
            namespace: word(memberOf(metadata, "namespace"))
          },
    payload: payload === undefined ? undefined : plain(payload),
    extraVars: plain(job.extraVars),
    status: job.status,
    created: job.created,
    started: job.started,
    finished: job.finished,
    transitions: job.transitions.slice(),
    cancelRequests: job.cancelRequests.slice(),
    workflow: job.parent?.workflow.id,
    gone: job.gone
  }
}

export const ledgerOf = (world: World): ReadonlyArray<LedgerJob> => world.everyJob.map(entry)

/** From its creation until its first terminal status: the time in which the playbook runs or may still run. */
export const lifetime = (job: LedgerJob): { readonly from: number; readonly to: number } => ({
  from: job.created,
  to:
    job.transitions.find(({ status }) => terminalStatuses.some((terminal) => terminal === status))?.at ??
    Number.POSITIVE_INFINITY
})

export interface Overlap {
  readonly first: LedgerJob
  readonly second: LedgerJob
  readonly from: number
  readonly to: number
}

/**
 * Every pair of jobs of one object that were alive at the same instant. Jobs inside a workflow are the workflow's own
 * affair and left out, as are jobs that `group` puts nowhere; by default the object's uid.
 */
export const overlaps = (
  jobs: ReadonlyArray<LedgerJob>,
  group: (job: LedgerJob) => string | undefined = ({ object }) => object?.uid
): ReadonlyArray<Overlap> => {
  const found: Array<Overlap> = []
  for (const members of Map.groupBy(
    jobs.filter(({ workflow }) => workflow === undefined),
    group
  )) {
    const [name, rows] = members
    if (name === undefined) continue
    rows.forEach((first, index) => {
      for (const second of rows.slice(index + 1)) {
        const from = Math.max(lifetime(first).from, lifetime(second).from)
        const to = Math.min(lifetime(first).to, lifetime(second).to)
        if (from < to) found.push({ first, second, from, to })
      }
    })
  }
  return found
}
