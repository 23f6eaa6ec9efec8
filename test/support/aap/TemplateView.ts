/** Templates as JSON, and what `GET …/launch/` says about them before anything is launched. */
import { mayEdit, mayExecute } from "./Access.ts"
import {
  hasFailed,
  inventorySummary,
  jobPath,
  optionalTime,
  organizationSummary,
  projectSummary,
  templatePath,
  timestamp,
  type Viewer
} from "./References.ts"
import { missingAnswers } from "./Survey.ts"
import { type Job, type Prompt, prompts, type Template, type User } from "./World.ts"

const workflowPrompts: ReadonlyArray<Prompt> = [
  "variables",
  "inventory",
  "scm_branch",
  "limit",
  "labels",
  "skip_tags",
  "tags"
]

const promptsOf = (template: Template): ReadonlyArray<Prompt> =>
  template.kind === "job_template" ? prompts : workflowPrompts

const asks = (template: Template) =>
  Object.fromEntries(promptsOf(template).map((prompt) => [`ask_${prompt}_on_launch`, template.asks.has(prompt)]))

/** The characters a named URL may not hold as they are. */
const named = (text: string): string =>
  encodeURI(text)
    .replace(/[;/?:@=&[\]]/g, (c) => `[${encodeURIComponent(c)}]`)
    .replaceAll("+", "[+]")

const namedPath = (template: Template): string => `${named(template.name)}++${named(template.organization.name)}`

const relatedNames = {
  job_template: [
    ..."labels credentials jobs schedules activity_stream launch webhook_key".split(" "),
    ..."notification_templates_started notification_templates_success notification_templates_error".split(" "),
    ..."access_list survey_spec object_roles instance_groups slice_workflow_jobs copy".split(" ")
  ],
  workflow_job_template: [
    ..."workflow_jobs schedules launch webhook_key workflow_nodes labels activity_stream".split(" "),
    ..."notification_templates_started notification_templates_success notification_templates_error".split(" "),
    ..."notification_templates_approvals access_list object_roles survey_spec copy".split(" ")
  ]
}

const creator = { id: 1, username: "admin", first_name: "", last_name: "" }

const related = (prefix: string, template: Template, detail: boolean) => {
  const at = templatePath(prefix, template)
  const last = template.jobs.at(-1)
  return {
    ...(detail ? { named_url: `${prefix}${template.kind}s/${namedPath(template)}/` } : {}),
    created_by: `${prefix}users/1/`,
    modified_by: `${prefix}users/1/`,
    ...Object.fromEntries(relatedNames[template.kind].map((name) => [name, `${at}${name}/`])),
    webhook_receiver: "",
    organization: `${prefix}organizations/${template.organization.id}/`,
    ...(last === undefined ? {} : { last_job: jobPath(prefix, last) }),
    ...(template.kind === "job_template"
      ? { project: `${prefix}projects/8/`, ...(template.inventory ? { inventory: `${prefix}inventories/2/` } : {}) }
      : {})
  }
}

const roles = (template: Template) => {
  const noun = template.kind === "job_template" ? "job template" : "workflow job template"
  const role = (description: string, name: string, id: number) => ({ description, name, id: template.id * 10 + id })
  return {
    admin_role: role(`Can manage all aspects of the ${noun}`, "Admin", 0),
    execute_role: role(`May run the ${noun}`, "Execute", 1),
    read_role: role(`May view settings for the ${noun}`, "Read", 2),
    ...(template.kind === "workflow_job_template"
      ? { approval_role: role("Can approve or deny a workflow approval node", "Approve", 3) }
      : {})
  }
}

const recent = (job: Job) => ({
  id: job.id,
  status: job.status,
  finished: optionalTime(job.finished),
  canceled_on: optionalTime(job.canceledOn),
  type: job.kind
})

const lastJob = (job: Job) => ({
  id: job.id,
  name: job.template.name,
  description: "",
  finished: optionalTime(job.finished),
  status: job.status,
  failed: hasFailed(job)
})

