/**
 * AAP's REST API as far as the operator uses it: typed answers, typed errors, one request per page.
 *
 * Guarantees: nothing is repeated here, redirects are never followed, every request has a deadline and every answer a size
 * limit. Lists are continued by id and never by AAP's links, so that no answer can send the token to another host, and
 * rows that come or go between two pages shift nothing.
 */
import { Context, Effect, Layer, Option, Result, Schema } from "effect"
import { HttpClient } from "effect/http"
import type { AapError } from "./AapError.ts"
import { AapSettings } from "./AapSettings.ts"
import * as BaseUrl from "./BaseUrl.ts"
import { type Answer, json, unreadable } from "./ErrorTranslation.ts"
import * as Exchange from "./Exchange.ts"
import { type Operation, Permits } from "./Permits.ts"
import * as Wire from "./Wire.ts"

/** The readable rows of a list, and the ids of the others. */
export interface Rows<A> {
  readonly rows: ReadonlyArray<A>
  readonly unreadable: ReadonlyArray<number>
  /** AAP has further rows. */
  readonly more: boolean
}

export interface LaunchAnswer extends Wire.Launched {
  /** Where the new job is, as far as AAP said so: the only trace of it when the body cannot be read. */
  readonly location: string
}

interface TemplateReference {
  /** Without one it is known by its name alone. */
  readonly id: number | undefined
  readonly name: string
}

/** Which jobs of a template are asked for, by AAP's clock (RFC 3339). */
interface JobRange {
  /** Created at this time or later. */
  readonly since: string
  /** Created at this time or earlier. */
  readonly until: string | undefined
  /** Not ended before this time. */
  readonly unfinishedAt: string | undefined
}

/** The largest page AAP gives. */
export const PAGE = 200

/** `CLOUDKIT_AAP_URL` cannot be an address of AAP. */
export class InvalidAapUrl extends Schema.TaggedError<InvalidAapUrl>()("InvalidAapUrl", { message: Schema.String }) {}

const decodePage = Schema.decodeUnknownOption(Wire.Page)

const bodyOf =
  <A>(decode: (body: unknown) => Option.Option<A>) =>
  (answer: Answer): Effect.Effect<A, AapError> =>
    Effect.mapError(Effect.fromOption(decode(json(answer.body))), () => unreadable(answer))

/** A page of two hundred rows takes tens of milliseconds: after so many, whoever launches has a turn. */
const ROWS_AT_ONCE = 25

const rowsOf = <A>(decode: (row: unknown) => Option.Option<A>) => {
  const page = bodyOf(decodePage)
  return Effect.fnUntraced(function* (answer: Answer): Effect.fn.Return<Rows<A>, AapError> {
    const { results, next } = yield* page(answer)
    const rows: Array<A> = []
    const strange: Array<number> = []
    for (const [index, result] of results.entries()) {
      if (index > 0 && index % ROWS_AT_ONCE === 0) yield* Effect.yieldNow
      const row = decode(result)
      if (Option.isSome(row)) rows.push(row.value)
      else strange.push(Wire.idOf(result) ?? Number.NaN)
    }
    return { rows, unreadable: strange, more: typeof next === "string" && next !== "" }
  })
}

const templateRows = rowsOf(Schema.decodeUnknownOption(Wire.TemplateRow))
const jobRows = rowsOf(Schema.decodeUnknownOption(Wire.JobRow))
const listedJobs = rowsOf(Schema.decodeUnknownOption(Wire.ListedJob))
const eventRows = rowsOf(Schema.decodeUnknownOption(Wire.JobEvent))
const nodeRows = rowsOf(Schema.decodeUnknownOption(Wire.WorkflowNode))
const jobRow = bodyOf(Schema.decodeUnknownOption(Wire.JobRow))
const launchOptions = bodyOf(Schema.decodeUnknownOption(Wire.LaunchOptions))
const decodeLaunched = Schema.decodeUnknownOption(Wire.Launched)

const page = ["page_size", String(PAGE)] as const

export type TemplateKind = "job_template" | "workflow_job_template"

const launchOf = (kind: TemplateKind, id: number): string => `${kind}s/${id}/launch`

const failures = "runner_on_failed,runner_on_error,runner_on_unreachable,runner_on_async_failed,runner_item_on_failed"

const latestFailures: Exchange.Call["query"] = [
  ["event__in", failures],
  ["order_by", "-counter"],
  ["page_size", "5"]
]

type Filters = ReadonlyArray<readonly [string, string]>

const beyond = (id: number): Filters => (id === 0 ? [] : [["id__gt", String(id)]])

