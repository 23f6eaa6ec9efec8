/** The lean API server of the benchmark keeps the part of the cluster contract that an operator relies on. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { HttpClient } from "effect/http"
import { LeanKubernetes } from "../../scripts/processes/LeanKubernetes.ts"
import { type Cluster, clusterOf } from "../cluster/contract/Cluster.ts"
import { check, contract } from "../cluster/contract.ts"
import { serve } from "../support/Wire.ts"

class Lean extends Context.Service<Lean, Cluster>()("cloudkit-operator/test/budgets/Lean") {
  static readonly layer = Layer.effect(
    Lean,
    Effect.gen(function* () {
      const lean = new LeanKubernetes("contract.example.com/v1alpha1", "Widget")
      const { url } = yield* serve(lean.handler)
      const compact = Effect.sync(() => lean.compact())
      return clusterOf(yield* HttpClient.HttpClient, url, compact)
    })
  ).pipe(Layer.provide(NodeHttpClient.layerUndici))
}

const relied: ReadonlySet<string> = new Set([
  "limit and continue walk through a list",
  "a watch tells everything after its resourceVersion, in order, and goes on",
  "a watch tells what happens while it is open",
  "a watch ends by itself after its timeoutSeconds",
  "a watch is told how far things are, before it ends at the latest",
  "null in a merge patch removes the key",
  "an object with finalizers stays, marked for deletion",
  "the last finalizer taken off removes the object, not one before",
  "a write that carries the present resourceVersion succeeds",
  "generation grows with the spec, not with metadata or status"
])

layer(Lean.layer, { excludeTestServices: true })("the lean API server", (it) => {
  contract.forEach((promise, number) => {
    if (relied.has(promise.name)) {
      it.effect(promise.name, () => Effect.flatMap(Lean, (cluster) => check(cluster, promise, number)))
    }
  })
})
