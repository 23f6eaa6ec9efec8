/**
 * The templates that are launched: found by exact name among both kinds, checked before anything depends on them, and
 * launched by number.
 *
 * A name that stands for several templates is refused with the list of them, and so is a template that would run without
 * what it is sent.
 */
import { Effect, Option } from "effect"
import type { ProviderError } from "../../ports/ProviderError.ts"
import { AapClient, type TemplateKind } from "./AapClient.ts"
import { AapSettings } from "./AapSettings.ts"
import { refuse, toProviderError } from "./ProviderErrors.ts"
import type { TemplateRow } from "./Wire.ts"

export interface Template {
  readonly kind: TemplateKind
  readonly id: number
  readonly name: string
}

/** As it is written into the launch intent: `job_template/7/osac-create-compute-instance`. */
export const print = (template: Template): string => `${template.kind}/${template.id}/${template.name}`

/** What an intent names. An older or foreign form is taken for a name. Names may hold slashes. */
export const parse = (text: string): { readonly id: number | undefined; readonly name: string } => {
  const [, id, name] = /^(?:job_template|workflow_job_template)\/(\d+)\/(.*)$/su.exec(text) ?? []
  return id === undefined || name === undefined ? { id: undefined, name: text } : { id: Number(id), name }
}

const kindOf = (row: TemplateRow): TemplateKind | undefined =>
  row.type === "job_template" || row.type === "workflow_job_template" ? row.type : undefined

const organizationOf = (row: TemplateRow): string => row.summary_fields?.organization?.name ?? ""

const kindWords: Readonly<Record<TemplateKind, string>> = {
  job_template: "job template",
  workflow_job_template: "workflow job template"
}

const listed = (row: TemplateRow, kind: TemplateKind): string => {
  const organization = organizationOf(row)
  return `${kindWords[kind]} ${row.id}${organization === "" ? "" : ` in organization '${organization}'`}`
}

/** The one template of that name, or why there is none. */
const choose = (
  name: string,
  organization: Option.Option<string>,
  rows: ReadonlyArray<TemplateRow>
): Effect.Effect<Template, ProviderError> => {
  const named = rows.flatMap((row) => {
    const kind = kindOf(row)
    return kind !== undefined && row.name === name ? [{ row, kind }] : []
  })
  const chosen = named.filter(({ row }) => Option.isNone(organization) || organizationOf(row) === organization.value)
  const [first] = chosen
  const all = named.map(({ row, kind }) => listed(row, kind)).join(", ")
  if (first === undefined) {
    const where = Option.match(organization, { onNone: () => "", onSome: (value) => ` in organization '${value}'` })
    const elsewhere = named.length === 0 ? "" : ` (there is ${all})`
    return refuse(
      "find template",
      "TemplateNotFound",
      `Template '${name}' not found${where}: AAP has none of this name that the token's user may read${elsewhere}`
    )
  }
  if (chosen.length > 1) {
    return refuse(
      "find template",
      "TemplateAmbiguous",
      `Template '${name}' is ambiguous: ${chosen.map(({ row, kind }) => listed(row, kind)).join(", ")}; set CLOUDKIT_AAP_ORGANIZATION or rename one`
    )
  }
  return Effect.succeed({ kind: first.kind, id: first.row.id, name })
}

/** Whether there is one template of each name: what one request can tell of the address, the credential and the names. */
export const check = Effect.fnUntraced(function* (
  names: ReadonlyArray<string>
): Effect.fn.Return<void, ProviderError, AapClient | AapSettings> {
  const client = yield* AapClient
  const { organization } = yield* AapSettings
  const { rows } = yield* client
    .findTemplates(...names)
    .pipe(Effect.mapError(toProviderError({ operation: "find template" })))
  yield* Effect.forEach(names, (name) => choose(name, organization, rows), { discard: true })
})

/** The template of that name, fit to be launched. Two requests, both without an effect. */
export const probe = Effect.fnUntraced(function* (
  name: string
): Effect.fn.Return<Template, ProviderError, AapClient | AapSettings> {
  const client = yield* AapClient
  const { organization } = yield* AapSettings
  const { rows } = yield* client
    .findTemplates(name)
    .pipe(Effect.mapError(toProviderError({ operation: "find template" })))
  const template = yield* choose(name, organization, rows)
  const options = yield* client
    .launchOptions(template.kind, template.id)
    .pipe(Effect.mapError(toProviderError({ operation: "check template", template: name })))
  if (!options.ask_variables_on_launch) {
    return yield* refuse(
      "check template",
      "TemplateRefusesVariables",
      `Template '${name}' does not prompt for variables, so that it would run without the resource: switch on 'Prompt on launch' for its variables`
    )
  }
  return template
})