const within = (template: TemplateReference, range: JobRange): Filters => [
  ...(template.id === undefined ? [] : [["or__unified_job_template", String(template.id)] as const]),
  ["or__name", template.name],
  ["created__gte", range.since],
  ...(range.until === undefined ? [] : [["created__lte", range.until] as const]),
  // a job that has not ended has no such time, and so is among them
  ...(range.unfinishedAt === undefined ? [] : [["not__finished__lt", range.unfinishedAt] as const])
]

const make = Effect.gen(function* () {
  const settings = yield* AapSettings
  const base = yield* Result.match(BaseUrl.parse(settings.url), {
    onFailure: (why) => Effect.fail(new InvalidAapUrl({ message: `CLOUDKIT_AAP_URL: ${why}` })),
    onSuccess: Effect.succeed
  })
  const permits = yield* Permits
  const { success } = Exchange.make(settings, base, yield* HttpClient.HttpClient)
  yield* Effect.logInfo("AAP's API is taken to be at", { url: BaseUrl.print(base) })

  const get = (
    operation: Operation,
    resource: string,
    query: Exchange.Call["query"] = []
  ): Effect.Effect<Answer, AapError> => permits.call(operation, success({ operation, method: "GET", resource, query }))

  const jobs = (operation: Operation, query: Filters) =>
    get(operation, "unified_jobs", [...query, page, ["order_by", "id"]])

  return {
    /** Every template of one of these exact names that the token's user may see, of both kinds. */
    findTemplates: (...names: ReadonlyArray<string>) =>
      Effect.flatMap(
        get("find_templates", "unified_job_templates", [
          ...names.map((name) => [names.length === 1 ? "name" : "or__name", name] as const),
          ["type", "job_template,workflow_job_template"],
          page
        ]),
        templateRows
      ),

    /** What a launch of the template would prompt for; denied to those who may not launch it. */
    launchOptions: (kind: TemplateKind, id: number) =>
      Effect.flatMap(get("launch_options", launchOf(kind, id)), launchOptions),

    /** Launches, once. The caller holds a launch permit. A success whose body cannot be read is still a success. */
    launch: (kind: TemplateKind, id: number, body: Schema.Json): Effect.Effect<LaunchAnswer, AapError> =>
      Effect.flatMap(
        permits.launching(success({ operation: "launch", method: "POST", resource: launchOf(kind, id), body })),
        (answer) => {
          const launched = Option.getOrElse(decodeLaunched(json(answer.body)), (): Wire.Launched => ({}))
          const location = answer.headers.location ?? ""
          const traced = location !== "" || (launched.id ?? launched.job ?? launched.workflow_job) !== undefined
          return traced ? Effect.succeed({ ...launched, location }) : Effect.fail(unreadable(answer))
        }
      ),

    /** One page of the jobs with these ids, of any kind, beginning after the id `after`. */
    jobsById: (ids: ReadonlyArray<string>, after = 0) =>
      Effect.flatMap(jobs("list_jobs", [["id__in", ids.join(",")], ...beyond(after)]), jobRows),

    /** One page of the jobs of a template within a range, beginning after the id `after`. */
    jobsOfTemplate: (template: TemplateReference, range: JobRange, after = 0) =>
      Effect.flatMap(jobs("search_jobs", [...within(template, range), ...beyond(after)]), listedJobs),

    /** One job with everything AAP tells of it. */
    jobDetail: (kind: Wire.JobKind, id: string) =>
      Effect.flatMap(get("job_detail", `${Wire.collectionOf(kind)}/${id}`), jobRow),

    /** The latest failures of a job's tasks, newest first. */
    failedEvents: (id: string) => Effect.flatMap(get("job_events", `jobs/${id}/job_events`, latestFailures), eventRows),

    workflowNodes: (id: string) =>
      Effect.flatMap(get("workflow_nodes", `workflow_jobs/${id}/workflow_nodes`, [page]), nodeRows),

    /** Asks for a cancel; AAP answers 202 without a body when it agrees. */
    cancel: (kind: Wire.JobKind, id: string): Effect.Effect<void, AapError> =>
      Effect.asVoid(
        permits.call(
          "cancel",
          success({
            operation: "cancel",
            method: "POST",
            resource: `${Wire.collectionOf(kind)}/${id}/cancel`,
            body: {}
          })
        )
      )
  }
})

export class AapClient extends Context.Service<AapClient, Effect.Success<typeof make>>()(
  "cloudkit-operator/providers/aap/AapClient"
) {
  static readonly layer = Layer.effect(AapClient, make)
}
