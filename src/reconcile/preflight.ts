/**
 * Finds out at the start whether the active provider would launch, so that a wrong token or an address that does not answer
 * is said before anybody wants a machine. One request without an effect, repeated with backoff until the provider says yes.
 */
import { Cause, Duration, Effect, Option } from "effect"
import type { ProviderError } from "../ports/ProviderError.ts"
import { Providers } from "../ports/ProvisioningProvider.ts"
import * as Backoff from "../runtime/Backoff.ts"
import { retryAfter } from "./policy.ts"

/** `note` hears of what is wrong, and of nothing once it is right. */
export const preflight = Effect.fnUntraced(function* (note: (problem: Option.Option<string>) => void) {
  const { active } = yield* Providers
  if (active.check === undefined) return
  const backoff = Backoff.make<ProviderError>({ backoff: Backoff.exponential("5 seconds", "5 minutes"), retryAfter })
  let said = ""

  const refused = Effect.fnUntraced(function* (error: ProviderError) {
    note(Option.some(`${error.reason}: ${error.message}`))
    if (said !== error.message) {
      yield* Effect.logWarning("the provider would launch nothing now; trying again", {
        provider: active.name,
        reason: error.reason,
        problem: error.message
      })
    }
    said = error.message
    const { delay } = yield* backoff.next(Cause.fail(error))
    yield* Effect.sleep(Duration.max(delay, Duration.seconds(1)))
  })

  while (!(yield* Effect.as(active.check, true).pipe(Effect.catch((error) => Effect.as(refused(error), false))))) {}
  note(Option.none())
  yield* Effect.logInfo("the provider is ready to launch", { provider: active.name })
})
