/**
 * Why a job failed, in the best words AAP has: what the failed task said, else the scheduler's explanation, else the last
 * lines of the traceback; of a workflow, what its first failed job said.
 *
 * Always answers, within a deadline of its own: not finding the reason never hides the failure. The playbook's words are
 * kept as they are, on one bounded line; values that Ansible withholds stay withheld.
 */
import { Effect, Option } from "effect"
import { AapClient } from "./AapClient.ts"
import type { AapError } from "./AapError.ts"
import { cut, LIMIT, plain, wordsOf } from "./PlainText.ts"
import { retryReads } from "./ReadRetry.ts"
import { type JobEvent, type JobKind, type JobRow, jobKind, type WorkflowNode } from "./Wire.ts"

type Found = Effect.Effect<Option.Option<string>, AapError, AapClient>

const none: Found = Effect.succeedNone

const said = (value: unknown): string => plain(wordsOf(value), LIMIT)

const lastLine = (value: unknown): string =>
  plain(typeof value === "string" ? (value.trimEnd().split(/\r?\n/u).at(-1) ?? "") : "", LIMIT)

/** What a failed task said, without its host and name. */
const messageOf = (event: JobEvent): string => {
  const result = event.event_data?.res
  if (result?.censored !== undefined) return "its output is hidden by no_log"
  const message = said(result?.msg)
  const trace = lastLine(result?.module_stderr) || lastLine(result?.exception)
  if (message.startsWith("MODULE FAILURE") && trace !== "") return trace
  return message || said(result?.stderr) || trace || lastLine(event.stdout)
}

/** Messages that only say that another event has the reason. */
const hollow = /^(One or more items failed|All items completed|All items skipped)/u

export const taskFailure = (events: ReadonlyArray<JobEvent>): Option.Option<string> => {
  const counted = events.filter((event) => event.event_data?.ignore_errors !== true)
  const event = counted.find((candidate) => !hollow.test(messageOf(candidate))) ?? counted[0]
  if (event === undefined) return Option.none()
  const host = event.host_name || event.event_data?.host
  const task = event.task || event.event_data?.task
  const where = [plain(host ?? "", 200), task ? `task "${plain(task, 200)}"` : ""].filter(Boolean).join(", ")
  const message = messageOf(event) || (event.event === "runner_on_unreachable" ? "host unreachable" : "no message")
  return Option.some(where === "" ? message : `${where}: ${message}`)
}

const explanation = (row: JobRow): Option.Option<string> =>
  Option.filter(Option.some(plain(row.job_explanation ?? "")), (words) => words !== "")

const traceback = (row: JobRow): Option.Option<string> => {
  const lines = (row.result_traceback ?? "").split(/\r?\n/u).filter((line) => line.trim() !== "")
  return lines.length === 0 ? Option.none() : Option.some(plain(lines.slice(-3).join("; ")))
}

const ofTask = Effect.fnUntraced(function* (id: string) {
  const client = yield* AapClient
  const { rows } = yield* retryReads(client.failedEvents(id))
  return taskFailure(rows)
})

/** Events are stored after the end of the job is known: an empty answer is asked again before it is believed. */
const ofTaskPatiently = (id: string): Found =>
  ofTask(id).pipe(
    Effect.filterOrElse(Option.isSome, () => Effect.delay(ofTask(id), "3 seconds")),
    Effect.filterOrElse(Option.isSome, () => Effect.delay(ofTask(id), "7 seconds"))
  )

const failedChild = (nodes: ReadonlyArray<WorkflowNode>) =>
  nodes
    .flatMap((node) => (node.summary_fields?.job === undefined ? [] : [node.summary_fields.job]))
    .filter((job) => job.status === "failed" || job.status === "error")
    .sort((a, b) => a.id - b.id)[0]

const ofWorkflow = Effect.fnUntraced(function* (
  id: string,
  depth: number
): Effect.fn.Return<Option.Option<string>, AapError, AapClient> {
  const client = yield* AapClient
  const child = failedChild((yield* retryReads(client.workflowNodes(id))).rows)
  const kind = jobKind(child?.type)
  if (child === undefined || kind === undefined || depth > 3) return Option.none()
  const row = yield* retryReads(client.jobDetail(kind, String(child.id)))
  const reason = yield* ofJob(kind, row, depth + 1)
  const name = plain(child.name ?? "", 200)
  return Option.some(
    `job ${child.id}${name === "" ? "" : ` (${name})`}: ${Option.getOrElse(reason, () => child.status)}`
  )
})

const ofDetail = Effect.fnUntraced(function* (kind: JobKind, id: string) {
  const client = yield* AapClient
  return traceback(yield* retryReads(client.jobDetail(kind, id)))
})

const ofJob = (kind: JobKind, row: JobRow, depth: number): Found => {
  const id = String(row.id)
  const explained = explanation(row)
  const events =
    kind === "workflow_job"
      ? ofWorkflow(id, depth)
      : row.status === "failed" && Option.isNone(explained)
        ? ofTaskPatiently(id)
        : ofTask(id)
  const orElse = (first: Found, second: Found): Found =>
    Effect.filterOrElse(
      Effect.catch(first, () => none),
      Option.isSome,
      () => second
    )
  return orElse(events, orElse(Effect.succeed(explained), ofDetail(kind, id)))
}

/** The message of a failed job; `row` is the one that said so. */
export const failureReason = (row: JobRow): Effect.Effect<string, never, AapClient> => {
  const kind = jobKind(row.type) ?? "job"
  const fallback = Option.getOrElse(explanation(row), () => `no reason given, see job ${row.id} in AAP`)
  return ofJob(kind, row, 0).pipe(
    Effect.timeoutOption("1 minute"),
    Effect.map(Option.flatten),
    Effect.catchCause((cause) =>
      Effect.as(Effect.logInfo(`AAP does not tell why job ${row.id} failed`, cause), Option.none<string>())
    ),
    Effect.map((found) => cut(`AAP job failed: ${Option.getOrElse(found, () => fallback)}`, LIMIT))
  )
}
