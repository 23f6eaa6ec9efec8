/**
 * The composition root: configuration in, layers together, and the operator runs until it is told to stop.
 *
 * SIGTERM and SIGINT interrupt it: intake stops, what must be recorded is recorded, and the process ends with 0.
 */
import { readFile } from "node:fs/promises"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Cause, Clock, Duration, Effect, Exit, Layer, Option, type Runtime } from "effect"
import * as Health from "./adapters/http/Health.ts"
import * as Outbound from "./adapters/http/Outbound.ts"
import { proxyFromEnvironment } from "./adapters/http/Proxy.ts"
import { ApiServer } from "./adapters/kubernetes/ApiServer.ts"
import * as Events from "./adapters/kubernetes/Events.ts"
import * as KubernetesClient from "./adapters/kubernetes/KubernetesClient.ts"
import { GROUP, KIND, PLURAL, VERSION } from "./domain/ComputeInstance.ts"
import * as Operator from "./Operator.ts"
import { type Provider, Providers, ProvisioningProvider } from "./ports/ProvisioningProvider.ts"
import { AapSettings as AapSettingsService } from "./providers/aap/AapSettings.ts"
import * as BaseUrl from "./providers/aap/BaseUrl.ts"
import { providers as registry } from "./providers/registry.ts"
import { Settings as ReconcileSettings } from "./reconcile/Settings.ts"
import { type AapSettings, loadSettings, type OperatorSettings, type Settings } from "./Settings.ts"
import { logging } from "./Telemetry.ts"

const VERSION_OF_OPERATOR = "0.1.0"
/** A launch may leave this long after its intent began to be written. */
const SEND_WINDOW = Duration.seconds(10)
const RESYNC = Duration.hours(10)
/** The reflector shows a sign of life at least this often. */
const SILENCE = Duration.minutes(2)

const kubernetes = (operator: OperatorSettings) =>
  Layer.merge(
    KubernetesClient.layer({ group: GROUP, version: VERSION, plural: PLURAL, namespace: operator.namespace }),
    Events.layer({ apiVersion: `${GROUP}/${VERSION}`, kind: KIND })
  ).pipe(Layer.provide(ApiServer.layer({ version: VERSION_OF_OPERATOR, proxy: proxyFromEnvironment })))

const aap = (settings: AapSettings) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const authorities = yield* Effect.forEach(settings.caFiles, (path) =>
        Effect.promise(() => readFile(path, "utf8"))
      )
      const base = yield* Effect.fromResult(BaseUrl.parse(settings.url))
      const http = Outbound.layer({
        server: base.origin,
        authorities,
        verify: !settings.insecureSkipVerify,
        connections: settings.maxConcurrentRequests
      })
      return registry.aap.pipe(Layer.provide(Layer.succeed(AapSettingsService, settings)), Layer.provide(http))
    })
  )

/** Every provider that is configured; the active one must be. */
const providers = (settings: Settings) =>
  Layer.effect(
    Providers,
    Effect.gen(function* () {
      const all: Array<Provider> = []
      if (Option.isSome(settings.aap)) {
        const context = yield* Layer.build(aap(settings.aap.value))
        all.push(yield* Effect.provide(ProvisioningProvider, context))
      }
      const byName = (name: string) => Option.fromUndefinedOr(all.find((provider) => provider.name === name))
      const active = yield* Effect.fromOption(byName(settings.operator.provider))
      return Providers.of({ active, byName, all })
    })
  )

const reconcileSettings = (settings: Settings) => {
  const { operator } = settings
  return Layer.succeed(ReconcileSettings, {
    quietPeriod: Duration.toMillis(operator.launchQuietPeriod),
    sendWindow: Duration.toMillis(SEND_WINDOW),
    pollInterval: Duration.toMillis(
      Option.match(settings.aap, { onNone: () => Duration.seconds(30), onSome: (found) => found.pollInterval })
    ),
    maxJobHistory: operator.maxJobHistory,
    jobRetention: Duration.toMillis(operator.jobRetention),
    jobDeadline: Duration.toMillis(operator.jobDeadline),
    cancelDeadline: Duration.toMillis(operator.cancelDeadline)
  })
}

const probes = (reflector: Operator.Running["reflector"]): Health.Probes => ({
  alive: Effect.gen(function* () {
    const silent = Duration.nanos((yield* Clock.monotonicTimeNanos) - (yield* reflector.lastProgress))
    return Duration.isGreaterThan(silent, SILENCE)
      ? Option.some(`no sign of life from the API server for ${Duration.format(silent)}`)
      : Option.none()
  }),
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
  const running = yield* Operator.start({ concurrency: operator.maxConcurrentReconciles, resync: RESYNC })
  yield* Layer.build(Health.layer(operator.healthPort, probes(running.reflector)))
  yield* running.join
}, Effect.scoped)

const program = Effect.gen(function* () {
  const settings = yield* loadSettings
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
