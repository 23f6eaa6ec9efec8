/** Where a process of the operator runs: its clock, its network, and what is left of it once it was killed. */
import { Clock, Effect, Stream } from "effect"
import type { WireHandler } from "./Wire.ts"

/** Where a process runs. */
export interface Place {
  /** How far its wall clock is ahead of everybody else's, in milliseconds. Read at every look, so that it may jump. */
  readonly skew?: number
  /** What its requests go through, to every host. */
  readonly wire?: (inner: WireHandler) => WireHandler
}

/** The wall clock of a place; time passes there as it does everywhere. */
export const clockAt = (place: Place): Effect.Effect<Clock.Clock> =>
  Effect.map(Clock.Clock, (clock) => {
    const skew = () => place.skew ?? 0
    return {
      sleep: (duration) => clock.sleep(duration),
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      monotonicTimeNanos: clock.monotonicTimeNanos,
      currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + skew(),
      currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now + skew()),
      currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe() + BigInt(skew()) * 1_000_000n,
      currentTimeNanos: Effect.map(clock.currentTimeNanos, (now) => now + BigInt(skew()) * 1_000_000n)
    }
  })

/** Servers have a clock of their own, whoever asks them. */
export const at =
  (clock: Clock.Clock, servers: WireHandler): WireHandler =>
  (request) =>
    Effect.provideService(servers(request), Clock.Clock, clock)

/** From the moment the switch is thrown, requests hang and answers are held back for ever. */
export const killable =
  (handler: WireHandler, isDead: () => boolean): WireHandler =>
  (request) =>
    Effect.suspend(() =>
      isDead()
        ? Effect.never
        : Effect.flatMap(handler(request), (response) =>
            isDead()
              ? Effect.never
              : Effect.succeed({
                  ...response,
                  body:
                    typeof response.body === "string"
                      ? response.body
                      : Stream.mapEffect(response.body, (chunk) => (isDead() ? Effect.never : Effect.succeed(chunk)))
                })
          )
    )
