/**
 * What happens, as it happens: every revision of every ComputeInstance, what AAP and EDA really run, and a journal
 * of it all in words.
 *
 * Looks at the ground truth of the simulators after every write to the cluster, and many times a second for what runs;
 * nothing here goes over a wire, or through the operator.
 */
import { Clock, Effect, Schedule, type Scope } from "effect"
import { type JsonObject, listAt, objectAt, stringAt } from "../../test/support/kubernetes/Json.ts"
import type { LedgerJob } from "../../test/support/SimulatedAap.ts"
import type { Run } from "../../test/support/SimulatedEda.ts"
import type { Installation } from "./Installation.ts"
import { type Ran, ranAtAap, ranAtEda } from "./Ran.ts"

/** Who speaks in a line of the journal. */
export type Voice = "you" | "status" | "AAP" | "EDA"

export interface Line {
  /** Milliseconds since the demo began. */
  readonly at: number
  readonly voice: Voice
  /** `namespace/name`. */
  readonly key: string
  readonly text: string
}

const BETWEEN_LOOKS = "50 millis"

const keyOf = (object: JsonObject): string =>
  `${stringAt(object, "metadata", "namespace") ?? ""}/${stringAt(object, "metadata", "name") ?? ""}`

/** A condition of the object, empty if it has none of that type. */
export const conditionOf = (object: JsonObject | undefined, type: string): JsonObject =>
  objectAt(listAt(object, "status", "conditions").find((one) => stringAt(one, "type") === type))

/** The job that the status speaks of: the deprovision job once there is one. */
export const statusJob = (object: JsonObject | undefined): JsonObject => {
  const deprovision = objectAt(object, "status", "deprovisionJob")
  return stringAt(deprovision, "id") === undefined ? objectAt(object, "status", "provisionJob") : deprovision
}

const statusText = (object: JsonObject): string => {
  const job = statusJob(object)
  const id = stringAt(job, "id")
  const ready = conditionOf(object, "Ready")
  const phase = stringAt(object, "status", "phase")
  if (phase === undefined) return "stored, not seen by the operator yet"
  const said = id === undefined ? (stringAt(ready, "message") ?? "") : (stringAt(job, "message") ?? "")
  const about = id === undefined ? "" : `job ${id} ${stringAt(job, "state") ?? ""}: `
  return `${phase} (${stringAt(ready, "reason") ?? "no condition"})  ${about}${said}`
}

const jobText = (job: LedgerJob, status: string): string => {
  const what = job.kind === "job" ? "job" : "workflow job"
  const part = job.workflow === undefined ? "" : ` (part of workflow job ${job.workflow})`
  return `${what} ${job.id} ${status}  ${job.template}${part}`
}

export class Observation {
  readonly journal: Array<Line> = []
  readonly startedAt: number
  private readonly seen = new Map<string, { readonly revisions: Array<JsonObject>; gone: boolean }>()
  private readonly told = new Map<number, number>()
  private readonly toldOfEda = new Map<string, string>()
  private rows: ReadonlyArray<LedgerJob> = []
  private runs: ReadonlyArray<Run> = []

  constructor(startedAt: number) {
    this.startedAt = startedAt
  }

  get keys(): ReadonlyArray<string> {
    return [...this.seen.keys()]
  }
  get ledger(): ReadonlyArray<LedgerJob> {
    return this.rows
  }
  /** Everything an object ever looked like, oldest first. */
  revisions(key: string): ReadonlyArray<JsonObject> {
    return this.seen.get(key)?.revisions ?? []
  }
  /** As it is now; undefined when it is not there (any more). */
  current(key: string): JsonObject | undefined {
    const found = this.seen.get(key)
    return found === undefined || found.gone ? undefined : found.revisions.at(-1)
  }
  /** The jobs of an object, oldest first; those inside a workflow job left out. */
  jobs(key: string): ReadonlyArray<LedgerJob> {
    return this.rows.filter((job) => job.workflow === undefined && ownerOf(job) === key)
  }
  /** Everything that ran for an object, oldest first. */
  ran(key: string): ReadonlyArray<Ran> {
    const uid = stringAt(this.revisions(key).at(-1), "metadata", "uid")
    const byEda = this.runs.filter((run) => run.uid === uid).map(ranAtEda)
    return [...this.jobs(key).map(ranAtAap), ...byEda].sort((a, b) => a.from - b.from)
  }

  say(now: number, voice: Voice, key: string, text: string): void {
    this.journal.push({ at: now - this.startedAt, voice, key, text })
  }

  /** Takes in what the simulators hold now. */
  look(
    now: number,
    objects: ReadonlyArray<JsonObject>,
    ledger: ReadonlyArray<LedgerJob>,
    runs: ReadonlyArray<Run> = []
  ): void {
    this.rows = ledger
    this.runs = runs
    for (const job of ledger) this.lookAtJob(job)
    for (const object of objects) this.lookAtObject(now, object)
    for (const key of this.keys) this.lookAtRuns(now, key)
    const present = new Set(objects.map(keyOf))
    for (const [key, found] of this.seen) {
      if (found.gone || present.has(key)) continue
      found.gone = true
      this.say(now, "status", key, "gone from the cluster")
    }
  }

  private lookAtJob(job: LedgerJob): void {
    const known = this.told.get(job.id) ?? 0
    const owner = ownerOf(job)
    for (const { at, status } of job.transitions.slice(known)) this.say(at, "AAP", owner, jobText(job, status))
    this.told.set(job.id, job.transitions.length)
  }

  private lookAtRuns(now: number, key: string): void {
    for (const { id, status, what } of this.ran(key).filter((one) => one.id.startsWith("eda"))) {
      if (this.toldOfEda.get(`${key} ${id}`) === status) continue
      this.toldOfEda.set(`${key} ${id}`, status)
      this.say(now, "EDA", key, `playbook of ${id} ${status}  ${what}`)
    }
  }

  private lookAtObject(now: number, object: JsonObject): void {
    const key = keyOf(object)
    const found = this.seen.get(key) ?? { revisions: [], gone: false }
    this.seen.set(key, found)
    const last = found.gone ? undefined : found.revisions.at(-1)
    found.gone = false
    if (last === object) return
    found.revisions.push(object)
    if (last === undefined || statusText(last) !== statusText(object)) this.say(now, "status", key, statusText(object))
  }
}

const ownerOf = (job: LedgerJob): string =>
  job.object === undefined ? "" : `${job.object.namespace}/${job.object.name}`

/** Begins to look, and goes on until the scope closes. */
export const observe = (installation: Installation): Effect.Effect<Observation, never, Scope.Scope> =>
  Effect.gen(function* () {
    const observation = new Observation(yield* Clock.currentTimeMillis)
    const look = Effect.gen(function* () {
      const objects = yield* installation.kubernetes.objects
      const ledger = yield* installation.aap.ledger
      const runs = yield* installation.eda.runs
      observation.look(yield* Clock.currentTimeMillis, objects, ledger, runs)
    })
    yield* installation.afterWrites(look)
    yield* Effect.forkScoped(Effect.repeat(look, Schedule.spaced(BETWEEN_LOOKS)))
    return observation
  })
