/**
 * Filters and orders of the list views: lookups, `not__` and `or__`, and the refusals a client can provoke. What a
 * model's fields are is the model's business; here only how they are compared.
 */
import { Data, Result } from "effect"

export type FieldType = "integer" | "string" | "date" | "boolean" | "related"
export type Value = string | number | boolean | undefined

export interface Field<A> {
  readonly type: FieldType
  /** All values of the row, more than one for a relation to many. */
  readonly of: (row: A) => ReadonlyArray<Value>
}

export interface Model<A> {
  readonly name: string
  readonly fields: Readonly<Record<string, Field<A>>>
  /** Fields that exist but may not be filtered on. */
  readonly prohibited: ReadonlyArray<string>
  /** What `type=` is compared with. */
  readonly typeOf?: (row: A) => string
}

export class BadQuery extends Data.TaggedError("BadQuery")<{ readonly status: number; readonly detail: string }> {}

const refuse = (detail: string, status = 400) => Result.fail(new BadQuery({ status, detail }))

const reserved = new Set([
  "page",
  "page_size",
  "format",
  "order",
  "order_by",
  "search",
  "type",
  "host_filter",
  "count_disabled",
  "no_truncate",
  "limit",
  "validate"
])

const compare = (a: Value, b: Value): number => {
  if (a === b) return 0
  if (a === undefined) return 1
  if (b === undefined) return -1
  return a < b ? -1 : 1
}

type Test = (have: Value, wanted: Value) => boolean
const textual =
  (test: (have: string, wanted: string) => boolean, fold: boolean): Test =>
  (have, wanted) => {
    if (have === undefined) return false
    return fold ? test(String(have).toLowerCase(), String(wanted).toLowerCase()) : test(String(have), String(wanted))
  }
const ordered =
  (test: (order: number) => boolean): Test =>
  (have, wanted) =>
    have !== undefined && test(compare(have, wanted))

const lookups: Readonly<Record<string, Test>> = {
  exact: (have, wanted) => have === wanted,
  iexact: textual((have, wanted) => have === wanted, true),
  contains: textual((have, wanted) => have.includes(wanted), false),
  icontains: textual((have, wanted) => have.includes(wanted), true),
  startswith: textual((have, wanted) => have.startsWith(wanted), false),
  istartswith: textual((have, wanted) => have.startsWith(wanted), true),
  endswith: textual((have, wanted) => have.endsWith(wanted), false),
  iendswith: textual((have, wanted) => have.endsWith(wanted), true),
  regex: textual((have, wanted) => new RegExp(wanted).test(have), false),
  iregex: textual((have, wanted) => new RegExp(wanted, "i").test(have), false),
  gt: ordered((order) => order > 0),
  gte: ordered((order) => order >= 0),
  lt: ordered((order) => order < 0),
  lte: ordered((order) => order <= 0)
}

const asBoolean = (text: string): Result.Result<Value, BadQuery> => {
  if (["true", "1"].includes(text.toLowerCase())) return Result.succeed(true)
  if (["false", "0"].includes(text.toLowerCase())) return Result.succeed(false)
  return refuse(`Unable to convert "${text}" to boolean`)
}

/** A list of messages, printed the way the controller prints it into one `detail`. */
const asMessages = (message: string): string => JSON.stringify([message])

const convert = (name: string, type: FieldType, text: string): Result.Result<Value, BadQuery> => {
  const trimmed = text.trim()
  switch (type) {
    case "boolean":
      return asBoolean(trimmed)
    case "integer":
      return /^-?\d+$/.test(trimmed)
        ? Result.succeed(Number(trimmed))
        : refuse(asMessages(`“${text}” value must be an integer.`))
    case "related":
      return /^\d+$/.test(trimmed) ? Result.succeed(Number(trimmed)) : refuse(`Invalid ${name} id: ${text}`)
    case "date": {
      const at = Date.parse(/^\d{4}-\d\d-\d\d/.test(trimmed) ? trimmed : "")
      return Number.isNaN(at)
        ? refuse(
            asMessages(
              `“${text}” value has an invalid format. It must be in YYYY-MM-DD HH:MM[:ss[.uuuuuu]][TZ] format.`
            )
          )
        : Result.succeed(at)
    }
    case "string":
      return Result.succeed(text)
  }
}

interface Condition<A> {
  readonly either: boolean
  readonly holds: (row: A) => boolean
}

