/**
 * Jobs and workflow jobs as JSON. A list leaves out what only the detail has, a launch answers something in between;
 * the keys are those of the recordings.
 */
import { mayDelete, mayExecute } from "./Access.ts"
import { eventsOf, hostCounts, taskCounts } from "./Events.ts"
import {
  hasFailed,
  inventorySummary,
  jobPath,
  optionalTime,
  organizationSummary,
  projectSummary,
  templatePath,
  timestamp,
  userSummary,
  type Viewer
} from "./References.ts"
import type { Job, World } from "./World.ts"

export type JobForm = "list" | "launch" | "detail"

const model = (job: Job): string => (job.kind === "job" ? "job" : "workflowjob")

/** A queue of jobs that may not run at once explains itself after half a minute, not before. */
const explanation = (world: World, job: Job): string => {
  const blocker = [...job.template.busy][0]
  const blocked = job.template.ready.has(job) && blocker !== undefined && world.now - job.created >= 30_000
  return blocked ? `waiting for ${model(blocker)}-${blocker.id} to finish` : job.explanation
}

const elapsed = (world: World, job: Job, form: JobForm): number => {
  if (job.elapsed !== undefined) return job.elapsed
  return form === "detail" && job.started !== undefined ? (world.now - job.started) / 1000 : 0
}

const summary = ({ user, prefix }: Viewer, job: Job) => {
  const { template, parent } = job
  const { id, name } = template
  const named = { id, name, description: "" }
  const own = job.sliced ? "job_template" : template.kind
  const isJob = job.kind === "job"
  return {
    organization: organizationSummary(template),
    ...(isJob && template.inventory ? { inventory: inventorySummary(template) } : {}),
    ...(isJob ? { project: projectSummary } : {}),
    [own]: named,
    unified_job_template: { ...named, unified_job_type: template.kind === "job_template" ? "job" : "workflow_job" },
    ...(isJob && job.controller !== ""
      ? { instance_group: { id: 2, name: "default", is_container_group: false } }
      : {}),
    created_by: userSummary(job.createdBy),
    ...(job.modifiedBy === undefined ? {} : { modified_by: userSummary(job.modifiedBy) }),
    user_capabilities: { delete: mayDelete(user, job), start: mayExecute(user, template) },
    labels: { count: job.labels.length, results: job.labels.map((label) => ({ id: label.id, name: label.name })) },
    ...(parent === undefined ? {} : parentSummary(prefix, parent.workflow)),
    ...(isJob ? { credentials: [] } : {})
  }
}

const parentSummary = (prefix: string, workflow: Job) => ({
  source_workflow_job: {
    id: workflow.id,
    name: workflow.template.name,
    description: "",
    status: workflow.status,
    failed: hasFailed(workflow),
    elapsed: workflow.elapsed ?? 0,
    ...(workflow.canceledOn === undefined ? {} : { canceled_on: timestamp(workflow.canceledOn) })
  },
  ancestor_job: { id: workflow.id, name: workflow.template.name, type: workflow.kind, url: jobPath(prefix, workflow) }
})

const related = (prefix: string, job: Job) => {
  const at = jobPath(prefix, job)
  const { template } = job
  const people = {
    created_by: `${prefix}users/${job.createdBy.id}/`,
    ...(job.modifiedBy === undefined ? {} : { modified_by: `${prefix}users/${job.modifiedBy.id}/` })
  }
  const common = {
    ...people,
    labels: `${at}labels/`,
    unified_job_template: templatePath(prefix, template),
    activity_stream: `${at}activity_stream/`,
    notifications: `${at}notifications/`,
    [job.sliced ? "job_template" : template.kind]: templatePath(prefix, template),
    cancel: `${at}cancel/`,
    relaunch: `${at}relaunch/`
  }
  if (job.kind === "workflow_job") return { ...common, workflow_nodes: `${at}workflow_nodes/` }
  return {
    ...common,
    ...(template.inventory ? { inventory: `${prefix}inventories/2/` } : {}),
    project: `${prefix}projects/8/`,
    organization: `${prefix}organizations/${template.organization.id}/`,
    credentials: `${at}credentials/`,
    stdout: `${at}stdout/`,
    ...(job.parent === undefined ? {} : { source_workflow_job: jobPath(prefix, job.parent.workflow) }),
    job_events: `${at}job_events/`,
    job_host_summaries: `${at}job_host_summaries/`,
    create_schedule: `${at}create_schedule/`
  }
}

