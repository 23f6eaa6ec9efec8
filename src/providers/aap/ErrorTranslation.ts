/**
 * The one place where HTTP statuses, bodies and socket errors become `AapError`s.
 *
 * What decides a job's fate (404, 405) is believed only in AAP's own JSON: the same status as a page comes from a proxy or
 * a wrong address, and proves nothing.
 */
import { isUnanswered } from "../../ports/Unanswered.ts"
import * as AapError from "./AapError.ts"
import { cut, stable, wordsOf } from "./PlainText.ts"
import * as RetryAfter from "./RetryAfter.ts"

/** An answer as it came, header names in lower case. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
}

/** The body as JSON, or undefined. */
export const json = (body: string): unknown => {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** What a page that is not JSON says: its title, or its text where it has no markup. */
const page = (body: string): string => {
  const title = /<title[^>]{0,200}>([^<]{1,200})/iu.exec(body)?.[1]
  if (title !== undefined) return stable(title, 200)
  return /<[a-z!/]/iu.test(body) ? "" : stable(body, 200)
}

/** Why this is not the API, in words. */
const strange = (answer: Answer): string => {
  const words = page(answer.body)
  const html = /<[a-z!/]/iu.test(answer.body) || (answer.headers["content-type"]?.includes("html") ?? false)
  const what = answer.body.trim() === "" ? "an empty answer" : html ? "HTML" : "text"
  return words === "" ? what : `${what} ("${words}")`
}

/** An answer that should have been JSON of a certain shape, and is not. */
export const unreadable = (answer: Answer): AapError.AapError => {
  const type = answer.headers["content-type"] ?? ""
  const claimed = type.includes("json") || /^\s*[{[]/u.test(answer.body)
  return claimed
    ? new AapError.MalformedJson({ status: answer.status, detail: "" })
    : new AapError.NotTheApi({ status: answer.status, detail: strange(answer) })
}

const refusal = (answer: Answer, body: object | undefined): AapError.AapError => {
  const detail = body === undefined ? page(answer.body) : stable(wordsOf(body))
  const signed = body !== undefined && ("detail" in body || "error" in body)
  switch (answer.status) {
    case 401:
      return new AapError.Unauthorized({ detail })
    case 403:
      return new AapError.Forbidden({ detail })
    case 404:
      return signed ? new AapError.NotFound({ detail }) : unreadable(answer)
    case 405:
      return signed ? new AapError.MethodNotAllowed({ detail }) : unreadable(answer)
    case 408:
      return new AapError.Timeout({ detail: "408 Request Timeout" })
    case 409:
      return signed ? new AapError.Conflict({ detail }) : unreadable(answer)
    case 410:
      return signed ? new AapError.Gone({ detail }) : unreadable(answer)
    case 400:
      return body === undefined ? unreadable(answer) : new AapError.BadRequest({ status: 400, detail })
    default:
      return new AapError.BadRequest({ status: answer.status, detail })
  }
}

/** An answer that is not a success. `now` is in milliseconds since 1970. */
export const fromAnswer = (answer: Answer, now: number): AapError.AapError => {
  const parsed = json(answer.body)
  const body = isObject(parsed) ? parsed : undefined
  const retryAfter = RetryAfter.parse(answer.headers["retry-after"], now)
  const detail = body === undefined ? page(answer.body) : stable(wordsOf(body))
  if (answer.status < 400) return redirected(answer)
  if (answer.status === 429) return new AapError.TooManyRequests({ detail, retryAfter })
  if (answer.status < 500) return refusal(answer, body)
  if (answer.status === 503 && body !== undefined && retryAfter !== undefined) {
    return new AapError.Overloaded({ detail, retryAfter })
  }
  return new AapError.ServerFailure({ status: answer.status, detail, retryAfter, json: body !== undefined })
}

const redirected = (answer: Answer): AapError.AapError => {
  const location = answer.headers.location ?? ""
  const url = URL.parse(location)
  const shown = url === null ? location.replace(/[?#].*$/u, "") : `${url.origin}${url.pathname}`
  return new AapError.Redirected({ status: answer.status, location: stable(shown, 200) })
}

// ── no answer ────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Fault {
  readonly code: string
  readonly connecting: boolean
}

/** The first error code in the chain of causes, the first of several addresses tried included. */
const faultOf = (error: unknown, depth = 0): Fault | undefined => {
  if (typeof error !== "object" || error === null || depth > 6) return undefined
  if ("code" in error && typeof error.code === "string" && error.code !== "") {
    return { code: error.code, connecting: "syscall" in error && error.syscall === "connect" }
  }
  if ("errors" in error && Array.isArray(error.errors)) {
    for (const inner of error.errors) {
      const found = faultOf(inner, depth + 1)
      if (found !== undefined) return found
    }
  }
  if ("reason" in error) return faultOf(error.reason, depth + 1)
  return "cause" in error ? faultOf(error.cause, depth + 1) : undefined
}

const neverConnected = new Set(["ECONNREFUSED", "UND_ERR_CONNECT_TIMEOUT", "ERR_INVALID_URL"])
const dns = /^(ENOTFOUND|EAI_[A-Z]+|ENODATA|ESERVFAIL|EREFUSED|EFORMERR|ETIMEOUT)$/u
const slow = new Set(["UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT"])
const tls =
  /^(CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|ERROR_IN_C|ERR_TLS_|ERR_SSL_|EPROTO)/u
/** TLS errors of a connection that already carries requests. */
const midway = /BAD_RECORD_MAC|DECRYPT|RENEGOTIATION|UNEXPECTED_EOF/u

/** A request that got no answer, or only part of one. What was written may have been applied, whatever the code says. */
export const fromTransport = (error: unknown): AapError.AapError => {
  const { code, connecting } = faultOf(error) ?? { code: "UNKNOWN", connecting: false }
  const shown = cut(code.replace(/[^\w-]/gu, "_"), 80)
  const written = isUnanswered(error)
  const never = connecting || neverConnected.has(code) || dns.test(code)
  if (never && !written) return new AapError.Unreachable({ code: shown })
  if (tls.test(code) && !midway.test(code) && !written) return new AapError.TlsFailure({ code: shown })
  if (slow.has(code)) return new AapError.Timeout({ detail: shown })
  return new AapError.ConnectionReset({ code: shown })
}
