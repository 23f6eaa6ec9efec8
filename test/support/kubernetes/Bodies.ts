/** Bodies of requests: text to an object of the kind that is asked for, or what is wrong with it. */
import { Result } from "effect"
import { parse as parseYaml } from "yaml"
import { type ApiError, badRequest, unsupportedMediaType } from "./ApiError.ts"
import type { Core, Write } from "./Core.ts"
import { fromUnknown, isObject, type Json, type JsonObject, objectAt, parseJson, stringAt, typeName } from "./Json.ts"
import { apiVersionOf, type Resource } from "./Resource.ts"

export const mediaType = (contentType: string | undefined): string => (contentType ?? "").split(";")[0]?.trim() ?? ""

const yaml = (text: string): Result.Result<Json, string> =>
  Result.try({ try: () => fromUnknown(parseYaml(text)), catch: (cause) => String(cause) })

export const parseBody = (text: string, contentType: string): Result.Result<Json, string> =>
  contentType.includes("yaml") ? yaml(text) : parseJson(text)

const unrecognized = (resource: Resource, text: string, why: string) =>
  badRequest(
    `the object provided is unrecognized (must be of type ${resource.kind}): ${why} (${
      text === "" ? "<empty>" : text.length > 30 ? `${text.slice(0, 30)} ...` : text
    })`
  )

/** The body of a create or a PUT. */
export const decodeObject = (
  core: Core,
  write: Write,
  text: string,
  contentType: string
): Result.Result<JsonObject, ApiError> => {
  const { resource } = write
  const expected = apiVersionOf(resource)
  if (!["", "application/json", "application/yaml", "*/*"].includes(contentType)) {
    return Result.fail(
      unsupportedMediaType(["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"])
    )
  }
  const parsed = parseBody(text, contentType)
  if (!core.behaviours.malformedBodiesRefused) {
    const body = Result.isSuccess(parsed) && isObject(parsed.success) ? parsed.success : {}
    return placed(core, write, { ...body, apiVersion: expected, kind: resource.kind })
  }
  if (Result.isFailure(parsed)) {
    return Result.fail(unrecognized(resource, text, `couldn't get version/kind; json parse error: ${parsed.failure}`))
  }
  const body = parsed.success
  if (!isObject(body)) {
    const why = `couldn't get version/kind; json parse error: json: cannot unmarshal ${typeName(body)} into Go value`
    return Result.fail(unrecognized(resource, text, why))
  }
  if (stringAt(body, "kind") === undefined && (resource.custom || stringAt(body, "apiVersion") !== undefined)) {
    return Result.fail(unrecognized(resource, text, `Object 'Kind' is missing in '${text}'`))
  }
  const version = stringAt(body, "apiVersion")
  if (version !== undefined && version !== expected) {
    return Result.fail(
      badRequest(`the API version in the data (${version}) does not match the expected API version (${expected})`)
    )
  }
  return Result.map(placed(core, write, body), (object) => ({
    ...object,
    apiVersion: expected,
    kind: body.kind ?? resource.kind
  }))
}

const inPlace = (write: Write, body: JsonObject): JsonObject => ({
  ...body,
  metadata: {
    ...objectAt(body, "metadata"),
    ...(write.name === "" ? {} : { name: write.name }),
    ...(write.namespace === undefined ? {} : { namespace: write.namespace })
  }
})

/** The object in the place that the URL names; 400 when it says it belongs elsewhere. */
export const placed = (core: Core, write: Write, body: JsonObject): Result.Result<JsonObject, ApiError> => {
  const namespace = stringAt(body, "metadata", "namespace") ?? ""
  const name = stringAt(body, "metadata", "name") ?? ""
  if (!core.behaviours.malformedBodiesRefused) return Result.succeed(inPlace(write, body))
  if (write.namespace !== undefined && namespace !== "" && namespace !== write.namespace) {
    return Result.fail(
      badRequest("the namespace of the provided object does not match the namespace sent on the request")
    )
  }
  if (write.name !== "" && name !== "" && name !== write.name) {
    return Result.fail(
      badRequest(`the name of the object (${name}) does not match the name on the URL (${write.name})`)
    )
  }
  return Result.succeed(inPlace(write, body))
}
