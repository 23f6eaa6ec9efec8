/** The rules that the metadata of every object follows. */
import type { Cause } from "./ApiError.ts"
import {
  isArray,
  isObject,
  type Json,
  type JsonObject,
  objectAt,
  quoted,
  stringAt,
  stringsAt,
  typeName
} from "./Json.ts"

const isText = (value: Json): boolean => typeof value === "string" || value === null

const unmarshal = (field: string, value: Json, type: string): string =>
  `json: cannot unmarshal ${typeName(value)} into Go struct field ObjectMeta.${field} of type ${type}`

/** Why the metadata cannot be read at all, in the words of Go's decoder. */
export const unreadable = (object: JsonObject): string | undefined => {
  const metadata = objectAt(object, "metadata")
  for (const field of ["name", "generateName", "namespace", "uid", "resourceVersion"]) {
    const value = metadata[field]
    if (value !== undefined && !isText(value)) return unmarshal(field, value, "string")
  }
  for (const field of ["labels", "annotations"]) {
    const value = metadata[field]
    if (value === undefined || value === null) continue
    if (!isObject(value)) return unmarshal(field, value, "map[string]string")
    const odd = Object.values(value).find((one) => !isText(one))
    if (odd !== undefined) return unmarshal(field, odd, "string")
  }
  const finalizers = metadata.finalizers ?? []
  if (!isArray(finalizers)) return unmarshal("finalizers", finalizers, "[]string")
  const odd = finalizers.find((one) => !isText(one))
  return odd === undefined ? undefined : unmarshal("finalizers", odd, "string")
}

const standard = ["orphan", "foregroundDeletion", "kubernetes"]

/** What the server warns of when an object is written that has a finalizer whose name says nothing of its owner. */
export const finalizerWarnings = (object: JsonObject): ReadonlyArray<string> =>
  stringsAt(object, "metadata", "finalizers")
    .filter((name) => !name.includes("/") && !standard.includes(name))
    .map((name) => {
      const path = name.includes(".") ? " including a path (/)" : ""
      return `metadata.finalizers: ${quoted(name)}: prefer a domain-qualified finalizer name${path} to avoid accidental conflicts with other finalizer writers`
    })

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/u
const labelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/u

const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
const labelRule =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"

const wrong = (field: string, message: string, reason = "FieldValueInvalid"): Cause => ({ reason, message, field })

const mostAnnotations = 262_144

/** What is wrong with names, labels and annotations. */
export const metadataProblems = (object: JsonObject): ReadonlyArray<Cause> => {
  const metadata = objectAt(object, "metadata")
  const name = stringAt(metadata, "name") ?? ""
  const found: Array<Cause> = []
  if (name === "") {
    found.push(wrong("metadata.name", "Required value: name or generateName is required", "FieldValueRequired"))
  } else if (!subdomain.test(name) || name.length > 253) {
    found.push(wrong("metadata.name", `Invalid value: ${quoted(name)}: ${subdomainRule}`))
  }
  for (const value of Object.values(objectAt(metadata, "labels"))) {
    if (typeof value === "string" && (!labelValue.test(value) || value.length > 63)) {
      found.push(wrong("metadata.labels", `Invalid value: ${quoted(value)}: ${labelRule}`))
    }
  }
  const size = Object.entries(objectAt(metadata, "annotations")).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(typeof value === "string" ? value : ""),
    0
  )
  if (size > mostAnnotations) {
    found.push(
      wrong("metadata.annotations", `Too long: may not be more than ${mostAnnotations} bytes`, "FieldValueTooLong")
    )
  }
  return found
}
