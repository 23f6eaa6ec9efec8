/**
 * A small world around the pure core: one object, a provider with its jobs, requests under way, a clock that moves by hand.
 *
 * It knows the truth (which jobs live, whether a machine may exist) that the core can only infer from the record.
 */
import { FINALIZER } from "../../../src/domain/ComputeInstance.ts"
import type { Found, Search } from "../../../src/domain/Decision.ts"
import type { FoundRecord } from "../../../src/domain/History.ts"
import { decode } from "../../../src/domain/Instance.ts"
import { INTENT_ANNOTATION, type Intent, isClosed } from "../../../src/domain/Intent.ts"
import type { JobObservation, JobState, Operation } from "../../../src/domain/Job.ts"
import type { JsonObject, KubernetesObject } from "../../../src/domain/Resource.ts"
import { at, HOUR, historyOf, NOW, objectOf, type SpecName, specs } from "./objects.ts"

export const QUIET = 240_000
/** Send window, request timeout and the provider's longest request: whatever was sent has landed by then, or never will. */
export const LONGEST_FLIGHT = 165_000
/** A little more than the retention that the operator counts on. */
const PURGED_AFTER = 26 * HOUR

export interface ProviderJob {
  readonly id: string
  readonly key: string
  readonly operation: Operation
  readonly created: number
  state: JobState
  finished: number | undefined
  cancelled: boolean
}

export interface World {
  object: KubernetesObject
  now: number
  jobs: ReadonlyArray<ProviderJob>
  /** Requests that have not reached the provider yet. */
  flights: ReadonlyArray<{ readonly intent: Intent; readonly lands: number }>
  /** Answers that have not been recorded yet. */
  answers: ReadonlyArray<{ readonly id: string; readonly intent: Intent }>
  /** What the process remembers: when it first saw a stamp. */
  memory: Map<string, number>
  machine: boolean
  released: boolean
  /** How many requests were ever made: ids and stamps come from it. */
  requests: number
  readonly limit: number
}

export const begin = (limit: number): World => ({
  object: objectOf({ finalizers: [] }),
  now: NOW,
  jobs: [],
  flights: [],
  answers: [],
  memory: new Map(),
  machine: false,
  released: false,
  requests: 0,
  limit
})

export const isAlive = (job: ProviderJob): boolean => job.finished === undefined
export const alive = (world: World): ReadonlyArray<ProviderJob> => world.jobs.filter(isAlive)

// ── the provider ─────────────────────────────────────────────────────────────────────────────────────────────────────

export const create = (world: World, intent: Intent): ProviderJob => {
  const job: ProviderJob = {
    id: `${100 + world.jobs.length + world.requests * 100}`,
    key: intent.key,
    operation: intent.operation,
    created: world.now,
    state: "Pending",
    finished: undefined,
    cancelled: false
  }
  world.jobs = [...world.jobs, job]
  return job
}

const end = (world: World, job: ProviderJob, state: JobState): void => {
  job.state = state
  job.finished = world.now
  if (job.operation === "deprovision" && state === "Succeeded") world.machine = false
}

/** A live job goes one step on its way. */
export const progress = (world: World, job: ProviderJob, ending: JobState): void => {
  if (!isAlive(job)) return
  if (job.cancelled) end(world, job, "Canceled")
  else if (job.state === "Running") end(world, job, ending)
  else {
    job.state = "Running"
    if (job.operation === "provision") world.machine = true
  }
}

export const pass = (world: World, milliseconds: number): void => {
  world.now += milliseconds
  const landed = world.flights.filter((one) => one.lands <= world.now)
  world.flights = world.flights.filter((one) => one.lands > world.now)
  for (const one of landed) create(world, one.intent)
  world.jobs = world.jobs.filter((job) => job.finished === undefined || world.now - job.finished < PURGED_AFTER)
}

export const observationOf = (job: ProviderJob | undefined): JobObservation =>
  job === undefined
    ? { state: "Unknown", detail: "no longer in AAP (404 Not Found)", gone: true }
    : { state: job.state, detail: job.state === "Failed" ? "AAP job failed: reasons" : "", gone: false }

export type Row = FoundRecord & Found

export const find = (world: World, since: string, operation: Operation): ReadonlyArray<Row> =>
  world.jobs
    .filter((job) => job.operation === operation && job.created >= Date.parse(since) - 600_000)
    .map((job) => ({
      id: job.id,
      provider: "aap",
      kind: "job",
      operation: job.operation,
      launchKey: job.key,
      relaunched: false,
      state: job.state,
      detail: "",
      created: at(job.created),
      startedAt: undefined,
      finishedAt: job.finished === undefined ? undefined : at(job.finished),
      blockDeletionOnFailure: job.operation === "deprovision"
    }))

export interface FullSearch extends Search {
  readonly found: ReadonlyArray<Row>
}

// ── the object ───────────────────────────────────────────────────────────────────────────────────────────────────────

type Metadata = KubernetesObject["metadata"]

const edit = (world: World, metadata: Partial<Metadata>): void => {
  world.object = { ...world.object, metadata: { ...world.object.metadata, ...metadata } }
}

export const annotate = (world: World, name: string, value: string | undefined): void => {
  const { [name]: _, ...others } = world.object.metadata.annotations ?? {}
  edit(world, { annotations: value === undefined ? others : { ...others, [name]: value } })
}

export const setFinalizer = (world: World, held: boolean): void => edit(world, { finalizers: held ? [FINALIZER] : [] })

export const setSpec = (world: World, name: SpecName): void => {
  const spec: JsonObject = specs[name]
  world.object = { ...world.object, spec }
}

/** A person deletes the object; without a finalizer it is gone at once. */
export const remove = (world: World): void => {
  if (world.object.metadata.deletionTimestamp !== undefined) return
  edit(world, { deletionTimestamp: at(world.now) })
  if ((world.object.metadata.finalizers ?? []).length === 0) world.released = true
}

/**
 * Somebody puts the object back from a backup that kept neither finalizer nor annotations. Not in the midst of a launch:
 * what is not on the object and was not recorded, nobody can know.
 */
export const replace = (world: World): void => {
  const { intent } = decode(world.object)
  const { jobs, launch } = historyOf(world.object)
  if (intent !== undefined && !isClosed(intent, jobs, launch)) return
  if (world.flights.length + world.answers.length + alive(world).length > 0) return
  if (world.object.metadata.deletionTimestamp !== undefined) return
  annotate(world, INTENT_ANNOTATION, undefined)
  setFinalizer(world, false)
}
