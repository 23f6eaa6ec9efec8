/** Label and field selectors: text to a test of objects. */
import { Result } from "effect"
import { type ApiError, badRequest } from "./ApiError.ts"
import type { Behaviours } from "./Behaviours.ts"
import { at, type JsonObject, stringAt } from "./Json.ts"
import type { Resource } from "./Resource.ts"

export type Selects = (object: JsonObject) => boolean

const everything: Selects = () => true

const unescaped = (text: string): string => text.replace(/\\([,=\\])/gu, "$1")

const fieldValue = (object: JsonObject, field: string): string => {
  const value = at(object, ...field.split("."))
  return value === undefined || value === null || typeof value === "object" ? "" : String(value)
}

export const fieldSelector = (
  resource: Resource,
  text: string,
  behaviours: Behaviours
): Result.Result<Selects, ApiError> => {
  if (text === "" || !behaviours.fieldSelectors) return Result.succeed(everything)
  const known = ["metadata.name", ...(resource.namespaced ? ["metadata.namespace"] : []), ...resource.selectable]
  return Result.gen(function* () {
    const requirements: Array<Selects> = []
    for (const term of text.split(/(?<!\\),/u)) {
      const parts = /^([^=!]+)(!=|==|=)(.*)$/su.exec(term)
      const [, field, operator, value] = parts ?? []
      if (field === undefined || value === undefined) {
        return yield* Result.fail(badRequest(`invalid selector: '${text}'; can't understand '${term}'`))
      }
      if (behaviours.unknownFieldSelectorsRefused && !known.includes(field)) {
        return yield* Result.fail(badRequest(`field label not supported: ${field}`))
      }
      const wanted = unescaped(value)
      requirements.push((object) => (fieldValue(object, field) === wanted) === (operator !== "!="))
    }
    return (object: JsonObject) => requirements.every((holds) => holds(object))
  })
}

const requirement = (term: string): Selects | undefined => {
  const label = (object: JsonObject, key: string) => stringAt(object, "metadata", "labels", key)
  const set = /^([^\s!=,()]+)\s+(in|notin)\s+\(([^()]+)\)$/u.exec(term)
  if (set !== null) {
    const [, key = "", operator, list = ""] = set
    const values = list.split(",").map((value) => value.trim())
    return (object) => values.includes(label(object, key) ?? "\u0000") === (operator === "in")
  }
  const equality = /^([^\s!=,()]+)\s*(!=|==|=)\s*([^\s!=,()]*)$/u.exec(term)
  if (equality !== null) {
    const [, key = "", operator, value] = equality
    return (object) => (label(object, key) === value) === (operator !== "!=")
  }
  const existence = /^(!?)\s*([^\s!=,()]+)$/u.exec(term)
  if (existence === null) return undefined
  const [, not, key = ""] = existence
  return (object) => (label(object, key) !== undefined) === (not === "")
}

export const labelSelector = (text: string, behaviours: Behaviours): Result.Result<Selects, ApiError> => {
  if (text.trim() === "" || !behaviours.labelSelectors) return Result.succeed(everything)
  const requirements = text.split(/,(?![^()]*\))/u).map((term) => requirement(term.trim()))
  const understood = requirements.filter((one) => one !== undefined)
  return understood.length === requirements.length
    ? Result.succeed((object) => understood.every((holds) => holds(object)))
    : Result.fail(badRequest(`unable to parse requirement: found '${text}', expected: a label selector`))
}
