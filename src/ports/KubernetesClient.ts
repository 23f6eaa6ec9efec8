/**
 * What the operator needs from a Kubernetes API server, for one kind of resource.
 *
 * Every write is a compare-and-swap: it carries uid and resourceVersion of the view it was decided on, and a stale view
 * fails with `Conflict` without having changed anything. Metadata and status are written apart, as the API server keeps
 * them apart, and only the named fields are touched.
 */
import { Context, type Duration, type Effect, Option, Schema, type Stream } from "effect"
import type { KubernetesObject, NamespacedName } from "../domain/Resource.ts"

export type { KubernetesObject, NamespacedName, ObjectMeta } from "../domain/Resource.ts"

/** The exact version of an object a write was decided on. */
export interface View extends NamespacedName {
  readonly uid: string
  readonly resourceVersion: string
}

/** What changes in metadata. `null` removes an annotation; `finalizers` replaces the whole list, guarded by the view. */
export interface MetadataChange {
  readonly annotations?: Readonly<Record<string, string | null>>
  readonly finalizers?: ReadonlyArray<string>
}

/** One page of a list. `continue` asks for the next page of the same snapshot. */
export interface ObjectPage {
  readonly items: ReadonlyArray<KubernetesObject>
  readonly resourceVersion: string
  readonly continue: Option.Option<string>
}

export type WatchEvent =
  | { readonly _tag: "Applied"; readonly object: KubernetesObject }
  | { readonly _tag: "Deleted"; readonly object: KubernetesObject }
  | { readonly _tag: "Bookmark"; readonly resourceVersion: string }

// ── failures ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** 401: the credential is missing, wrong or expired. */
export class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", { message: Schema.String }) {}
/** 403: the ServiceAccount lacks a permission; the message names it. */
export class Forbidden extends Schema.TaggedError<Forbidden>()("Forbidden", { message: Schema.String }) {}
/** 404: the object is gone, or the CRD is not installed. */
export class NotFound extends Schema.TaggedError<NotFound>()("NotFound", { message: Schema.String }) {}
/** 409: the view is stale. Nothing was written. */
export class Conflict extends Schema.TaggedError<Conflict>()("Conflict", { message: Schema.String }) {}
/** 410: the resourceVersion or continue token is too old; list again. */
export class Expired extends Schema.TaggedError<Expired>()("Expired", { message: Schema.String }) {}
/** 400, 415, 422: the API server refuses the content; sending it again will not help. */
export class Invalid extends Schema.TaggedError<Invalid>()("Invalid", {
  status: Schema.Int,
  message: Schema.String
}) {}
/** 429: the API server asks for patience. `retryAfter` in milliseconds, if it said. */
export class TooManyRequests extends Schema.TaggedError<TooManyRequests>()("TooManyRequests", {
  message: Schema.String,
  retryAfter: Schema.Option(Schema.Finite)
}) {}
/** 5xx, or an answer that is not what the API promises. `retryAfter` in milliseconds, if it said. */
export class ServerFailure extends Schema.TaggedError<ServerFailure>()("ServerFailure", {
  status: Schema.Int,
  message: Schema.String,
  retryAfter: Schema.Option(Schema.Finite)
}) {}
/** No answer: connection, DNS, TLS, timeout. `code` is the one the platform gave (`ECONNREFUSED`, `CERT_HAS_EXPIRED`, …). */
export class Unreachable extends Schema.TaggedError<Unreachable>()("Unreachable", {
  code: Schema.String,
  message: Schema.String
}) {}

export type KubernetesReason =
  | Unauthorized
  | Forbidden
  | NotFound
  | Conflict
  | Expired
  | Invalid
  | TooManyRequests
  | ServerFailure
  | Unreachable

/** The one error of the client: what was tried, and why it did not work. */
export class KubernetesError extends Schema.TaggedError<KubernetesError>()("KubernetesError", {
  /** Verb and object, such as `patch status default/vm-1`. */
  operation: Schema.String,
  reason: Schema.Union([
    Unauthorized,
    Forbidden,
    NotFound,
    Conflict,
    Expired,
    Invalid,
    TooManyRequests,
    ServerFailure,
    Unreachable
  ])
}) {
  override get message(): string {
    return `${this.operation}: ${this.reason._tag}: ${this.reason.message}`
  }

  /** How long the server asked us to wait, in milliseconds. */
  get retryAfter(): Option.Option<number> {
    return "retryAfter" in this.reason ? this.reason.retryAfter : Option.none()
  }
}

export class KubernetesClient extends Context.Service<
  KubernetesClient,
  {
    /** Keeps an object in little room; what is given back is equal to it. Synchronous, as memory is. */
    readonly pack: (object: KubernetesObject) => () => KubernetesObject
    /** A live, consistent read. Not for the happy path, which reads the reflector's store. */
    readonly get: (name: NamespacedName) => Effect.Effect<KubernetesObject, KubernetesError>
    /** One page of at most `limit` objects of the watched namespaces, consistent across pages by the continue token. */
    readonly list: (page: {
      readonly limit: number
      readonly continue: Option.Option<string>
    }) => Effect.Effect<ObjectPage, KubernetesError>
    /**
     * Changes after `resourceVersion`, with bookmarks. Ends by itself when the server closes it after `timeout`; fails with
     * `Expired` when the history is gone. Interrupting it closes the connection.
     */
    readonly watch: (from: {
      readonly resourceVersion: string
      readonly timeout: Duration.Duration
    }) => Stream.Stream<WatchEvent, KubernetesError>
    /** Compare-and-swap of metadata. Answers the object as it is now. A repeat with the same view fails with `Conflict`. */
    readonly patchMetadata: (view: View, change: MetadataChange) => Effect.Effect<KubernetesObject, KubernetesError>
    /**
     * Compare-and-swap of the status subresource by JSON merge patch: keys that are absent stay, `null` removes.
     * Answers the object as it is now.
     */
    readonly patchStatus: (
      view: View,
      patch: Readonly<Record<string, Schema.Json>>
    ) => Effect.Effect<KubernetesObject, KubernetesError>
  }
>()("cloudkit-operator/ports/KubernetesClient") {}
