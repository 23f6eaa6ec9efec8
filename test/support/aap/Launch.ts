/**
 * What becomes of the body of a launch. A job template drops what it does not prompt for and only echoes it in
 * `ignored_fields`; a workflow template refuses it; fields nobody knows are dropped without a word by both.
 */
import { Result } from "effect"
import * as Yaml from "yaml"
import { dumps, fromUnknown, isParsedObject, type Parsed, type ParsedObject, parse, plain } from "./PythonJson.ts"
import { defaultAnswers, missingAnswers, wrongAnswers } from "./Survey.ts"
import type { Label, Prompt, Template, World } from "./World.ts"

export interface Accepted {
  readonly extraVars: ParsedObject
  readonly fields: ParsedObject
  readonly labels: ReadonlyArray<Label>
  readonly ignored: Readonly<Record<string, unknown>>
}

/** The body of a 400. */
export type Refusal = Readonly<Record<string, ReadonlyArray<string>>>

interface LaunchField {
  readonly prompt: Prompt
  readonly default: Parsed
  readonly valid: (value: Parsed) => string | undefined
}

const text = (value: Parsed) => (typeof value === "string" ? undefined : "Not a valid string.")
const integer = (value: Parsed) =>
  typeof value === "number" && Number.isInteger(value) ? undefined : "A valid integer is required."
const flag = (value: Parsed) => (typeof value === "boolean" ? undefined : "Must be a valid boolean.")
const choice =
  (...choices: ReadonlyArray<Parsed>) =>
  (value: Parsed) =>
    choices.includes(value) ? undefined : `"${typeof value === "string" ? value : dumps(value)}" is not a valid choice.`
const key = (value: Parsed) =>
  value === null || value === 2 ? undefined : `Invalid pk "${dumps(value)}" - object does not exist.`
const anything = () => undefined

const launchFields: Readonly<Record<string, LaunchField>> = {
  scm_branch: { prompt: "scm_branch", default: "", valid: text },
  diff_mode: { prompt: "diff_mode", default: false, valid: flag },
  limit: { prompt: "limit", default: "", valid: text },
  job_tags: { prompt: "tags", default: "", valid: text },
  skip_tags: { prompt: "skip_tags", default: "", valid: text },
  job_type: { prompt: "job_type", default: "run", valid: choice("run", "check") },
  verbosity: { prompt: "verbosity", default: 0, valid: choice(0, 1, 2, 3, 4, 5) },
  inventory: { prompt: "inventory", default: 2, valid: key },
  execution_environment: { prompt: "execution_environment", default: null, valid: key },
  forks: { prompt: "forks", default: 0, valid: integer },
  job_slice_count: { prompt: "job_slice_count", default: 1, valid: integer },
  timeout: { prompt: "timeout", default: 0, valid: integer },
  credentials: { prompt: "credential", default: [], valid: anything },
  instance_groups: { prompt: "instance_groups", default: [], valid: anything }
}

const workflowFields = ["inventory", "limit", "scm_branch", "skip_tags", "job_tags"]

const same = (a: Parsed, b: Parsed): boolean => dumps(a) === dumps(b)

const unreadable = (jsonError: string, yamlError: string) =>
  Result.fail({ extra_vars: [`Cannot parse as JSON (error: ${jsonError}) or YAML (error: ${yamlError}).`] })

const noDictionary = (value: Parsed): string =>
  `Input type \`${Array.isArray(value) ? "list" : typeof value}\` is not a dictionary`

/** An object, or the text of one in JSON or YAML; a text that says nothing is an empty one. */
const readVariables = (value: Parsed | undefined): Result.Result<ParsedObject, Refusal> => {
  if (value === undefined || value === "") return Result.succeed({})
  if (value === null) return Result.fail({ extra_vars: ["This field may not be null."] })
  if (isParsedObject(value)) return Result.succeed(value)
  if (typeof value !== "string") return unreadable(noDictionary(value), noDictionary(value))
  const asJson = parse(value)
  if (Result.isSuccess(asJson) && isParsedObject(asJson.success)) return Result.succeed(asJson.success)
  const jsonError = Result.isFailure(asJson) ? asJson.failure : noDictionary(asJson.success)
  const document = Yaml.parseDocument(value)
  if (document.errors[0] !== undefined) return unreadable(jsonError, document.errors[0].message)
  const asYaml = fromUnknown(document.toJS() ?? {})
  return isParsedObject(asYaml) ? Result.succeed(asYaml) : unreadable(jsonError, noDictionary(asYaml))
}

