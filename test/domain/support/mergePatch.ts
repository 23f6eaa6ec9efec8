/** JSON merge patch as RFC 7386 section 2 puts it, written from the standard and from nothing of ours. */
import type { Schema } from "effect"
import type { JsonObject } from "../../../src/domain/Resource.ts"

const isObject = (value: Schema.Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The patch comes over the wire: what JSON cannot say does not arrive. */
const overTheWire = (patch: JsonObject): JsonObject => JSON.parse(JSON.stringify(patch))

const apply = (target: Schema.Json | undefined, patch: Schema.Json): Schema.Json => {
  if (!isObject(patch)) return patch
  const result = new Map<string, Schema.Json>(Object.entries(isObject(target) ? target : {}))
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) result.delete(name)
    else result.set(name, apply(result.get(name), value))
  }
  return Object.fromEntries(result)
}

export const mergePatch = (target: Schema.Json | undefined, patch: JsonObject): Schema.Json =>
  apply(target, overTheWire(patch))
