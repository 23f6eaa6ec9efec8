/** A background fiber that dies is silent unless someone joins it. This says it in the log at once, whoever joins. */
import { Cause, Effect } from "effect"

export const reportDeath =
  (message: string) =>
  <A, E, R>(loop: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.tapCause(loop, (cause) => (Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.logFatal(message, cause)))
