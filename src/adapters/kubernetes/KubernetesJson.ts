/**
 * JSON of the API server becomes values of the port here, and nowhere else. An object that lacks what every object has,
 * or carries a key that only an attack would carry, is `undefined`; all else is kept as it came, less `managedFields`.
 */
import { Option, type Schema } from "effect"
import type { KubernetesObject, ObjectPage, WatchEvent } from "../../ports/KubernetesClient.ts"

export type UnknownRecord = Readonly<Record<string, unknown>>

export const isRecord = (value: unknown): value is UnknownRecord =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const isText = (value: unknown): value is string => typeof value === "string" && value !== ""
const isAbsentOr = (is: (value: unknown) => boolean, value: unknown): boolean => value === undefined || is(value)
const isString = (value: unknown): boolean => typeof value === "string"
const isStrings = (value: unknown): boolean => Array.isArray(value) && value.every(isString)
const isStringMap = (value: unknown): boolean => isRecord(value) && Object.values(value).every(isString)

/** `JSON.parse` keeps `__proto__` as a key of its own, which a later merge would follow. */
const hasPrototypeKey = (value: unknown): boolean => {
  if (Array.isArray(value)) return value.some(hasPrototypeKey)
  return isRecord(value) && (Object.hasOwn(value, "__proto__") || Object.values(value).some(hasPrototypeKey))
}

const isObject = (value: unknown): value is KubernetesObject =>
  isRecord(value) &&
  isText(value.apiVersion) &&
  isText(value.kind) &&
  isRecord(value.metadata) &&
  isText(value.metadata.name) &&
  isText(value.metadata.namespace) &&
  isText(value.metadata.uid) &&
  isText(value.metadata.resourceVersion) &&
  isAbsentOr((it) => typeof it === "number", value.metadata.generation) &&
  isAbsentOr(isString, value.metadata.creationTimestamp) &&
  isAbsentOr(isString, value.metadata.deletionTimestamp) &&
  isAbsentOr(isStrings, value.metadata.finalizers) &&
  isAbsentOr(isStringMap, value.metadata.labels) &&
  isAbsentOr(isStringMap, value.metadata.annotations) &&
  !hasPrototypeKey(value)

/** Go writes an empty map or list as `null` in places; in metadata that means absent. */
const cleanMetadata = (metadata: UnknownRecord): UnknownRecord =>
  Object.fromEntries(Object.entries(metadata).filter(([key, value]) => key !== "managedFields" && value !== null))

/** Without the bookkeeping of who wrote what, which is a third of an object and of no use here. */
export const lightened = (json: Schema.Json): Schema.Json => {
  const record: Readonly<Record<string, Schema.Json>> = isJsonObject(json) ? json : {}
  const metadata = record.metadata
  if (metadata === undefined || !isJsonObject(metadata) || metadata.managedFields === undefined) return json
  const { managedFields: _, ...rest } = metadata
  return { ...record, metadata: rest }
}

const isJsonObject = (value: Schema.Json): value is Readonly<Record<string, Schema.Json>> => isRecord(value)

interface Kind {
  readonly apiVersion?: unknown
  readonly kind?: unknown
}

/** The object, or `undefined`. `implied` is what a list says once for all its items. */
export const decodeObject = (json: unknown, implied: Kind = {}): KubernetesObject | undefined => {
  if (!isRecord(json) || !isRecord(json.metadata)) return undefined
  const object: unknown = {
    ...json,
    apiVersion: json.apiVersion ?? implied.apiVersion,
    kind: json.kind ?? implied.kind,
    metadata: cleanMetadata(json.metadata)
  }
  return isObject(object) ? object : undefined
}

/** Which object it was, as far as that can be told: for the log line about one that was left out. */
const nameOf = (json: unknown): string => {
  const metadata = isRecord(json) && isRecord(json.metadata) ? json.metadata : {}
  return `${String(metadata.namespace ?? "?")}/${String(metadata.name ?? "?")}`
}

export interface DecodedPage {
  readonly page: ObjectPage
  /** Names of the items that are not objects and were left out. */
  readonly leftOut: ReadonlyArray<string>
}

/** A page of a list, or `undefined` when it is not a list at all. `taken` are the items in the place of which it has `{}`. */
export const decodePage = (json: Schema.Json, taken: ReadonlyArray<Schema.Json> = []): DecodedPage | undefined => {
  if (!isRecord(json) || !isRecord(json.metadata) || !isText(json.metadata.resourceVersion)) return undefined
  if (!isText(json.kind) || !json.kind.endsWith("List")) return undefined
  const raw = json.items ?? []
  if (!Array.isArray(raw)) return undefined
  const implied = { apiVersion: json.apiVersion, kind: json.kind.slice(0, -"List".length) }
  const items: Array<KubernetesObject> = []
  const leftOut: Array<string> = []
  const places = taken.values()
  for (const place of raw) {
    const item: unknown = isRecord(place) ? (places.next().value ?? place) : place
    const object = decodeObject(item, implied)
    if (object === undefined) leftOut.push(nameOf(item))
    else items.push(object)
  }
  const next = json.metadata.continue
  return {
    page: {
      items,
      resourceVersion: json.metadata.resourceVersion,
      continue: isText(next) ? Option.some(next) : Option.none()
    },
    leftOut
  }
}

export type DecodedEvent =
  | WatchEvent
  /** The server ends the watch with this `Status`. */
  | { readonly _tag: "Error"; readonly status: unknown }
  /** An object that fails the guard. */
  | { readonly _tag: "Undecodable"; readonly name: string }
  /** A type of event that this version does not know. */
  | { readonly _tag: "Unknown"; readonly type: string }

/** One event of a watch, or `undefined` when it is not an event at all. */
export const decodeEvent = (json: unknown): DecodedEvent | undefined => {
  if (!isRecord(json) || typeof json.type !== "string") return undefined
  switch (json.type) {
    case "ADDED":
    case "MODIFIED":
    case "DELETED": {
      const object = decodeObject(json.object)
      if (object === undefined) return { _tag: "Undecodable", name: nameOf(json.object) }
      return { _tag: json.type === "DELETED" ? "Deleted" : "Applied", object }
    }
    case "BOOKMARK": {
      const metadata = isRecord(json.object) && isRecord(json.object.metadata) ? json.object.metadata : {}
      return isText(metadata.resourceVersion)
        ? { _tag: "Bookmark", resourceVersion: metadata.resourceVersion }
        : { _tag: "Undecodable", name: "bookmark" }
    }
    case "ERROR":
      return { _tag: "Error", status: json.object }
    default:
      return { _tag: "Unknown", type: json.type }
  }
}
