/**
 * Everything that can go wrong between the operator and an EDA webhook, told apart by what it means for the caller.
 *
 * `detail` is already fit to be shown: bounded, one line, without ids that differ each time and without secrets.
 */
import { Data } from "effect"

interface Said {
  /** The receiver's own words, or empty. */
  readonly detail: string
}
interface Patience {
  /** How long the receiver asked us to wait, in milliseconds, at most ten minutes. */
  readonly retryAfter: number | undefined
}
interface Broken {
  /** As the platform gave it: `ECONNREFUSED`, `CERT_HAS_EXPIRED`, … */
  readonly code: string
  readonly cause: unknown
}

/** Our own finding: the resource is larger than a webhook accepts. Nothing was sent. */
export class BodyTooLarge extends Data.TaggedError("BodyTooLarge")<{ readonly limit: number }> {}
/** 401: the token is missing or wrong. */
export class Unauthorized extends Data.TaggedError("Unauthorized")<Said> {}
/** 403: an event stream refuses the token, or something in front of the webhook refuses the call. */
export class Forbidden extends Data.TaggedError("Forbidden")<Said> {}
/** 404: there is no webhook at the address. The receiver itself takes any path. */
export class NotFound extends Data.TaggedError("NotFound")<Said> {}
/** 405: what answers is no webhook. */
export class MethodNotAllowed extends Data.TaggedError("MethodNotAllowed")<Said> {}
/** 413: the receiver, or a proxy with a lower limit, finds the resource too large. */
export class PayloadTooLarge extends Data.TaggedError("PayloadTooLarge")<Said> {}
/** 429: not accepted, and to be repeated later. */
export class TooManyRequests extends Data.TaggedError("TooManyRequests")<Said & Patience> {}
/** 400 and the other 4xx: the request itself is refused. */
export class BadRequest extends Data.TaggedError("BadRequest")<Said & { readonly status: number }> {}
/** 5xx: not accepted. */
export class ServerFailure extends Data.TaggedError("ServerFailure")<Said & Patience & { readonly status: number }> {}
/** 3xx: never followed, so that the token goes nowhere else and a POST never becomes a GET. */
export class Redirected extends Data.TaggedError("Redirected")<{
  readonly status: number
  /** Where to, without its query. */
  readonly location: string
}> {}
/** No answer in time, ours or a proxy's. A busy receiver accepts the event all the same, later. */
export class Timeout extends Data.TaggedError("Timeout")<Said> {}
/** The connection broke after it was made. The event may have been accepted. */
export class ConnectionReset extends Data.TaggedError("ConnectionReset")<Broken> {}
/** DNS does not know the host. Nothing was sent. */
export class NameNotResolved extends Data.TaggedError("NameNotResolved")<Broken> {}
/** No connection was made: refused, no route. Nothing was sent. */
export class Unreachable extends Data.TaggedError("Unreachable")<Broken> {}
/** The TLS handshake failed. Nothing was sent. */
export class TlsFailure extends Data.TaggedError("TlsFailure")<Broken> {}

export type EdaError =
  | BodyTooLarge
  | Unauthorized
  | Forbidden
  | NotFound
  | MethodNotAllowed
  | PayloadTooLarge
  | TooManyRequests
  | BadRequest
  | ServerFailure
  | Redirected
  | Timeout
  | ConnectionReset
  | NameNotResolved
  | Unreachable
  | TlsFailure
