/**
 * Which machine a spec describes: 16 hexadecimal digits that change when, and only when, the spec does.
 *
 * FNV-1a-64 over compact JSON, byte for byte what earlier operators computed, so that upgrading one provisions nothing.
 */
import type { Schema } from "effect"

/** Keys that come first, in this order; all others follow alphabetically. */
const leading = ["templateID", "templateParameters", "restartRequestedAt"]

const escapes: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029"
}

/** JSON as Go's encoding/json writes it: the characters that browsers trip over are escaped. */
const encode = (value: Schema.Json): string =>
  JSON.stringify(value).replace(/[<>&\u2028\u2029]/gu, (character) => escapes[character] ?? character)

const rank = (key: string): number => {
  const index = leading.indexOf(key)
  return index === -1 ? leading.length : index
}

const byRank = (a: string, b: string): number => rank(a) - rank(b) || (a < b ? -1 : 1)

/** The canonical text that is hashed; absent and null fields are left out. */
export const canonical = (spec: { readonly [key: string]: Schema.Json }): string =>
  `{${Object.keys(spec)
    .filter((key) => spec[key] !== undefined && spec[key] !== null)
    .sort(byRank)
    .map((key) => `${encode(key)}:${encode(spec[key] ?? null)}`)
    .join(",")}}`

const OFFSET = 0xcbf29ce484222325n
const PRIME = 0x100000001b3n

const fnv1a64 = (bytes: Uint8Array): bigint => {
  let hash = OFFSET
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * PRIME)
  return hash
}

export const configVersion = (spec: { readonly [key: string]: Schema.Json }): string =>
  fnv1a64(new TextEncoder().encode(canonical(spec)))
    .toString(16)
    .padStart(16, "0")
