/**
 * What can happen next in a state: a process takes a look or gets an answer, a fault strikes, a job goes on, a person or a
 * playbook does something, time passes.
 *
 * Named so that a schedule is a list of words: `A look`, `B lost`, `job 1 successful`, `delete`, `tick`.
 */
import { FINALIZER } from "../../src/domain/ComputeInstance.ts"
import type { Configuration } from "./Configurations.ts"
import type { Node } from "./Pass.ts"
import { answered, deliver, ignoring, look, perform, shared, type Told } from "./Passing.ts"
import type { Request } from "./Request.ts"
import { QUIET } from "./Run.ts"
import {
  type Allowance,
  type Job,
  letters,
  restarted,
  type State,
  spend,
  timeOf,
  type Who,
  withProcess
} from "./State.ts"
import { changed, create, ended, holding, news, store, succeeded } from "./Truth.ts"
import { adopting, deleted, NOTHING, resized, retried, statusLost, stripped, type Version, wiped } from "./Versions.ts"

export interface Move {
  readonly name: string
  readonly state: State
  /** The launch that took effect by this move. */
  readonly launched?: Job
}

/** AAP keeps finished jobs a little longer than the operator counts on; a person may delete one that was recorded at once. */
const PURGED_AFTER = 3 * QUIET
/** Requests to cancel that are accepted and have no effect: one more than there are processes to ask without being told to. */
const DEAF = 3
const failed = (applied: "no" | "unknown"): Told => ({ reply: { _tag: "failed", applied }, fresh: false })
const isWrite = ({ _tag }: Request): boolean => _tag === "metadata" || _tag === "status" || _tag === "cancel"

/** What may befall a request. */
const faults = (state: State, who: Who, pass: Node, request: Request): ReadonlyArray<Move> => {
  const as = (name: string) => `${letters[who]} ${name}`
  const process = state.processes[who]
  const poorer = spend(state, "faults")
  const effect = perform(poorer, process, request)
  const launched = effect.launched === undefined ? {} : { launched: effect.launched }
  const nothing: Move = { name: as("fails"), state: deliver(poorer, who, pass, failed("no")).state }
  const slow: Move = {
    name: as("slow"),
    state: withProcess(effect.state, who, {
      ...effect.state.processes[who],
      held: { reply: effect.reply, fresh: effect.fresh }
    }),
    ...launched
  }
  const lost: Move = {
    name: as("lost"),
    state: deliver(effect.state, who, pass, failed("unknown")).state,
    ...launched
  }
  switch (request._tag) {
    case "read":
    case "lookUp":
      return [nothing]
    case "find":
      return [nothing, slow]
    case "launch": {
      const { key, operation, provider } = request
      const aloft = { ...poorer, flights: [...poorer.flights, { key, operation, provider }] }
      return [nothing, lost, slow, { name: as("late"), state: deliver(aloft, who, pass, failed("unknown")).state }]
    }
    case "cancel":
      return [nothing, lost]
    default:
      return [nothing, lost, slow]
  }
}

/** The ways to die: before the request left, after it took effect, and while it was on its way. */
const deaths = (state: State, who: Who): ReadonlyArray<Move> => {
  const process = state.processes[who]
  const as = (name: string) => `${letters[who]} ${name}`
  const poorer = spend(state, "crashes")
  const reborn = (after: State) => withProcess(after, who, restarted(after))
  const request = process.pass?.request
  if (request === undefined) {
    const forgets = process.memory.clock ?? process.memory.standing ?? process.memory.kept
    return forgets === undefined ? [] : [{ name: as("dies"), state: reborn(poorer) }]
  }
  const moves: Array<Move> = [{ name: as("dies"), state: reborn(poorer) }]
  if (process.held !== undefined) return moves
  if (isWrite(request) || request._tag === "launch") {
    const { launched, state: after } = perform(poorer, process, request)
    moves.push({ name: as("dies after"), state: reborn(after), ...(launched === undefined ? {} : { launched }) })
  }
  if (request._tag === "launch") {
    const { key, operation, provider } = request
    moves.push({
      name: as("dies sending"),
      state: reborn({ ...poorer, flights: [...poorer.flights, { key, operation, provider }] })
    })
  }
  return moves
}

