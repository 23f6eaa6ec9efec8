/** A real kube-apiserver keeps the contract: what the simulator is held to is true. */
import { assert, it, layer } from "@effect/vitest"
import { Context, Effect, Layer, Schedule } from "effect"
import { LONG_TEST } from "../support/eventually.ts"
import { assets, leftOut, present } from "./assets.ts"
import { start } from "./ControlPlane.ts"
import { type Cluster, clusterOf } from "./contract/Cluster.ts"
import { check, contract, viewerRule } from "./contract.ts"
import { widgetCrd } from "./widgetCrd.ts"

const rbac = "/apis/rbac.authorization.k8s.io/v1"

/** The contract's definition and users, as a cluster administrator would set them up. */
const furnished = Effect.fnUntraced(function* (cluster: Cluster) {
  const metadata = { name: "widget-viewer" }
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: metadata.name }
  const subjects = [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "viewer" }]
  const objects = [
    ["/apis/apiextensions.k8s.io/v1/customresourcedefinitions", widgetCrd],
    [`${rbac}/clusterroles`, { metadata, rules: [viewerRule] }],
    [`${rbac}/clusterrolebindings`, { metadata, roleRef, subjects }]
  ] as const
  for (const [path, body] of objects) {
    const answer = yield* cluster.ask(path, { method: "POST", body })
    assert.strictEqual(answer.status, 201, answer.text)
  }
  yield* Effect.repeat(cluster.ask("/openapi/v3/apis/contract.example.com/v1alpha1"), {
    schedule: Schedule.spaced("200 millis"),
    until: (answer) => answer.status === 200
  })
})

class Real extends Context.Service<Real, Cluster>()("cloudkit-operator/test/cluster/Real") {
  static readonly layer = Layer.effect(
    Real,
    Effect.gen(function* () {
      const plane = yield* start({
        assets,
        tokens: ["admin-token,admin,1,system:masters", "nobody-token,nobody,2", "viewer-token,viewer,3"]
      })
      const cluster = clusterOf(plane.client, plane.url, Effect.orDie(plane.compact))
      yield* furnished(cluster)
      return cluster
    })
  )
}

if (present("etcd", "kube-apiserver")) {
  layer(Real.layer, { excludeTestServices: true, timeout: LONG_TEST })("a real API server", (it) => {
    contract.forEach((promise, number) => {
      it.effect(promise.name, () => Effect.flatMap(Real, (cluster) => check(cluster, promise, number)), LONG_TEST)
    })
  })
} else {
  const line = leftOut(`${contract.length} promises on a real kube-apiserver`)
  it("says what is left out without KUBEBUILDER_ASSETS, and how to have it", () => {
    assert.include(line, "setup-envtest use -p path")
  })
}
