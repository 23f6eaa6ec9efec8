/**
 * What a simulated controller holds: organizations, users, templates, jobs. Times are milliseconds since 1970.
 *
 * The world is changed only by requests and by `advance` (see `Lifecycle.ts`), both synchronous, so an observer never
 * sees it half changed. Jobs that left AAP stay in `everyJob`, which is the ground truth.
 */
import type { Duration } from "effect"
import type { Agenda } from "./Agenda.ts"
import type { Parsed, ParsedObject } from "./PythonJson.ts"

export type JobKind = "job" | "workflow_job"
export type TemplateKind = "job_template" | "workflow_job_template"

const activeStatuses = ["new", "pending", "waiting", "running"] as const
export const terminalStatuses = ["successful", "failed", "error", "canceled"] as const

/** What a launched job will do. Every duration left out is short; see `defaultPlaybook`. */
export interface Playbook {
  readonly pendingFor?: Duration.Input
  readonly waitingFor?: Duration.Input
  readonly runningFor?: Duration.Input
  readonly ends: "successful" | "failed" | "error" | "never" | "canceled"
  /** The failed task, as the job's events tell it. With `ignoreErrors` the playbook goes on, whatever `ends` says. */
  readonly failure?: {
    readonly host: string
    readonly task: string
    readonly message: string
    readonly ignoreErrors?: boolean
    readonly noLog?: boolean
  }
  readonly explanation?: string
  readonly traceback?: string
  /** Names of the tasks, for job events. */
  readonly tasks?: ReadonlyArray<string>
  /** From the request to the end of a running job; of a workflow, to its manager's next round. Default 2 seconds. */
  readonly cancelTakes?: Duration.Input
  /** How long the POST of a cancel waits before its answer; its effect is there at once. */
  readonly cancelAnswerTakes?: Duration.Input
  /** A running job that is cancelled and ends otherwise all the same. */
  readonly cancelRace?: "successful" | "failed"
  /** Once, after `runningFor`, the job goes from running back to pending: the cluster had no room for it. */
  readonly backToPending?: boolean
  /** How long after they happened events become visible; default 0. */
  readonly eventsLate?: Duration.Input
  /** Length of the job's stdout when it is more than its events make. */
  readonly stdoutBytes?: number
}

export const defaultPlaybook: Playbook = { pendingFor: "1 second", runningFor: "5 seconds", ends: "successful" }

/** One launch as the rule given to `play` sees it. `n` counts the launches of that template from 1. */
export interface Launch {
  readonly template: string
  readonly kind: JobKind
  readonly payload: unknown
  readonly extraVars: unknown
  readonly n: number
}

export interface Organization {
  readonly id: number
  readonly name: string
}

export type Role =
  | { readonly role: "execute" | "admin" | "read"; readonly template: string | number }
  | { readonly role: "orgadmin"; readonly organization: string }

export interface User {
  readonly id: number
  readonly name: string
  readonly superuser: boolean
  readonly auditor: boolean
  readonly created: number
  roles: ReadonlyArray<Role>
}

export interface Token {
  readonly user: User
  readonly scope: "read" | "write"
}

export interface SurveyQuestion {
  readonly variable: string
  readonly required?: boolean
  readonly type?: "text" | "integer"
  readonly default?: string | number
  readonly min?: number
  readonly max?: number
}

export interface TemplateNode {
  readonly identifier: string
  readonly template: string
  readonly success?: ReadonlyArray<string>
  readonly failure?: ReadonlyArray<string>
  readonly always?: ReadonlyArray<string>
}

/** The parts of a launch a template may prompt for; the field of the API is `ask_<prompt>_on_launch`. */
export const prompts = [
  "scm_branch",
  "diff_mode",
  "variables",
  "limit",
  "tags",
  "skip_tags",
  "job_type",
  "verbosity",
  "inventory",
  "credential",
  "execution_environment",
  "labels",
  "forks",
  "job_slice_count",
  "timeout",
  "instance_groups"
] as const
export type Prompt = (typeof prompts)[number]

