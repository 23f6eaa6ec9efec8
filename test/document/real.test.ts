/** The same on a real kube-apiserver: the real operator, a stock kubectl, and two namespaces for each story. */
import { assert, it, layer } from "@effect/vitest"
import { Context, Effect, Layer, Semaphore } from "effect"
import { assets, leftOut, present } from "../cluster/assets.ts"
import type { ControlPlane } from "../cluster/ControlPlane.ts"
import { LONG_TEST } from "../support/eventually.ts"
import { controlPlane, partOf } from "./Cluster.ts"
import { makeSite } from "./Site.ts"
import { stories } from "./stories.ts"

class Real extends Context.Service<Real, ControlPlane>()("cloudkit-operator/test/document/Real") {
  static readonly layer = Layer.effect(Real, controlPlane)
}

const atOnce = Semaphore.makeUnsafe(4)

if (present("etcd", "kube-apiserver", "kubectl")) {
  layer(Real.layer, { excludeTestServices: true, timeout: LONG_TEST })("a real API server", (it) => {
    stories.forEach((story, index) => {
      it.effect(
        story.name,
        () =>
          Effect.gen(function* () {
            yield* story.tell(yield* makeSite(yield* partOf(yield* Real, `document-${index}`)))
          }).pipe(Effect.scoped, atOnce.withPermits(1)),
        { concurrent: true, timeout: LONG_TEST }
      )
    })
  })
} else {
  const line = leftOut(`${stories.length} stories of the design document on a real kube-apiserver`)
  it("says what is left out without KUBEBUILDER_ASSETS, and how to have it", () => {
    assert.notInclude(line, assets === "" ? "undefined" : assets)
    assert.include(line, "setup-envtest use -p path")
  })
}