const readLabels = (world: World, value: Parsed | undefined): Result.Result<ReadonlyArray<Label>, Refusal> => {
  if (value === undefined) return Result.succeed([])
  const ids: ReadonlyArray<Parsed> = Array.isArray(value) ? value : [value]
  const labels: Array<Label> = []
  for (const id of ids) {
    const label = world.labels.find((candidate) => candidate.id === id)
    if (label === undefined) return Result.fail({ labels: [`Invalid pk "${dumps(id)}" - object does not exist.`] })
    labels.push(label)
  }
  return Result.succeed(labels)
}

const invalid = (body: ParsedObject, names: ReadonlyArray<string>): Refusal =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = body[name]
      const complaint = value === undefined ? undefined : launchFields[name]?.valid(value)
      return complaint === undefined ? [] : [[name, [complaint]]]
    })
  )

const surveyRefusal = (template: Template, answers: ParsedObject): Refusal => {
  const complaints = [...missingAnswers(template.survey, answers), ...wrongAnswers(template.survey, answers)]
  return complaints.length === 0 ? {} : { variables_needed_to_start: complaints }
}

const whole = (template: Template, accepted: ParsedObject): ParsedObject => ({
  ...template.extraVars,
  ...defaultAnswers(template.survey),
  ...accepted
})

const split = (template: Template, variables: ParsedObject): readonly [ParsedObject, ParsedObject] => {
  if (template.asks.has("variables")) return [variables, {}]
  const known = (name: string) => template.survey.some(({ variable }) => variable === name)
  const entries = Object.entries(variables)
  return [
    Object.fromEntries(entries.filter(([name]) => known(name))),
    Object.fromEntries(entries.filter(([name]) => !known(name)))
  ]
}

export const launchJobTemplate = (
  world: World,
  template: Template,
  body: ParsedObject
): Result.Result<Accepted, Refusal> => {
  const read = Result.all([readVariables(body.extra_vars), readLabels(world, body.labels)])
  if (Result.isFailure(read)) return Result.fail(read.failure)
  const [variables, labels] = read.success
  const given: ParsedObject = {
    ...body,
    ...(body.inventory_id === undefined ? {} : { inventory: body.inventory_id })
  }
  const names = Object.keys(launchFields)
  const [accepted, dropped] = split(template, variables)
  const hasInventory = template.inventory || (template.asks.has("inventory") && given.inventory === 2)
  const refusal: Refusal = {
    ...invalid(given, names),
    ...surveyRefusal(template, accepted),
    ...(hasInventory ? {} : { resources_needed_to_start: ["Job Template inventory is missing or undefined."] })
  }
  if (Object.keys(refusal).length > 0) return Result.fail(refusal)
  const fields: Record<string, Parsed> = {}
  const ignored: Record<string, unknown> = Object.keys(dropped).length > 0 ? { extra_vars: plain(dropped) } : {}
  for (const [name, { prompt, default: normal }] of Object.entries(launchFields)) {
    const value = given[name]
    if (value === undefined || same(value, normal)) continue
    if (template.asks.has(prompt)) fields[name] = value
    else ignored[name] = plain(value)
  }
  if (labels.length > 0 && !template.asks.has("labels")) ignored.labels = labels.map(({ id }) => id)
  return Result.succeed({
    extraVars: whole(template, accepted),
    fields,
    labels: template.asks.has("labels") ? labels : [],
    ignored
  })
}

const notPrompted = "Field is not configured to prompt on launch."
const variablesNotPrompted =
  "Variables payload are not allowed on launch. Check the Prompt on Launch setting on the Workflow Job Template to include Extra Variables."

export const launchWorkflowTemplate = (
  world: World,
  template: Template,
  body: ParsedObject
): Result.Result<Accepted, Refusal> => {
  const read = Result.all([readVariables(body.extra_vars), readLabels(world, body.labels)])
  if (Result.isFailure(read)) return Result.fail(read.failure)
  const [variables, labels] = read.success
  const [accepted, dropped] = split(template, variables)
  const fields: Record<string, Parsed> = {}
  const refusal: Record<string, ReadonlyArray<string>> = {
    ...invalid(body, workflowFields),
    ...surveyRefusal(template, accepted)
  }
  if (Object.keys(dropped).length > 0) refusal.extra_vars = [variablesNotPrompted]
  for (const name of workflowFields) {
    const value = body[name]
    const prompt = launchFields[name]?.prompt
    if (value === undefined || value === null || value === "" || prompt === undefined) continue
    if (template.asks.has(prompt)) fields[name] = value
    else refusal[name] = [notPrompted]
  }
  if (labels.length > 0 && !template.asks.has("labels")) refusal.labels = [notPrompted]
  if (Object.keys(refusal).length > 0) return Result.fail(refusal)
  return Result.succeed({ extraVars: whole(template, accepted), fields, labels, ignored: {} })
}
