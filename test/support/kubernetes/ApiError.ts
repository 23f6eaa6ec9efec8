/** What the API server answers instead of doing what was asked: `Status` bodies with its own words. */
import { Data } from "effect"
import { type JsonObject, quoted } from "./Json.ts"
import type { Resource } from "./Resource.ts"

/** `body` is the `Status`; its code is the HTTP status. */
export class ApiError extends Data.TaggedError("ApiError")<{ readonly code: number; readonly body: JsonObject }> {}

export interface Cause {
  readonly reason: string
  readonly message: string
  readonly field: string
}

interface Named {
  readonly group: string
  readonly kind: string
  readonly name?: string
}

const qualified = (resource: { readonly plural: string; readonly group: string }): string =>
  resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`

const named = (resource: Resource, name?: string): Named => ({
  ...(name === undefined || name === "" ? {} : { name }),
  group: resource.group,
  kind: resource.plural
})

const failure = (code: number, reason: string, message: string, details?: JsonObject): ApiError =>
  new ApiError({
    code,
    body: {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message,
      ...(reason === "" ? {} : { reason }),
      ...(details === undefined ? {} : { details }),
      code
    }
  })

const details = (of: Named): JsonObject =>
  Object.fromEntries(Object.entries(of).filter(([key, value]) => key !== "group" || value !== ""))

export const badRequest = (message: string) => failure(400, "BadRequest", message)
export const internal = (message: string) => failure(500, "", message)
export const unauthorized = () => failure(401, "Unauthorized", "Unauthorized")
export const methodNotAllowed = (verb: string, resource: Resource) =>
  failure(
    405,
    "MethodNotAllowed",
    `${verb} is not supported on resources of kind ${quoted(qualified(resource))}`,
    details(named(resource))
  )
export const notAcceptable = () =>
  failure(
    406,
    "NotAcceptable",
    "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf"
  )
export const unsupportedMediaType = (accepted: ReadonlyArray<string>) =>
  failure(
    415,
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`
  )

export const notFound = (resource: Resource, name: string) =>
  failure(404, "NotFound", `${qualified(resource)} ${quoted(name)} not found`, details(named(resource, name)))

export const namespaceNotFound = (name: string) =>
  failure(404, "NotFound", `namespaces ${quoted(name)} not found`, { name, kind: "namespaces" })

export const alreadyExists = (resource: Resource, name: string) =>
  failure(409, "AlreadyExists", `${qualified(resource)} ${quoted(name)} already exists`, details(named(resource, name)))

export const conflict = (resource: Resource, name: string, why: string) =>
  failure(
    409,
    "Conflict",
    `Operation cannot be fulfilled on ${qualified(resource)} ${quoted(name)}: ${why}`,
    details(named(resource, name))
  )

/** A precondition of a delete speaks of the kind, not of the resource. */
export const deleteConflict = (resource: Resource, name: string, why: string) =>
  conflict({ ...resource, plural: resource.kind }, name, why)

export const modified = (resource: Resource, name: string) =>
  conflict(
    resource,
    name,
    "the object has been modified; please apply your changes to the latest version and try again"
  )

export const applyConflict = (message: string, causes: ReadonlyArray<Cause>) =>
  failure(409, "Conflict", message, { causes: causes.map((cause) => ({ ...cause })) })

export const expired = (message: string, continueToken?: string) => {
  const error = failure(410, "Expired", message)
  return continueToken === undefined
    ? error
    : new ApiError({ code: 410, body: { ...error.body, metadata: { continue: continueToken } } })
}

export const tooLargeResourceVersion = (asked: number, current: number) =>
  failure(504, "Timeout", `Timeout: Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    retryAfterSeconds: 1
  })

export const unprocessable = () =>
  failure(422, "Invalid", "the server rejected our request due to an error in our request", {})

/** 422 with one cause per wrong field. `of` is the kind for an object's content, the plural for its version. */
export const invalid = (of: Named, causes: ReadonlyArray<Cause>) => {
  const lines = causes.map((cause) => `${cause.field}: ${cause.message}`)
  const unique = lines.filter((line, index) => lines.indexOf(line) === index)
  const what = of.group === "" ? of.kind : `${of.kind}.${of.group}`
  return failure(
    422,
    "Invalid",
    `${what} ${quoted(of.name ?? "")} is invalid: ${unique.length === 1 ? unique[0] : `[${unique.join(", ")}]`}`,
    { ...details(of), causes: causes.map((cause) => ({ ...cause })) }
  )
}

export const invalidObject = (resource: Resource, name: string, causes: ReadonlyArray<Cause>) =>
  invalid({ ...(name === "" ? {} : { name }), group: resource.group, kind: resource.kind }, causes)

/** 422 for a wrong query parameter. */
export const invalidOptions = (kind: string, field: string, reason: string, message: string) =>
  invalid({ group: "meta.k8s.io", kind }, [{ field, reason, message }])

export interface Attempt {
  readonly user: string
  readonly verb: string
  readonly path: string
  readonly resource?: { readonly plural: string; readonly group: string; readonly subresource?: string }
  readonly namespace?: string
  readonly name?: string
}

export const forbidden = (attempt: Attempt) => {
  const who = `User ${quoted(attempt.user)} cannot ${attempt.verb}`
  const resource = attempt.resource
  if (resource === undefined) return failure(403, "Forbidden", `forbidden: ${who} path ${quoted(attempt.path)}`, {})
  const what = resource.subresource === undefined ? resource.plural : `${resource.plural}/${resource.subresource}`
  const where =
    attempt.namespace === undefined ? "at the cluster scope" : `in the namespace ${quoted(attempt.namespace)}`
  const subject = attempt.name === undefined ? qualified(resource) : `${qualified(resource)} ${quoted(attempt.name)}`
  return failure(
    403,
    "Forbidden",
    `${subject} is forbidden: ${who} resource ${quoted(what)} in API group ${quoted(resource.group)} ${where}`,
    details({
      ...(attempt.name === undefined ? {} : { name: attempt.name }),
      group: resource.group,
      kind: resource.plural
    })
  )
}
