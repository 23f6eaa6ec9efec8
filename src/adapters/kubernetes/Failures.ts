/**
 * The one place where an answer of the API server, or the lack of one, becomes a typed `KubernetesReason`.
 *
 * A 404, 409 or 410 is believed only as the API server's own words, never as a proxy's page. Texts are bounded, free of
 * control characters, and free of the secrets they are given.
 */
import { Option } from "effect"
import {
  Conflict,
  Expired,
  Forbidden,
  Invalid,
  type KubernetesReason,
  NotFound,
  ServerFailure,
  TooManyRequests,
  Unauthorized,
  Unreachable
} from "../../ports/KubernetesClient.ts"
import { isRecord, type UnknownRecord } from "./KubernetesJson.ts"

/** An answer that is not a success, its body read as far as it is worth it. */
export interface Refusal {
  readonly status: number
  readonly contentType: string
  readonly body: string
  readonly retryAfter: Option.Option<string>
  readonly location: Option.Option<string>
}

/** What a translation must know beyond the answer itself. */
export interface Circumstances {
  /** Wall clock, milliseconds: for a Retry-After that is a date. */
  readonly now: number
  /** Origin of the API server, named in messages. */
  readonly server: string
  /** Never to be seen in a message, whoever wrote them there. */
  readonly secrets: ReadonlyArray<string>
}

const MAX_TEXT_BYTES = 1024

/** The longest beginning of `text` that fits into `bytes` of UTF-8 and ends with a whole code point. */
export const cutToBytes = (text: string, bytes: number): string => {
  if (text.length * 3 <= bytes || Buffer.byteLength(text) <= bytes) return text
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(bytes))
  return text.slice(0, read)
}

/** A text of unknown origin as it may stand in a message. */
export const presentable = (text: string, secrets: ReadonlyArray<string>): string => {
  const harmless = secrets.reduce((rest, secret) => rest.replaceAll(secret, "<redacted>"), text)
  return cutToBytes(harmless.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\s]+/gu, " ").trim(), MAX_TEXT_BYTES)
}

/** `Retry-After` in milliseconds from now: seconds or an HTTP date. Anything else is as if it were absent. */
const parseRetryAfter = (value: Option.Option<string>, now: number): Option.Option<number> =>
  Option.flatMap(value, (text) => {
    const trimmed = text.trim()
    if (/^\d{1,9}$/.test(trimmed)) return Option.some(Number(trimmed) * 1000)
    const date = /[a-z]/i.test(trimmed) ? Date.parse(trimmed) : Number.NaN
    return Number.isNaN(date) ? Option.none() : Option.some(Math.max(0, date - now))
  })

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const statusOf = (body: string): Option.Option<UnknownRecord> => {
  const json = parseJson(body)
  return isRecord(json) && json.kind === "Status" ? Option.some(json) : Option.none()
}

const isHtml = (contentType: string, body: string): boolean =>
  contentType.includes("html") || /^\s*<(!doctype|html)/i.test(body)

/** What came instead of what the API promises, in words. */
export const describeBody = (contentType: string, body: string): string => {
  if (isHtml(contentType, body)) {
    const title = /<title[^>]{0,200}>([^<]*)/i.exec(body)?.[1]?.trim() ?? ""
    return title === "" ? "an HTML page" : `an HTML page titled "${title}"`
  }
  const kind = contentType === "" ? "a body without Content-Type" : contentType
  if (body.trim() === "") return `${kind}, empty`
  // JSON may be an object with confidential parameters: only its kind is said.
  return statusOf(body)._tag === "None" && parseJson(body) !== undefined
    ? `${kind}, but not what was asked for`
    : `${kind}: ${cutToBytes(body, 200)}`
}

const retryAfterSeconds = (status: Option.Option<UnknownRecord>): Option.Option<string> =>
  Option.flatMap(status, (it) =>
    isRecord(it.details) && typeof it.details.retryAfterSeconds === "number" && it.details.retryAfterSeconds > 0
      ? Option.some(String(it.details.retryAfterSeconds))
      : Option.none()
  )

/** An answer that is not a success, as a reason. */
export const reasonOfRefusal = (refusal: Refusal, circumstances: Circumstances): KubernetesReason => {
  const status = statusOf(refusal.body)
  const said = Option.match(status, {
    onNone: () => describeBody(refusal.contentType, refusal.body),
    onSome: (it) =>
      typeof it.message === "string" && it.message !== "" ? it.message : String(it.reason ?? "no message")
  })
  return reasonOfCode({
    code: refusal.status,
    said,
    own: Option.isSome(status),
    refusal,
    retryAfter: parseRetryAfter(
      Option.orElse(refusal.retryAfter, () => retryAfterSeconds(status)),
      circumstances.now
    ),
    circumstances
  })
}