export interface Template {
  readonly id: number
  readonly kind: TemplateKind
  name: string
  /** Every name it ever had: a role given by name stays when the template is renamed. */
  readonly names: Set<string>
  readonly organization: Organization
  readonly created: number
  readonly asks: ReadonlySet<Prompt>
  /** As the API shows it, a string of JSON or YAML. */
  readonly extraVarsText: string
  readonly extraVars: ParsedObject
  readonly allowSimultaneous: boolean
  readonly survey: ReadonlyArray<SurveyQuestion>
  readonly inventory: boolean
  readonly slices: number
  readonly nodes: ReadonlyArray<TemplateNode>
  launches: number
  /** Jobs that would start now if nothing blocked them, and those that started: with `allowSimultaneous` false at most one. */
  readonly ready: Set<Job>
  readonly busy: Set<Job>
  readonly jobs: Array<Job>
}

export interface Label {
  readonly id: number
  readonly name: string
  readonly organization: Organization
  readonly created: number
}

/** A node of a workflow job. */
export interface Node {
  readonly id: number
  readonly created: number
  readonly spec: TemplateNode
  readonly template: Template | undefined
  job: Job | undefined
  doNotRun: boolean
}

export interface Transition {
  readonly status: string
  readonly at: number
}

export interface CancelRequest {
  readonly at: number
  readonly by: string
  readonly answered: number
}

export interface Job {
  readonly id: number
  readonly kind: JobKind
  readonly template: Template
  readonly launchType: "manual" | "relaunch" | "workflow"
  readonly createdBy: User
  readonly created: number
  readonly extraVars: ParsedObject
  readonly extraVarsText: string
  /** Launch-time fields that differ from the template's: `limit`, `job_tags`, `job_type`, … */
  readonly fields: ParsedObject
  readonly labels: ReadonlyArray<Label>
  readonly playbook: Playbook
  readonly sliced: boolean
  readonly parent: { readonly workflow: Job; readonly node: Node } | undefined
  readonly nodes: ReadonlyArray<Node>
  readonly transitions: Array<Transition>
  readonly cancelRequests: Array<CancelRequest>
  modified: number
  modifiedBy: User | undefined
  /** The node that was chosen when the job left the queue; empty before. */
  controller: string
  status: string
  started: number | undefined
  /** When its playbook began, unlike `started` never written by hand. */
  ran: number | undefined
  finished: number | undefined
  canceledOn: number | undefined
  elapsed: number | undefined
  explanation: string
  traceback: string
  bounced: boolean
  /** Steps planned under an older epoch do not happen. */
  epoch: number
  gone: number | undefined
}

export interface World {
  now: number
  readonly version: string
  readonly node: string
  readonly maxPageSize: number
  readonly agenda: Agenda<Job>
  readonly organizations: Array<Organization>
  readonly users: Array<User>
  readonly tokens: Map<string, Token>
  readonly templates: Map<number, Template>
  readonly labels: Array<Label>
  /** The rows a client can see. */
  readonly jobs: Map<number, Job>
  readonly everyJob: Array<Job>
  decide: (launch: Launch) => Playbook
  nextJobId: number
  nextNodeId: number
  nextTemplateId: number
  nextLabelId: number
  requests: number
}

export const isActive = (status: string): boolean => activeStatuses.some((active) => active === status)
export const isTerminal = (job: Job): boolean => terminalStatuses.some((status) => status === job.status)

/** A member of a JSON object, if it is one and has it. */
export const memberOf = (value: Parsed | undefined, key: string): Parsed | undefined =>
  typeof value === "object" && value !== null && key in value
    ? Object.entries(value).find(([k]) => k === key)?.[1]
    : undefined

/** Where the operator puts the custom resource and its launch key. */
export const eventOf = (
  extraVars: Parsed
): { readonly payload: Parsed | undefined; readonly key: string | undefined } => {
  const event = memberOf(memberOf(extraVars, "ansible_eda"), "event")
  const uuid = memberOf(memberOf(event, "meta"), "uuid")
  return { payload: memberOf(event, "payload"), key: typeof uuid === "string" ? uuid : undefined }
}
