/** JSON as the API server stores it: never changed in place, compared by value, reached into by path. */
import { Result } from "effect"

export type Json = null | boolean | number | string | ReadonlyArray<Json> | JsonObject
export interface JsonObject {
  readonly [key: string]: Json
}

export const isArray = (value: Json | undefined): value is ReadonlyArray<Json> => Array.isArray(value)

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The text as JSON, or what is wrong with it in the words of Go's decoder. */
export const parseJson = (text: string): Result.Result<Json, string> =>
  Result.try({
    try: (): Json => JSON.parse(text),
    catch: (cause) => {
      const message = String(cause)
      const at = /Unexpected token '?(.)'?/u.exec(message)?.[1]
      return at === undefined || /end of JSON|Unterminated/u.test(message)
        ? "unexpected end of JSON input"
        : `invalid character '${at}' looking for beginning of value`
    }
  })

export const at = (value: Json | undefined, ...path: ReadonlyArray<string>): Json | undefined =>
  path.reduce<Json | undefined>((inner, key) => (isObject(inner) ? inner[key] : undefined), value)

export const objectAt = (value: Json | undefined, ...path: ReadonlyArray<string>): JsonObject => {
  const found = at(value, ...path)
  return isObject(found) ? found : {}
}

export const listAt = (value: Json | undefined, ...path: ReadonlyArray<string>): ReadonlyArray<Json> => {
  const found = at(value, ...path)
  return isArray(found) ? found : []
}

export const stringAt = (value: Json | undefined, ...path: ReadonlyArray<string>): string | undefined => {
  const found = at(value, ...path)
  return typeof found === "string" ? found : undefined
}

export const numberAt = (value: Json | undefined, ...path: ReadonlyArray<string>): number | undefined => {
  const found = at(value, ...path)
  return typeof found === "number" ? found : undefined
}

export const stringsAt = (value: Json | undefined, ...path: ReadonlyArray<string>): ReadonlyArray<string> =>
  listAt(value, ...path).filter((item) => typeof item === "string")

/** The object without these keys. */
export const without = (object: JsonObject, ...keys: ReadonlyArray<string>): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)))

/** The object with the value at the path, or without it when the value is undefined. */
export const withAt = (object: JsonObject, path: ReadonlyArray<string>, value: Json | undefined): JsonObject => {
  const [key, ...rest] = path
  if (key === undefined) return isObject(value) ? value : object
  if (rest.length > 0) return { ...object, [key]: withAt(objectAt(object, key), rest, value) }
  return value === undefined ? without(object, key) : { ...object, [key]: value }
}

export const equal = (a: Json | undefined, b: Json | undefined): boolean => {
  if (a === b) return true
  if (isArray(a) && isArray(b)) return a.length === b.length && a.every((item, index) => equal(item, b[index]))
  if (!isObject(a) || !isObject(b)) return false
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && equal(a[key], b[key]))
}

/** A value taken from outside (a test's manifest) as JSON; what JSON cannot say is dropped, as a client would. */
export const fromUnknown = (value: unknown): Json => {
  const encoded = JSON.stringify(value)
  const parsed: Json = encoded === undefined ? null : JSON.parse(encoded)
  return parsed
}

/** Go's `%q` of a string, which every message of the API server uses. */
export const quoted = (text: string): string => JSON.stringify(text)

/** How Go names the JSON type of a value. */
export const typeName = (value: Json): string =>
  isArray(value) ? "array" : value === null ? "null" : typeof value === "object" ? "object" : typeof value
