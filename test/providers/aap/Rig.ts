/**
 * The real AAP provider over a simulated AAP in virtual time, and the few things that tests of it do all the time.
 */
import { Context, Duration, Effect, Layer, Option, Redacted, type Scope, Stream } from "effect"
import { HttpClient } from "effect/http"
import { keyOf } from "../../../src/domain/Intent.ts"
import type { Operation } from "../../../src/domain/Job.ts"
import type { KubernetesObject } from "../../../src/ports/KubernetesClient.ts"
import type { ProviderError } from "../../../src/ports/ProviderError.ts"
import {
  type JobReference,
  type LaunchedJob,
  type Provider,
  ProvisioningProvider
} from "../../../src/ports/ProvisioningProvider.ts"
import { AapClient } from "../../../src/providers/aap/AapClient.ts"
import * as AapProvider from "../../../src/providers/aap/AapProvider.ts"
import { AapSettings, type AapSettingsShape } from "../../../src/providers/aap/AapSettings.ts"
import { Permits } from "../../../src/providers/aap/Permits.ts"
import { type Exchange, type FaultyWire, withFaults } from "../../support/Faults.ts"
import * as SimulatedAap from "../../support/SimulatedAap.ts"
import { inProcess, type WireHandler, type WireRequest } from "../../support/Wire.ts"

export const AAP = "https://aap.test"
export const PROVISION = "osac-create-compute-instance"
const DEPROVISION = "osac-delete-compute-instance"
const VERSION = "0123456789abcdef"

/** The superuser of the simulated AAP. */
export const adminToken = Redacted.make("admin-token")

export const aapSettings = (overrides: Partial<AapSettingsShape> = {}): AapSettingsShape => ({
  url: AAP,
  token: Effect.succeed(Redacted.make("operator-token")),
  templates: { provision: PROVISION, deprovision: DEPROVISION },
  organization: Option.none(),
  pollInterval: Duration.seconds(30),
  requestTimeout: Duration.seconds(30),
  maxConcurrentRequests: 10,
  ...overrides
})

const platform = (handler: WireHandler, settings: Partial<AapSettingsShape>) =>
  Layer.merge(
    Layer.succeed(HttpClient.HttpClient, inProcess(handler)),
    Layer.succeed(AapSettings, aapSettings(settings))
  )

/** The provider over any wire. */
export const providerOver = (
  handler: WireHandler,
  settings: Partial<AapSettingsShape> = {}
): Effect.Effect<Provider, never, Scope.Scope> =>
  Effect.map(Layer.build(AapProvider.layer.pipe(Layer.provide(platform(handler, settings)), Layer.orDie)), (context) =>
    Context.get(context, ProvisioningProvider)
  )

/** The client over any wire. */
export const clientOver = (handler: WireHandler, settings: Partial<AapSettingsShape> = {}) => {
  const under = platform(handler, settings)
  const layer = AapClient.layer.pipe(Layer.provide(Permits.layer), Layer.provide(under), Layer.orDie)
  return Effect.map(Layer.build(layer), (context) => Context.get(context, AapClient))
}

export interface Rig {
  readonly aap: SimulatedAap.SimulatedAap
  readonly wire: FaultyWire
  readonly provider: Provider
}

export const makeRig = Effect.fnUntraced(function* (
  options: { readonly aap?: SimulatedAap.Options; readonly settings?: Partial<AapSettingsShape> } = {}
): Effect.fn.Return<Rig, never, Scope.Scope> {
  const aap = yield* SimulatedAap.make(options.aap)
  const wire = yield* withFaults(aap.handler)
  return { aap, wire, provider: yield* providerOver(wire.handler, options.settings) }
})

