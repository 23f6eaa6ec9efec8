/**
 * The operators of a demo, one for each site: started together, restarted with another provider, stopped together.
 *
 * Whoever ends without being told to ends the demo.
 */
import { Deferred, Effect, Scope, Semaphore } from "effect"
import type { Installation } from "./Installation.ts"
import { type End, type OperatorDied, type OperatorProcess, startOperator } from "./OperatorProcess.ts"
import type { ProviderName, Site } from "./Site.ts"

interface Ending {
  readonly site: Site
  readonly end: End
}

export interface Operators {
  readonly logs: ReadonlyArray<string>
  /** Fails when an operator ends by itself. */
  readonly died: Effect.Effect<never, OperatorDied>
  /** As many operators as there are sites watch the cluster. */
  readonly allWatch: Effect.Effect<void>
  /** Ends the operator of the site and starts it with another provider; done when it watches. */
  readonly switchTo: (site: Site, provider: ProviderName) => Effect.Effect<void>
  /** Ends all, and says how every process of the demo ended. */
  readonly stopAll: Effect.Effect<ReadonlyArray<Ending>>
}

export const startOperators = (
  sites: ReadonlyArray<Site>,
  installation: Installation,
  directory: string
): Effect.Effect<Operators, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const running = new Map<string, OperatorProcess>()
    const endings: Array<Ending> = []
    const death = yield* Deferred.make<never, OperatorDied>()
    const oneAtATime = yield* Semaphore.make(1)

    const start = Effect.fnUntraced(
      function* (site: Site, provider: ProviderName) {
        const operator = yield* startOperator(site, provider, installation, directory)
        running.set(site.name, operator)
        yield* operator.died.pipe(
          Effect.catchTag("OperatorDied", (error) =>
            running.get(site.name) === operator ? Deferred.fail(death, error) : Effect.void
          ),
          Effect.forkIn(scope)
        )
        return operator
      },
      Effect.provideService(Scope.Scope, scope)
    )

    const stop = Effect.fnUntraced(function* (operator: OperatorProcess) {
      running.delete(operator.site.name)
      endings.push({ site: operator.site, end: yield* operator.stop })
    })

    const watching = (enough: (open: number) => boolean) =>
      Effect.asVoid(Effect.repeat(Effect.delay(installation.kubernetes.openWatches, "50 millis"), { until: enough }))
    const allWatch = watching((open) => open >= sites.length)

    const operators = yield* Effect.forEach(sites, (site) => start(site, site.provider))
    return {
      logs: operators.map(({ log }) => log),
      died: Deferred.await(death),
      allWatch,
      switchTo: (site, provider) =>
        Effect.gen(function* () {
          const operator = running.get(site.name)
          if (operator !== undefined) yield* stop(operator)
          yield* watching((open) => open < sites.length)
          yield* start(site, provider)
          yield* allWatch
        }).pipe(oneAtATime.withPermits(1)),
      stopAll: Effect.suspend(() =>
        Effect.map(Effect.forEach([...running.values()], stop, { concurrency: "unbounded" }), () => endings)
      )
    }
  })
