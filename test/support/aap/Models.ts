/** What can be filtered and ordered by, for each list the controller has. */
import type { Field, Model, Value } from "./Query.ts"
import type { Job, Label, Organization, Template, User } from "./World.ts"

const field = <A>(type: Field<A>["type"], of: (row: A) => Value): Field<A> => ({ type, of: (row) => [of(row)] })

const launchField =
  (name: string) =>
  (job: Job): Value => {
    const value = job.fields[name]
    return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : ""
  }

const unifiedJob: Readonly<Record<string, Field<Job>>> = {
  id: field("integer", (job) => job.id),
  pk: field("integer", (job) => job.id),
  name: field("string", (job) => job.template.name),
  description: field("string", () => ""),
  status: field("string", (job) => job.status),
  launch_type: field("string", (job) => job.launchType),
  failed: field("boolean", (job) => ["failed", "error", "canceled"].includes(job.status)),
  created: field("date", (job) => job.created),
  modified: field("date", (job) => job.modified),
  started: field("date", (job) => job.started),
  finished: field("date", (job) => job.finished),
  canceled_on: field("date", (job) => job.canceledOn),
  elapsed: field("integer", (job) => job.elapsed ?? 0),
  cancel_flag: field("boolean", (job) => job.canceledOn !== undefined),
  job_explanation: field("string", (job) => job.explanation),
  result_traceback: field("string", (job) => job.traceback),
  controller_node: field("string", (job) => job.controller),
  execution_node: field("string", (job) => job.controller),
  created_by: field("related", (job) => job.createdBy.id),
  created_by__id: field("integer", (job) => job.createdBy.id),
  created_by__username: field("string", (job) => job.createdBy.name),
  modified_by: field("related", (job) => job.modifiedBy?.id),
  organization: field("related", (job) => job.template.organization.id),
  organization__name: field("string", (job) => job.template.organization.name),
  unified_job_template: field("related", (job) => job.template.id),
  unified_job_template__id: field("integer", (job) => job.template.id),
  unified_job_template__name: field("string", (job) => job.template.name),
  labels: { type: "related", of: (job) => job.labels.map(({ id }) => id) },
  labels__id: { type: "integer", of: (job) => job.labels.map(({ id }) => id) },
  labels__name: { type: "string", of: (job) => job.labels.map(({ name }) => name) }
}

const secret = ["job_args", "job_env", "survey_passwords", "webhook_key", "host_config_key", "survey_spec"]

export const unifiedJobs: Model<Job> = {
  name: "UnifiedJob",
  fields: unifiedJob,
  prohibited: ["job_args", "job_env"],
  typeOf: (job) => job.kind
}

export const jobs: Model<Job> = {
  name: "Job",
  fields: {
    ...unifiedJob,
    job_template: field("related", (job) => job.template.id),
    job_template__name: field("string", (job) => job.template.name),
    job_type: field("string", (job) => launchField("job_type")(job) || "run"),
    skip_tags: field("string", launchField("skip_tags")),
    job_tags: field("string", launchField("job_tags")),
    limit: field("string", launchField("limit"))
  },
  prohibited: ["extra_vars", ...secret]
}

export const workflowJobs: Model<Job> = {
  name: "WorkflowJob",
  fields: {
    ...unifiedJob,
    workflow_job_template: field("related", (job) => (job.sliced ? undefined : job.template.id)),
    workflow_job_template__name: field("string", (job) => (job.sliced ? undefined : job.template.name)),
    is_sliced_job: field("boolean", (job) => job.sliced)
  },
  prohibited: ["extra_vars", ...secret]
}

const template: Readonly<Record<string, Field<Template>>> = {
  id: field("integer", ({ id }) => id),
  pk: field("integer", ({ id }) => id),
  name: field("string", ({ name }) => name),
  description: field("string", () => ""),
  created: field("date", ({ created }) => created),
  organization: field("related", ({ organization }) => organization.id),
  organization__id: field("integer", ({ organization }) => organization.id),
  organization__name: field("string", ({ organization }) => organization.name)
}

const ofTemplates = (name: string): Model<Template> => ({
  name,
  fields:
    name === "UnifiedJobTemplate"
      ? template
      : { ...template, ask_variables_on_launch: field("boolean", ({ asks }) => asks.has("variables")) },
  prohibited: name === "UnifiedJobTemplate" ? [] : ["extra_vars", ...secret],
  typeOf: ({ kind }) => kind
})

export const unifiedJobTemplates = ofTemplates("UnifiedJobTemplate")
export const jobTemplates = ofTemplates("JobTemplate")
export const workflowJobTemplates = ofTemplates("WorkflowJobTemplate")

export const labels: Model<Label> = {
  name: "Label",
  fields: {
    id: field("integer", ({ id }) => id),
    name: field("string", ({ name }) => name),
    organization: field("related", ({ organization }) => organization.id),
    organization__name: field("string", ({ organization }) => organization.name)
  },
  prohibited: []
}

export const users: Model<User> = {
  name: "User",
  fields: {
    id: field("integer", ({ id }) => id),
    username: field("string", ({ name }) => name),
    is_superuser: field("boolean", ({ superuser }) => superuser)
  },
  prohibited: ["password"]
}

export const organizations: Model<Organization> = {
  name: "Organization",
  fields: { id: field("integer", ({ id }) => id), name: field("string", ({ name }) => name) },
  prohibited: []
}
