/** What every operation of the simulator works on. */
import type { Behaviours } from "./Behaviours.ts"
import type { Kinds } from "./Kinds.ts"
import type { Resource } from "./Resource.ts"
import type { Store } from "./Store.ts"

export interface Core {
  readonly store: Store
  readonly kinds: Kinds
  readonly behaviours: Behaviours
  /** The next uid: different each time, the same in every run. */
  readonly uid: () => string
}

/** A request to change something, as far as it is known before its body is read. */
export interface Write {
  readonly resource: Resource
  readonly subresource: "" | "status"
  readonly namespace: string | undefined
  /** Empty where the body names the object. */
  readonly name: string
  readonly manager: string
  /** The present second, RFC 3339. */
  readonly now: string
  readonly fieldValidation: string
  readonly dryRun: boolean
  /** Whether the body says what to change, not what the object is. */
  readonly patch: boolean
}

/** RFC 3339 in whole seconds, as Kubernetes writes times. */
export const timestamp = (millis: number): string => new Date(millis).toISOString().replace(/\.\d+Z$/u, "Z")
