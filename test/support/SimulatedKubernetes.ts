/**
 * A Kubernetes API server in memory, for tests and the demo: it answers HTTP as kube-apiserver 1.35 does, and is held to
 * that by the contract suite in `test/cluster`, which runs against both.
 *
 * Serve its handler on a port with `Wire.serve`, or in process and in virtual time with `Wire.inProcess`; put
 * `Faults.withFaults` in between to make it fail on demand. Every wait is on the Effect `Clock`.
 */
import { Clock, Effect, Result, type Scope } from "effect"
import type { User } from "./kubernetes/Access.ts"
import type { ApiError } from "./kubernetes/ApiError.ts"
import { behaviours as all, type Behaviours } from "./kubernetes/Behaviours.ts"
import { type Core, timestamp, type Write } from "./kubernetes/Core.ts"
import { established, serveDefinition } from "./kubernetes/Definitions.ts"
import { fromUnknown, isObject, type JsonObject, stringAt } from "./kubernetes/Json.ts"
import { Kinds } from "./kubernetes/Kinds.ts"
import { handlerOf } from "./kubernetes/Server.ts"
import { Store } from "./kubernetes/Store.ts"
import { Watches } from "./kubernetes/Watches.ts"
import { create } from "./kubernetes/Writes.ts"
import type { WireHandler } from "./Wire.ts"

export type { AccessRule, User } from "./kubernetes/Access.ts"
export { type Behaviours, behaviours } from "./kubernetes/Behaviours.ts"
export type { JsonObject } from "./kubernetes/Json.ts"

export interface SimulatedKubernetes {
  readonly handler: WireHandler
  /** Every custom resource as it is stored, by namespace and name: the ground truth. */
  readonly objects: Effect.Effect<ReadonlyArray<JsonObject>>
  /** The custom resource of this name, if it is there. With more than one kind, the first one's. */
  readonly object: (namespace: string, name: string) => Effect.Effect<JsonObject | undefined>
  /** Every stored object of one kind, built-in or custom: `events`, `configmaps`, `leases.coordination.k8s.io`. */
  readonly stored: (storage: string) => Effect.Effect<ReadonlyArray<JsonObject>>
  /** The resourceVersion of the newest change. */
  readonly resourceVersion: Effect.Effect<string>
  /** Forgets all history: watches and continued lists from an older version get 410. */
  readonly compact: Effect.Effect<void>
  /** How many watches are open. */
  readonly openWatches: Effect.Effect<number>
  /** Breaks every open watch (ECONNRESET). */
  readonly disconnectWatches: Effect.Effect<void>
  /** Makes every open watch go silent: no event, no bookmark, no end. Watches opened later are well. */
  readonly stallWatches: Effect.Effect<void>
  /** Lets stalled watches go on, beginning with what they held back. */
  readonly resumeWatches: Effect.Effect<void>
}

export interface Options {
  /** CustomResourceDefinitions, as parsed from their manifests. */
  readonly crds?: ReadonlyArray<unknown>
  /** Namespaces besides `default` and the `kube-` ones. */
  readonly namespaces?: ReadonlyArray<string>
  /** Who may do what, by bearer token. Without it, everybody everything. */
  readonly tokens?: Readonly<Record<string, User>>
  /** Behaviours of Kubernetes to leave out. */
  readonly quirks?: Partial<Behaviours>
}

const initialNamespaces = ["default", "kube-node-lease", "kube-public", "kube-system"]

const bare = (core: Core, plural: string, group: string, now: number): Write | undefined => {
  const resource = core.kinds.find(group, "v1", plural)
  if (resource === undefined) return undefined
  return {
    resource,
    subresource: "",
    namespace: undefined,
    name: "",
    manager: "kube-apiserver",
    now: timestamp(now),
    fieldValidation: "",
    dryRun: false,
    patch: false
  }
}

const made = <A>(result: Result.Result<A, ApiError>): Effect.Effect<A> =>
  Result.isSuccess(result)
    ? Effect.succeed(result.success)
    : Effect.die(new Error(`The simulated API server cannot start: ${stringAt(result.failure.body, "message")}`))

const furnished = Effect.fnUntraced(function* (core: Core, options: Options) {
  const now = yield* Clock.currentTimeMillis
  const forNamespaces = bare(core, "namespaces", "", now)
  for (const name of forNamespaces === undefined ? [] : [...initialNamespaces, ...(options.namespaces ?? [])]) {
    const labels = { "kubernetes.io/metadata.name": name }
    const namespace = {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name, labels },
      spec: { finalizers: ["kubernetes"] },
      status: { phase: "Active" }
    }
    if (forNamespaces !== undefined) yield* made(create(core, forNamespaces, namespace))
  }
  const forDefinitions = bare(core, "customresourcedefinitions", "apiextensions.k8s.io", now)
  for (const manifest of options.crds ?? []) {
    const definition = fromUnknown(manifest)
    if (!isObject(definition) || forDefinitions === undefined) continue
    const { object } = yield* made(create(core, forDefinitions, established(definition, timestamp(now))))
    yield* made(serveDefinition(core, forDefinitions, object))
  }
})

/** A cluster with nothing in it but what the options name. Its watches end with the scope. */
export const make = (options: Options = {}): Effect.Effect<SimulatedKubernetes, never, Scope.Scope> =>
  Effect.gen(function* () {
    let uids = 0
    const core: Core = {
      store: new Store(),
      kinds: new Kinds(),
      behaviours: { ...all, ...options.quirks },
      uid: () => `00000000-0000-4000-8000-${(++uids).toString(16).padStart(12, "0")}`
    }
    const watches = new Watches(core)
    yield* furnished(core, options)
    core.store.compact()
    yield* Effect.addFinalizer(() => Effect.sync(() => watches.disconnect()))
    const stored = (storage: string) =>
      [...core.store.objects(storage)].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object)
    const customStorages = () => new Set(core.kinds.all.filter((kind) => kind.custom).map((kind) => kind.storage))
    const objects = Effect.sync(() => [...customStorages()].flatMap(stored))
    return {
      handler: handlerOf({ core, watches, tokens: options.tokens }),
      objects,
      object: (namespace, name) =>
        Effect.map(objects, (found) =>
          found.find(
            (object) =>
              stringAt(object, "metadata", "namespace") === namespace && stringAt(object, "metadata", "name") === name
          )
        ),
      stored: (storage) => Effect.sync(() => stored(storage)),
      resourceVersion: Effect.sync(() => String(core.store.revision)),
      compact: Effect.sync(() => core.store.compact()),
      openWatches: Effect.sync(() => watches.count),
      disconnectWatches: Effect.sync(() => watches.disconnect()),
      stallWatches: Effect.sync(() => watches.silence()),
      resumeWatches: Effect.sync(() => watches.resume())
    }
  })
