/** Objects as rows of a table, which is how `kubectl get` asks for them. */
import { at, type Json, type JsonObject, objectAt, stringAt } from "./Json.ts"
import { atPath } from "./JsonPath.ts"
import type { Column, Resource } from "./Resource.ts"

const column = (name: string, type: string, jsonPath: string, format = "", priority = 0): Column => ({
  name,
  type,
  format,
  description: "",
  priority,
  jsonPath
})

const nameColumn = column("Name", "string", ".metadata.name", "name")
const ageColumn = column("Age", "date", ".metadata.creationTimestamp")

const builtInColumns: Readonly<Record<string, ReadonlyArray<Column>>> = {
  events: [
    column("Last Seen", "date", ".lastSeen"),
    column("Type", "string", ".type"),
    column("Reason", "string", ".reason"),
    column("Object", "string", ".subject"),
    column("Message", "string", ".message"),
    column("Name", "string", ".metadata.name", "name", 1)
  ],
  namespaces: [nameColumn, column("Status", "string", ".status.phase"), ageColumn],
  "customresourcedefinitions.apiextensions.k8s.io": [
    nameColumn,
    column("Created At", "string", ".metadata.creationTimestamp")
  ],
  "leases.coordination.k8s.io": [nameColumn, column("Holder", "string", ".spec.holderIdentity"), ageColumn]
}

const columnsOf = (resource: Resource): ReadonlyArray<Column> =>
  builtInColumns[resource.storage] ?? [nameColumn, ...(resource.custom ? resource.columns : [ageColumn])]

const units = (seconds: number) => {
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  return { minutes, hours, days: Math.floor(hours / 24) }
}

const both = (large: number, largeUnit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`

/** A length of time in the two units that matter. */
const humanDuration = (seconds: number): string => {
  const { days, hours, minutes } = units(seconds)
  if (seconds < -1) return "<invalid>"
  if (seconds < 0) return "0s"
  if (seconds < 120) return `${Math.floor(seconds)}s`
  if (minutes < 10) return both(minutes, "m", Math.floor(seconds % 60), "s")
  if (minutes < 180) return `${minutes}m`
  if (hours < 8) return both(hours, "h", minutes % 60, "m")
  if (hours < 48) return `${hours}h`
  if (days < 8) return both(days, "d", hours % 24, "h")
  if (days < 730) return `${days}d`
  return days < 2920 ? both(Math.floor(days / 365), "y", days % 365, "d") : `${Math.floor(days / 365)}y`
}

/** An event with what its row shows of it: events of the newer API have no `lastTimestamp`. */
const eventRow = (event: JsonObject): JsonObject => ({
  ...event,
  lastSeen: event.lastTimestamp ?? event.eventTime ?? at(event, "metadata", "creationTimestamp") ?? null,
  subject: `${stringAt(event, "involvedObject", "kind")?.toLowerCase()}/${stringAt(event, "involvedObject", "name")}`
})

const cell = (one: Column, object: JsonObject, now: number): Json => {
  const [value] = atPath(object, one.jsonPath)
  if (value === undefined || value === null) return one.type === "date" ? "<unknown>" : null
  if (one.type === "date") return humanDuration((now - Date.parse(String(value))) / 1000)
  if (one.type !== "string") return value
  return typeof value === "string" ? value : JSON.stringify(value)
}

/** The metadata of an object, without the rest of it. */
export const metadataOnly = (object: JsonObject): JsonObject => ({
  kind: "PartialObjectMetadata",
  apiVersion: "meta.k8s.io/v1",
  metadata: objectAt(object, "metadata")
})

export interface TableOptions {
  /** Whether a row brings its object (`Object`), its metadata (`Metadata`) or nothing (`None`). */
  readonly include: string
  readonly now: number
  readonly metadata: JsonObject
}

export const table = (resource: Resource, objects: ReadonlyArray<JsonObject>, options: TableOptions): JsonObject => {
  const columns = columnsOf(resource)
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata: options.metadata,
    columnDefinitions: columns.map(({ jsonPath: _path, ...definition }) => definition),
    rows: objects.map((object) => ({
      cells: columns.map((one) => cell(one, resource.storage === "events" ? eventRow(object) : object, options.now)),
      ...(options.include === "None" ? {} : { object: options.include === "Object" ? object : metadataOnly(object) })
    }))
  }
}

/** The metadata of a table that shows one object. */
export const rowMetadata = (object: JsonObject): JsonObject => ({
  resourceVersion: stringAt(object, "metadata", "resourceVersion") ?? ""
})