/** A pass that begins: with the newest view or the one it has, with news of the jobs or without. */
const looks = (before: State, configuration: Configuration, who: Who): ReadonlyArray<Move> => {
  const beside = before.processes[1 - who]?.pass !== undefined
  if (beside && before.left.overlaps === 0) return []
  const state = beside ? spend(before, "overlaps") : before
  const process = state.processes[who]
  return (process.current ? [false] : [false, true]).flatMap((stale) => {
    const name = `${letters[who]} look${stale ? " stale" : ""}`
    const move: Move = { name, state: look(state, configuration, who, { stale, blind: false }).state }
    if (news(state, stale ? process.view : state.stored).length === 0) return [move]
    return [move, { name: `${name} blind`, state: look(state, configuration, who, { stale, blind: true }).state }]
  })
}

/** Answers that are no faults: of a template that ignores what it is given, and of a search that somebody else asked for. */
const oddities = (state: State, who: Who, pass: Node, request: Request): ReadonlyArray<Move> => {
  const as = (name: string) => `${letters[who]} ${name}`
  const moves: Array<Move> = []
  const reply = shared(state, state.processes[who])
  if (reply !== undefined)
    moves.push({
      name: as("answered by a shared search"),
      state: deliver(state, who, pass, { reply, fresh: false }).state
    })
  if (request._tag === "launch" && request.provider === "aap" && state.left.unusables > 0) {
    const { launched, reply: told, state: after } = ignoring(spend(state, "unusables"), request)
    moves.push({
      name: as("answered that the variables are ignored"),
      state: deliver(after, who, pass, { reply: told, fresh: false }).state,
      launched
    })
  }
  return moves
}

/** Somebody else asks for a search in this process. */
const shares = (state: State, who: Who): ReadonlyArray<Move> => {
  if (state.left.shares === 0) return []
  const searched = { at: timeOf(state), jobs: state.jobs }
  const after = spend(state, "shares")
  return [
    {
      name: `${letters[who]} searches for a neighbour`,
      state: withProcess(after, who, { ...after.processes[who], searched })
    }
  ]
}

const ofProcess = (state: State, configuration: Configuration, who: Who): ReadonlyArray<Move> => {
  const process = state.processes[who]
  const as = (name: string) => `${letters[who]} ${name}`
  const { pass } = process
  const moves: Array<Move> = [...shares(state, who), ...(state.left.crashes > 0 ? deaths(state, who) : [])]
  if (pass === undefined) return [...moves, ...looks(state, configuration, who)]
  const done = answered(state, who)
  if (done !== undefined) {
    moves.push({
      name: as("answered"),
      state: done.state,
      ...(done.launched === undefined ? {} : { launched: done.launched })
    })
  }
  if (state.left.lapses > 0 && pass.answers.at(-1)?.leads !== false) {
    const lapsed = answered(spend(state, "lapses"), who, false)
    const name = as("answered and leads no more")
    if (lapsed !== undefined)
      moves.push({ name, state: lapsed.state, ...(lapsed.launched && { launched: lapsed.launched }) })
  }
  if (process.held !== undefined || pass.request === undefined) return moves
  if (state.left.faults > 0) moves.push(...faults(state, who, pass, pass.request))
  moves.push(...oddities(state, who, pass, pass.request))
  return moves
}

// ── everybody else ───────────────────────────────────────────────────────────────────────────────────────────────────

const launchesOf = ({ flights, processes }: State): ReadonlyArray<string> => [
  ...flights.map(({ operation }) => operation),
  ...processes.flatMap(({ pass }) => (pass?.request?._tag === "launch" ? [pass.request.operation] : []))
]
const isLaunching = (state: State): boolean => launchesOf(state).length > 0

/** A quiet period is longer than any launch is on its way, however slow; those are over before it passes. */
export const mayTick = (state: State, { beyond }: Configuration): boolean =>
  (beyond ? !launchesOf(state).includes("deprovision") : !isLaunching(state)) &&
  state.jobs.every(({ provider, state: how }) => provider !== "eda" || how !== "alive")

