/** Objects as the version that was asked for shows them. Events are kept once and have two views. */
import { type Json, type JsonObject, withAt } from "./Json.ts"
import { apiVersionOf, type Resource } from "./Resource.ts"

/** The names of `events.k8s.io/v1`, by those of the core group. */
const renamed: Readonly<Record<string, string>> = {
  involvedObject: "regarding",
  message: "note",
  source: "deprecatedSource",
  firstTimestamp: "deprecatedFirstTimestamp",
  lastTimestamp: "deprecatedLastTimestamp",
  count: "deprecatedCount",
  reportingComponent: "reportingController"
}

const restored = Object.fromEntries(Object.entries(renamed).map(([core, view]) => [view, core]))

const rename = (object: JsonObject, names: Readonly<Record<string, string>>): JsonObject =>
  Object.fromEntries(Object.entries(object).map(([key, value]): [string, Json] => [names[key] ?? key, value]))

const isEventsView = (resource: Resource): boolean => resource.group === "events.k8s.io"

/** The stored object as a resource shows it. */
export const shown = (resource: Resource, object: JsonObject): JsonObject => {
  const apiVersion = apiVersionOf(resource)
  const viewed = isEventsView(resource) ? rename(object, renamed) : object
  return viewed.apiVersion === apiVersion ? viewed : withAt(viewed, ["apiVersion"], apiVersion)
}

/** What was sent to a resource, as it is stored. */
export const stored = (resource: Resource, object: JsonObject): JsonObject => {
  if (resource.storage !== "events") return object
  const core = isEventsView(resource) ? rename(object, restored) : object
  return { ...core, apiVersion: "v1", kind: "Event" }
}
