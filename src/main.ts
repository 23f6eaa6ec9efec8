/**
 * The composition root: configuration in, layers together, and the operator runs until it is told to stop.
 *
 * SIGTERM and SIGINT interrupt it: intake stops, what must be recorded is recorded, the lease is let go of, and the process
 * ends with 0. A second signal changes nothing: all of that is bounded in time, and only SIGKILL cuts it short.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Cause, Clock, Duration, Effect, Exit, Layer, Option, type Runtime } from "effect"
import { limited } from "./adapters/http/AnswerLimit.ts"
import * as Health from "./adapters/http/Health.ts"
import * as MetricsServer from "./adapters/http/Metrics.ts"
import * as Outbound from "./adapters/http/Outbound.ts"
import { proxyFromEnvironment } from "./adapters/http/Proxy.ts"
import * as Traces from "./adapters/http/Traces.ts"
import { ApiServer } from "./adapters/kubernetes/ApiServer.ts"
import * as Events from "./adapters/kubernetes/Events.ts"
import * as KubernetesClient from "./adapters/kubernetes/KubernetesClient.ts"
import * as Lease from "./adapters/kubernetes/Lease.ts"
import { ownIdentity, ownNamespace } from "./adapters/kubernetes/OwnNamespace.ts"
import * as MemoryKeeper from "./adapters/node/MemoryKeeper.ts"
import * as ProcessMetrics from "./adapters/node/ProcessMetrics.ts"
import { GROUP, KIND, PLURAL, VERSION } from "./domain/ComputeInstance.ts"
import * as Operator from "./Operator.ts"
import { Providers, ProvisioningProvider } from "./ports/ProvisioningProvider.ts"
import { registry } from "./providers/registry.ts"
import { preflight } from "./reconcile/preflight.ts"
import { Settings as ReconcileSettings } from "./reconcile/Settings.ts"
import * as Leader from "./runtime/Leader.ts"
import { loadSettings, type Settings } from "./Settings.ts"
import type { OperatorSettings } from "./settings/OperatorVariables.ts"
import { logging } from "./telemetry/Logging.ts"

const VERSION_OF_OPERATOR = "0.1.0"
/** A launch may leave this long after its intent began to be written. */
const SEND_WINDOW = Duration.seconds(10)
/** One installation a namespace: replicas of the same one find each other by this name. */
const LEASE = "cloudkit-operator-leader"
const RESYNC = Duration.hours(10)
/** How often what no event announces is looked at again, where the provider does not say. */
const POLL_INTERVAL = Duration.seconds(30)

/** What every replica needs, to know the world and to be elected. */
const kubernetes = (operator: OperatorSettings) =>
  KubernetesClient.layer({ group: GROUP, version: VERSION, plural: PLURAL, namespace: operator.namespace }).pipe(
    Layer.provideMerge(
      ApiServer.layer({ version: VERSION_OF_OPERATOR, http: { findProxy: proxyFromEnvironment, over: limited } })
    )
  )

/** What belongs to the process, whether it works or stands by: what can be seen of it from outside, and its memory. */
const surroundings = (operator: OperatorSettings) =>
  Layer.mergeAll(
    Traces.layer(VERSION_OF_OPERATOR),
    ProcessMetrics.layer(VERSION_OF_OPERATOR),
    MemoryKeeper.layer,
    MetricsServer.layer(operator.metricsPort)
  )

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

/** What only the replica that works needs; built anew each time it begins to. */
const tools = (settings: Settings) =>
  Layer.merge(Events.layer({ apiVersion: `${GROUP}/${VERSION}`, kind: KIND }), providers(settings))

const electedLeader = Effect.fnUntraced(function* ({ leaseDuration }: OperatorSettings) {
  const lease = { namespace: yield* ownNamespace(), name: LEASE }
  const identity = yield* ownIdentity
  yield* Effect.logInfo("electing a leader", { lease: `${lease.namespace}/${lease.name}`, identity })
  return yield* Leader.make({ lock: yield* Lease.make(lease), identity, duration: leaseDuration })
})

/** What the probes are answered from, at any moment. */
const makeSigns = (
  watching: Operator.Watching,
  leader: Option.Option<Leader.Leader>,
  provider: () => Option.Option<string>
): Effect.Effect<Health.Signs> =>
  Effect.gen(function* () {
    const now = yield* Clock.monotonicTimeNanos
    const since = (sign: bigint) => Number(now - sign) / 1_000_000
    return {
      synced: yield* watching.reflector.hasSynced,
      watching: yield* watching.problem,
      election: yield* Effect.transposeOption(Option.map(leader, ({ standing }) => standing)),
      provider: provider(),
      silence: {
        "the watch of ComputeInstances": since(yield* watching.lastSign),
        ...(Option.isSome(leader) ? { "the leader election": since(yield* leader.value.lastSign) } : {})
      }
    }
  })

const operate = Effect.fnUntraced(function* (settings: Settings) {
  const { operator } = settings
  yield* Effect.logInfo("starting cloudkit-operator", {
    version: VERSION_OF_OPERATOR,
    provider: operator.provider,
    namespace: Option.getOrElse(operator.namespace, () => "all")
  })
  yield* Effect.forEach(settings.warnings, (warning) => Effect.logWarning(warning), { discard: true })
  const leader = operator.leaderElect ? Option.some(yield* electedLeader(operator)) : Option.none()
  const watching = yield* Operator.watch
  let trouble = Option.none<string>()
  yield* Layer.build(
    Health.layer(
      operator.healthPort,
      makeSigns(watching, leader, () => trouble)
    )
  )
  const note = (problem: Option.Option<string>) => {
    trouble = problem
  }
  const working = Operator.work(watching, { concurrency: operator.maxConcurrentReconciles, resync: RESYNC }).pipe(
    Effect.flatMap((running) => Effect.andThen(Effect.forkScoped(preflight(note)), running.join)),
    Effect.scoped,
    Effect.provide(tools(settings), { local: true }),
    Effect.ensuring(Effect.sync(() => note(Option.none())))
  )
  yield* Operator.run(watching, leader, working)
}, Effect.scoped)

const program = Effect.gen(function* () {
  const settings = yield* loadSettings(registry)
  const { logFormat, logLevel } = settings.operator
  const layers = Layer.merge(kubernetes(settings.operator), reconcileSettings(settings))
  yield* operate(settings).pipe(
    Effect.provide(Layer.provideMerge(layers, surroundings(settings.operator))),
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

// a signal that comes when all is done, and the runtime listens no more, must not turn a good end into a bad one
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => undefined)

NodeRuntime.runMain(explained, { teardown, disableErrorReporting: true })