const launchField = (job: Job, name: string, fallback: unknown): unknown => job.fields[name] ?? fallback

const jobOnly = (job: Job) => ({
  job_type: launchField(job, "job_type", "run"),
  inventory: job.template.inventory ? 2 : null,
  project: 8,
  playbook: "site.yml",
  scm_branch: launchField(job, "scm_branch", ""),
  forks: launchField(job, "forks", 0),
  limit: launchField(job, "limit", ""),
  verbosity: launchField(job, "verbosity", 0),
  extra_vars: job.extraVarsText,
  job_tags: launchField(job, "job_tags", ""),
  force_handlers: false,
  skip_tags: launchField(job, "skip_tags", ""),
  start_at_task: "",
  timeout: launchField(job, "timeout", 0),
  use_fact_cache: false,
  organization: job.template.organization.id,
  job_template: job.template.id,
  passwords_needed_to_start: [],
  allow_simultaneous: job.template.allowSimultaneous,
  artifacts: {},
  scm_revision: "",
  instance_group: job.controller === "" ? null : 2,
  diff_mode: launchField(job, "diff_mode", false),
  job_slice_number: 0,
  job_slice_count: 1,
  webhook_service: "",
  webhook_credential: null,
  webhook_guid: ""
})

const workflowOnly = (job: Job) => ({
  workflow_job_template: job.sliced ? null : job.template.id,
  extra_vars: job.extraVarsText,
  allow_simultaneous: job.template.allowSimultaneous,
  job_template: job.sliced ? job.template.id : null,
  is_sliced_job: job.sliced,
  inventory: null,
  limit: launchField(job, "limit", null),
  scm_branch: launchField(job, "scm_branch", null),
  webhook_service: "",
  webhook_credential: null,
  webhook_guid: "",
  skip_tags: launchField(job, "skip_tags", null),
  job_tags: launchField(job, "job_tags", null)
})

const unlisted = (world: World, job: Job) => ({
  job_args: "",
  job_cwd: "",
  job_env: {},
  result_traceback: job.traceback,
  ...(job.kind === "job"
    ? { event_processing_finished: job.finished !== undefined && eventsOf(world, job).complete }
    : {})
})

const detailed = (world: World, job: Job) => ({
  host_status_counts: hostCounts(world, job),
  playbook_counts: taskCounts(world, job),
  custom_virtualenv: null
})

export const jobView = (viewer: Viewer, job: Job, form: JobForm): Readonly<Record<string, unknown>> => {
  const { world, prefix } = viewer
  const isJob = job.kind === "job"
  const { createdBy } = job
  return {
    id: job.id,
    type: job.kind,
    url: jobPath(prefix, job),
    related: related(prefix, job),
    summary_fields: summary(viewer, job),
    created: timestamp(job.created),
    modified: timestamp(job.modified),
    name: job.template.name,
    description: "",
    unified_job_template: job.template.id,
    launch_type: job.launchType,
    status: job.status,
    ...(isJob ? { execution_environment: null } : {}),
    failed: hasFailed(job),
    started: optionalTime(job.started),
    finished: optionalTime(job.finished),
    canceled_on: optionalTime(job.canceledOn),
    elapsed: elapsed(world, job, form),
    job_explanation: explanation(world, job),
    ...(isJob ? { execution_node: job.controller, controller_node: job.controller } : {}),
    ...(form === "list" ? {} : unlisted(world, job)),
    launched_by: { id: createdBy.id, name: createdBy.name, type: "user", url: `${prefix}users/${createdBy.id}/` },
    work_unit_id: null,
    ...(isJob ? jobOnly(job) : workflowOnly(job)),
    ...(isJob && form === "detail" ? detailed(world, job) : {})
  }
}
