/** In which form an answer is sent: the object itself, its metadata, or a table. */
import { Result } from "effect"
import { type ApiError, notAcceptable } from "./ApiError.ts"
import type { Behaviours } from "./Behaviours.ts"
import { shown } from "./EventViews.ts"
import { isArray, isObject, type Json, type JsonObject } from "./Json.ts"
import type { Resource } from "./Resource.ts"
import { metadataOnly, rowMetadata, table } from "./Tables.ts"

export type Form = "object" | "metadata" | "table"

const jsonTypes = ["", "*/*", "application/*", "application/json"]

/** The first form in the `Accept` header that is served. */
export const acceptedForm = (accept: string | undefined, behaviours: Behaviours): Result.Result<Form, ApiError> => {
  for (const range of (accept ?? "").split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim())
    const as = parameters.find((parameter) => parameter.startsWith("as="))?.slice(3)
    if (!jsonTypes.includes(type)) continue
    if (as === undefined) return Result.succeed("object")
    if (as === "Table" && behaviours.tables) return Result.succeed("table")
    if (as.startsWith("PartialObjectMetadata") && behaviours.partialMetadata) return Result.succeed("metadata")
    if (as === "Table" || as.startsWith("PartialObjectMetadata")) return Result.succeed("object")
  }
  return behaviours.acceptChecked ? Result.fail(notAcceptable()) : Result.succeed("object")
}

export interface Rendering {
  readonly form: Form
  readonly resource: Resource
  readonly include: string
  readonly now: () => number
}

/** One object in the form asked for. */
export const rendered = (rendering: Rendering, object: JsonObject): JsonObject => {
  const { form, resource } = rendering
  if (form === "metadata") return metadataOnly(object)
  if (form === "object") return shown(resource, object)
  return table(resource, [object], {
    include: rendering.include,
    now: rendering.now(),
    metadata: rowMetadata(object)
  })
}

const texts = new WeakMap<JsonObject, string>()

/** Fields in alphabetical order, as a real API server sends those of custom resources, whatever order they came in. */
const inOrder = (value: Json): Json => {
  if (isArray(value)) return value.map(inOrder)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, inner]) => [key, inOrder(inner)])
  )
}

/** The object as text, made once for each state of an object however often it is sent. */
export const textOf = (object: JsonObject): string => {
  const known = texts.get(object)
  if (known !== undefined) return known
  const text = JSON.stringify(inOrder(object))
  texts.set(object, text)
  return text
}
