/**
 * Whether an object is what its structural schema asks for, in the API server's own words.
 *
 * What an update leaves as it was is not checked again, so that a definition can become stricter.
 */
import type { Cause } from "./ApiError.ts"
import {
  equal,
  isArray,
  isObject,
  type Json,
  type JsonObject,
  listAt,
  numberAt,
  objectAt,
  stringAt,
  stringsAt,
  typeName
} from "./Json.ts"

const show = (value: Json): string => JSON.stringify(value)

const wrong = (field: string, message: string, reason = "FieldValueInvalid"): Cause => ({ reason, message, field })

const join = (path: string, key: string): string => (path === "" ? key : `${path}.${key}`)

const isOfType = (type: string, value: Json): boolean => {
  if (type === "integer") return Number.isInteger(value)
  return typeName(value) === type
}

const typeProblem = (schema: JsonObject, value: Json, path: string): Cause | undefined => {
  const type = stringAt(schema, "type")
  const asked = schema["x-kubernetes-int-or-string"] === true ? "integer,string" : type
  if (asked === undefined || (value === null && schema.nullable === true)) return undefined
  if (asked.split(",").some((one) => isOfType(one, value))) return undefined
  const found = show(typeName(value))
  return wrong(
    path,
    `Invalid value: ${found}: ${path} in body must be of type ${asked}: ${found}`,
    "FieldValueTypeInvalid"
  )
}

const numberProblems = (schema: JsonObject, value: number, path: string): ReadonlyArray<Cause> => {
  const minimum = numberAt(schema, "minimum")
  const maximum = numberAt(schema, "maximum")
  const problem = (bound: string) => wrong(path, `Invalid value: ${value}: ${path} in body should be ${bound}`)
  const found: Array<Cause> = []
  if (minimum !== undefined) {
    const open = schema.exclusiveMinimum === true
    if (value < minimum || (open && value === minimum)) {
      found.push(problem(`greater than ${open ? "" : "or equal to "}${minimum}`))
    }
  }
  if (maximum !== undefined) {
    const open = schema.exclusiveMaximum === true
    if (value > maximum || (open && value === maximum)) {
      found.push(problem(`less than ${open ? "" : "or equal to "}${maximum}`))
    }
  }
  return found
}

const dateTime = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/u

const stringProblems = (schema: JsonObject, value: string, path: string): ReadonlyArray<Cause> => {
  const found: Array<Cause> = []
  const longest = numberAt(schema, "maxLength")
  const shortest = numberAt(schema, "minLength")
  const pattern = stringAt(schema, "pattern")
  const length = [...value].length
  if (longest !== undefined && length > longest) {
    found.push(wrong(path, `Too long: may not be more than ${longest} bytes`, "FieldValueTooLong"))
  }
  if (shortest !== undefined && length < shortest) {
    found.push(wrong(path, `Invalid value: ${show(value)}: ${path} in body should be at least ${shortest} chars long`))
  }
  if (pattern !== undefined && !new RegExp(pattern, "u").test(value)) {
    found.push(wrong(path, `Invalid value: ${show(value)}: ${path} in body should match '${pattern}'`))
  }
  if (schema.format === "date-time" && !dateTime.test(value)) {
    found.push(
      wrong(
        path,
        `Invalid value: ${show(value)}: ${path} in body must be of type date-time: ${show(value)}`,
        "FieldValueTypeInvalid"
      )
    )
  }
  return found
}

const enumProblem = (schema: JsonObject, value: Json, path: string): ReadonlyArray<Cause> => {
  const allowed = listAt(schema, "enum")
  if (allowed.length === 0 || allowed.some((one) => equal(one, value))) return []
  const supported = allowed.map(show).join(", ")
  return [wrong(path, `Unsupported value: ${show(value)}: supported values: ${supported}`, "FieldValueNotSupported")]
}

/** What tells two items of a list apart: the item of a set, the keys of a map. Other lists may repeat. */
export const identityOf = (schema: JsonObject, item: Json): JsonObject | Json | undefined => {
  const kind = schema["x-kubernetes-list-type"]
  if (kind === "set") return item
  if (kind !== "map") return undefined
  return Object.fromEntries(
    stringsAt(schema, "x-kubernetes-list-map-keys").map((key) => [key, objectAt({ item }, "item")[key] ?? null])
  )
}

