/** Views of jobs and workflow jobs: lists, details, cancel, relaunch, delete, events, stdout, nodes. */
import { Duration } from "effect"
import { mayCancel, mayDelete, mayExecute, mayRead } from "./Access.ts"
import { eventPage, stdout } from "./EventView.ts"
import { jobView } from "./JobView.ts"
import { labelView } from "./LabelView.ts"
import { cancel, createJob } from "./Lifecycle.ts"
import { list } from "./List.ts"
import * as Models from "./Models.ts"
import { nodeView } from "./NodeView.ts"
import type { Model } from "./Query.ts"
import { jobPath } from "./References.ts"
import { forbidden, methodNotAllowed, missing, ok, problem, type Reply } from "./Reply.ts"
import type { Call, Route } from "./Routes.ts"
import { isActive, isTerminal, type Job, type JobKind, type Node } from "./World.ts"

const viewer = ({ world, caller, prefix }: Call) => ({ world, user: caller.user, prefix })

const modelName = (kind: JobKind): string => (kind === "job" ? "Job" : "WorkflowJob")

/** The rows the caller may see, oldest first. */
const visible = ({ world, caller }: Call, keep: (job: Job) => boolean): ReadonlyArray<Job> =>
  [...world.jobs.values()].filter((job) => keep(job) && mayRead(caller.user, job.template))

export const jobList = (call: Call, model: Model<Job>, keep: (job: Job) => boolean): Reply =>
  list(call, model, visible(call, keep), (job) => jobView(viewer(call), job, "list"))

/** Looks the row up in its own table: a workflow job is no job. */
const withJob =
  (kind: JobKind, use: (call: Call, job: Job) => Reply) =>
  (call: Call): Reply => {
    const job = call.world.jobs.get(Number(call.parameters[0]))
    if (job === undefined || job.kind !== kind) return missing(modelName(kind))
    return use(call, job)
  }

const reading = (kind: JobKind, use: (call: Call, job: Job) => Reply) =>
  withJob(kind, (call, job) => (mayRead(call.caller.user, job.template) ? use(call, job) : forbidden))

const detail = (call: Call, job: Job): Reply => ok(jobView(viewer(call), job, "detail"))

const remove = (call: Call, job: Job): Reply => {
  if (!mayDelete(call.caller.user, job)) return forbidden
  if (isActive(job.status)) return problem(403, "Cannot delete running job resource.")
  call.world.jobs.delete(job.id)
  job.gone = call.world.now
  return { status: 204 }
}

const requestCancel = (call: Call, job: Job): Reply => {
  const { user } = call.caller
  const refusal = mayCancel(user, job) ? (isTerminal(job) ? methodNotAllowed("POST") : undefined) : forbidden
  job.cancelRequests.push({ at: call.world.now, by: user.name, answered: refusal?.status ?? 202 })
  if (refusal !== undefined) return refusal
  cancel(call.world, job)
  return { status: 202, delay: Duration.toMillis(Duration.fromInputUnsafe(job.playbook.cancelAnswerTakes ?? 0)) }
}

const canCancel = (_: Call, job: Job): Reply =>
  ok({ can_cancel: !isTerminal(job), ...(job.kind === "workflow_job" ? { job_explanation: job.explanation } : {}) })

const relaunch = (call: Call, job: Job): Reply => {
  const { world, caller, body, prefix } = call
  if (!mayExecute(caller.user, job.template)) return forbidden
  if (job.kind === "job" && body.hosts === "failed") {
    const hosts = isTerminal(job)
      ? "Cannot retry on failed hosts, playbook stats not available."
      : "Wait until job finishes before retrying on failed hosts."
    return { status: 400, body: { hosts } }
  }
  if (!world.templates.has(job.template.id)) return { status: 400, body: { detail: "Job Template is missing." } }
  const again = createJob(world, {
    kind: job.kind,
    template: job.template,
    launchType: "relaunch",
    by: caller.user,
    extraVars: job.extraVars,
    fields: job.fields,
    labels: job.labels
  })
  const view = jobView(viewer(call), again, "launch")
  return {
    status: 201,
    body: job.kind === "job" ? { ...view, job: again.id } : view,
    headers: { location: jobPath(prefix, again) }
  }
}

const relaunchable = (_: Call, job: Job): Reply =>
  ok(job.kind === "job" ? { passwords_needed_to_start: [], retry_counts: { all: 0, failed: 0 } } : {})

const nodeModel: Model<Node> = {
  name: "WorkflowJobNode",
  fields: {
    id: { type: "integer", of: ({ id }) => [id] },
    identifier: { type: "string", of: ({ spec }) => [spec.identifier] },
    do_not_run: { type: "boolean", of: ({ doNotRun }) => [doNotRun] },
    job: { type: "related", of: ({ job }) => [job?.id] },
    job__status: { type: "string", of: ({ job }) => [job?.status] }
  },
  prohibited: []
}

const nodes = (call: Call, workflow: Job): Reply =>
  list(call, nodeModel, workflow.nodes, (node) => nodeView(viewer(call), workflow, node))

const labels = (call: Call, job: Job): Reply =>
  list(call, Models.labels, job.labels, (label) => labelView(call.prefix, label))

const common = (kind: JobKind): ReadonlyArray<Route> => [
  { path: new RegExp(`^${kind}s/(\\d+)/$`), methods: { GET: reading(kind, detail), DELETE: withJob(kind, remove) } },
  {
    path: new RegExp(`^${kind}s/(\\d+)/cancel/$`),
    methods: { GET: reading(kind, canCancel), POST: withJob(kind, requestCancel) }
  },
  {
    path: new RegExp(`^${kind}s/(\\d+)/relaunch/$`),
    methods: { GET: reading(kind, relaunchable), POST: withJob(kind, relaunch) }
  },
  { path: new RegExp(`^${kind}s/(\\d+)/labels/$`), methods: { GET: reading(kind, labels) } }
]

export const jobRoutes: ReadonlyArray<Route> = [
  { path: /^unified_jobs\/$/, methods: { GET: (call) => jobList(call, Models.unifiedJobs, () => true) } },
  { path: /^jobs\/$/, methods: { GET: (call) => jobList(call, Models.jobs, ({ kind }) => kind === "job") } },
  {
    path: /^workflow_jobs\/$/,
    methods: { GET: (call) => jobList(call, Models.workflowJobs, ({ kind }) => kind === "workflow_job") }
  },
  ...common("job"),
  ...common("workflow_job"),
  { path: /^workflow_jobs\/(\d+)\/workflow_nodes\/$/, methods: { GET: reading("workflow_job", nodes) } },
  {
    path: /^jobs\/(\d+)\/job_events\/$/,
    methods: { GET: reading("job", (call, job) => eventPage(call, job)) }
  },
  {
    path: /^jobs\/(\d+)\/stdout\/$/,
    methods: { GET: reading("job", (call, job) => stdout(call, job)) }
  }
]
