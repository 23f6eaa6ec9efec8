/** The operator as a process, and a real API server that misbehaves. */
import { join } from "node:path"
import { assert, it, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { assets, leftOut, present } from "./assets.ts"
import { start } from "./ControlPlane.ts"
import { temporaryFolder } from "./Scene.ts"
import { conflicts, makeWeather, type Weather } from "./storms.ts"
import { readFileSync } from "node:fs"
import { parse } from "yaml"
import { fromUnknown } from "../support/kubernetes/Json.ts"
import { partOf } from "../document/Cluster.ts"

class Real extends Context.Service<Real, Weather>()("cloudkit-operator/test/cluster/Storms") {
  static readonly layer = Layer.effect(
    Real,
    Effect.gen(function* () {
      const audit = join(yield* temporaryFolder, "audit.log")
      const tokens = ["admin-token,admin,1,system:masters", "operator-token,operator,2,system:masters"]
      const plane = yield* start({ assets, tokens, audit })
      const c = yield* partOf(plane, "x")
      yield* c.ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", fromUnknown(parse(readFileSync("k8s/crd/cloudkit.openshift.io_computeinstances.yaml", "utf8"))))
      return yield* makeWeather(plane, "operator", "operator-token", audit)
    })
  )
}

layer(Real.layer, { excludeTestServices: true, timeout: "2 minutes" })("a real API server", (it) => {
  it.effect("conflicts", () => Effect.flatMap(Real, conflicts), 120_000)
})
