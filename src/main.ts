/**
 * The composition root: configuration in, layers together, and the operator runs until it is told to stop.
 *
 * SIGTERM and SIGINT interrupt it: intake stops, what must be recorded is recorded, and the process ends with 0.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Cause, Duration, Effect, Exit, Layer, Option, type Runtime } from "effect"
import * as Health from "./adapters/http/Health.ts"
import * as Outbound from "./adapters/http/Outbound.ts"
import { proxyFromEnvironment } from "./adapters/http/Proxy.ts"
import { ApiServer } from "./adapters/kubernetes/ApiServer.ts"
import * as Events from "./adapters/kubernetes/Events.ts"
import * as KubernetesClient from "./adapters/kubernetes/KubernetesClient.ts"
import { GROUP, KIND, PLURAL, VERSION } from "./domain/ComputeInstance.ts"
import * as Operator from "./Operator.ts"
import { Providers, ProvisioningProvider } from "./ports/ProvisioningProvider.ts"
import { registry } from "./providers/registry.ts"
import { Settings as ReconcileSettings } from "./reconcile/Settings.ts"
import { loadSettings, type Settings } from "./Settings.ts"
import type { OperatorSettings } from "./settings/OperatorVariables.ts"
import { logging } from "./Telemetry.ts"

const VERSION_OF_OPERATOR = "0.1.0"
/** A launch may leave this long after its intent began to be written. */
const SEND_WINDOW = Duration.seconds(10)
const RESYNC = Duration.hours(10)
/** How often what no event announces is looked at again, where the provider does not say. */
const POLL_INTERVAL = Duration.seconds(30)

const kubernetes = (operator: OperatorSettings) =>
  Layer.merge(
    KubernetesClient.layer({ group: GROUP, version: VERSION, plural: PLURAL, namespace: operator.namespace }),
    Events.layer({ apiVersion: `${GROUP}/${VERSION}`, kind: KIND })
  ).pipe(Layer.provide(ApiServer.layer({ version: VERSION_OF_OPERATOR, proxy: proxyFromEnvironment })))

/** Every provider that is configured, each with an HTTP client of its own; the active one must be. */
const providers = (settings: Settings) =>
  Layer.effect(
    Providers,
    Effect.gen(function* () {
      const all = yield* Effect.forEach(settings.providers, ({ configured }) =>
        Effect.flatMap(Layer.build(Layer.provide(configured.layer, Outbound.layer(configured.outbound))), (context) =>
          Effect.provide(ProvisioningProvider, context)
        )
      )
      const byName = (name: string) => Option.fromUndefinedOr(all.find((provider) => provider.name === name))
      // the settings are refused when the active one is not configured
      const active = yield* Effect.orDie(Effect.fromOption(byName(settings.operator.provider)))
      return Providers.of({ active, byName, all })
    })
  )

const pollIntervalOf = (settings: Settings): Duration.Duration => {
  const active = settings.providers.find(({ name }) => name === settings.operator.provider)
  return Option.getOrElse(
    Option.flatMap(Option.fromUndefinedOr(active), ({ configured }) => configured.pollInterval),
    () => POLL_INTERVAL
  )
}

const reconcileSettings = (settings: Settings) => {
  const { operator } = settings
  return Layer.succeed(ReconcileSettings, {
    quietPeriod: Duration.toMillis(operator.launchQuietPeriod),
    sendWindow: Duration.toMillis(SEND_WINDOW),
    pollInterval: Duration.toMillis(pollIntervalOf(settings)),
    maxJobHistory: operator.maxJobHistory,
    jobRetention: Duration.toMillis(operator.jobRetention),
    jobDeadline: Duration.toMillis(operator.jobDeadline),
    cancelDeadline: Duration.toMillis(operator.cancelDeadline)
  })
}

/**
 * Alive as long as it answers: a loop that died ends the process, and an API server that is away is no reason to restart.
 */
const probes = (reflector: Operator.Running["reflector"]): Health.Probes => ({
  alive: Effect.succeedNone,
  ready: Effect.map(reflector.hasSynced, (synced) =>
    synced ? Option.none() : Option.some("the first list of ComputeInstances is not complete")
  )
})

const operate = Effect.fnUntraced(function* (settings: Settings) {
  const { operator } = settings
  yield* Effect.logInfo("starting cloudkit-operator", {
    version: VERSION_OF_OPERATOR,
    provider: operator.provider,
    namespace: Option.getOrElse(operator.namespace, () => "all")
  })
  yield* Effect.forEach(settings.warnings, (warning) => Effect.logWarning(warning), { discard: true })
  if (operator.leaderElect) {
    yield* Effect.logWarning("CLOUDKIT_LEADER_ELECT is true, and this version elects no leader: run one replica")
  }
  const running = yield* Operator.start({ concurrency: operator.maxConcurrentReconciles, resync: RESYNC })
  yield* Layer.build(Health.layer(operator.healthPort, probes(running.reflector)))
  yield* running.join
}, Effect.scoped)

const program = Effect.gen(function* () {
  const settings = yield* loadSettings(registry)
  const { logFormat, logLevel } = settings.operator
  const layers = Layer.mergeAll(kubernetes(settings.operator), providers(settings), reconcileSettings(settings))
  yield* operate(settings).pipe(
    Effect.provide(layers),
    Effect.tapCause((cause) => (Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.logFatal("stopped", cause))),
    Effect.provide(logging(logFormat, logLevel))
  )
})

/** What is wrong with the configuration is for people to read, without a stack. */
const explained = Effect.catchTag(program, "SettingsError", (error) =>
  Effect.andThen(
    Effect.sync(() => process.stderr.write(`${error.message}\n`)),
    Effect.fail(error)
  )
)

const teardown: Runtime.Teardown = (exit, done) =>
  done(Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause) ? 0 : 1)

NodeRuntime.runMain(explained, { teardown, disableErrorReporting: true })