/** However late: a provision arrives before the last search for it, which comes right before the finalizer goes. */
const mayLand = ({ processes, stored }: State): boolean =>
  stored !== NOTHING &&
  !processes.some(
    ({ pass }) =>
      stored.deleting &&
      pass?.request?._tag === "metadata" &&
      pass.request.change.finalizers?.includes(FINALIZER) === false
  )

const ofJobs = (state: State, { beyond }: Configuration): ReadonlyArray<Move> => {
  const moves: Array<Move> = []
  for (const job of state.jobs) {
    const as = (name: string) => `job ${job.id} ${name}`
    if (job.state === "alive") {
      moves.push({ name: as("successful"), state: succeeded(state, job) })
      if (state.left.failures > 0) {
        moves.push({ name: as("failed"), state: ended(spend(state, "failures"), job, "failed") })
      }
      if (state.left.deafs > 0 && job.provider === "aap" && job.deaf === 0 && !job.cancelling && !job.runsOn) {
        moves.push({ name: as("will not hear"), state: changed(spend(state, "deafs"), job, { deaf: DEAF }) })
      }
      if (job.provider === "eda") {
        const stored = job.operation === "provision" ? holding(state.stored) : state.stored
        if (stored !== state.stored) moves.push({ name: as("holds the object"), state: store(state, stored) })
        continue
      }
      if (job.cancelling) moves.push({ name: as("canceled"), state: ended(state, job, "canceled") })
      else if (state.left.cancels > 0) {
        moves.push({ name: as("canceled by a person"), state: ended(spend(state, "cancels"), job, "canceled") })
      }
    } else if (
      !job.purged &&
      job.provider === "aap" &&
      (job.recorded || timeOf(state) - job.created >= PURGED_AFTER) &&
      state.left.purges > 0
    ) {
      moves.push({ name: as("purged"), state: changed(spend(state, "purges"), job, { purged: true }) })
    }
  }
  state.flights.forEach((flight, index) => {
    const landed = { ...state, flights: state.flights.toSpliced(index, 1) }
    const { job, state: after } = create(landed, flight)
    if (!beyond || mayLand(state)) moves.push({ name: `launch ${index} lands`, state: after, launched: job })
    moves.push({ name: `launch ${index} gets lost`, state: landed })
  })
  return moves
}

const ofPeople = (state: State, configuration: Configuration): ReadonlyArray<Move> => {
  const { left, stored } = state
  const moves: Array<Move> = []
  const may = (allowance: Allowance, name: string, make: (version: Version) => Version | "Invalid") => {
    if (left[allowance] === 0) return
    const version = make(stored)
    if (version !== "Invalid" && version !== stored)
      moves.push({ name, state: store(spend(state, allowance), version) })
  }
  if (stored !== NOTHING) {
    may("edits", "resize", resized)
    if (!stored.deleting) may("deletes", "delete", deleted)
    may("retries", "retry", (version) => retried(version, `r${left.retries}`))
    // while a launch is on its way, and until the status knows of it, the annotation is the only trace there is
    if (stored.object.status !== undefined && !isLaunching(state)) may("wipes", "wipe the intent", wiped)
    may("losses", "restore without status", statusLost)
    const strangers = state.jobs.filter(({ id }) => !stored.jobs.some(({ jobID }) => jobID === id))
    for (const job of left.adopts > 0 ? strangers : []) {
      const after = changed(spend(state, "adopts"), job, { recorded: false })
      moves.push({ name: `adopt job ${job.id}`, state: store(after, adopting(stored, job.id)) })
    }
    if (stored.deleting) may("strips", "take the finalizer off", stripped)
  }
  if (left.ticks > 0 && mayTick(state, configuration)) {
    moves.push({ name: "tick", state: { ...spend(state, "ticks"), epoch: state.epoch + 1 } })
  }
  return moves
}

export const moves = (state: State, configuration: Configuration): ReadonlyArray<Move> => [
  ...ofProcess(state, configuration, 0),
  ...ofProcess(state, configuration, 1),
  ...ofJobs(state, configuration),
  ...ofPeople(state, configuration)
]
