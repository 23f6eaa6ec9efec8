/** What an object goes through before it is kept: completion by its schema, and every check on metadata, schema and rules. */
import { Result } from "effect"
import { type ApiError, badRequest, type Cause, invalid, invalidObject } from "./ApiError.ts"
import { builtInProblems, unreadableTime } from "./BuiltInChecks.ts"
import { completed } from "./Completion.ts"
import type { Core, Write } from "./Core.ts"
import { equal, isObject, type JsonObject, objectAt, quoted, stringAt, stringsAt } from "./Json.ts"
import { finalizerWarnings, metadataProblems, unreadable } from "./Metadata.ts"
import { apiVersionOf } from "./Resource.ts"
import { brokenRules } from "./Rules.ts"
import { problems } from "./Validation.ts"

export interface Admitted {
  readonly object: JsonObject
  readonly warnings: ReadonlyArray<string>
}

/** A body with unknown fields cannot be read; a patch that brings some is itself invalid. */
const strictly = ({ patch, resource }: Write, body: JsonObject, why: string): ApiError => {
  if (patch) {
    const message = `Invalid value: ${quoted(JSON.stringify(body))}: ${why}`
    return invalid({ group: "", kind: "" }, [{ reason: "FieldValueInvalid", field: "patch", message }])
  }
  return badRequest(
    `${resource.kind} in version ${quoted(resource.version)} cannot be handled as a ${resource.kind}: ${why}`
  )
}

/** The object as its schema completes it; what the schema does not know is warned of, or refused. */
export const admitted = (core: Core, write: Write, body: JsonObject): Result.Result<Admitted, ApiError> => {
  const { resource } = write
  const { builtInsChecked, malformedBodiesRefused } = core.behaviours
  const obstacle =
    (malformedBodiesRefused ? unreadable(body) : undefined) ??
    (builtInsChecked ? unreadableTime(resource, body) : undefined)
  if (obstacle !== undefined) return Result.fail(strictly(write, body, obstacle))
  if (resource.schema === undefined) return Result.succeed({ object: body, warnings: [] })
  const { object, unknown } = completed(resource.schema, body, {
    prune: core.behaviours.unknownFieldsPruned,
    defaults: core.behaviours.defaultsFilledIn
  })
  const reported = core.behaviours.unknownFieldsReported ? unknown.map((path) => `unknown field ${quoted(path)}`) : []
  if (write.fieldValidation === "Strict" && reported.length > 0) {
    return Result.fail(strictly(write, body, `strict decoding error: ${reported.join(", ")}`))
  }
  const names = write.subresource === "" && core.behaviours.finalizerNamesReported ? finalizerWarnings(body) : []
  return Result.succeed({ object, warnings: [...(write.fieldValidation === "Ignore" ? [] : reported), ...names] })
}

const wrong = (field: string, message: string, reason = "FieldValueInvalid"): Cause => ({ reason, message, field })

