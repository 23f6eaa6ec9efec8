/**
 * From an `AapError` to the port's one error: the reason, the words for the condition, and whether a launch may have had
 * an effect.
 */
import { ProviderError, type ProviderReason } from "../../ports/ProviderError.ts"
import { type AapError, retryAfterOf } from "./AapError.ts"
import { plain, stable } from "./PlainText.ts"

export const PROVIDER = "aap"

/** What was being done when it failed. */
export interface Attempt {
  /** `find template`, `launch`, `cancel job 41`, … */
  readonly operation: string
  readonly launch?: boolean
  /** The template it was about, by name. */
  readonly template?: string
}

const reasonOf = (error: AapError, attempt: Attempt): ProviderReason => {
  switch (error._tag) {
    case "Unauthorized":
      return "CredentialsRejected"
    case "Forbidden":
      return "PermissionDenied"
    case "NotFound":
      return attempt.template === undefined ? "ProviderRefused" : "TemplateNotFound"
    case "BadRequest":
      if (attempt.launch !== true) return "ProviderRefused"
      return /not allowed on launch|prompt on launch/iu.test(error.detail)
        ? "TemplateRefusesVariables"
        : "LaunchRefused"
    case "MethodNotAllowed":
    case "Conflict":
    case "Gone":
      return attempt.launch === true ? "LaunchRefused" : "ProviderRefused"
    case "TooManyRequests":
    case "Overloaded":
      return "ProviderOverloaded"
    case "ServerFailure":
    case "TooLarge":
      return "ProviderFailure"
    case "Timeout":
    case "ConnectionReset":
    case "Unreachable":
    case "TlsFailure":
      return "ProviderUnreachable"
    case "Redirected":
    case "NotTheApi":
    case "MalformedJson":
      return "ProviderMisaddressed"
  }
}

const phrases: Readonly<Record<number, string>> = {
  200: "OK",
  201: "Created",
  202: "Accepted",
  301: "Moved Permanently",
  302: "Found",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  402: "Payment Required",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  410: "Gone",
  413: "Payload Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout"
}

/** `404 Not Found` */
const statusLine = (status: number): string =>
  phrases[status] === undefined ? `status ${status}` : `${status} ${phrases[status]}`

const forbidden = (attempt: Attempt): string => {
  if (attempt.template === undefined) return "AAP denies the token's user this request (403 Forbidden)"
  const role = attempt.launch === true ? "execute" : "read and execute"
  return `AAP denies the token's user template '${attempt.template}' (403 Forbidden): grant it ${role}, and use a token with write scope`
}

/** The words for the condition. AAP's own text follows where there is one. */
const wordsOf = (error: AapError, attempt: Attempt): string => {
  switch (error._tag) {
    case "Unauthorized":
      return "AAP rejects the token (401 Unauthorized)"
    case "Forbidden":
      return forbidden(attempt)
    case "NotFound":
      return attempt.template === undefined
        ? "AAP does not have it (404 Not Found)"
        : `Template '${attempt.template}' not found (404 Not Found)`
    case "MethodNotAllowed":
      return "AAP does not allow this now (405 Method Not Allowed)"
    case "Conflict":
      return "AAP reports a conflict (409 Conflict)"
    case "Gone":
      return "AAP no longer offers this (410 Gone)"
    case "TooManyRequests":
      return "AAP asks for patience (429 Too Many Requests)"
    case "Overloaded":
      return "AAP asks for patience (503 Service Unavailable)"
    case "BadRequest":
      return `AAP refuses the request (${statusLine(error.status)})`
    case "ServerFailure":
      return `AAP failed (${statusLine(error.status)})`
    case "Timeout":
      return "AAP did not answer in time"
    case "ConnectionReset":
      return `The connection to AAP was lost (${error.code})`
    case "Unreachable":
      return `AAP cannot be reached (${error.code})`
    case "TlsFailure":
      return `TLS to AAP failed (${error.code}): check CLOUDKIT_AAP_CA_FILE and AAP's certificate`
    case "Redirected":
      return `AAP's address redirects to '${error.location}' (${statusLine(error.status)}), which is not followed: correct CLOUDKIT_AAP_URL`
    case "NotTheApi":
      return `What answers at CLOUDKIT_AAP_URL is not AAP's API: ${error.detail} instead of JSON (${statusLine(error.status)})`
    case "MalformedJson":
      return `AAP's answer is not the JSON it promises (${statusLine(error.status)})`
    case "TooLarge":
      return `AAP's answer is larger than ${Math.round(error.limit / 1_048_576)} MiB`
  }
}

/** AAP's text, where it says more than the words do. */
const detailOf = (error: AapError): string => {
  if (!("detail" in error) || error._tag === "Unauthorized" || error._tag === "NotTheApi") return ""
  return error.detail
}

/** Whether a launch that failed this way may have left a job. Only what certainly had no effect is `no`. */
const appliedOf = (error: AapError): "no" | "unknown" => {
  switch (error._tag) {
    case "Timeout":
    case "ConnectionReset":
    case "ServerFailure":
    case "Redirected":
    case "TooLarge":
      return "unknown"
    case "NotTheApi":
    case "MalformedJson":
      return error.status >= 400 && error.status < 500 ? "no" : "unknown"
    case "Unauthorized":
    case "Forbidden":
    case "NotFound":
    case "MethodNotAllowed":
    case "Conflict":
    case "Gone":
    case "TooManyRequests":
    case "Overloaded":
    case "BadRequest":
    case "Unreachable":
    case "TlsFailure":
      return "no"
  }
}

export const toProviderError =
  (attempt: Attempt) =>
  (error: AapError): ProviderError => {
    const detail = detailOf(error)
    const words = plain(wordsOf(error, attempt), 600)
    const retryAfter = retryAfterOf(error)
    return new ProviderError({
      provider: PROVIDER,
      operation: attempt.operation,
      reason: reasonOf(error, attempt),
      message: plain(words.includes(detail) ? words : `${words}: ${stable(detail)}`),
      applied: attempt.launch === true ? appliedOf(error) : "no",
      ...(retryAfter === undefined ? {} : { retryAfter }),
      cause: error
    })
  }

/** An error of our own finding, not AAP's. */
export const refuse = (operation: string, reason: ProviderReason, message: string): ProviderError =>
  new ProviderError({ provider: PROVIDER, operation, reason, message: plain(message), applied: "no" })
