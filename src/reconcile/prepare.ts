/**
 * What comes before a launch: a place in the turnstile, then what the provider needs to be ready. Neither outlives the pass,
 * and nothing of it can be seen from outside.
 */
import { Effect, Exit, Scope } from "effect"
import type { Instance } from "../domain/Instance.ts"
import type { Operation } from "../domain/Job.ts"
import type { ProviderError } from "../ports/ProviderError.ts"
import type { PreparedLaunch, Provider } from "../ports/ProvisioningProvider.ts"
import { inLine, type Progress } from "./Progress.ts"
import { Turnstile } from "./Turnstile.ts"

/** A prepared launch, and how to give back what was taken for it. */
export interface Ready {
  readonly prepared: PreparedLaunch
  readonly release: Effect.Effect<void>
}

/** Prepares a launch and does something with it; what was taken for it is given back in the end, if not before. */
const prepared = <A, E, R>(
  provider: Provider,
  operation: Operation,
  use: (ready: Ready) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | ProviderError, R> =>
  Effect.acquireUseRelease(
    Scope.make(),
    (scope) =>
      Effect.flatMap(Scope.provide(provider.prepare(operation), scope), (prepared) =>
        use({ prepared, release: Scope.close(scope, Exit.void) })
      ),
    (scope, exit) => Scope.close(scope, exit)
  )

/**
 * Prepares a launch where there is room for one. Whoever was let in stays so until its launch is sent or its pass is over:
 * to stand in line again after a search or a write would make it do either again.
 */
export const preparing = <E, R>(
  { key }: Instance,
  provider: Provider,
  operation: Operation,
  use: (ready: Ready) => Effect.Effect<Progress, E, R>
) =>
  Effect.gen(function* () {
    const turnstile = yield* Turnstile
    const waited = yield* turnstile.waits(key)
    const isIn = yield* turnstile.enter(key, operation)
    return isIn ? yield* prepared(provider, operation, use) : inLine(waited)
  })
