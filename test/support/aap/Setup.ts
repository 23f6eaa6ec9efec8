/** A world to begin with: organizations, users, tokens and templates, out of a test's options. */
import { Result } from "effect"
import * as Yaml from "yaml"
import { Agenda } from "./Agenda.ts"
import { dumps, fromUnknown, isParsedObject, type ParsedObject, parse } from "./PythonJson.ts"
import {
  defaultPlaybook,
  type Organization,
  type Prompt,
  type Role,
  type SurveyQuestion,
  type Template,
  type TemplateKind,
  type TemplateNode,
  type User,
  type World
} from "./World.ts"

export interface TemplateOptions {
  readonly name: string
  readonly kind?: TemplateKind
  readonly id?: number
  /** Default: the first organization. */
  readonly organization?: string
  /** What it prompts for on launch; default `["variables"]`. */
  readonly asks?: ReadonlyArray<Prompt>
  /** Its own variables, an object or text of JSON or YAML. */
  readonly extraVars?: string | Readonly<Record<string, unknown>>
  /** AAP's default is false; here true, as whoever runs many jobs of one template has to set it. */
  readonly allowSimultaneous?: boolean
  readonly survey?: ReadonlyArray<SurveyQuestion>
  readonly inventory?: boolean
  /** More than one makes every launch a workflow job. */
  readonly slices?: number
  /** Nodes of a workflow template; without any, the workflow job follows its own playbook. */
  readonly nodes?: ReadonlyArray<TemplateNode>
}

export interface UserOptions {
  readonly name: string
  readonly token?: string
  readonly scope?: "read" | "write"
  readonly superuser?: boolean
  readonly auditor?: boolean
  readonly roles?: ReadonlyArray<Role>
  readonly id?: number
}

export interface Options {
  readonly organizations?: ReadonlyArray<string | Organization>
  readonly templates?: ReadonlyArray<TemplateOptions>
  readonly users?: ReadonlyArray<UserOptions>
  readonly maxPageSize?: number
  readonly version?: string
  /** Default: 1. */
  readonly firstJobId?: number
}

const variables = (given: TemplateOptions["extraVars"]): readonly [string, ParsedObject] => {
  if (given === undefined) return ["", {}]
  const parsed =
    typeof given === "string"
      ? Result.getOrElse(parse(given), () => fromUnknown(Yaml.parse(given)))
      : fromUnknown(given)
  const object = isParsedObject(parsed) ? parsed : {}
  return [typeof given === "string" ? given : dumps(object), object]
}

export const addTemplate = (world: World, options: TemplateOptions): Template => {
  const wanted = options.organization ?? world.organizations[0]?.name
  const organization = world.organizations.find(({ name }) => name === wanted)
  if (organization === undefined) throw new Error(`the simulated AAP has no organization ${wanted}`)
  const id = options.id ?? world.nextTemplateId
  world.nextTemplateId = Math.max(world.nextTemplateId, id) + 1
  const [extraVarsText, extraVars] = variables(options.extraVars)
  const template: Template = {
    id,
    kind: options.kind ?? "job_template",
    name: options.name,
    names: new Set([options.name]),
    organization,
    created: world.now,
    asks: new Set(options.asks ?? ["variables"]),
    extraVarsText,
    extraVars,
    allowSimultaneous: options.allowSimultaneous ?? true,
    survey: options.survey ?? [],
    inventory: options.kind !== "workflow_job_template" && (options.inventory ?? true),
    slices: options.slices ?? 1,
    nodes: options.nodes ?? [],
    launches: 0,
    ready: new Set(),
    busy: new Set(),
    jobs: []
  }
  world.templates.set(id, template)
  return template
}

export const addUser = (world: World, options: UserOptions): User => {
  const user: User = {
    id: options.id ?? Math.max(0, ...world.users.map(({ id }) => id)) + 1,
    name: options.name,
    superuser: options.superuser ?? false,
    auditor: options.auditor ?? false,
    created: world.now,
    roles: options.roles ?? []
  }
  world.users.push(user)
  if (options.token !== undefined) world.tokens.set(options.token, { user, scope: options.scope ?? "write" })
  return user
}

const usualTemplates: ReadonlyArray<TemplateOptions> = [
  { name: "osac-create-compute-instance" },
  { name: "osac-delete-compute-instance" }
]

const usualUsers = (templates: ReadonlyArray<TemplateOptions>): ReadonlyArray<UserOptions> => [
  { name: "admin", token: "admin-token", superuser: true },
  {
    name: "operator",
    token: "operator-token",
    roles: templates.map(({ name }) => ({ role: "execute", template: name }))
  }
]

export const worldOf = (options: Options, now: number): World => {
  const organizations = (options.organizations ?? ["osac"]).map((given, index) =>
    typeof given === "string" ? { id: index + 1, name: given } : given
  )
  const world: World = {
    now,
    version: options.version ?? "24.6.1",
    node: "awx-1",
    maxPageSize: options.maxPageSize ?? 200,
    agenda: new Agenda(),
    organizations,
    users: [],
    tokens: new Map(),
    templates: new Map(),
    labels: [],
    jobs: new Map(),
    everyJob: [],
    decide: () => defaultPlaybook,
    nextJobId: options.firstJobId ?? 1,
    nextNodeId: 1,
    nextTemplateId: 7,
    nextLabelId: 1,
    requests: 0
  }
  const templates = options.templates ?? usualTemplates
  for (const template of templates) addTemplate(world, template)
  for (const user of options.users ?? usualUsers(templates)) addUser(world, user)
  return world
}
