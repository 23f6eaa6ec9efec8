/**
 * A whole world in virtual time: the real operator over the real wire formats, a simulated cluster and a simulated AAP.
 *
 * Assertions are made on the ground truth: what the cluster stores and what AAP ran. An operator can be stopped (it drains)
 * or killed (from that moment none of its requests leaves, and no answer reaches it), and started again.
 */
import { readFileSync } from "node:fs"
import { Clock, Duration, Effect, Exit, Fiber, Layer, Option, Redacted, Scope } from "effect"
import { HttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import { parse } from "yaml"
import { cleared } from "../../src/adapters/http/Clearance.ts"
import { ApiServer } from "../../src/adapters/kubernetes/ApiServer.ts"
import * as EventsAdapter from "../../src/adapters/kubernetes/Events.ts"
import * as KubernetesAdapter from "../../src/adapters/kubernetes/KubernetesClient.ts"
import * as Lease from "../../src/adapters/kubernetes/Lease.ts"
import { GROUP, KIND, PLURAL, VERSION } from "../../src/domain/ComputeInstance.ts"
import * as Operator from "../../src/Operator.ts"
import { Providers, ProvisioningProvider } from "../../src/ports/ProvisioningProvider.ts"
import * as AapProvider from "../../src/providers/aap/AapProvider.ts"
import { AapSettings } from "../../src/providers/aap/AapSettings.ts"
import * as EdaProvider from "../../src/providers/eda/EdaProvider.ts"
import { EdaSettings } from "../../src/providers/eda/EdaSettings.ts"
import { preflight } from "../../src/reconcile/preflight.ts"
import { type ReconcileSettings, Settings } from "../../src/reconcile/Settings.ts"
import * as Leader from "../../src/runtime/Leader.ts"
import { type FaultyWire, withFaults } from "./Faults.ts"
import { at, clockAt, killable, type Place } from "./Place.ts"
import * as SimulatedAap from "./SimulatedAap.ts"
import * as SimulatedEda from "./SimulatedEda.ts"
import * as SimulatedKubernetes from "./SimulatedKubernetes.ts"
import { makeUser, type User } from "./User.ts"
import { byOrigin, inProcess, type WireHandler } from "./Wire.ts"

const KUBERNETES = "https://kubernetes.test"
const AAP = "https://aap.test"
const EDA = "http://eda.test"

export const PROVISION_TEMPLATE = "osac-create-compute-instance"
export const DEPROVISION_TEMPLATE = "osac-delete-compute-instance"

const minutes = (count: number): number => Duration.toMillis(Duration.minutes(count))

const settings: ReconcileSettings = {
  quietPeriod: minutes(4),
  sendWindow: 10_000,
  pollInterval: 30_000,
  maxJobHistory: 10,
  jobRetention: minutes(24 * 60),
  jobDeadline: minutes(24 * 60),
  cancelDeadline: minutes(10)
}

type ProviderName = "aap" | "eda"
export type ProviderNames = readonly [ProviderName, ...ReadonlyArray<ProviderName>]

export interface WorldOptions {
  /** What a process is configured for; the first one launches. Default: AAP alone. */
  readonly providers?: ProviderNames
  /** A provider instead of all of them. */
  readonly provider?: Layer.Layer<ProvisioningProvider>
  readonly eda?: { readonly minimumRequestInterval?: Duration.Duration; readonly settlePeriod?: Duration.Duration }
  readonly settings?: Partial<ReconcileSettings>
  readonly aap?: SimulatedAap.Options
  readonly concurrency?: number
  /** How many requests to AAP may be under way at once; the share of launches is smaller. Default: 10. */
  readonly maxConcurrentRequests?: number
  /** Processes ask their provider at the start whether it would launch, as `main` lets them. Default: they do not. */
  readonly preflight?: boolean
  readonly templates?: { readonly provision: string; readonly deprovision: string }
  readonly cluster?: SimulatedKubernetes.Options
  /** What the operator shows to each of them, asked for anew with every request of a provider. */
  readonly tokens?: {
    readonly aap?: Effect.Effect<Redacted.Redacted>
    readonly eda?: Effect.Effect<Redacted.Redacted>
    readonly kubernetes?: string
  }
  /** Processes elect the one that works, by a Lease of this duration. Default: all of them work. */
  readonly leader?: Duration.Input
  /** Put around the simulators, inside of the ordered faults: sees what really takes effect. */
  readonly around?: {
    readonly kubernetes?: (inner: WireHandler) => WireHandler
    readonly aap?: (inner: WireHandler) => WireHandler
  }
}

/** One running process of the operator. */
export interface Process {
  /** What it thinks of its own part; without an election it always leads. */
  readonly standing: Effect.Effect<Leader.Standing>
  /** As on SIGTERM: what must be recorded is recorded. */
  readonly stop: Effect.Effect<void>
  /** As on SIGKILL. */
  readonly kill: Effect.Effect<void>
}

export const crd: unknown = parse(readFileSync("k8s/crd/cloudkit.openshift.io_computeinstances.yaml", "utf8"))

const aapLayer = (options: WorldOptions) =>
  AapProvider.layer.pipe(
    Layer.orDie,
    Layer.provide(
      Layer.succeed(AapSettings, {
        url: AAP,
        token: options.tokens?.aap ?? Effect.succeed(Redacted.make("operator-token")),
        templates: options.templates ?? { provision: PROVISION_TEMPLATE, deprovision: DEPROVISION_TEMPLATE },
        organization: Option.none(),
        pollInterval: Duration.millis(options.settings?.pollInterval ?? settings.pollInterval),
        requestTimeout: Duration.seconds(30),
        maxConcurrentRequests: options.maxConcurrentRequests ?? 10
      })
    )
  )

const edaLayer = (options: WorldOptions) =>
  EdaProvider.layer.pipe(
    Layer.provide(
      Layer.succeed(EdaSettings, {
        webhooks: {
          provision: Option.some(`${EDA}/${SimulatedEda.PROVISION_PATH}`),
          deprovision: Option.some(`${EDA}/${SimulatedEda.DEPROVISION_PATH}`)
        },
        minimumRequestInterval: options.eda?.minimumRequestInterval ?? Duration.zero,
        settlePeriod: options.eda?.settlePeriod ?? Duration.minutes(10),
        token: Option.fromUndefinedOr(options.tokens?.eda)
      })
    )
  )

/** All providers that the process is configured for; the first one launches. */
const providersLayer = (http: Layer.Layer<HttpClient.HttpClient>, options: WorldOptions) =>
  Layer.effect(
    Providers,
    Effect.gen(function* () {
      const [first, ...others] = options.providers ?? ["aap"]
      const build = (name: ProviderName) =>
        Effect.flatMap(
          Layer.build(options.provider ?? Layer.provide(name === "aap" ? aapLayer(options) : edaLayer(options), http)),
          (context) => Effect.provide(ProvisioningProvider, context)
        )
      const active = yield* build(first)
      const all = [active, ...(yield* Effect.forEach(others, build))]
      const byName = (name: string) => Option.fromUndefinedOr(all.find((provider) => provider.name === name))
      return Providers.of({ active, all, byName })
    })
  )

const apiServerLayer = (client: HttpClient.HttpClient, token = "operator") =>
  Layer.effect(
    ApiServer,
    ApiServer.make({
      server: KUBERNETES,
      headers: { current: Effect.succeed({ authorization: `Bearer ${token}` }), drop: () => Effect.void },
      version: "test"
    })
  ).pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, client)))

