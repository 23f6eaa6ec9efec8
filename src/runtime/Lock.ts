/**
 * What replicas elect their leader on: one record that all of them see, written by compare-and-swap.
 *
 * Its times are for people to read. Nobody compares them with a clock: what counts is whether `version` changes, and by
 * whose monotonic clock.
 */
import type { Effect, Option } from "effect"

export interface Claim {
  /** Empty when nobody holds it. */
  readonly holder: string
  /** How long the holder may be silent before somebody else takes over, in whole seconds. */
  readonly seconds: number
  /** When the holder took it, in milliseconds since 1970 by the holder's clock. */
  readonly acquired: number
  readonly renewed: number
  /** How often the holder changed. */
  readonly transitions: number
}

export interface Held {
  readonly claim: Claim
  /** Changes with every write, whoever writes. */
  readonly version: string
}

export interface Lock<E> {
  /** None: there is no record. */
  readonly read: Effect.Effect<Option.Option<Held>, E>
  readonly create: (claim: Claim) => Effect.Effect<Held, E>
  /** Fails with a conflict unless the record still has this version. */
  readonly update: (claim: Claim, version: string) => Effect.Effect<Held, E>
  /** Somebody else created, changed or deleted the record meanwhile; nothing was written. */
  readonly isConflict: (error: E) => boolean
}