const summary = (user: User, template: Template) => {
  const edit = mayEdit(user, template)
  const last = template.jobs.at(-1)
  return {
    organization: organizationSummary(template),
    ...(template.kind === "job_template"
      ? { ...(template.inventory ? { inventory: inventorySummary(template) } : {}), project: projectSummary }
      : {}),
    ...(last === undefined ? {} : { last_job: lastJob(last) }),
    created_by: creator,
    modified_by: creator,
    object_roles: roles(template),
    user_capabilities: {
      edit,
      delete: edit,
      start: mayExecute(user, template),
      schedule: mayExecute(user, template),
      copy: edit
    },
    labels: { count: 0, results: [] },
    recent_jobs: template.jobs.slice(-10).reverse().map(recent),
    ...(template.kind === "job_template" ? { credentials: [] } : {})
  }
}

const own = (template: Template) =>
  template.kind === "job_template"
    ? {
        job_type: "run",
        inventory: template.inventory ? 2 : null,
        project: 8,
        playbook: "site.yml",
        scm_branch: "",
        forks: 0,
        limit: "",
        verbosity: 0,
        job_tags: "",
        force_handlers: false,
        skip_tags: "",
        start_at_task: "",
        timeout: 0,
        use_fact_cache: false,
        execution_environment: null,
        host_config_key: "",
        become_enabled: false,
        diff_mode: false,
        custom_virtualenv: null,
        job_slice_count: template.slices,
        prevent_instance_group_fallback: false
      }
    : { inventory: null, limit: null, scm_branch: null, skip_tags: null, job_tags: null }

export const templateView = ({ user, prefix }: Viewer, template: Template, detail: boolean) => {
  const last = template.jobs.at(-1)
  const ended = template.jobs.findLast((job) => job.finished !== undefined)
  return {
    id: template.id,
    type: template.kind,
    url: templatePath(prefix, template),
    related: related(prefix, template, detail),
    summary_fields: summary(user, template),
    created: timestamp(template.created),
    modified: timestamp(template.created),
    name: template.name,
    description: "",
    last_job_run: optionalTime(ended?.finished),
    last_job_failed: ended !== undefined && hasFailed(ended),
    next_job_run: null,
    status: last?.status ?? "never updated",
    extra_vars: template.extraVarsText,
    organization: template.organization.id,
    survey_enabled: template.survey.length > 0,
    allow_simultaneous: template.allowSimultaneous,
    ...asks(template),
    webhook_service: "",
    webhook_credential: null,
    ...own(template)
  }
}

/** The answer of `GET …/launch/`. */
export const launchView = (template: Template) => {
  const { id, name } = template
  const isJob = template.kind === "job_template"
  const needed = missingAnswers(template.survey, {})
  const inventoryNeeded = isJob && !template.inventory && !template.asks.has("inventory")
  const data = { name, id, description: "" }
  return {
    can_start_without_user_input: needed.length === 0 && (!isJob || template.inventory),
    ...asks(template),
    survey_enabled: template.survey.length > 0,
    variables_needed_to_start: needed,
    ...(isJob
      ? {
          passwords_needed_to_start: [],
          credential_needed_to_start: false,
          inventory_needed_to_start: inventoryNeeded,
          job_template_data: data
        }
      : { node_templates_missing: [], node_prompts_rejected: [], workflow_job_template_data: data }),
    defaults: defaults(template)
  }
}

const defaults = (template: Template) => ({
  inventory: template.inventory ? { name: "osac-inventory", id: 2 } : { name: null, id: null },
  extra_vars: template.extraVarsText,
  ...(template.kind === "job_template"
    ? {
        limit: "",
        scm_branch: "",
        job_tags: "",
        skip_tags: "",
        diff_mode: false,
        job_type: "run",
        verbosity: 0,
        execution_environment: {},
        forks: 0,
        job_slice_count: template.slices,
        timeout: 0,
        instance_groups: []
      }
    : { limit: null, scm_branch: null, job_tags: null, skip_tags: null })
})