export const uidOf = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`

export const objectOf = (n: number): KubernetesObject => ({
  apiVersion: "cloudkit.openshift.io/v1alpha1",
  kind: "ComputeInstance",
  metadata: { name: `vm-${n}`, namespace: "default", uid: uidOf(n), resourceVersion: "1", generation: 1 },
  spec: { templateID: "osac.templates.small" }
})

export const orderOf = (n: number, operation: Operation = "provision", attempt = 1) => {
  const { metadata, ...rest } = objectOf(n)
  return {
    key: keyOf(uidOf(n), operation, VERSION, attempt),
    stamp: "1970-01-01T00:00:00.000Z",
    payload: { ...rest, metadata: { name: metadata.name, namespace: metadata.namespace, uid: metadata.uid } }
  }
}

/** Prepares and sends, as the pipeline does without what it writes in between. */
export const launch = (
  provider: Provider,
  n: number,
  operation: Operation = "provision",
  attempt = 1
): Effect.Effect<LaunchedJob, ProviderError> =>
  Effect.scoped(
    Effect.flatMap(provider.prepare(operation), (prepared) => prepared.send(orderOf(n, operation, attempt)))
  )

export const referenceOf = (
  job: Pick<LaunchedJob, "id" | "kind">,
  n: number,
  operation: Operation = "provision"
): JobReference => ({ id: job.id, kind: job.kind, operation, launchKey: orderOf(n, operation).key })

/** What the provider knows of one job of the object. */
export const observe = (provider: Provider, n: number, reference: JobReference) =>
  Effect.map(provider.track(objectOf(n), [reference]), ({ seen }) => seen.get(reference.id))

export const isLaunch = (request: Pick<WireRequest, "method" | "url">): boolean =>
  request.method === "POST" && request.url.pathname.endsWith("/launch/")
export const isCancel = (request: Pick<WireRequest, "method" | "url">): boolean =>
  request.method === "POST" && request.url.pathname.endsWith("/cancel/")
export const isPoll = (request: Pick<WireRequest, "method" | "url">): boolean =>
  request.method === "GET" && request.url.searchParams.has("id__in")
export const isLookUp = (request: Pick<WireRequest, "method" | "url">): boolean =>
  request.url.pathname.endsWith("/unified_job_templates/")

/** How many requests of a sort went over the wire. */
export const count = (wire: FaultyWire, which: (request: Pick<WireRequest, "method" | "url">) => boolean) =>
  wire.count((exchange: Exchange) =>
    which({ method: exchange.method, url: new URL(`${AAP}${exchange.path}${exchange.query}`) })
  )

// ── polling ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The jobs that a poll asked for. */
export const idsOf = (exchange: Pick<Exchange, "query">): ReadonlyArray<string> =>
  new URLSearchParams(exchange.query).get("id__in")?.split(",") ?? []
export const polls = (rig: Rig) =>
  Effect.map(rig.wire.exchanges, (all) => all.filter((exchange) => exchange.query.includes("id__in")))
export const details = (rig: Rig) =>
  Effect.map(rig.wire.exchanges, (all) => all.filter(({ path }) => /\/(workflow_)?jobs\/\d+\/$/u.test(path)))

/** Launches a job for each of these objects and follows them; answers their references, by object. */
export const follow = Effect.fnUntraced(function* (rig: Rig, objects: ReadonlyArray<number>) {
  const references = new Map<number, ReturnType<typeof referenceOf>>()
  for (const n of objects) {
    const reference = referenceOf(yield* launch(rig.provider, n), n)
    references.set(n, reference)
    yield* rig.provider.track(objectOf(n), [reference])
  }
  yield* rig.wire.forget
  const seen = (n: number) => {
    const reference = references.get(n)
    return reference === undefined ? Effect.die(new Error(`nobody follows ${n}`)) : observe(rig.provider, n, reference)
  }
  const stateOf = (n: number) => Effect.map(seen(n), (found) => found?.state)
  return { references, seen, stateOf }
})

/** 1, 2, … */
export const upTo = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, n) => n + 1)

/** The objects that are told something, as they are told. */
export const listen = Effect.fnUntraced(function* (rig: Rig) {
  const told: Array<string> = []
  yield* rig.provider.changes.pipe(
    Stream.runForEach(({ name }) => Effect.sync(() => told.push(name))),
    Effect.forkScoped
  )
  return told
})
