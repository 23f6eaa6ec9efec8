/**
 * How a process goes through a pass: it takes a look, its requests take effect, and answers reach it.
 */
import { INTENT_ANNOTATION } from "../../src/domain/Intent.ts"
import type { Configuration } from "./Configurations.ts"
import { begin, type Node, next } from "./Pass.ts"
import { answer, type Reply, type Request } from "./Request.ts"
import { type Memory, QUIET } from "./Run.ts"
import { type Job, type Process, restarted, type State, timeOf, type Who, withProcess } from "./State.ts"
import { changed, create, news, rowOf, store } from "./Truth.ts"
import { NOTHING, withChange, withStatus } from "./Versions.ts"

/** Clocks of AAP and operator may differ by this much. */
const SKEW = 600_000

// ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What a request did to the world, and what it answers. */
interface Effect {
  readonly state: State
  readonly reply: Reply
  /** The object in the reply is what is stored now. */
  readonly fresh: boolean
  readonly launched?: Job
}

const said = (state: State, reply: Reply): Effect => ({ state, reply, fresh: false })
const refused = (state: State, why: "Conflict" | "NotFound" | "Invalid"): Effect =>
  said(state, { _tag: "refused", why })

const write = (state: State, process: Process, request: Extract<Request, { _tag: "metadata" | "status" }>): Effect => {
  if (state.stored === NOTHING) return refused(state, "NotFound")
  if (request.guard !== undefined && process.fresh[request.guard] !== true) return refused(state, "Conflict")
  const written =
    request._tag === "status" ? withStatus(state.stored, request.patch) : withChange(state.stored, request.change)
  if (written === "Invalid") return refused(state, "Invalid")
  const sends =
    request._tag === "metadata" && typeof request.change.annotations?.[INTENT_ANNOTATION] === "string" ? 1 : 0
  const after = { ...store(state, written), sends: state.sends + sends }
  return { state: after, reply: { _tag: "object", version: written === NOTHING ? state.stored : written }, fresh: true }
}

const cancel = (state: State, id: string): Effect => {
  const job = state.jobs.find((one) => one.id === id && one.provider === "aap")
  if (job === undefined || job.purged) return said(state, { _tag: "cancel", said: "Gone" })
  if (job.state !== "alive") return said(state, { _tag: "cancel", said: "AlreadyTerminal" })
  const heard: Partial<Job> = job.deaf > 0 ? { deaf: job.deaf - 1, runsOn: true } : { cancelling: true }
  return said(changed(state, job, heard), { _tag: "cancel", said: "Requested" })
}

const rowsFor = (request: Extract<Request, { _tag: "find" }>, jobs: State["jobs"]) =>
  jobs
    .filter(
      (job) =>
        job.provider === "aap" &&
        !job.purged &&
        job.operation === request.operation &&
        job.created >= request.since - SKEW &&
        job.key.startsWith(`${request.uid}/`)
    )
    .map(rowOf)

/** The search of somebody else, where it is not too old for this request. */
export const shared = (state: State, { pass, searched }: Process): Reply | undefined => {
  const request = pass?.request
  if (request?._tag !== "find" || request.maxAge === 0 || searched === undefined) return undefined
  return searched.at < timeOf(state) - request.maxAge
    ? undefined
    : { _tag: "rows", rows: rowsFor(request, searched.jobs) }
}

/** The launch takes effect, and its job runs without the resource. */
export const ignoring = (
  state: State,
  request: Extract<Request, { _tag: "launch" }>
): Effect & { readonly launched: Job } => {
  const { job, state: created } = create(state, request)
  const launched = { ...job, unusable: true }
  const after = { ...created, jobs: created.jobs.map((one) => (one === job ? launched : one)) }
  return { ...said(after, { _tag: "launched", id: job.id, unusable: true }), launched }
}

export const perform = (state: State, process: Process, request: Request): Effect => {
  switch (request._tag) {
    case "read":
      return state.stored === NOTHING
        ? refused(state, "NotFound")
        : { state, reply: { _tag: "object", version: state.stored }, fresh: true }
    case "metadata":
    case "status":
      return write(state, process, request)
    case "launch": {
      const { job, state: after } = create(state, request)
      return { ...said(after, { _tag: "launched", id: job.id, unusable: false }), launched: job }
    }
    case "find":
      return said(state, { _tag: "rows", rows: rowsFor(request, state.jobs) })
    case "lookUp": {
      const rows = state.jobs.filter((job) => job.id === request.id && !job.purged)
      return said(state, { _tag: "rows", rows: rows.map(rowOf) })
    }
    case "cancel":
      return cancel(state, request.id)
  }
}

/** The process after its pass came to an end, or still waiting. */
const settled = (process: Process, pass: Node, fresh: ReadonlyArray<boolean>): Process => {
  const { end } = pass
  if (end === undefined || pass.defect !== undefined) return { ...process, pass, fresh, held: undefined }
  const { held } = end
  const view = held === undefined ? NOTHING : (pass.given[held] ?? NOTHING)
  return {
    view,
    current: held === undefined ? process.current : fresh[held] === true,
    memory: end.memory,
    pass: undefined,
    fresh: [],
    held: undefined,
    searched: process.searched
  }
}

export interface Progressed {
  readonly state: State
  readonly node: Node
}

/** Something to be told to a process. */
export interface Told {
  readonly reply: Reply
  /** The object in the reply is what is stored now. */
  readonly fresh: boolean
  /** The process still holds the lease when it hears it. One that lost it begins anew when its pass is over. */
  readonly leads?: boolean
}

export const deliver = (state: State, who: Who, pass: Node, told: Told): Progressed => {
  const process = state.processes[who]
  const leads = told.leads !== false && pass.answers.at(-1)?.leads !== false
  const node = next(pass, answer(told.reply, timeOf(state), leads))
  const fresh = node.given.length > process.fresh.length ? [...process.fresh, told.fresh] : process.fresh
  const after = !leads && node.end !== undefined ? restarted(state) : settled(process, node, fresh)
  return { state: withProcess(state, who, after), node }
}

/** Words that were spoken a quiet period ago are forgotten. */
const recent = (memory: Memory, now: number): Memory =>
  memory.spoken !== undefined && now - memory.spoken.at > QUIET / 2 ? { ...memory, spoken: undefined } : memory

/** The process begins a pass. */
export const look = (
  state: State,
  configuration: Configuration,
  who: Who,
  how: { readonly stale: boolean; readonly blind: boolean }
): Progressed => {
  const before = state.processes[who]
  const process = how.stale ? before : { ...before, view: state.stored, current: true }
  const node = begin({
    profile: configuration.profiles[who],
    view: process.view,
    memory: recent(process.memory, timeOf(state)),
    seen: how.blind ? [] : news(state, process.view),
    at: timeOf(state)
  })
  return { state: withProcess(state, who, settled(process, node, [process.current])), node }
}

/** The request of the process takes effect and is answered. */
export const answered = (
  state: State,
  who: Who,
  leads = true
): (Progressed & { readonly launched?: Job }) | undefined => {
  const process = state.processes[who]
  const { held, pass } = process
  if (pass?.request === undefined) return undefined
  if (held !== undefined) return deliver(state, who, pass, { ...held, leads })
  const effect = perform(state, process, pass.request)
  const delivered = deliver(effect.state, who, pass, { reply: effect.reply, fresh: effect.fresh, leads })
  return effect.launched === undefined ? delivered : { ...delivered, launched: effect.launched }
}
