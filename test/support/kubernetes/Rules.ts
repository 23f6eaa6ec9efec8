/** The rules of a schema (`x-kubernetes-validations`), compiled once and applied wherever the schema places them. */
import { Result } from "effect"
import type { Cause } from "./ApiError.ts"
import { compile, type Rule, type RuleError } from "./Cel.ts"
import { equal, isArray, isObject, type Json, type JsonObject, listAt, objectAt, stringAt } from "./Json.ts"
import { earlierItem } from "./Validation.ts"

interface PlacedRule {
  readonly rule: Rule
  readonly message: string
  readonly reason: string
  readonly fieldPath: string
}

/** A schema with its rules, in the schema's own shape. */
export interface RuledSchema {
  readonly schema: JsonObject
  readonly rules: ReadonlyArray<PlacedRule>
  readonly properties: ReadonlyMap<string, RuledSchema>
  readonly additional: RuledSchema | undefined
  readonly items: RuledSchema | undefined
}

const placed = (validation: Json): Result.Result<PlacedRule, RuleError> => {
  const source = stringAt(validation, "rule") ?? ""
  return Result.map(compile(source), (rule) => ({
    rule,
    message: stringAt(validation, "message") ?? `failed rule: ${source}`,
    reason: stringAt(validation, "reason") ?? "FieldValueInvalid",
    fieldPath: stringAt(validation, "fieldPath") ?? ""
  }))
}

/** Compiles every rule of a schema; `undefined` where a branch has none. */
export const ruled = (schema: JsonObject): Result.Result<RuledSchema | undefined, RuleError> =>
  Result.gen(function* () {
    const rules = yield* Result.all(listAt(schema, "x-kubernetes-validations").map(placed))
    const properties = new Map<string, RuledSchema>()
    for (const [key, property] of Object.entries(objectAt(schema, "properties"))) {
      const inner = isObject(property) ? yield* ruled(property) : undefined
      if (inner !== undefined) properties.set(key, inner)
    }
    const { additionalProperties, items: itemSchema } = schema
    const additional = isObject(additionalProperties) ? yield* ruled(additionalProperties) : undefined
    const items = isObject(itemSchema) ? yield* ruled(itemSchema) : undefined
    if (rules.length === 0 && properties.size === 0 && additional === undefined && items === undefined) return undefined
    return { schema, rules, properties, additional, items }
  })

const messageOf = (rule: PlacedRule, value: Json): string => {
  switch (rule.reason) {
    case "FieldValueForbidden":
      return `Forbidden: ${rule.message}`
    case "FieldValueRequired":
      return `Required value: ${rule.message}`
    default: {
      const shown = typeof value === "object" && value !== null ? "" : `${JSON.stringify(value)}: `
      return `${rule.reason === "FieldValueDuplicate" ? "Duplicate" : "Invalid"} value: ${shown}${rule.message}`
    }
  }
}

const broken = (at: RuledSchema, value: Json, old: Json | undefined, path: string): ReadonlyArray<Cause> =>
  at.rules.flatMap((rule): ReadonlyArray<Cause> => {
    const unchanged = old !== undefined && equal(old, value)
    if (rule.rule.transition ? old === undefined : unchanged) return []
    const outcome = rule.rule.holds(value, old)
    if (Result.isSuccess(outcome) && outcome.success) return []
    const message = Result.isSuccess(outcome) ? rule.message : `${outcome.failure} evaluating rule: ${rule.message}`
    return [{ reason: rule.reason, message: messageOf({ ...rule, message }, value), field: `${path}${rule.fieldPath}` }]
  })

/** Every rule that the value breaks. `old` is the value before the write, where there was one. */
export const brokenRules = (
  at: RuledSchema,
  value: Json,
  old: Json | undefined,
  path: string
): ReadonlyArray<Cause> => {
  const own = broken(at, value, old, path)
  if (isArray(value)) {
    const items = at.items
    if (items === undefined) return own
    return own.concat(
      value.flatMap((item, index) => brokenRules(items, item, earlierItem(at.schema, old, item), `${path}[${index}]`))
    )
  }
  if (!isObject(value)) return own
  return own.concat(
    Object.entries(value).flatMap(([key, inner]) => {
      const child = at.properties.get(key) ?? at.additional
      const field = path === "" ? key : `${path}.${key}`
      return child === undefined ? [] : brokenRules(child, inner, isObject(old) ? old[key] : undefined, field)
    })
  )
}
