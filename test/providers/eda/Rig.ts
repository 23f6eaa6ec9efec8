/** The real EDA provider over a simulated EDA in virtual time, and the few things that tests of it do all the time. */
import { Context, Duration, Effect, Fiber, Layer, Option, type Scope } from "effect"
import { HttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import { keyOf } from "../../../src/domain/Intent.ts"
import type { Operation } from "../../../src/domain/Job.ts"
import type { KubernetesObject, ObjectMeta } from "../../../src/ports/KubernetesClient.ts"
import type { ProviderError } from "../../../src/ports/ProviderError.ts"
import {
  type JobReference,
  type LaunchedJob,
  type Order,
  type Provider,
  ProvisioningProvider
} from "../../../src/ports/ProvisioningProvider.ts"
import * as EdaProvider from "../../../src/providers/eda/EdaProvider.ts"
import { EdaSettings, type EdaSettingsShape } from "../../../src/providers/eda/EdaSettings.ts"
import { type FaultyWire, withFaults } from "../../support/Faults.ts"
import * as SimulatedEda from "../../support/SimulatedEda.ts"
import { inProcess, type WireHandler } from "../../support/Wire.ts"

const EDA = "http://eda.test:5000"
const PROVISION = `${EDA}/${SimulatedEda.PROVISION_PATH}`
const DEPROVISION = `${EDA}/${SimulatedEda.DEPROVISION_PATH}`
export const VERSION = "cfd490dd9e0eef4b"

const edaSettings = (overrides: Partial<EdaSettingsShape> = {}): EdaSettingsShape => ({
  webhooks: { provision: Option.some(PROVISION), deprovision: Option.some(DEPROVISION) },
  minimumRequestInterval: Duration.zero,
  settlePeriod: Duration.minutes(10),
  token: Option.none(),
  ...overrides
})

/** The provider over any HTTP client. */
export const providerWith = (
  http: HttpClient.HttpClient,
  settings: Partial<EdaSettingsShape> = {}
): Effect.Effect<Provider, never, Scope.Scope> => {
  const under = Layer.merge(
    Layer.succeed(HttpClient.HttpClient, http),
    Layer.succeed(EdaSettings, edaSettings(settings))
  )
  return Effect.map(Layer.build(EdaProvider.layer.pipe(Layer.provide(under))), (context) =>
    Context.get(context, ProvisioningProvider)
  )
}

/** The provider over any wire. */
export const providerOver = (handler: WireHandler, settings: Partial<EdaSettingsShape> = {}) =>
  providerWith(inProcess(handler), settings)

export interface Rig {
  readonly eda: SimulatedEda.SimulatedEda
  readonly wire: FaultyWire
  readonly provider: Provider
}

export const makeRig = Effect.fnUntraced(function* (
  options: { readonly eda?: SimulatedEda.Options; readonly settings?: Partial<EdaSettingsShape> } = {}
): Effect.fn.Return<Rig, never, Scope.Scope> {
  const eda = yield* SimulatedEda.make(options.eda)
  const wire = yield* withFaults(eda.handler)
  return { eda, wire, provider: yield* providerOver(wire.handler, options.settings) }
})

const uidOf = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`

export const objectOf = (metadata: Partial<ObjectMeta> = {}): KubernetesObject => ({
  apiVersion: "cloudkit.openshift.io/v1alpha1",
  kind: "ComputeInstance",
  metadata: { name: "vm-1", namespace: "default", uid: uidOf(1), resourceVersion: "1", ...metadata },
  spec: { templateID: "osac.templates.small" },
  status: { desiredConfigVersion: VERSION }
})

export const orderOf = (operation: Operation = "provision", overrides: Partial<Order> = {}): Order => ({
  key: keyOf(uidOf(1), operation, VERSION, 1),
  stamp: "1970-01-01T00:00:00.000Z",
  recorded: [],
  payload: JSON.parse(JSON.stringify(objectOf())),
  ...overrides
})

/** The payload of an object that a playbook, or the operator, put finalizers on. */
export const held = (...finalizers: ReadonlyArray<string>): Order["payload"] =>
  JSON.parse(JSON.stringify(objectOf({ finalizers })))

/** Prepares and sends, as the pipeline does without what it writes in between. */
export const launch = (
  provider: Provider,
  operation: Operation = "provision",
  order: Order = orderOf(operation)
): Effect.Effect<LaunchedJob, ProviderError> =>
  Effect.scoped(Effect.flatMap(provider.prepare(operation), (prepared) => prepared.send(order)))

/** The failure of a launch, while time goes by. */
export const failure = (provider: Provider, operation: Operation = "provision", order: Order = orderOf(operation)) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(Effect.flip(launch(provider, operation, order)))
    yield* TestClock.adjust("1 minute")
    return yield* Fiber.join(fiber)
  })

/** What the provider knows of one job. */
export const observe = (provider: Provider, object: KubernetesObject, job: JobReference) =>
  Effect.map(provider.track(object, [job]), ({ seen }) => seen.get(job.id))
