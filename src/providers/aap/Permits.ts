/**
 * How many requests to AAP are under way at once. Launches have a share of their own, so that reads never delay a launch
 * whose intent is written, and a slow AAP is not sent hundreds of launches before the first one fails.
 */
import { Context, Effect, Layer, type Scope, Semaphore } from "effect"
import { AapSettings } from "./AapSettings.ts"

export class Permits extends Context.Service<
  Permits,
  {
    /** For everything but launches: waits for a permit, and holds it while `request` runs. */
    readonly call: <A, E, R>(request: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
    /** For one launch: waits for a permit, which the scope gives back. */
    readonly launch: Effect.Effect<void, never, Scope.Scope>
  }
>()("cloudkit-operator/providers/aap/Permits") {
  static readonly layer = Layer.effect(
    Permits,
    Effect.gen(function* () {
      const { maxConcurrentRequests: all } = yield* AapSettings
      const share = Math.max(1, Math.floor(all * 0.4))
      const launches = yield* Semaphore.make(share)
      const calls = yield* Semaphore.make(Math.max(1, all - share))
      return Permits.of({ call: calls.withPermits(1), launch: launches.takeScoped(1) })
    })
  )
}
