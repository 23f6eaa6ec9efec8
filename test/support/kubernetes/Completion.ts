/**
 * What a structural schema does to an object before it is checked: unknown fields go, nulls where none are allowed go,
 * defaults come. Every unknown field is reported by its path, for `fieldValidation`.
 */
import { isArray, isObject, type Json, type JsonObject, objectAt } from "./Json.ts"

export interface CompletionOptions {
  readonly prune: boolean
  readonly defaults: boolean
}

export interface Completed {
  readonly object: JsonObject
  readonly unknown: ReadonlyArray<string>
}

const metadataFields = [
  "annotations",
  "creationTimestamp",
  "deletionGracePeriodSeconds",
  "deletionTimestamp",
  "finalizers",
  "generateName",
  "generation",
  "labels",
  "managedFields",
  "name",
  "namespace",
  "ownerReferences",
  "resourceVersion",
  "selfLink",
  "uid"
]

const join = (path: string, key: string): string => (path === "" ? key : `${path}.${key}`)

/** The schema of a field, if the schema knows the field. */
export const childSchema = (schema: JsonObject, key: string): JsonObject | undefined => {
  const property = objectAt(schema, "properties")[key]
  if (isObject(property)) return property
  const additional = schema.additionalProperties
  if (isObject(additional)) return additional
  return additional === true ? { "x-kubernetes-preserve-unknown-fields": true } : undefined
}

const preserves = (schema: JsonObject): boolean => schema["x-kubernetes-preserve-unknown-fields"] === true

const complete = (
  schema: JsonObject,
  value: Json,
  path: string,
  options: CompletionOptions,
  unknown: Array<string>
): Json => {
  if (isArray(value)) {
    const items = objectAt(schema, "items")
    return value.map((item, index) => complete(items, item, `${path}[${index}]`, options, unknown))
  }
  return isObject(value) ? completeObject(schema, value, path, options, unknown) : value
}

const completeObject = (
  schema: JsonObject,
  value: JsonObject,
  path: string,
  options: CompletionOptions,
  unknown: Array<string>
): JsonObject => {
  const result: Record<string, Json> = {}
  for (const [key, inner] of Object.entries(value)) {
    const child = childSchema(schema, key)
    if (child === undefined) {
      if (preserves(schema)) result[key] = inner
      else {
        unknown.push(join(path, key))
        if (!options.prune) result[key] = inner
      }
    } else if (inner !== null || child.nullable === true || preserves(child)) {
      result[key] = complete(child, inner, join(path, key), options, unknown)
    }
  }
  if (options.defaults) {
    for (const [key, property] of Object.entries(objectAt(schema, "properties"))) {
      const byDefault = isObject(property) ? property.default : undefined
      if (byDefault !== undefined && isObject(property) && !(key in result)) {
        result[key] = complete(property, byDefault, join(path, key), options, [])
      }
    }
  }
  return result
}

/** The object as it will be kept. `apiVersion`, `kind` and the known metadata are never the schema's business. */
export const completed = (schema: JsonObject, object: JsonObject, options: CompletionOptions): Completed => {
  const unknown: Array<string> = []
  const { apiVersion, kind, metadata, ...content } = object
  const known: Record<string, Json> = {}
  for (const [key, value] of Object.entries(isObject(metadata) ? metadata : {})) {
    if (!metadataFields.includes(key)) unknown.push(`metadata.${key}`)
    else if (value !== null) known[key] = value
  }
  const rest = completeObject(schema, content, "", options, unknown)
  return {
    object: {
      ...(apiVersion === undefined ? {} : { apiVersion }),
      ...(kind === undefined ? {} : { kind }),
      metadata: known,
      ...rest
    },
    unknown: unknown.sort()
  }
}