const listProblems = (schema: JsonObject, value: ReadonlyArray<Json>, path: string): ReadonlyArray<Cause> => {
  const found: Array<Cause> = []
  const most = numberAt(schema, "maxItems")
  const least = numberAt(schema, "minItems")
  if (most !== undefined && value.length > most) {
    found.push(wrong(path, `Too many: ${value.length}: must have at most ${most} items`, "FieldValueTooMany"))
  }
  if (least !== undefined && value.length < least) {
    found.push(wrong(path, `Invalid value: ${value.length}: ${path} in body should have at least ${least} items`))
  }
  const seen = new Set<string>()
  value.forEach((item, index) => {
    const identity = identityOf(schema, item)
    if (identity === undefined) return
    const key = show(identity)
    if (seen.has(key)) found.push(wrong(`${path}[${index}]`, `Duplicate value: ${key}`, "FieldValueDuplicate"))
    seen.add(key)
  })
  return found
}

/** The item's earlier self in a list that tells its items apart. */
export const earlierItem = (schema: JsonObject, old: Json | undefined, item: Json): Json | undefined => {
  const identity = identityOf(schema, item)
  if (identity === undefined || !isArray(old)) return undefined
  return old.find((other) => equal(identityOf(schema, other), identity))
}

const objectProblems = (schema: JsonObject, value: JsonObject, old: Json | undefined, path: string) => {
  const found: Array<Cause> = stringsAt(schema, "required")
    .filter((key) => !(key in value))
    .map((key) => wrong(join(path, key), "Required value", "FieldValueRequired"))
  const most = numberAt(schema, "maxProperties")
  const size = Object.keys(value).length
  if (most !== undefined && size > most) {
    found.push(wrong(path, `Too many: ${size}: must have at most ${most} items`, "FieldValueTooMany"))
  }
  const properties = objectAt(schema, "properties")
  for (const [key, inner] of Object.entries(value)) {
    const child = properties[key] ?? schema.additionalProperties
    if (isObject(child)) found.push(...problems(child, inner, isObject(old) ? old[key] : undefined, join(path, key)))
  }
  return found
}

const combined = (schema: JsonObject, value: Json, path: string): ReadonlyArray<Cause> => {
  const passing = (key: string) =>
    listAt(schema, key)
      .filter(isObject)
      .filter((one) => problems(one, value, undefined, path).length === 0).length
  const found: Array<Cause> = []
  const say = (what: string) => found.push(wrong(path, `Invalid value: ${show(value)}: ${show(path)} must ${what}`))
  if (isArray(schema.anyOf) && passing("anyOf") === 0) say("validate at least one schema (anyOf)")
  if (isArray(schema.oneOf) && passing("oneOf") !== 1) {
    say(`validate one and only one schema (oneOf). Found ${passing("oneOf") === 0 ? "none valid" : "more than one"}`)
  }
  const not = schema.not
  if (isObject(not) && problems(not, value, undefined, path).length === 0) say("not validate the schema (not)")
  for (const one of listAt(schema, "allOf").filter(isObject)) found.push(...problems(one, value, undefined, path))
  return found
}

/** Everything wrong with the value, but for the schema's rules. */
export const problems = (
  schema: JsonObject,
  value: Json,
  old: Json | undefined,
  path: string
): ReadonlyArray<Cause> => {
  if (old !== undefined && equal(old, value)) return []
  const wrongType = typeProblem(schema, value, path)
  if (wrongType !== undefined) return [wrongType]
  const own = [...enumProblem(schema, value, path), ...combined(schema, value, path)]
  if (typeof value === "number") return [...own, ...numberProblems(schema, value, path)]
  if (typeof value === "string") return [...own, ...stringProblems(schema, value, path)]
  if (isArray(value)) {
    const items = objectAt(schema, "items")
    return [
      ...own,
      ...value.flatMap((item, index) => problems(items, item, earlierItem(schema, old, item), `${path}[${index}]`)),
      ...listProblems(schema, value, path)
    ]
  }
  return isObject(value) ? [...own, ...objectProblems(schema, value, old, path)] : own
}
