/** What the built-in kinds that an operator writes, leases and events, must look like. */
import type { Cause } from "./ApiError.ts"
import { at, equal, type JsonObject, quoted, stringAt } from "./Json.ts"
import type { Resource } from "./Resource.ts"

const microTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}(?:Z|[+-]\d{2}:\d{2})$/u

const microTimes: Readonly<Record<string, ReadonlyArray<ReadonlyArray<string>>>> = {
  "leases.coordination.k8s.io": [
    ["spec", "acquireTime"],
    ["spec", "renewTime"]
  ],
  events: [["eventTime"], ["series", "lastObservedTime"]]
}

/** Why a time of the object cannot be read: it must have six digits of a second. */
export const unreadableTime = (resource: Resource, object: JsonObject): string | undefined => {
  const odd = (microTimes[resource.storage] ?? [])
    .map((path) => stringAt(object, ...path))
    .find((time) => time !== undefined && !microTime.test(time))
  if (odd === undefined) return undefined
  const layout = "2006-01-02T15:04:05.000000Z07:00"
  return `parsing time ${quoted(odd)} as ${quoted(layout)}: cannot parse ${quoted(odd.slice(19))} as ".000000"`
}

const required = (field: string): Cause => ({ reason: "FieldValueRequired", message: "Required value", field })
const invalid = (field: string, value: string, why: string): Cause => ({
  reason: "FieldValueInvalid",
  message: `Invalid value: ${quoted(value)}: ${why}`,
  field
})

const longest: Readonly<Record<string, number>> = { reportingInstance: 128, action: 128, reason: 128, message: 1024 }
const mustStay = ["involvedObject", "reason", "message", "type", "eventTime", "action", "reportingComponent"]

const eventProblems = (event: JsonObject, old: JsonObject | undefined, strict: boolean): ReadonlyArray<Cause> => {
  const found: Array<Cause> = []
  const subject = stringAt(event, "involvedObject", "namespace") ?? ""
  const namespace = stringAt(event, "metadata", "namespace") ?? ""
  const mismatch = subject === "" ? !["", "default"].includes(namespace) : subject !== namespace
  const modern = stringAt(event, "eventTime") !== undefined
  if (mismatch && (!modern || subject === "")) {
    found.push(invalid("involvedObject.namespace", subject, "does not match event.namespace"))
  }
  if (modern) {
    const controller = strict ? "reportingController" : "reportingComponent"
    if ((stringAt(event, "reportingComponent") ?? "") === "") found.push(required(controller))
    for (const field of ["reportingInstance", "action", "reason"]) {
      if ((stringAt(event, field) ?? "") === "") found.push(required(field))
    }
    for (const [field, most] of Object.entries(longest)) {
      const length = Buffer.byteLength(stringAt(event, field) ?? "")
      if (length > most) found.push(invalid(field, "", `can have at most ${most} characters`))
    }
  }
  if (!strict) return found
  if (old === undefined && !modern) found.push(required("eventTime"))
  const type = stringAt(event, "type") ?? ""
  if (old === undefined && !["Normal", "Warning"].includes(type))
    found.push(invalid("type", "", `has invalid value: ${type}`))
  const changed = old === undefined ? [] : mustStay.filter((field) => !equal(event[field], old[field]))
  return [...found, ...changed.map((field) => invalid(field, String(at(event, field)), "field is immutable"))]
}

/** Everything wrong with an object of a built-in kind. Events are stored in the form of the core group. */
export const builtInProblems = (
  resource: Resource,
  object: JsonObject,
  old: JsonObject | undefined
): ReadonlyArray<Cause> =>
  resource.storage === "events" ? eventProblems(object, old, resource.group === "events.k8s.io") : []