/** The `object` of a watch event of type ERROR, as a reason. */
export const reasonOfStatusObject = (object: unknown, circumstances: Circumstances): KubernetesReason => {
  const status = isRecord(object) ? object : {}
  const gone = status.reason === "Expired" || status.reason === "Gone"
  return reasonOfRefusal(
    {
      status: typeof status.code === "number" ? status.code : gone ? 410 : 500,
      contentType: "application/json",
      body: JSON.stringify({ ...status, kind: "Status" }),
      retryAfter: Option.none(),
      location: Option.none()
    },
    circumstances
  )
}

interface Finding {
  readonly code: number
  readonly said: string
  /** The API server itself answered: the body is a `Status`. */
  readonly own: boolean
  readonly refusal: Refusal
  readonly retryAfter: Option.Option<number>
  readonly circumstances: Circumstances
}

const reasonOfCode = (finding: Finding): KubernetesReason => {
  const { code, said, own, circumstances, retryAfter } = finding
  const text = (words: string) => presentable(words, circumstances.secrets)
  const foreign = () =>
    new ServerFailure({
      status: code,
      message: text(`${code} from ${circumstances.server} is not the API server's own answer but ${said}`),
      retryAfter
    })
  if (code < 400) return redirected(finding)
  switch (code) {
    case 401:
      return new Unauthorized({
        message: text(`401 Unauthorized: ${said}. Check the kubeconfig, or the ServiceAccount's token`)
      })
    case 403:
      return new Forbidden({ message: text(`403 Forbidden: ${said}`) })
    case 404:
      return own ? new NotFound({ message: text(`404 Not Found: ${said}`) }) : unknownPath(finding, foreign)
    case 409:
      return own ? new Conflict({ message: text(`409 Conflict: ${said}`) }) : foreign()
    case 410:
      return own ? new Expired({ message: text(`410 Gone: ${said}`) }) : foreign()
    case 429:
      return new TooManyRequests({ message: text(`429 Too Many Requests: ${said}`), retryAfter })
    default:
      return code >= 500 || code === 408
        ? new ServerFailure({
            status: code,
            message: text(`${code} from ${circumstances.server}: ${said}`),
            retryAfter
          })
        : new Invalid({ status: code, message: text(`${code}: ${said}`) })
  }
}

/**
 * The API server answers `404 page not found` as plain text for a group or version it does not serve, and so do many
 * proxies: it says nothing about an object.
 */
const unknownPath = (finding: Finding, foreign: () => ServerFailure): KubernetesReason =>
  finding.refusal.body.trim() === "404 page not found"
    ? new ServerFailure({
        status: 404,
        retryAfter: Option.none(),
        message: `404 Not Found: ${finding.circumstances.server} does not serve this resource. Is the CustomResourceDefinition installed, in this version?`
      })
    : foreign()

const redirected = ({ code, refusal, circumstances }: Finding): ServerFailure => {
  const target = Option.flatMap(refusal.location, (location) =>
    Option.fromNullishOr(URL.parse(location, circumstances.server)?.origin)
  )
  const where = Option.match(target, { onNone: () => "", onSome: (origin) => ` to ${origin}` })
  return new ServerFailure({
    status: code,
    message: presentable(
      `${circumstances.server} redirects (${code}${where}), which the API server never does: is the server URL right?`,
      circumstances.secrets
    ),
    retryAfter: Option.none()
  })
}

// ── no answer ────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Origin {
  readonly code: Option.Option<string>
  readonly message: string
}

/** The innermost error that has a code, through causes and through the several attempts of one connection. */
const innermost = (error: unknown, depth = 0): Origin => {
  if (!isRecord(error) || depth > 8) return { code: Option.none(), message: typeof error === "string" ? error : "" }
  const attempts = Array.isArray(error.errors) ? error.errors : []
  for (const inner of [error.reason, error.cause, ...attempts]) {
    const found = innermost(inner, depth + 1)
    if (Option.isSome(found.code)) return found
  }
  const code = typeof error.code === "string" && error.code !== "" ? Option.some(error.code) : Option.none()
  return { code, message: typeof error.message === "string" ? error.message : "" }
}

const advice = (code: string): string => {
  if (code === "ECONNREFUSED") return ": nothing listens there. Is the API server running?"
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return ": the name does not resolve. Check the server URL and DNS"
  if (code === "CERT_HAS_EXPIRED") return ": the API server's certificate has expired"
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return ": the certificate is for another name. Check tls-server-name"
  return /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)/.test(code)
    ? ": the API server's certificate is not trusted. Check certificate-authority of the kubeconfig"
    : ""
}

/** No answer was received over the wire. */
export const reasonOfSilence = (error: unknown, { server, secrets }: Circumstances): Unreachable => {
  const found = innermost(error)
  const given = Option.getOrElse(found.code, () => "UNKNOWN")
  const code = /^UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT$/.test(given) ? "TIMEOUT" : given
  return new Unreachable({
    code,
    message: presentable(
      `${code} at ${server}${advice(code)}${found.message === "" ? "" : ` (${found.message})`}`,
      secrets
    )
  })
}

export const timedOut = (server: string, milliseconds: number): Unreachable =>
  new Unreachable({ code: "TIMEOUT", message: `no answer from ${server} within ${milliseconds} ms` })
