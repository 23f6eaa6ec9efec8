/**
 * Everything that can go wrong between the operator and AAP, told apart by what it means for the caller.
 *
 * `detail` is already fit to be shown: bounded, one line, without ids that differ each time and without secrets.
 */
import { Data } from "effect"

interface Said {
  /** AAP's own words, or empty. */
  readonly detail: string
}
interface Patience {
  /** How long AAP asked us to wait, in milliseconds, at most ten minutes. */
  readonly retryAfter: number | undefined
}

/** 401: the token is missing, wrong or expired; AAP does not tell which. */
export class Unauthorized extends Data.TaggedError("Unauthorized")<Said> {}
/** 403: a role is missing, the token is read-only, or the licence has ended. */
export class Forbidden extends Data.TaggedError("Forbidden")<Said> {}
/** 404 in AAP's own JSON: the object does not exist. */
export class NotFound extends Data.TaggedError("NotFound")<Said> {}
/** 405 in AAP's own JSON: on a cancel, the job has ended. */
export class MethodNotAllowed extends Data.TaggedError("MethodNotAllowed")<Said> {}
/** 409: something else is in the way. */
export class Conflict extends Data.TaggedError("Conflict")<Said> {}
/** 410: this part of the API is gone. */
export class Gone extends Data.TaggedError("Gone")<Said> {}
/** 429: not applied, and to be repeated later. */
export class TooManyRequests extends Data.TaggedError("TooManyRequests")<Said & Patience> {}
/** 503 in AAP's own JSON with `Retry-After`: not applied either. */
export class Overloaded extends Data.TaggedError("Overloaded")<Said & Patience> {}
/** 400 and the other 4xx: the request itself is refused. */
export class BadRequest extends Data.TaggedError("BadRequest")<Said & { readonly status: number }> {}
/** 5xx: AAP, or a proxy that lost it, failed. Whether a launch was applied is unknown. */
export class ServerFailure extends Data.TaggedError("ServerFailure")<
  Said & Patience & { readonly status: number; readonly json: boolean }
> {}
/** No answer in time, or 408. Whether a launch was applied is unknown. */
export class Timeout extends Data.TaggedError("Timeout")<Said> {}
/** The connection broke after it was made. Whether a launch was applied is unknown. */
export class ConnectionReset extends Data.TaggedError("ConnectionReset")<{ readonly code: string }> {}
/** No connection was made: DNS, refused, no route. Nothing was sent. */
export class Unreachable extends Data.TaggedError("Unreachable")<{ readonly code: string }> {}
/** The TLS handshake failed. Nothing was sent. */
export class TlsFailure extends Data.TaggedError("TlsFailure")<{ readonly code: string }> {}
/** 3xx: never followed, so that the token goes nowhere else and a POST never becomes a GET. */
export class Redirected extends Data.TaggedError("Redirected")<{
  readonly status: number
  readonly location: string
}> {}
/** HTML or text where AAP's JSON belongs: a proxy, a login page, or a wrong URL. */
export class NotTheApi extends Data.TaggedError("NotTheApi")<Said & { readonly status: number }> {}
/** JSON that is cut off or has another shape than AAP's. */
export class MalformedJson extends Data.TaggedError("MalformedJson")<Said & { readonly status: number }> {}
/** An answer beyond the bound. */
export class TooLarge extends Data.TaggedError("TooLarge")<{ readonly limit: number }> {}

export type AapError =
  | Unauthorized
  | Forbidden
  | NotFound
  | MethodNotAllowed
  | Conflict
  | Gone
  | TooManyRequests
  | Overloaded
  | BadRequest
  | ServerFailure
  | Timeout
  | ConnectionReset
  | Unreachable
  | TlsFailure
  | Redirected
  | NotTheApi
  | MalformedJson
  | TooLarge

/** How long AAP asked us to wait, in milliseconds. */
export const retryAfterOf = (error: AapError): number | undefined =>
  "retryAfter" in error ? error.retryAfter : undefined

/** A later attempt may well succeed without anybody doing anything, and soon. */
export const isTransient = (error: AapError): boolean =>
  error._tag === "TooManyRequests" ||
  error._tag === "Overloaded" ||
  error._tag === "ServerFailure" ||
  error._tag === "ConnectionReset" ||
  error._tag === "Unreachable"

/** Whatever is asked next will fare no better, so that asking the rest is a waste. */
export const isOutage = (error: AapError): boolean =>
  error._tag === "Unauthorized" ||
  error._tag === "TooManyRequests" ||
  error._tag === "Overloaded" ||
  error._tag === "Unreachable" ||
  error._tag === "TlsFailure" ||
  error._tag === "Redirected"
