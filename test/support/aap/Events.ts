/**
 * What a job's playbook did, as job events: a pure function of the job and the clock, so that two looks at one instant
 * agree. Events become visible `eventsLate` after they happened.
 */
import { Duration } from "effect"
import { isTerminal, type Job, type World } from "./World.ts"

export interface Event {
  readonly counter: number
  readonly event: string
  readonly at: number
  readonly task: string
  readonly host: string
  readonly failed: boolean
  readonly data: Readonly<Record<string, unknown>>
  readonly stdout: string
}

const names = ["Gathering Facts", "Read the resource", "Do what it asks for", "Report back"]

export const eventLevel = (event: string): number => {
  if (event === "playbook_on_start") return 0
  if (event === "playbook_on_play_start" || event === "playbook_on_stats") return 1
  return event === "playbook_on_task_start" ? 2 : 3
}

interface Sketch {
  readonly event: string
  /** Where in the run, 0 to 1. */
  readonly when: number
  readonly task?: string
  readonly host?: string
  readonly failed?: boolean
  readonly data?: Readonly<Record<string, unknown>>
  readonly stdout?: string
}

const censored = "the output has been hidden due to the fact that 'no_log: true' was specified for this result"

const failedTask = (failure: NonNullable<Job["playbook"]["failure"]>, when: number): ReadonlyArray<Sketch> => {
  const { host, task, message, noLog = false, ignoreErrors = false } = failure
  const res = noLog ? { censored, changed: false } : { msg: message, changed: false }
  return [
    { event: "playbook_on_task_start", when, task, stdout: `\r\nTASK [${task}] ***` },
    { event: "runner_on_start", when, task, host },
    {
      event: "runner_on_failed",
      when,
      task,
      host,
      failed: true,
      data: { res, ignore_errors: ignoreErrors },
      stdout: `fatal: [${host}]: FAILED! => ${JSON.stringify(res)}${ignoreErrors ? "\r\n...ignoring" : ""}`
    }
  ]
}

const passedTask = (task: string, when: number): ReadonlyArray<Sketch> => [
  { event: "playbook_on_task_start", when, task, stdout: `\r\nTASK [${task}] ***` },
  { event: "runner_on_start", when, task, host: "localhost" },
  {
    event: "runner_on_ok",
    when,
    task,
    host: "localhost",
    data: { res: { changed: false } },
    stdout: "ok: [localhost]"
  }
]

const sketch = (job: Job): ReadonlyArray<Sketch> => {
  const { failure, tasks = names, ends } = job.playbook
  const stops = failure !== undefined && failure.ignoreErrors !== true
  const count = tasks.length + (failure === undefined ? 0 : 1)
  const at = (index: number) => (index + 0.5) / (count + 1)
  return [
    { event: "playbook_on_start", when: 0 },
    { event: "playbook_on_play_start", when: 0, stdout: "\r\nPLAY [osac] ***" },
    ...tasks.flatMap((task, index) => passedTask(task, at(index))),
    ...(failure === undefined ? [] : failedTask(failure, at(tasks.length))),
    ...(ends === "successful" || stops ? [{ event: "playbook_on_stats", when: 1, stdout: "\r\nPLAY RECAP ***" }] : [])
  ]
}

/** The events visible now, and whether all there will ever be are among them. */
export const eventsOf = (
  world: World,
  job: Job
): { readonly events: ReadonlyArray<Event>; readonly complete: boolean } => {
  if (job.kind !== "job" || job.ran === undefined) return { events: [], complete: isTerminal(job) }
  const late = Duration.toMillis(Duration.fromInputUnsafe(job.playbook.eventsLate ?? 0))
  const planned = Duration.toMillis(Duration.fromInputUnsafe(job.playbook.runningFor ?? 5000))
  const length = job.playbook.ends === "never" || planned === Number.POSITIVE_INFINITY ? 60_000 : planned
  const started = job.ran
  const until = job.finished ?? world.now
  const happened = sketch(job)
    .map((line, index) => event(line, index + 1, started + line.when * length))
    .filter(({ at }) => at <= until)
  const events = happened.filter(({ at }) => at + late <= world.now)
  return { events, complete: isTerminal(job) && events.length === happened.length }
}

const event = (line: Sketch, counter: number, at: number): Event => ({
  counter,
  event: line.event,
  at,
  task: line.task ?? "",
  host: line.host ?? "",
  failed: line.failed ?? false,
  data: line.data ?? {},
  stdout: line.stdout ?? ""
})

export const hostCounts = (world: World, job: Job): Readonly<Record<string, number>> | null => {
  const { events } = eventsOf(world, job)
  if (!events.some(({ event }) => event === "playbook_on_stats")) return null
  return events.some((event) => event.failed && event.data.ignore_errors !== true) ? { failures: 1 } : { ok: 1 }
}

export const taskCounts = (world: World, job: Job) => {
  const { events } = eventsOf(world, job)
  const count = (name: string) => events.filter(({ event }) => event === name).length
  return { play_count: count("playbook_on_play_start"), task_count: count("playbook_on_task_start") }
}
