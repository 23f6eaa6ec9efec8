/** Our CustomResourceDefinition on the simulated API server and, where there is one, on a real one. */
import { existsSync } from "node:fs"
import { join } from "node:path"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer, Schedule } from "effect"
import { HttpClient } from "effect/http"
import { LONG_TEST } from "../support/eventually.ts"
import { make } from "../support/SimulatedKubernetes.ts"
import { serve } from "../support/Wire.ts"
import { start } from "./ControlPlane.ts"
import { computeInstanceCrd, computeInstances } from "./computeInstance.ts"
import { type Cluster, clusterOf } from "./contract/Cluster.ts"

const assets = process.env.KUBEBUILDER_ASSETS ?? ""

class Server extends Context.Service<Server, Cluster>()("cloudkit-operator/test/cluster/Server") {}

const simulated = Layer.effect(
  Server,
  Effect.gen(function* () {
    const kubernetes = yield* make({ crds: [computeInstanceCrd] })
    const { url } = yield* serve(kubernetes.handler)
    return clusterOf(yield* HttpClient.HttpClient, url, kubernetes.compact)
  })
).pipe(Layer.provide(NodeHttpClient.layerUndici))

const real = Layer.effect(
  Server,
  Effect.gen(function* () {
    const plane = yield* start({ assets, tokens: ["admin-token,admin,1,system:masters"] })
    const cluster = clusterOf(plane.client, plane.url, Effect.orDie(plane.compact))
    const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    const answer = yield* cluster.ask(definitions, { method: "POST", body: computeInstanceCrd })
    assert.strictEqual(answer.status, 201, answer.text)
    yield* Effect.repeat(cluster.ask("/apis/cloudkit.openshift.io/v1alpha1/computeinstances"), {
      schedule: Schedule.spaced("100 millis"),
      until: ({ status }) => status === 200
    })
    return cluster
  })
)

const isRealPresent = assets !== "" && existsSync(join(assets, "kube-apiserver"))
if (!isRealPresent)
  process.stdout.write(
    "Left out: our CustomResourceDefinition on a real kube-apiserver; set KUBEBUILDER_ASSETS to what `setup-envtest use -p path` prints.\n"
  )

const servers = [
  ["the simulated API server", simulated] as const,
  ...(isRealPresent ? [["a real API server", real] as const] : [])
]

for (const [name, server] of servers)
  layer(server, { excludeTestServices: true, timeout: LONG_TEST })(name, (it) => {
    for (const expectation of computeInstances)
      it.effect(expectation.name, () => Effect.flatMap(Server, expectation.check), LONG_TEST)
  })
