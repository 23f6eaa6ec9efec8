/** Who owns which field (`metadata.managedFields`): kept through every write, asked by server-side apply. */
import { Result } from "effect"
import { type ApiError, applyConflict, type Cause } from "./ApiError.ts"
import { childSchema } from "./Completion.ts"
import {
  container,
  decodeFields,
  encodeFields,
  type Fields,
  fieldsOf,
  ownershipSchema,
  pathOf,
  sameField,
  segmentsOf
} from "./FieldSets.ts"
import { equal, isArray, isObject, type Json, type JsonObject, listAt, objectAt, quoted, stringAt } from "./Json.ts"
import { identityOf } from "./Validation.ts"

export interface Writer {
  readonly manager: string
  readonly operation: "Apply" | "Update"
  readonly apiVersion: string
  readonly subresource: string
  readonly time: string
}

interface Entry {
  readonly writer: Writer
  readonly paths: ReadonlySet<string>
}

const entriesOf = (object: JsonObject | undefined): ReadonlyArray<Entry> =>
  listAt(object, "metadata", "managedFields").map((entry) => ({
    writer: {
      manager: stringAt(entry, "manager") ?? "",
      operation: stringAt(entry, "operation") === "Apply" ? "Apply" : "Update",
      apiVersion: stringAt(entry, "apiVersion") ?? "",
      subresource: stringAt(entry, "subresource") ?? "",
      time: stringAt(entry, "time") ?? ""
    },
    paths: decodeFields(objectAt(entry, "fieldsV1"))
  }))

const written = (entries: ReadonlyArray<Entry>): ReadonlyArray<Json> =>
  entries
    .filter((entry) => entry.paths.size > 0)
    .toSorted((a, b) => (a.writer.operation === b.writer.operation ? 0 : a.writer.operation === "Apply" ? -1 : 1))
    .map(({ paths, writer }) => ({
      apiVersion: writer.apiVersion,
      fieldsType: "FieldsV1",
      fieldsV1: encodeFields(paths),
      manager: writer.manager,
      operation: writer.operation,
      ...(writer.subresource === "" ? {} : { subresource: writer.subresource }),
      time: writer.time
    }))

const isOf = (entry: Entry, writer: Writer): boolean =>
  entry.writer.manager === writer.manager &&
  entry.writer.operation === writer.operation &&
  entry.writer.subresource === writer.subresource

const withEntry = (entries: ReadonlyArray<Entry>, writer: Writer, paths: ReadonlySet<string>): ReadonlyArray<Entry> =>
  entries.some((entry) => isOf(entry, writer))
    ? entries.map((entry) => (isOf(entry, writer) ? { writer, paths } : entry))
    : [...entries, { writer, paths }]

/** The owners after an ordinary write: the writer owns what it changed, and nobody owns what is gone. */
export const ownersAfterUpdate = (
  schema: JsonObject | undefined,
  before: JsonObject | undefined,
  after: JsonObject,
  writer: Writer
): ReadonlyArray<Json> => {
  const shape = ownershipSchema(schema)
  const old: Fields = before === undefined ? new Map() : fieldsOf(shape, before, true)
  const fresh = fieldsOf(shape, after, true)
  const changed = [...fresh].filter(([path, value]) => !sameField(old.get(path), value))
  const entries = entriesOf(before)
  if (changed.length === 0 && [...old.keys()].every((path) => fresh.has(path))) return written(entries)
  const taken = new Set(changed.filter(([, value]) => value !== container).map(([path]) => path))
  const kept = entries.map((entry) => ({
    writer: entry.writer,
    paths: new Set(
      [...entry.paths].filter(
        (path) => (fresh.has(path) || !old.has(path)) && (isOf(entry, writer) || !taken.has(path))
      )
    )
  }))
  if (changed.length === 0) return written(kept)
  const own = kept.find((entry) => isOf(entry, writer))?.paths ?? new Set<string>()
  return written(withEntry(kept, writer, new Set([...own, ...changed.map(([path]) => path)])))
}

/** A path in the words of a conflict: `.spec.ports[name="y"].port`. */
const spoken = (path: string): string =>
  segmentsOf(path)
    .map((segment) => {
      if (segment.startsWith("f:")) return `.${segment.slice(2)}`
      if (segment.startsWith("v:")) return `[=${segment.slice(2)}]`
      const keys: Json = JSON.parse(segment.slice(2))
      const pairs = Object.entries(isObject(keys) ? keys : {}).map(([key, value]) => `${key}=${JSON.stringify(value)}`)
      return `[${pairs.join(",")}]`
    })
    .join("")

const conflictsWith = (others: ReadonlyArray<Entry>, asked: Fields, live: Fields): ReadonlyArray<Cause> =>
  others.flatMap((entry) =>
    [...asked]
      .filter(([path, value]) => value !== container && entry.paths.has(path) && !sameField(live.get(path), value))
      .map(([path]) => ({
        reason: "FieldManagerConflict",
        message:
          entry.writer.operation === "Apply"
            ? `conflict with ${quoted(entry.writer.manager)}`
            : `conflict with ${quoted(entry.writer.manager)} using ${entry.writer.apiVersion}`,
        field: spoken(path)
      }))
  )

