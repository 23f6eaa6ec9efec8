/**
 * The one error of a provider, whatever the provider: why, in words for a person, and whether it may have had an effect.
 *
 * HTTP statuses are translated once, inside the provider's client, and are not seen above it.
 */
import { Schema } from "effect"
import { providerReasons, reasons } from "../domain/Reasons.ts"

export type { ProviderReason } from "../domain/Reasons.ts"

export class ProviderError extends Schema.TaggedError<ProviderError>()("ProviderError", {
  provider: Schema.String,
  /** What was tried: `launch`, `find template`, `cancel job 41`, … */
  operation: Schema.String,
  reason: Schema.Literals(providerReasons),
  /** For the condition: what happened and what to do, stable across repeats (no request ids, no ports, no times). */
  message: Schema.String,
  /** Only for launches: `no` when it certainly had no effect, `unknown` when a job may have come of it. */
  applied: Schema.Literals(["no", "unknown"]),
  /** How long the provider asked us to wait, in milliseconds; at most ten minutes. */
  retryAfter: Schema.optionalKey(Schema.Finite),
  cause: Schema.optionalKey(Schema.Defect())
}) {
  /** What a person can do about it. */
  get remedy(): string {
    return reasons[this.reason].remedy
  }
}
