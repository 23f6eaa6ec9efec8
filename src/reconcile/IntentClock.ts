/**
 * How long this process has known an open intent, by its monotonic clock, so that neither a clock that jumps nor a restart
 * shortens the quiet period.
 */
import { Clock, Context, Effect, Layer } from "effect"
import { countDoubt } from "./measure.ts"

export class IntentClock extends Context.Service<
  IntentClock,
  {
    /**
     * Milliseconds since this process first saw the intent with this stamp on the object; 0 on the first call. One that it
     * did not write itself is a launch in doubt, and counted.
     */
    readonly age: (object: string, stamp: string, by?: "us") => Effect.Effect<number>
    readonly forget: (object: string) => Effect.Effect<void>
  }
>()("cloudkit-operator/reconcile/IntentClock") {
  static readonly layer = Layer.sync(IntentClock, () => {
    const seen = new Map<string, { readonly stamp: string; readonly at: bigint }>()
    return IntentClock.of({
      age: (object, stamp, by) =>
        Effect.flatMap(Clock.monotonicTimeNanos, (now) => {
          const known = seen.get(object)
          if (known?.stamp === stamp) return Effect.succeed(Number((now - known.at) / 1_000_000n))
          seen.set(object, { stamp, at: now })
          return Effect.as(by === "us" ? Effect.void : countDoubt, 0)
        }),
      forget: (object) => Effect.sync(() => void seen.delete(object))
    })
  })
}
