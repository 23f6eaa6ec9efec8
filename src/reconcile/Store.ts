/**
 * The reflector's store as the pipeline sees it: the newest known version of each object, own writes included, so that a
 * pass never acts on anything older than what it wrote itself.
 */
import { Context, type Effect, type Option } from "effect"
import type { KubernetesObject } from "../ports/KubernetesClient.ts"

export class Store extends Context.Service<
  Store,
  {
    readonly get: (key: string) => Effect.Effect<Option.Option<KubernetesObject>>
    /** The answer of an own write. Kept if newer than what is held. */
    readonly apply: (object: KubernetesObject) => Effect.Effect<void>
  }
>()("cloudkit-operator/reconcile/Store") {}
