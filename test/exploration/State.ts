/**
 * A state of the small world: what the cluster stores, what the provider ran, what is on its way, and the memory of two
 * processes of the operator, with the pass each of them is in the middle of.
 *
 * Canonical: no resourceVersions and no clocks but the world's own. A view is either what is stored now or can never be
 * written from again, which is all that compare-and-swap asks.
 */
import type { Operation } from "../../src/domain/Job.ts"
import { memoryId, type Node } from "./Pass.ts"
import type { Reply } from "./Request.ts"
import { type Memory, noMemory, QUIET } from "./Run.ts"
import type { Version } from "./Versions.ts"

export type JobState = "alive" | "successful" | "failed" | "canceled"

/** A job that the provider really has, or had. */
export interface Job {
  readonly provider: string
  readonly id: string
  readonly key: string
  readonly operation: Operation
  readonly created: number
  readonly finished: number | undefined
  readonly state: JobState
  /** Somebody asked for it to be cancelled; it may run on. */
  readonly cancelling: boolean
  /** So many requests to cancel it will be accepted and have no effect. */
  readonly deaf: number
  /** It did not hear one, and goes on until it hears one. */
  readonly runsOn: boolean
  /** It runs without the resource: the answer to its launch said so. */
  readonly unusable: boolean
  /** The provider no longer shows it. */
  readonly purged: boolean
  /** Some version of the object had it in its record. */
  readonly recorded: boolean
}

/** A launch on its way, of which the sender will hear nothing any more. */
export interface Flight {
  readonly provider: string
  readonly operation: Operation
  readonly key: string
}

/** A search that somebody else asked for in the same process: what there was when it began. */
export interface Search {
  readonly at: number
  readonly jobs: ReadonlyArray<Job>
}

/** One process of the operator. */
export interface Process {
  /** What its store holds. */
  readonly view: Version
  /** The view is what is stored now. */
  readonly current: boolean
  readonly memory: Memory
  /** The pass that waits for an answer. */
  readonly pass: Node | undefined
  /** For each object the pass was given, whether it is what is stored now. */
  readonly fresh: ReadonlyArray<boolean>
  /** The request had its effect; the answer is on its way. */
  readonly held: { readonly reply: Reply; readonly fresh: boolean } | undefined
  readonly searched: Search | undefined
}

/** What may still happen, each so many times. */
export const allowances = [
  "faults",
  "crashes",
  "edits",
  "deletes",
  "retries",
  "ticks",
  "failures",
  "cancels",
  "purges",
  "wipes",
  "losses",
  "strips",
  "overlaps",
  "lapses",
  "shares",
  "deafs",
  "unusables",
  "adopts"
] as const
export type Allowance = (typeof allowances)[number]
export type Left = Readonly<Record<Allowance, number>>

export interface State {
  /** Quiet periods since the beginning. */
  readonly epoch: number
  /** Intents written since the beginning; each costs a second, so that no two have the same stamp. */
  readonly sends: number
  readonly stored: Version
  readonly jobs: ReadonlyArray<Job>
  readonly flights: ReadonlyArray<Flight>
  readonly processes: readonly [Process, Process]
  readonly left: Left
}

/** Which of the two processes. */
export type Who = 0 | 1
export const whos: ReadonlyArray<Who> = [0, 1]
export const letters = ["A", "B"] as const

export const timeOf = ({ epoch, sends }: State): number => epoch * QUIET + sends * 1_000

const unborn = (stored: Version): Process => ({
  view: stored,
  current: true,
  memory: noMemory,
  pass: undefined,
  fresh: [],
  held: undefined,
  searched: undefined
})

/** A process that has just come up: it listed the objects, and remembers nothing. */
export const restarted = (state: State): Process => unborn(state.stored)

/** How the world is found: what is stored, and what the provider ran before. */
export interface Beginning {
  readonly stored: Version
  readonly jobs: ReadonlyArray<Job>
}

export const initial = (left: Left, { jobs, stored }: Beginning): State => ({
  epoch: 0,
  sends: 0,
  stored,
  jobs,
  flights: [],
  processes: [unborn(stored), unborn(stored)],
  left
})

export const spend = (state: State, allowance: Allowance): State => ({
  ...state,
  left: { ...state.left, [allowance]: state.left[allowance] - 1 }
})

export const withProcess = (state: State, who: Who, process: Process): State => ({
  ...state,
  processes: who === 0 ? [process, state.processes[1]] : [state.processes[0], process]
})

// ── names of states ──────────────────────────────────────────────────────────────────────────────────────────────────

const codes = new WeakMap<Job, string>()

const jobCode = (job: Job): string => {
  const known = codes.get(job)
  if (known !== undefined) return known
  const { cancelling, created, deaf, finished, key, provider, purged, recorded, runsOn, state, unusable } = job
  const flags = `${cancelling ? "c" : ""}${purged ? "p" : ""}${recorded ? "r" : ""}${runsOn ? "o" : ""}${unusable ? "u" : ""}`
  const code = `${provider}${key}${state}${flags}${deaf}.${created}-${finished ?? ""}`
  codes.set(job, code)
  return code
}

const bits = (flags: ReadonlyArray<boolean>): string => {
  let text = ""
  for (const flag of flags) text += flag ? "1" : "0"
  return text
}

const replyCode = (reply: Reply): string =>
  reply._tag === "object"
    ? `v${reply.version.id}`
    : reply._tag === "rows"
      ? JSON.stringify(reply.rows)
      : JSON.stringify(reply)

const searchCode = (search: Search | undefined): string =>
  search === undefined ? "" : `?${search.at}${search.jobs.map(jobCode).join()}`

const processCode = ({ current, fresh, held, memory, pass, searched, view }: Process): string =>
  pass === undefined
    ? `${view.id}${current ? "=" : "<"}${memoryId(memory)}${searchCode(searched)}`
    : `#${pass.id}/${bits(fresh)}${held === undefined ? "" : `${replyCode(held.reply)}${held.fresh ? "=" : "<"}`}${searchCode(searched)}`

/** The processes may change places where both are set up alike. */
export const nameOf = (state: State, alike: boolean, withLeft = true): string => {
  const [a, b] = state.processes
  const [first, second] = [processCode(a), processCode(b)]
  const both = alike && second < first ? `${second}|${first}` : `${first}|${second}`
  let jobs = ""
  for (const job of state.jobs) jobs += jobCode(job)
  let flights = ""
  for (const flight of state.flights) flights += `${flight.provider}${flight.key},`
  let left = ""
  if (withLeft) for (const name of allowances) left += `${state.left[name]},`
  return `${state.epoch}.${state.sends}|${state.stored.id}|${jobs}|${flights}|${both}|${left}`
}