/** What every process has, and what only one that works has. */
const operatorLayers = (client: HttpClient.HttpClient, options: WorldOptions) => ({
  always: Layer.merge(
    KubernetesAdapter.layer({ group: GROUP, version: VERSION, plural: PLURAL, namespace: Option.none() }),
    Layer.succeed(Settings, { ...settings, ...options.settings })
  ).pipe(Layer.provideMerge(apiServerLayer(client, options.tokens?.kubernetes))),
  working: Layer.merge(
    EventsAdapter.layer({ apiVersion: `${GROUP}/${VERSION}`, kind: KIND, reportingInstance: "operator-0" }),
    providersLayer(Layer.succeed(HttpClient.HttpClient, cleared(client)), options)
  )
})

const LEASE = { namespace: "default", name: "cloudkit-operator-leader" }

/** The processes of one world are told apart by their numbers. */
const makeLeader = Effect.fnUntraced(function* (options: WorldOptions, number: number) {
  if (options.leader === undefined) return Option.none()
  const lock = yield* Lease.make(LEASE)
  const duration = Duration.fromInputUnsafe(options.leader)
  return Option.some(yield* Leader.make({ lock, identity: `operator-${number}`, duration }))
})

export interface World {
  readonly kubernetes: SimulatedKubernetes.SimulatedKubernetes
  readonly aap: SimulatedAap.SimulatedAap
  readonly kubernetesWire: FaultyWire
  readonly aapWire: FaultyWire
  readonly eda: SimulatedEda.SimulatedEda
  readonly edaWire: FaultyWire
  /** Starts a process that is configured for these providers; the first one launches. */
  readonly startAs: (...providers: ProviderNames) => Effect.Effect<Process, never, Scope.Scope>
  /** Starts a process of the operator. Several may run at once. */
  readonly start: Effect.Effect<Process, never, Scope.Scope>
  /** Starts a process somewhere, configured for these providers, or as the world is. */
  readonly startAt: (place: Place, providers?: ProviderNames) => Effect.Effect<Process, never, Scope.Scope>
  /** Somebody with kubectl. */
  readonly user: User
}

