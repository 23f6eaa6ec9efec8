/**
 * From an `EdaError` to the port's one error: the reason, the words for the condition, and whether the webhook may have
 * accepted the call.
 */
import type { Operation } from "../../domain/Job.ts"
import { ProviderError, type ProviderReason } from "../../ports/ProviderError.ts"
import type { EdaError } from "./EdaError.ts"
import { statusLine } from "./ErrorTranslation.ts"

export const PROVIDER = "eda"

/** The variable that names a webhook. */
const variableOf = (operation: Operation): string =>
  `CLOUDKIT_COMPUTE_INSTANCE_${operation === "provision" ? "PROVISION" : "DEPROVISION"}_WEBHOOK`

const reasonOf = (error: EdaError): ProviderReason => {
  switch (error._tag) {
    case "Unauthorized":
      return "CredentialsRejected"
    case "Forbidden":
      return "PermissionDenied"
    case "NotFound":
    case "MethodNotAllowed":
    case "Redirected":
      return "ProviderMisaddressed"
    case "BodyTooLarge":
    case "PayloadTooLarge":
    case "BadRequest":
      return "LaunchRefused"
    case "TooManyRequests":
      return "ProviderOverloaded"
    case "ServerFailure":
      return error.status === 503 && error.retryAfter !== undefined ? "ProviderOverloaded" : "ProviderFailure"
    case "Timeout":
    case "ConnectionReset":
    case "NameNotResolved":
    case "Unreachable":
    case "TlsFailure":
      return "ProviderUnreachable"
  }
}

/** What happened, and what to look at. The receiver's own text follows where there is one. */
const wordsOf = (error: EdaError, operation: Operation): string => {
  const variable = variableOf(operation)
  switch (error._tag) {
    case "BodyTooLarge":
      return `The resource is larger as JSON than the ${error.limit} bytes that an EDA webhook accepts, and was not sent: shorten spec.templateParameters or the annotations`
    case "Unauthorized":
      return "The EDA webhook rejects the token (401 Unauthorized): check CLOUDKIT_EDA_TOKEN_FILE"
    case "Forbidden":
      return "The EDA webhook denies the call (403 Forbidden): check CLOUDKIT_EDA_TOKEN_FILE, and what stands in front of the webhook"
    case "NotFound":
      return `There is no EDA webhook at the address (404 Not Found): correct ${variable}`
    case "MethodNotAllowed":
      return `What answers at the address is no EDA webhook (405 Method Not Allowed): correct ${variable}`
    case "PayloadTooLarge":
      return "The resource is larger than the EDA webhook accepts (413 Payload Too Large): shorten spec.templateParameters or the annotations, or raise the limit of the proxy in front of it"
    case "TooManyRequests":
      return "The EDA webhook asks for patience (429 Too Many Requests)"
    case "BadRequest":
      return `The EDA webhook refuses the request (${statusLine(error.status)})`
    case "ServerFailure":
      return `The EDA webhook failed (${statusLine(error.status)})`
    case "Redirected":
      return `The EDA webhook redirects to '${error.location}' (${statusLine(error.status)}), which is not followed: correct ${variable}`
    case "Timeout":
      return "The EDA webhook did not answer in time, and may have accepted the request"
    case "ConnectionReset":
      return `The connection to the EDA webhook was lost (${error.code}), and it may have accepted the request`
    case "NameNotResolved":
      return `The host of the EDA webhook cannot be found (${error.code}): check DNS and ${variable}`
    case "Unreachable":
      return `The EDA webhook cannot be reached (${error.code}): check that EDA runs, and ${variable}`
    case "TlsFailure":
      return `TLS to the EDA webhook failed (${error.code}): check CLOUDKIT_EDA_CA_FILE and the webhook's certificate`
  }
}

/**
 * Whether the call may have been accepted. Only what certainly was not is `no`: a redirect that asks for the same POST
 * elsewhere is, one that may follow upon a POST that took effect is not.
 */
const appliedOf = (error: EdaError): "no" | "unknown" => {
  switch (error._tag) {
    case "Timeout":
    case "ConnectionReset":
      return "unknown"
    case "Redirected":
      return error.status === 301 || error.status === 307 || error.status === 308 ? "no" : "unknown"
    default:
      return "no"
  }
}

export const toProviderError =
  (operation: Operation) =>
  (error: EdaError): ProviderError => {
    const words = wordsOf(error, operation)
    const detail = "detail" in error ? error.detail : ""
    const retryAfter = "retryAfter" in error ? error.retryAfter : undefined
    return new ProviderError({
      provider: PROVIDER,
      operation: "launch",
      reason: reasonOf(error),
      message: detail === "" ? words : `${words}: ${detail}`,
      applied: appliedOf(error),
      ...(retryAfter === undefined ? {} : { retryAfter }),
      cause: error
    })
  }

/** The operation has no webhook: what runs is observed, and nothing is launched. */
export const notConfigured = (operation: Operation): ProviderError =>
  new ProviderError({
    provider: PROVIDER,
    operation: "launch",
    reason: "LaunchRefused",
    message: `No EDA webhook is configured for ${operation}: set ${variableOf(operation)}`,
    applied: "no"
  })
