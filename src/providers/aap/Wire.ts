/**
 * AAP's JSON as far as it is read here. Decoding is lenient: fields nobody needs are not looked at, a field that is
 * missing or of another type than expected is as good as absent, and one strange row does not spoil its page.
 */
import { Effect, Schema } from "effect"

/** A field that is absent when it is missing or cannot be read. */
const lenient = <S extends Schema.ConstraintDecoder<unknown>>(field: S) =>
  Schema.optionalKey(Schema.catchDecoding<S>(() => Effect.succeedNone)(field))

const text = lenient(Schema.NullOr(Schema.String))

/** A job of either kind, in a list or by itself. */
export const JobRow = Schema.Struct({
  id: Schema.Int,
  type: Schema.String,
  status: Schema.String,
  name: text,
  created: text,
  started: text,
  finished: text,
  launch_type: text,
  job_explanation: text,
  result_traceback: text,
  /** A string of JSON, or of YAML where a person launched it. */
  extra_vars: text
})
export type JobRow = typeof JobRow.Type

/** A job in a list that is looked through for launches: anything but an object can be read, as far as it goes. */
export const ListedJob = Schema.Struct({
  ...JobRow.fields,
  id: lenient(Schema.Int),
  type: lenient(Schema.String),
  status: lenient(Schema.String),
  extra_vars: Schema.optionalKey(Schema.Unknown)
})
export type ListedJob = typeof ListedJob.Type

export const Page = Schema.Struct({
  results: Schema.Array(Schema.Unknown),
  /** More rows follow. The link itself is never used: pages are continued by id. */
  next: Schema.optionalKey(Schema.Unknown)
})

export const TemplateRow = Schema.Struct({
  id: Schema.Int,
  type: Schema.String,
  name: Schema.String,
  summary_fields: lenient(Schema.Struct({ organization: lenient(Schema.Struct({ name: Schema.String })) }))
})
export type TemplateRow = typeof TemplateRow.Type

export const LaunchOptions = Schema.Struct({ ask_variables_on_launch: Schema.Boolean })
export type LaunchOptions = typeof LaunchOptions.Type

/** The answer to a launch; everything in it may be missing, as an answer that cannot be read is not a launch undone. */
export const Launched = Schema.Struct({
  id: lenient(Schema.Int),
  job: lenient(Schema.Int),
  workflow_job: lenient(Schema.Int),
  type: lenient(Schema.String),
  status: lenient(Schema.String),
  ignored_fields: lenient(Schema.Record(Schema.String, Schema.Unknown))
})
export type Launched = typeof Launched.Type

const anything = Schema.optionalKey(Schema.Unknown)

export const JobEvent = Schema.Struct({
  event: Schema.String,
  host_name: text,
  task: text,
  stdout: text,
  event_data: lenient(
    Schema.Struct({
      host: text,
      task: text,
      ignore_errors: anything,
      res: lenient(
        Schema.Struct({
          msg: anything,
          stderr: anything,
          module_stderr: anything,
          exception: anything,
          censored: anything
        })
      )
    })
  )
})
export type JobEvent = typeof JobEvent.Type

/** A node of a workflow job, with the job it started. */
export const WorkflowNode = Schema.Struct({
  identifier: text,
  summary_fields: lenient(
    Schema.Struct({
      job: lenient(Schema.Struct({ id: Schema.Int, type: Schema.String, status: Schema.String, name: text }))
    })
  )
})
export type WorkflowNode = typeof WorkflowNode.Type

/** The id of a row, even of one that cannot be read otherwise. */
export const idOf = (row: unknown): number | undefined =>
  typeof row === "object" && row !== null && "id" in row && typeof row.id === "number" ? row.id : undefined

/** The kinds of job the operator launches. */
const jobKinds = ["job", "workflow_job"] as const
export type JobKind = (typeof jobKinds)[number]

/** Undefined for the other things that AAP calls jobs: project updates, clean-ups, … */
export const jobKind = (type: string | undefined): JobKind | undefined => jobKinds.find((kind) => kind === type)

/** The part of the API that holds jobs of a kind. */
export const collectionOf = (kind: JobKind): string => (kind === "job" ? "jobs" : "workflow_jobs")
