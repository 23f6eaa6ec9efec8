/**
 * The one place where HTTP statuses, bodies and socket errors become `EdaError`s.
 */
import { isUnanswered } from "../../ports/Unanswered.ts"
import * as EdaError from "./EdaError.ts"

/** An answer as it came, header names in lower case. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
}

// ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Nobody reads more than this of a webhook's answer in a condition. */
const LONGEST_WORDS = 300

/** One bounded line, without what differs each time (ids, ports of connections) and without tokens. */
const shown = (text: string): string => {
  const line = text
    .replace(/\b(Bearer|Basic)\s+[\w.~+/=-]{16,}/gu, "$1 [redacted]")
    .replace(/\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/giu, "…")
    .replace(/\b(\d{1,3}(?:\.\d{1,3}){3}):\d+\b/gu, "$1")
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\s]+/gu, " ")
    .trim()
  const characters = [...line]
  return characters.length <= LONGEST_WORDS ? line : `${characters.slice(0, LONGEST_WORDS - 1).join("")}…`
}

const parsed = (body: string): unknown => {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** What an answer says: JSON's detail, a page's title, or the text. */
const wordsIn = (body: string): string => {
  const json = parsed(body)
  if (isRecord(json)) {
    const said = [json.detail, json.error, json.message].find((value) => typeof value === "string")
    return typeof said === "string" ? said : body
  }
  const title = /<title[^>]{0,200}>([^<]*)/iu.exec(body)?.[1]
  if (title !== undefined) return title
  return /<[a-z!/]/iu.test(body) ? "" : body
}

/** The words after `405: ` and after `500 Internal Server Error`, which the status has said already. */
const detailOf = (answer: Answer): string => {
  const words = shown(wordsIn(answer.body)).replace(/^\d{3}:? /u, "")
  const phrase = phrases[answer.status] ?? ""
  return words.toLowerCase().startsWith(phrase.toLowerCase()) ? words.slice(phrase.length).trim() : words
}

const phrases: Readonly<Record<number, string>> = {
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  413: "Payload Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout"
}

/** `404 Not Found` */
export const statusLine = (status: number): string =>
  phrases[status] === undefined ? `status ${status}` : `${status} ${phrases[status]}`

// ── an answer ────────────────────────────────────────────────────────────────────────────────────────────────────────

const LONGEST_PATIENCE = 600_000

/** `Retry-After`, seconds or a date, as milliseconds from `now`. */
const patience = (answer: Answer, now: number): number | undefined => {
  const header = answer.headers["retry-after"]?.trim() ?? ""
  if (header === "") return undefined
  const wait = /^\d+$/u.test(header) ? Number(header) * 1000 : Date.parse(header) - now
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), LONGEST_PATIENCE)
}

const redirected = (answer: Answer): EdaError.EdaError => {
  const location = answer.headers.location ?? ""
  const url = URL.parse(location)
  const place = url === null ? location.replace(/[?#].*$/su, "") : `${url.origin}${url.pathname}`
  return new EdaError.Redirected({ status: answer.status, location: shown(place) })
}

/** An answer that is not a success. `now` is in milliseconds since 1970. */
export const fromAnswer = (answer: Answer, now: number): EdaError.EdaError => {
  const { status } = answer
  if (status < 400) return redirected(answer)
  const detail = detailOf(answer)
  switch (status) {
    case 401:
      return new EdaError.Unauthorized({ detail })
    case 403:
      return new EdaError.Forbidden({ detail })
    case 404:
      return new EdaError.NotFound({ detail })
    case 405:
      return new EdaError.MethodNotAllowed({ detail })
    // a proxy lost patience: the busy receiver behind it may accept the event all the same
    case 408:
    case 504:
      return new EdaError.Timeout({ detail: statusLine(status) })
    case 413:
      return new EdaError.PayloadTooLarge({ detail })
    case 429:
      return new EdaError.TooManyRequests({ detail, retryAfter: patience(answer, now) })
    default:
      return status < 500
        ? new EdaError.BadRequest({ status, detail })
        : new EdaError.ServerFailure({ status, detail, retryAfter: patience(answer, now) })
  }
}

// ── no answer ────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Fault {
  readonly code: string
  readonly connecting: boolean
  readonly cause: unknown
}

/** The first error with a code in the chain of causes, the first of several addresses tried included. */
const faultOf = (error: unknown, depth = 0): Fault | undefined => {
  if (typeof error !== "object" || error === null || depth > 6) return undefined
  if ("code" in error && typeof error.code === "string" && error.code !== "") {
    return { code: error.code, connecting: "syscall" in error && error.syscall === "connect", cause: error }
  }
  const inner: ReadonlyArray<unknown> = [
    ...("errors" in error && Array.isArray(error.errors) ? error.errors : []),
    ...("reason" in error ? [error.reason] : []),
    ...("cause" in error ? [error.cause] : [])
  ]
  for (const one of inner) {
    const found = faultOf(one, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}

const dns = /^(ENOTFOUND|EAI_[A-Z]+|ENODATA|ESERVFAIL|EREFUSED|EFORMERR|ETIMEOUT)$/u
const neverConnected = /^(ECONNREFUSED|UND_ERR_CONNECT_TIMEOUT|ERR_INVALID_URL)$/u
const tls =
  /^(CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|ERROR_IN_C|ERR_TLS_|ERR_SSL_|EPROTO)/u
/** TLS errors of a connection that already carries requests. */
const midway = /BAD_RECORD_MAC|DECRYPT|RENEGOTIATION|UNEXPECTED_EOF/u
const slow = /^UND_ERR_(HEADERS|BODY)_TIMEOUT$/u

/**
 * A request that got no answer. What was written may have been applied, whatever the code says. The request itself, which
 * carries the token, is not kept.
 */
export const fromTransport = (error: unknown): EdaError.EdaError => {
  const fault = faultOf(error) ?? { code: "UNKNOWN", connecting: false, cause: undefined }
  const broken = { code: fault.code.replace(/[^\w-]/gu, "_").slice(0, 80), cause: fault.cause }
  if (!isUnanswered(error)) {
    if (dns.test(fault.code)) return new EdaError.NameNotResolved(broken)
    if (fault.connecting || neverConnected.test(fault.code)) return new EdaError.Unreachable(broken)
    if (tls.test(fault.code) && !midway.test(fault.code)) return new EdaError.TlsFailure(broken)
  }
  if (slow.test(fault.code)) return new EdaError.Timeout({ detail: broken.code })
  return new EdaError.ConnectionReset(broken)
}