const predicate = <A>(
  name: string,
  field: Field<A>,
  lookup: string,
  text: string
): Result.Result<(row: A) => boolean, BadQuery> => {
  if (lookup === "isnull")
    return Result.map(asBoolean(text), (wanted) => (row: A) => field.of(row).every((v) => v === undefined) === wanted)
  if (lookup === "in") {
    if (text === "") return refuse("cannot provide empty value for __in")
    return Result.map(
      Result.all(text.split(",").map((item) => convert(name, field.type, item))),
      (wanted) => (row: A) => field.of(row).some((have) => wanted.includes(have))
    )
  }
  if (lookup.endsWith("regex") && Result.isFailure(Result.try({ try: () => new RegExp(text), catch: () => text })))
    return refuse(`invalid regular expression: ${text}`)
  const test = lookups[lookup]
  if (test === undefined) return refuse(`No related model for field ${lookup}.`)
  const converted: Result.Result<Value, BadQuery> =
    /exact|gt|lt/.test(lookup) && lookup !== "iexact" ? convert(name, field.type, text) : Result.succeed(text)
  return Result.map(converted, (wanted) => (row: A) => field.of(row).some((have) => test(have, wanted)))
}

const condition = <A>(model: Model<A>, parameter: string, text: string): Result.Result<Condition<A>, BadQuery> => {
  let name = parameter
  let negated = false
  let either = false
  for (let prefix = /^(not|or|chain)__/.exec(name); prefix !== null; prefix = /^(not|or|chain)__/.exec(name)) {
    if (prefix[1] === "not") negated = true
    if (prefix[1] === "or") either = true
    name = name.slice(prefix[0].length)
  }
  const parts = name.split("__")
  const head = parts[0] ?? ""
  if (model.prohibited.includes(head)) return refuse(`Filtering on ${head} is not allowed.`, 403)
  const whole = model.fields[name]
  const lookup = whole === undefined ? (parts.pop() ?? "") : "exact"
  const path = parts.join("__")
  const field = whole ?? model.fields[path]
  if (field === undefined) {
    const known =
      model.fields[head] !== undefined || Object.keys(model.fields).some((key) => key.startsWith(`${head}__`))
    return refuse(known ? `No related model for field ${lookup}.` : `${model.name} has no field named '${head}'`)
  }
  return Result.map(predicate(path, field, lookup, text), (holds) => ({
    either,
    holds: negated ? (row: A) => !holds(row) : holds
  }))
}

const ordering = <A>(model: Model<A>, wanted: string): Result.Result<(a: A, b: A) => number, BadQuery> => {
  const keys: Array<readonly [Field<A>, number]> = []
  for (const item of wanted.split(",").filter((part) => part !== "")) {
    const name = item.replace(/^-/, "")
    const field = model.fields[name]
    if (field === undefined)
      return refuse(`Cannot resolve keyword '${name}' into field. Choices are: ${Object.keys(model.fields).join(", ")}`)
    keys.push([field, item.startsWith("-") ? -1 : 1])
  }
  return Result.succeed((a, b) => {
    for (const [field, sign] of keys) {
      const order = compare(field.of(a)[0], field.of(b)[0])
      if (order !== 0) return order * sign
    }
    return 0
  })
}

/** The rows a query selects, in the order it asks for; `rows` come in the view's own order. */
export const select = <A>(
  model: Model<A>,
  rows: ReadonlyArray<A>,
  query: URLSearchParams
): Result.Result<ReadonlyArray<A>, BadQuery> => {
  const conditions: Array<Condition<A>> = []
  for (const [parameter, text] of query) {
    if (reserved.has(parameter)) continue
    const made = condition(model, parameter, text)
    if (Result.isFailure(made)) return Result.fail(made.failure)
    conditions.push(made.success)
  }
  const types = query.get("type")?.split(",")
  const { typeOf } = model
  if (types !== undefined && typeOf !== undefined)
    conditions.push({ either: false, holds: (row) => types.includes(typeOf(row)) })
  const sought = query.get("search")
  const named = model.fields.name
  if (sought !== null && named !== undefined)
    conditions.push({
      either: false,
      holds: (row) => named.of(row).some((name) => lookups.icontains?.(name, sought))
    })
  const all = conditions.filter(({ either }) => !either)
  const any = conditions.filter(({ either }) => either)
  const found = rows.filter(
    (row) => all.every(({ holds }) => holds(row)) && (any.length === 0 || any.some(({ holds }) => holds(row)))
  )
  const wanted = query.get("order_by") ?? query.get("order")
  if (wanted === null) return Result.succeed(found)
  return Result.map(ordering(model, wanted), (order) => found.toSorted(order))
}
