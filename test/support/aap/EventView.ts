/** Job events and stdout as the API serves them. */
import { createHash } from "node:crypto"
import { type Event, eventLevel, eventsOf } from "./Events.ts"
import { list } from "./List.ts"
import type { Model } from "./Query.ts"
import { hasFailed, jobPath, optionalTime, timestamp } from "./References.ts"
import { ok, type Reply } from "./Reply.ts"
import type { Call } from "./Routes.ts"
import { isTerminal, type Job } from "./World.ts"

const eventModel: Model<Event> = {
  name: "JobEvent",
  fields: {
    id: { type: "integer", of: ({ counter }) => [counter] },
    counter: { type: "integer", of: ({ counter }) => [counter] },
    event: { type: "string", of: ({ event }) => [event] },
    failed: { type: "boolean", of: ({ failed }) => [failed] },
    changed: { type: "boolean", of: () => [false] },
    host_name: { type: "string", of: ({ host }) => [host] },
    task: { type: "string", of: ({ task }) => [task] },
    created: { type: "date", of: ({ at }) => [at] },
    start_line: { type: "integer", of: ({ counter }) => [counter] }
  },
  prohibited: []
}

const uuid = (job: Job, counter: number): string =>
  createHash("md5")
    .update(`${job.id}/${counter}`)
    .digest("hex")
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")

const display: Readonly<Record<string, string>> = {
  playbook_on_start: "Playbook Started",
  playbook_on_play_start: "Play Started (osac)",
  playbook_on_stats: "Playbook Complete",
  runner_on_start: "Host Started",
  runner_on_ok: "Host OK",
  runner_on_failed: "Host Failed"
}

/** Results over this many characters are cut, except of the playbook's own lines. */
const cut = (event: Event, call: Call): string =>
  event.event.startsWith("playbook_on_") || call.url.searchParams.has("no_truncate")
    ? event.stdout
    : event.stdout.slice(0, 1024)

const eventView = (call: Call, job: Job, event: Event) => {
  const id = job.id * 1000 + event.counter
  const at = `${call.prefix}job_events/${id}/`
  const inTask = event.task === "" ? {} : { task: event.task, name: event.task, task_action: "ansible.builtin.command" }
  return {
    id,
    type: "job_event",
    url: at,
    related: { job: jobPath(call.prefix, job), children: `${at}children/` },
    summary_fields: {
      job: {
        id: job.id,
        name: job.template.name,
        description: "",
        status: job.status,
        failed: hasFailed(job),
        elapsed: job.elapsed ?? 0,
        type: "job",
        canceled_on: optionalTime(job.canceledOn),
        job_template_id: job.template.id,
        job_template_name: job.template.name
      },
      role: {}
    },
    created: timestamp(Math.round(event.at)),
    modified: timestamp(Math.round(event.at)),
    job: job.id,
    event: event.event,
    counter: event.counter,
    event_display: display[event.event] ?? `Task Started (${event.task})`,
    event_data: {
      playbook: "site.yml",
      ...(event.event === "playbook_on_start" ? {} : { play: "osac" }),
      ...inTask,
      ...(event.host === "" ? {} : { host: event.host }),
      ...event.data,
      uuid: uuid(job, event.counter)
    },
    event_level: eventLevel(event.event),
    failed: event.failed,
    changed: false,
    uuid: uuid(job, event.counter),
    parent_uuid: event.counter === 1 ? "" : uuid(job, 1),
    host: null,
    host_name: event.host,
    playbook: "site.yml",
    play: event.event === "playbook_on_start" ? "" : "osac",
    task: event.task,
    role: "",
    stdout: cut(event, call),
    start_line: event.counter - 1,
    end_line: event.counter,
    verbosity: 0
  }
}

export const eventPage = (call: Call, job: Job): Reply => {
  const reply = list(call, eventModel, eventsOf(call.world, job).events, (event) => eventView(call, job, event))
  return { ...reply, headers: { "x-ui-max-events": "4000" } }
}

const largest = 1_048_576

const written = (call: Call, job: Job): string => {
  const { events } = eventsOf(call.world, job)
  const lines = events.map(({ stdout }) => stdout).filter((line) => line !== "")
  if (lines.length === 0) return isTerminal(job) ? "" : "stdout capture is missing"
  const all = `${lines.join("\r\n")}\r\n`
  const size = job.playbook.stdoutBytes ?? 0
  return size > all.length ? all.padEnd(size, ".") : all
}

/** Workflow jobs have none; output over 1 MiB is told about instead of shown. */
export const stdout = (call: Call, job: Job): Reply => {
  const all = written(call, job)
  const format = call.url.searchParams.get("format") ?? "json"
  const tooLarge = `Standard Output too large to display (${all.length} bytes), only download supported for sizes over ${largest} bytes.`
  const content = all.length > largest && !format.endsWith("_download") ? tooLarge : all
  if (format === "json") {
    const lines = content.split("\r\n")
    const from = Number(call.url.searchParams.get("start_line") ?? 0)
    const shown = lines.slice(from).join("\r\n")
    const start = from < 0 ? Math.max(0, lines.length + from) : from
    return ok({ range: { start, end: lines.length, absolute_end: lines.length }, content: shown })
  }
  return {
    status: 200,
    text: { type: format === "html" ? "text/html; charset=utf-8" : "text/plain; charset=utf-8", body: content }
  }
}
