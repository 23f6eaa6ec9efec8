/**
 * The single error policy: which failure is worth another attempt, after how long, and how loud.
 */
import { type Cause, Duration, Effect, Option, Schedule } from "effect"
import type { KubernetesError } from "../ports/KubernetesClient.ts"
import type { ProviderError } from "../ports/ProviderError.ts"

export type PassError = KubernetesError | ProviderError

/** Failure backoff of one object: 1 s doubling to 5 min, jittered by a fifth. */
export const failureBackoff = Schedule.min([Schedule.exponential("1 second"), Schedule.spaced("5 minutes")]).pipe(
  Schedule.jittered
)

/** How long the one who said no asked us to wait. */
export const retryAfter = (error: PassError): Option.Option<Duration.Duration> =>
  error._tag === "KubernetesError"
    ? Option.map(error.retryAfter, Duration.millis)
    : Option.map(Option.fromUndefinedOr(error.retryAfter), Duration.millis)

/** A stale view: the newer one is on its way, and will wake the object. Not worth a word. */
export const isConflict = (error: PassError): boolean =>
  error._tag === "KubernetesError" && error.reason._tag === "Conflict"

/** The object was deleted under our hands; the watch tells. */
export const isGone = (error: PassError): boolean =>
  error._tag === "KubernetesError" && error.reason._tag === "NotFound"

export interface Failed {
  readonly key: string
  readonly cause: Cause.Cause<PassError>
  readonly attempt: number
  readonly delay: Duration.Duration
}

/** Says that a pass failed, and when it is tried again. */
export const logFailure = (failed: Failed): Effect.Effect<void> =>
  Effect.logWarning("reconcile failed", failed.cause).pipe(
    Effect.annotateLogs({
      computeinstance: failed.key,
      attempt: failed.attempt,
      retryIn: Duration.format(failed.delay)
    })
  )
