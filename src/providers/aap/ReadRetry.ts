/**
 * A second and a third try for reads that failed in passing. Never for a launch, and not for the poll, whose next round is
 * its retry.
 *
 * A `Retry-After` of a few seconds is honoured here; a longer one is left to the caller, who has better things to do.
 */
import { Effect, Random } from "effect"
import { type AapError, isTransient, retryAfterOf } from "./AapError.ts"

const TRIES = 3
const PATIENCE = 5_000

export const retryReads = <A, R>(read: Effect.Effect<A, AapError, R>, attempt = 1): Effect.Effect<A, AapError, R> =>
  Effect.catch(read, (error) => {
    const asked = retryAfterOf(error) ?? 0
    if (attempt >= TRIES || !isTransient(error) || asked > PATIENCE) return Effect.fail(error)
    return Effect.flatMap(Random.nextBetween(0.8, 1.2), (spread) =>
      Effect.delay(retryReads(read, attempt + 1), Math.max(asked, 500 * 2 ** (attempt - 1) * spread))
    )
  })
