/**
 * How many requests to AAP are under way at once. Launches have places of their own, so that reads never delay a launch
 * whose intent is written, and a slow AAP is not sent hundreds of launches before the first one fails. Both begin with few
 * and adapt to what AAP bears.
 */
import { Context, Effect, Layer, type Scope } from "effect"
import type { AapError } from "./AapError.ts"
import { AapSettings } from "./AapSettings.ts"
import * as AdaptiveLimit from "./AdaptiveLimit.ts"

/** How many launches, and how many other requests, AAP is trusted to bear before anything is known of it. */
const FIRST_LAUNCHES = 4
const FIRST_CALLS = 6

/** AAP has more to do than it can. */
export const isStruggle = (error: AapError): boolean =>
  error._tag === "ServerFailure" ||
  error._tag === "Timeout" ||
  error._tag === "TooManyRequests" ||
  error._tag === "Overloaded"

export class Permits extends Context.Service<
  Permits,
  {
    /** For everything but launches: waits for a place, and holds it while `request` runs. */
    readonly call: <A>(request: Effect.Effect<A, AapError>) => Effect.Effect<A, AapError>
    /** For one launch: waits for a place, which the scope gives back. */
    readonly launch: Effect.Effect<void, never, Scope.Scope>
    /** The request of a launch that has its place. */
    readonly launching: <A>(request: Effect.Effect<A, AapError>) => Effect.Effect<A, AapError>
  }
>()("cloudkit-operator/providers/aap/Permits") {
  static readonly layer = Layer.effect(
    Permits,
    Effect.gen(function* () {
      const { maxConcurrentRequests: all } = yield* AapSettings
      const share = Math.max(1, Math.floor(all * 0.4))
      const launches = AdaptiveLimit.make(FIRST_LAUNCHES, share)
      const calls = AdaptiveLimit.make(FIRST_CALLS, Math.max(1, all - share))
      return Permits.of({
        call: (request) => Effect.scoped(Effect.andThen(calls.enter, calls.observe(request, isStruggle))),
        launch: launches.enter,
        launching: (request) => launches.observe(request, isStruggle)
      })
    })
  )
}
