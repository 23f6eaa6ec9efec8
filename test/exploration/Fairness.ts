/**
 * No state is a dead end (I7): from it, once faults have stopped, the world comes to rest by itself, rests well, and a
 * deletion after that ends with nothing left, if need be after a person did what the condition asks for.
 *
 * Fair means: requests are answered, jobs end, watches deliver, timers ring. A process looks only when something woke it.
 */
import { DEPROVISIONED_ANNOTATION } from "../../src/domain/ComputeInstance.ts"
import type { Configuration } from "./Configurations.ts"
import { brokenAtRest, brokenBy, tornDown } from "./invariants.ts"
import { mayTick } from "./Moves.ts"
import type { End } from "./Pass.ts"
import { answered, look } from "./Passing.ts"
import { settings } from "./Run.ts"
import { letters, nameOf, type State, type Who, whos } from "./State.ts"
import { ended, store, succeeded } from "./Truth.ts"
import { deleted, isLiveRecord, NOTHING, retried, withAnnotations } from "./Versions.ts"
import { makeVisited } from "./Visited.ts"

/** Ticks without any change after which nothing will change any more: longer than any wait there is. */
const STILL = 5
const LONGEST = 400
/** Rounds of work after which time passes all the same: two processes may wake each other. */
const BUSY = 6
/** Milliseconds; a timer that is set for longer than any deadline rings for nobody. */
const NEVER = 2 * settings.jobDeadline

interface Course {
  state: State
  readonly configuration: Configuration
  readonly steps: Array<string>
  readonly wrong: Array<string>
  /** Who has a reason to look: an event, or a timer. */
  readonly woken: [boolean, boolean]
  /** Who waits for a timer. */
  readonly timed: [boolean, boolean]
  /** Where it came by. */
  readonly names: Array<string>
}

/** Moments from which everything is known to end well. */
const good = makeVisited()

/** Whether what comes next is known; the moment is noted. */
const isKnown = (course: Course, patience: number): boolean => {
  const { edits, losses, purges, retries } = course.state.left
  const flags = [...course.woken, ...course.timed].map(Number).join("")
  const name = `${course.configuration.name}${nameOf(course.state, false, false)}${edits},${losses},${purges},${retries}/${flags}${patience}`
  course.names.push(name)
  return good.has(name)
}

const go = (course: Course, step: string, after: State, launched?: State["jobs"][number]): void => {
  const before = course.state
  course.steps.push(step)
  course.wrong.push(...brokenBy({ before, after, launched, configuration: course.configuration }))
  if (after.stored !== before.stored) {
    for (const who of whos) if (!after.processes[who].current) course.woken[who] = true
  }
  course.state = after
}

const noteEnd = (course: Course, who: Who, end: End | undefined): void => {
  if (end === undefined) return
  course.timed[who] = end.action === "Failed" || (end.action === "After" && end.delay <= NEVER)
}

/** The process does what it has to until its pass ends. */
const work = (course: Course, who: Who): boolean => {
  let moved = false
  if (course.state.processes[who].pass === undefined) {
    if (!course.woken[who]) return false
    course.woken[who] = false
    const looked = look(course.state, course.configuration, who, { stale: false, blind: false })
    if (looked.node.defect !== undefined) course.wrong.push(looked.node.defect)
    noteEnd(course, who, looked.node.end)
    go(course, `${letters[who]} look`, looked.state)
    moved = true
  }
  for (let steps = 0; steps < 100 && course.state.processes[who].pass !== undefined; steps++) {
    const progressed = answered(course.state, who)
    if (progressed === undefined) break
    noteEnd(course, who, progressed.node.end)
    if (progressed.node.defect !== undefined) course.wrong.push(progressed.node.defect)
    go(course, `${letters[who]} answered`, progressed.state, progressed.launched)
    moved = true
  }
  return moved
}

/** What is on its way gets lost, cancelled jobs end, and all others succeed, but for those that did not hear a cancel. */
const progress = (course: Course): boolean => {
  const { flights, jobs } = course.state
  if (flights.length > 0) go(course, "launches get lost", { ...course.state, flights: [] })
  const alive = jobs.find(({ cancelling, runsOn, state }) => state === "alive" && (cancelling || !runsOn))
  if (alive === undefined) return flights.length > 0
  const after = alive.cancelling ? ended(course.state, alive, "canceled") : succeeded(course.state, alive)
  go(course, `job ${alive.id} ends`, after)
  for (const who of whos) {
    const follows = course.state.processes[who].view.jobs.some((job) => isLiveRecord(job) && job.jobID === alive.id)
    if (follows) course.woken[who] = true
  }
  return true
}

const tick = (course: Course): void => {
  if (mayTick(course.state, course.configuration))
    go(course, "tick", { ...course.state, epoch: course.state.epoch + 1 })
  for (const who of whos) if (course.timed[who]) course.woken[who] = true
}

/** Until nothing changes any more, or what comes next is known. */
const settle = (course: Course): "rests" | "known" | "never rests" => {
  let [still, busy] = [0, 0]
  for (let rounds = 0; rounds < LONGEST && course.wrong.length === 0; rounds++) {
    if (isKnown(course, still * 10 + busy)) return "known"
    const before = course.state
    const [a, b] = [work(course, 0), work(course, 1)]
    busy = a || b ? busy + 1 : 0
    if (busy > BUSY || (!a && !b && !progress(course))) {
      busy = 0
      tick(course)
      still = before.stored === course.state.stored ? still + 1 : 0
    } else if (before.stored !== course.state.stored || before.jobs !== course.state.jobs) still = 0
    if (still >= STILL && course.state.flights.length === 0) return "rests"
  }
  return course.wrong.length > 0 ? "rests" : "never rests"
}

/** What a person does who reads the condition. */
const oblige = (course: Course, time: number): void => {
  const { stored } = course.state
  const reason = stored.instance.conditions.find(({ type }) => type === "Ready")?.reason
  const version =
    reason === "AwaitingSignal" && tornDown(course.state) === undefined
      ? withAnnotations(stored, { [DEPROVISIONED_ANNOTATION]: "true" })
      : retried(stored, `asked ${time}`)
  const { left } = course.state
  go(
    course,
    "a person does as asked",
    store({ ...course.state, left: { ...left, retries: left.retries - 1 } }, version)
  )
}

/** Comes to rest. False: the end is known, or nothing good. */
const rest = (course: Course): boolean => {
  const how = settle(course)
  if (how === "never rests") course.wrong.push("I7: nothing is ever at rest, although all faults have stopped")
  if (how === "rests") course.wrong.push(...brokenAtRest(course.state, course.configuration))
  return how === "rests" && course.wrong.length === 0
}

const isGone = ({ state: { stored } }: Course): boolean => stored === NOTHING

const run = (course: Course): void => {
  if (!rest(course) || isGone(course)) return
  if (!course.state.stored.deleting) {
    go(course, "delete", store(course.state, deleted(course.state.stored)))
    if (!rest(course)) return
  }
  for (let times = 0; times < 3 && !isGone(course); times++) {
    oblige(course, times)
    if (!rest(course)) return
  }
  if (!isGone(course)) course.wrong.push("I7: the deletion does not end, although a person does what is asked for")
}

export interface Outcome {
  readonly wrong: ReadonlyArray<string>
  readonly steps: ReadonlyArray<string>
}

export const ending = (state: State, configuration: Configuration): Outcome => {
  const course: Course = {
    state,
    configuration,
    steps: [],
    wrong: [],
    woken: [true, true],
    timed: [true, true],
    names: []
  }
  run(course)
  if (course.wrong.length === 0) for (const name of course.names) good.add(name)
  return course
}
