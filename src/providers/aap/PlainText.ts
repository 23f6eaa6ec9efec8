/**
 * Other people's texts made fit for a condition: one line, no control characters, bounded, and the same words each time
 * the same thing happens, so that a condition does not change because a request id did.
 */

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** A condition's message should stay readable in a terminal. */
export const LIMIT = 1000

/** At most `limit` bytes of UTF-8, cut at a character and marked. */
export const cut = (text: string, limit: number): string => {
  const bytes = encoder.encode(text)
  if (bytes.byteLength <= limit) return text
  return `${decoder.decode(bytes.subarray(0, limit - 3)).replace(/\uFFFD+$/u, "")}…`
}

/** Nothing beyond this reaches a message anyway, and to look through more would take its time. */
const LOOKED_AT = 64 * 1024

/** One bounded line without what moves the cursor, hides, or turns the direction of writing. */
export const plain = (text: string, limit: number = LIMIT): string =>
  cut(
    text
      .slice(0, LOOKED_AT)
      .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\s]+/gu, " ")
      .trim(),
    limit
  )

/** The text without the secret, however a server may have written it down. So short a word is no secret. */
export const without = (secret: string, text: string): string => {
  if (secret.length < 8) return text
  const written = [
    secret,
    JSON.stringify(secret).slice(1, -1),
    secret.replaceAll("/", "\\/"),
    encodeURIComponent(secret)
  ]
  return [...new Set(written)].reduce((rest, form) => rest.replaceAll(form, "<redacted>"), text)
}

/** `plain`, without what differs each time (request ids, ports of connections) and what must not be shown (tokens). */
export const stable = (text: string, limit: number = LIMIT): string =>
  plain(
    text
      .slice(0, LOOKED_AT)
      .replace(/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/giu, "$1 <redacted>")
      .replace(/\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/giu, "…")
      .replace(/\b[0-9a-f]{20,}\b/giu, "…")
      .replace(/\b(\d{1,3}(?:\.\d{1,3}){3}):\d+\b/gu, "$1"),
    limit
  )

const entries = (value: unknown): ReadonlyArray<readonly [string, unknown]> =>
  typeof value === "object" && value !== null ? Object.entries(value) : []

/** Keys that say nothing to a person. */
const silent = new Set(["detail", "__all__", "non_field_errors", "error", "msg", "message"])

/** Nothing that is meant for people lies deeper. */
const DEEPEST = 8

/** The words in an error body: `inventory: Invalid pk "9" - object does not exist.` for lists, strings and nested objects. */
export const wordsOf = (body: unknown, depth = 0): string => {
  if (typeof body === "string") return body
  if (typeof body === "number" || typeof body === "boolean") return String(body)
  if (depth > DEEPEST) return "…"
  if (Array.isArray(body)) {
    return body
      .slice(0, 1_000)
      .map((one) => wordsOf(one, depth + 1))
      .filter(Boolean)
      .join(" ")
  }
  return entries(body)
    .slice(0, 1_000)
    .map(([key, value]) => {
      const words = wordsOf(value, depth + 1)
      return words === "" || silent.has(key) ? words : `${key}: ${words}`
    })
    .filter(Boolean)
    .join("; ")
}
