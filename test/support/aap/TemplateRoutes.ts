/** Views of templates: look-up by name, detail, launch, and the jobs of one template. */
import { Result } from "effect"
import { mayExecute, mayRead } from "./Access.ts"
import { jobList } from "./JobRoutes.ts"
import { jobView } from "./JobView.ts"
import { launchJobTemplate, launchWorkflowTemplate } from "./Launch.ts"
import { createJob } from "./Lifecycle.ts"
import { list } from "./List.ts"
import * as Models from "./Models.ts"
import type { Model } from "./Query.ts"
import { jobPath } from "./References.ts"
import { forbidden, missing, ok, problem, type Reply } from "./Reply.ts"
import type { Call, Route } from "./Routes.ts"
import { launchView, templateView } from "./TemplateView.ts"
import type { Template, TemplateKind } from "./World.ts"

const viewer = ({ world, caller, prefix }: Call) => ({ world, user: caller.user, prefix })

const templateList =
  (model: Model<Template>, keep: (template: Template) => boolean) =>
  (call: Call): Reply => {
    const rows = [...call.world.templates.values()].filter((row) => keep(row) && mayRead(call.caller.user, row))
    return list(call, model, rows, (row) => templateView(viewer(call), row, false))
  }

const unreserved = (text: string): string => decodeURIComponent(text.replace(/\[([^\]]*)\]/g, "$1"))

/** By id, or by `name++organization`; the old form, the name alone, takes the first. */
const lookUp = (call: Call, kind: TemplateKind): Template | undefined => {
  const wanted = call.parameters[0] ?? ""
  if (/^\d+$/.test(wanted)) {
    const found = call.world.templates.get(Number(wanted))
    return found?.kind === kind ? found : undefined
  }
  const [name = "", organization] = wanted.split(/(?<!\[)\+\+/).map(unreserved)
  return [...call.world.templates.values()].find(
    (row) =>
      row.kind === kind && row.name === name && (organization === undefined || row.organization.name === organization)
  )
}

/** What may not be read by id is forbidden; by name it does not exist. */
const withTemplate =
  (kind: TemplateKind, may: typeof mayRead, use: (call: Call, template: Template) => Reply) =>
  (call: Call): Reply => {
    const byName = !/^\d+$/.test(call.parameters[0] ?? "")
    const template = lookUp(call, kind)
    if (template === undefined)
      return byName
        ? problem(404, "Not found.")
        : missing(kind === "job_template" ? "JobTemplate" : "WorkflowJobTemplate")
    if (!may(call.caller.user, template)) return byName ? problem(404, "Not found.") : forbidden
    return use(call, template)
  }

const launch = (call: Call, template: Template): Reply => {
  const { world, caller, body, prefix } = call
  const made = (template.kind === "job_template" ? launchJobTemplate : launchWorkflowTemplate)(world, template, body)
  if (Result.isFailure(made)) return { status: 400, body: made.failure }
  const { extraVars, fields, labels, ignored } = made.success
  const slices = typeof fields.job_slice_count === "number" ? fields.job_slice_count : template.slices
  const kind = template.kind === "job_template" && slices <= 1 ? "job" : "workflow_job"
  const job = createJob(world, { kind, template, launchType: "manual", by: caller.user, extraVars, fields, labels })
  return {
    status: 201,
    body: { [kind]: job.id, ignored_fields: ignored, ...jobView(viewer(call), job, "launch") },
    headers: { location: jobPath(prefix, job) }
  }
}

const unsupported = (): Reply => problem(400, "the simulator does not change templates over its API")

const survey = (_: Call, template: Template): Reply =>
  ok(template.survey.length === 0 ? {} : { name: "", description: "", spec: template.survey })

const ofKind = (kind: TemplateKind, model: Model<Template>): ReadonlyArray<Route> => [
  {
    path: new RegExp(`^${kind}s/$`),
    methods: { GET: templateList(model, (template) => template.kind === kind), POST: unsupported }
  },
  {
    path: new RegExp(`^${kind}s/([^/]+)/$`),
    methods: {
      GET: withTemplate(kind, mayRead, (call, template) => ok(templateView(viewer(call), template, true))),
      PUT: unsupported,
      PATCH: unsupported,
      DELETE: unsupported
    }
  },
  {
    path: new RegExp(`^${kind}s/([^/]+)/launch/$`),
    methods: {
      GET: withTemplate(kind, mayExecute, (_, template) => ok(launchView(template))),
      POST: withTemplate(kind, mayExecute, launch)
    }
  },
  { path: new RegExp(`^${kind}s/([^/]+)/survey_spec/$`), methods: { GET: withTemplate(kind, mayRead, survey) } }
]

const jobsOf = (kind: TemplateKind, jobKind: "job" | "workflow_job") =>
  withTemplate(kind, mayRead, (call, template) =>
    jobList(
      call,
      jobKind === "job" ? Models.jobs : Models.workflowJobs,
      (job) => job.template === template && job.kind === jobKind
    )
  )

export const templateRoutes: ReadonlyArray<Route> = [
  { path: /^unified_job_templates\/$/, methods: { GET: templateList(Models.unifiedJobTemplates, () => true) } },
  ...ofKind("job_template", Models.jobTemplates),
  ...ofKind("workflow_job_template", Models.workflowJobTemplates),
  { path: /^job_templates\/([^/]+)\/jobs\/$/, methods: { GET: jobsOf("job_template", "job") } },
  {
    path: /^job_templates\/([^/]+)\/slice_workflow_jobs\/$/,
    methods: { GET: jobsOf("job_template", "workflow_job") }
  },
  {
    path: /^workflow_job_templates\/([^/]+)\/workflow_jobs\/$/,
    methods: { GET: jobsOf("workflow_job_template", "workflow_job") }
  }
]
