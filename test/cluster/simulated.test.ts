/** The simulator keeps the contract, over a real socket. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { HttpClient } from "effect/http"
import { LONG_TEST } from "../support/eventually.ts"
import { make } from "../support/SimulatedKubernetes.ts"
import { serve } from "../support/Wire.ts"
import { type Cluster, clusterOf } from "./contract/Cluster.ts"
import { check, contract, users } from "./contract.ts"
import { widgetCrd } from "./widgetCrd.ts"

class Simulated extends Context.Service<Simulated, Cluster>()("cloudkit-operator/test/cluster/Simulated") {
  static readonly layer = Layer.effect(
    Simulated,
    Effect.gen(function* () {
      const kubernetes = yield* make({ crds: [widgetCrd], tokens: users })
      const { url } = yield* serve(kubernetes.handler)
      return clusterOf(yield* HttpClient.HttpClient, url, kubernetes.compact)
    })
  ).pipe(Layer.provide(NodeHttpClient.layerUndici))
}

layer(Simulated.layer, { excludeTestServices: true })("the simulated API server", (it) => {
  contract.forEach((promise, number) => {
    it.effect(promise.name, () => Effect.flatMap(Simulated, (cluster) => check(cluster, promise, number)), LONG_TEST)
  })
})
