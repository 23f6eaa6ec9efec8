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

/** 0x100000001b3 is 2^40 and this. */
const PRIME_LOW = 0x1b3

/** FNV-1a of 64 bits in two halves of 32, because arithmetic on a bigint costs a hundred times as much. */
const fnv1a64 = (bytes: Uint8Array): string => {
  let high = 0xcbf29ce4
  let low = 0x84222325
  for (const byte of bytes) {
    const mixed = (low ^ byte) >>> 0
    const product = mixed * PRIME_LOW
    const carried = high * PRIME_LOW + Math.floor(product / 2 ** 32) + mixed * 2 ** 8
    low = product >>> 0
    high = carried >>> 0
  }
  return [high, low].map((half) => half.toString(16).padStart(8, "0")).join("")
}

const encoder = new TextEncoder()

export const configVersion = (spec: { readonly [key: string]: Schema.Json }): string =>
  fnv1a64(encoder.encode(canonical(spec)))