const updateProblems = (core: Core, object: JsonObject, old: JsonObject): ReadonlyArray<Cause> => {
  const found: Array<Cause> = []
  const uid = stringAt(object, "metadata", "uid")
  if (uid !== undefined && uid !== stringAt(old, "metadata", "uid") && core.behaviours.systemFieldsKept) {
    found.push(wrong("metadata.uid", `Invalid value: ${quoted(uid)}: field is immutable`))
  }
  const deleted = stringAt(object, "metadata", "deletionTimestamp")
  const wasDeleted = stringAt(old, "metadata", "deletionTimestamp")
  if (deleted !== undefined && deleted !== wasDeleted && core.behaviours.systemFieldsKept) {
    found.push(wrong("metadata.deletionTimestamp", `Invalid value: ${quoted(deleted)}: field is immutable`))
  }
  const before = stringsAt(old, "metadata", "finalizers")
  const added = stringsAt(object, "metadata", "finalizers").filter((one) => !before.includes(one))
  if (wasDeleted !== undefined && added.length > 0 && core.behaviours.noNewFinalizersWhileDeleting) {
    const list = `[]string{${added.map(quoted).join(", ")}}`
    const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers ${list}`
    found.push(wrong("metadata.finalizers", message, "FieldValueForbidden"))
  }
  return found
}

const typeProblems = (write: Write, object: JsonObject): ReadonlyArray<Cause> => {
  if (!write.resource.custom) return []
  const kind = stringAt(object, "kind") ?? ""
  const version = stringAt(object, "apiVersion") ?? ""
  const expected = apiVersionOf(write.resource)
  return [
    ...(kind === write.resource.kind
      ? []
      : [wrong("kind", `Invalid value: ${quoted(kind)}: must be ${write.resource.kind}`)]),
    ...(version === expected ? [] : [wrong("apiVersion", `Invalid value: ${quoted(version)}: must be ${expected}`)])
  ]
}

const blocking = [
  "FieldValueNotSupported",
  "FieldValueRequired",
  "FieldValueTooLong",
  "FieldValueTooMany",
  "FieldValueTypeInvalid"
]

const unchecked = wrong(
  "<nil>",
  "Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation"
)

/** The status endpoint looks at the status alone, and says so in its paths. */
const schemaProblems = (
  { subresource }: Write,
  schema: JsonObject,
  object: JsonObject,
  old: JsonObject | undefined
): ReadonlyArray<Cause> =>
  problems(schema, object, old, "").map((cause) =>
    subresource === "status"
      ? {
          ...cause,
          message: cause.message.replace(`${cause.field} in body`, `${cause.field.replace(/^status\.?/u, "")} in body`)
        }
      : cause
  )

/** Whether the object may be kept; `old` is what it replaces. */
export const checked = (
  core: Core,
  write: Write,
  object: JsonObject,
  old: JsonObject | undefined
): Result.Result<void, ApiError> => {
  const { behaviours, kinds } = core
  const schema = write.resource.schema
  const causes: Array<Cause> = [...metadataProblems(object), ...typeProblems(write, object)]
  if (old !== undefined) causes.push(...updateProblems(core, object, old))
  if (schema !== undefined && behaviours.schemasChecked) causes.push(...schemaProblems(write, schema, object, old))
  if (schema === undefined && behaviours.builtInsChecked) causes.push(...builtInProblems(write.resource, object, old))
  const rules = behaviours.rulesChecked ? kinds.rulesOf(write.resource) : undefined
  if (rules !== undefined) {
    if (causes.some((cause) => blocking.includes(cause.reason))) causes.push(unchecked)
    else causes.push(...brokenRules(rules, object, old, ""))
  }
  if (causes.length === 0) return Result.succeed(undefined)
  const name = stringAt(object, "metadata", "name") ?? ""
  return Result.fail(
    invalidObject(
      {
        ...write.resource,
        ...(write.resource.storage === "events" ? { group: "" } : {}),
        kind: stringAt(object, "kind") ?? ""
      },
      name,
      causes
    )
  )
}

const serverOwned = ["uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds"]

/** The metadata of a write, with what only the server sets as it was. */
export const systemFieldsKept = (core: Core, proposed: JsonObject, old: JsonObject): JsonObject => {
  if (!core.behaviours.systemFieldsKept) return proposed
  const before = objectAt(old, "metadata")
  const metadata: Record<string, JsonObject[string]> = { ...objectAt(proposed, "metadata") }
  for (const field of serverOwned) {
    const value = before[field]
    const checkedLater = (field === "uid" || field === "deletionTimestamp") && metadata[field] !== undefined
    if (checkedLater) continue
    if (value === undefined) delete metadata[field]
    else metadata[field] = value
  }
  return { ...proposed, metadata }
}

/** Whether two states of an object differ in anything but who owns what. */
export const sameContent = (a: JsonObject, b: JsonObject): boolean => {
  const bare = (object: JsonObject) => {
    const { managedFields: _m, resourceVersion: _r, ...metadata } = objectAt(object, "metadata")
    return { ...object, metadata }
  }
  return isObject(a) && equal(bare(a), bare(b))
}