const conflictMessage = (causes: ReadonlyArray<Cause>): string => {
  const [only] = causes
  if (causes.length === 1 && only !== undefined) return `Apply failed with 1 conflict: ${only.message}: ${only.field}`
  const groups = [...new Set(causes.map((cause) => cause.message))].map((message) => {
    const lines = causes.filter((cause) => cause.message === message).map((cause) => `- ${cause.field}`)
    return `${message.replace("conflict with", "conflicts with")}:\n${lines.join("\n")}`
  })
  return `Apply failed with ${causes.length} conflicts: ${groups.join("\n")}`
}

const merged = (schema: JsonObject, live: Json | undefined, asked: Json): Json => {
  if (isObject(asked) && isObject(live) && schema["x-kubernetes-map-type"] !== "atomic") {
    const fields = Object.entries(asked).map(([key, value]): [string, Json] => [
      key,
      merged(childSchema(schema, key) ?? {}, live[key], value)
    ])
    return { ...live, ...Object.fromEntries(fields) }
  }
  if (!isArray(asked) || !isArray(live) || identityOf(schema, null) === undefined) return asked
  const matching = (list: ReadonlyArray<Json>, item: Json) =>
    list.find((other) => equal(identityOf(schema, other), identityOf(schema, item)))
  return [
    ...live.map((item) => {
      const wanted = matching(asked, item)
      return wanted === undefined ? item : merged(objectAt(schema, "items"), item, wanted)
    }),
    ...asked.filter((item) => matching(live, item) === undefined)
  ]
}

const isEmpty = (value: Json): boolean =>
  (isArray(value) && value.length === 0) || (isObject(value) && Object.keys(value).length === 0)

/** The value without the field at the path; maps and lists that nobody owns go when they become empty. */
const removed = (
  value: Json,
  segments: ReadonlyArray<string>,
  owned: (path: ReadonlyArray<string>) => boolean,
  walked: ReadonlyArray<string> = []
): Json => {
  const [segment, ...rest] = segments
  if (segment === undefined) return value
  const here = [...walked, segment]
  const shrunk = (inner: Json): Json | undefined => {
    if (rest.length === 0) return undefined
    const result = removed(inner, rest, owned, here)
    return isEmpty(result) && !owned(here) && here.length > 1 ? undefined : result
  }
  if (isObject(value) && segment.startsWith("f:")) {
    const key = segment.slice(2)
    const inner = value[key]
    const left = inner === undefined ? undefined : shrunk(inner)
    const others = Object.entries(value).filter(([other]) => other !== key)
    return left === undefined ? Object.fromEntries(others) : { ...value, [key]: left }
  }
  if (!isArray(value)) return value
  const identity: Json = JSON.parse(segment.slice(2))
  const matches = (item: Json) =>
    isObject(identity) && isObject(item)
      ? Object.entries(identity).every(([key, one]) => equal(item[key], one))
      : equal(item, identity)
  return value.flatMap((item) => {
    const left = matches(item) ? shrunk(item) : item
    return left === undefined ? [] : [left]
  })
}

/** Server-side apply: what the object becomes, and who owns it then; or the conflicts, unless forced. */
export const applied = (
  schema: JsonObject | undefined,
  live: JsonObject | undefined,
  asked: JsonObject,
  writer: Writer,
  force: boolean
): Result.Result<{ readonly object: JsonObject; readonly owners: ReadonlyArray<Json> }, ApiError> => {
  const shape = ownershipSchema(schema)
  const wanted = fieldsOf(shape, asked, false)
  const entries = entriesOf(live)
  const others = entries.filter((entry) => !isOf(entry, writer))
  const causes = live === undefined ? [] : conflictsWith(others, wanted, fieldsOf(shape, live, true))
  if (causes.length > 0 && !force) return Result.fail(applyConflict(conflictMessage(causes), causes))
  const previous = entries.find((entry) => isOf(entry, writer))?.paths ?? new Set<string>()
  const isOwned = (path: string) =>
    wanted.has(path) ||
    others.some((entry) => entry.paths.has(path) || [...entry.paths].some((p) => p.startsWith(`${path}\u001f`)))
  let object = merged(shape, live ?? {}, asked)
  for (const path of [...previous].toSorted((a, b) => a.length - b.length)) {
    if (!isOwned(path)) object = removed(object, segmentsOf(path), (segments) => isOwned(pathOf(segments)))
  }
  const lost = new Set(causes.map((cause) => cause.field))
  const left = others.map((entry) => ({
    writer: entry.writer,
    paths: new Set([...entry.paths].filter((path) => !(wanted.has(path) && lost.has(spoken(path)))))
  }))
  const own = new Set(wanted.keys())
  const unchanged = own.size === previous.size && [...own].every((path) => previous.has(path))
  const mine = entries.find((entry) => isOf(entry, writer))
  const all = [...left, { writer: unchanged && mine !== undefined ? mine.writer : writer, paths: own }]
  return Result.succeed({ object: isObject(object) ? object : asked, owners: written(all) })
}
