/**
 * What a pass asks of the outside world, and what it can be told. Both are plain data: a pass is given back its earlier
 * answers to be brought to where it was.
 */
import type { Operation } from "../../src/domain/Job.ts"
import type { JsonObject } from "../../src/domain/Resource.ts"
import type { MetadataChange } from "../../src/ports/KubernetesClient.ts"
import type { Version } from "./Versions.ts"

/** Which of the objects that the pass was given a write is guarded by: its place among them. None: it is not guarded. */
export type Guard = number | undefined

export type Request =
  | { readonly _tag: "read" }
  | { readonly _tag: "metadata"; readonly guard: Guard; readonly change: MetadataChange }
  | { readonly _tag: "status"; readonly guard: Guard; readonly patch: JsonObject }
  | {
      readonly _tag: "launch"
      readonly provider: string
      readonly operation: Operation
      readonly key: string
      /** What the record of the launch will say beside AAP's own words: id and kind of a provider that gives none. */
      readonly presumed: { readonly id: string; readonly kind: string } | undefined
    }
  | {
      readonly _tag: "find"
      readonly operation: Operation
      readonly uid: string
      readonly since: number
      /** Milliseconds that the search may have begun before it was asked for. */
      readonly maxAge: number
    }
  | { readonly _tag: "cancel"; readonly id: string }
  | { readonly _tag: "lookUp"; readonly id: string }

/** A job as AAP shows it. */
export interface Row {
  readonly id: string
  readonly key: string
  readonly operation: Operation
  readonly state: "Pending" | "Succeeded" | "Failed" | "Canceled"
  readonly created: number
  readonly finished: number | undefined
}

export type Reply =
  | { readonly _tag: "object"; readonly version: Version }
  | { readonly _tag: "refused"; readonly why: "Conflict" | "NotFound" | "Invalid" }
  /** The API server or the provider failed; nothing happened, or nobody knows. */
  | { readonly _tag: "failed"; readonly applied: "no" | "unknown" }
  /** Unusable: the job runs without the resource, as its template ignores variables. */
  | { readonly _tag: "launched"; readonly id: string; readonly unusable: boolean }
  | { readonly _tag: "rows"; readonly rows: ReadonlyArray<Row> }
  | { readonly _tag: "cancel"; readonly said: "Requested" | "AlreadyTerminal" | "Gone" }

export interface Answer {
  readonly reply: Reply
  /** When it reached the pass, in milliseconds since the beginning. */
  readonly at: number
  /** The process still held the lease then. */
  readonly leads: boolean
  /** The same for the same answer. */
  readonly code: string
}

const codeOf = (reply: Reply): string => {
  switch (reply._tag) {
    case "object":
      return `v${reply.version.id}`
    case "refused":
      return reply.why
    case "failed":
      return `failed ${reply.applied}`
    case "launched":
      return `launched ${reply.id}${reply.unusable ? " unusable" : ""}`
    case "rows":
      return reply.rows.map((row) => `${row.id}${row.state}${row.finished ?? ""}`).join()
    case "cancel":
      return reply.said
  }
}

export const answer = (reply: Reply, at: number, leads = true): Answer => ({
  reply,
  at,
  leads,
  code: `${codeOf(reply)}@${at}${leads ? "" : " lost"}`
})