/**
 * Does something a millisecond from now and lets everything that follows from it happen, as far as it needs no more time.
 * The test clock waits for whatever a sleeper sets going, and for nothing else.
 */
export const settled = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(Effect.delay(effect, "1 millis"), { startImmediately: true })
    yield* TestClock.adjust("1 millis")
    return yield* Fiber.join(fiber)
  })

const settledUser = (user: User): User => ({
  create: (...args) => settled(user.create(...args)),
  patch: (...args) => settled(user.patch(...args)),
  patchStatus: (...args) => settled(user.patchStatus(...args)),
  annotate: (...args) => settled(user.annotate(...args)),
  remove: (...args) => settled(user.remove(...args))
})

const alone: Leader.Standing = { leads: true, holder: "", problem: Option.none() }

/** A process as `main` puts it together. */
const operating = (
  tools: ReturnType<typeof operatorLayers>["working"],
  leader: Option.Option<Leader.Leader>,
  options: WorldOptions
) =>
  Effect.gen(function* () {
    const watching = yield* Operator.watch
    const working = Operator.work(watching, {
      concurrency: options.concurrency ?? 16,
      resync: Duration.hours(10)
    }).pipe(
      Effect.tap(options.preflight === true ? Effect.forkScoped(preflight(() => undefined)) : Effect.void),
      Effect.flatMap(({ join }) => join),
      Effect.scoped,
      Effect.provide(tools, { local: true })
    )
    return yield* Operator.run(watching, leader, working)
  }).pipe(Effect.scoped)

export const makeWorld = Effect.fnUntraced(function* (options: WorldOptions = {}) {
  const kubernetes = yield* SimulatedKubernetes.make({ crds: [crd], ...options.cluster })
  const aap = yield* SimulatedAap.make(options.aap)
  const cluster = options.around?.kubernetes?.(kubernetes.handler) ?? kubernetes.handler
  const kubernetesWire = yield* withFaults(cluster)
  const aapWire = yield* withFaults(options.around?.aap?.(aap.handler) ?? aap.handler)
  const eda = yield* SimulatedEda.make({ cluster: { handler: cluster, origin: KUBERNETES } })
  const edaWire = yield* withFaults(eda.handler)
  const wires = byOrigin({ [KUBERNETES]: kubernetesWire.handler, [AAP]: aapWire.handler, [EDA]: edaWire.handler })

  let started = 0
  const start = Effect.fnUntraced(function* (configured: WorldOptions, place: Place = {}) {
    let dead = false
    const number = started++
    const servers = at(yield* Clock.Clock, wires)
    const client = inProcess(killable(place.wire?.(servers) ?? servers, () => dead))
    const scope = yield* Scope.make()
    const layers = operatorLayers(client, configured)
    const clock = yield* clockAt(place)
    const context = yield* Effect.provideService(Layer.buildWithScope(layers.always, scope), Clock.Clock, clock)
    const leader = yield* Effect.provide(makeLeader(configured, number), context).pipe(
      Effect.provideService(Clock.Clock, clock)
    )
    const fiber = yield* operating(layers.working, leader, options).pipe(
      Effect.provide(context),
      Effect.provideService(Clock.Clock, clock),
      Effect.forkDetach({ startImmediately: true })
    )
    const stop = Effect.andThen(Fiber.interrupt(fiber), Scope.close(scope, Exit.void))
    yield* Effect.addFinalizer(() => (dead ? Effect.void : stop))
    return {
      standing: Option.match(leader, { onNone: () => Effect.succeed(alone), onSome: ({ standing }) => standing }),
      stop,
      kill: Effect.suspend(() => {
        dead = true
        return Effect.asVoid(Effect.forkDetach(stop, { startImmediately: true }))
      })
    }
  })

  const world: World = {
    kubernetes,
    aap,
    kubernetesWire,
    aapWire,
    eda,
    edaWire,
    start: settled(start(options)),
    startAt: (place, providers) => settled(start(providers === undefined ? options : { ...options, providers }, place)),
    startAs: (...providers) => settled(start({ ...options, providers })),
    user: settledUser(makeUser(cluster, KUBERNETES))
  }
  return world
})
