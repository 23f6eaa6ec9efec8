/** The operator as a process, and a real API server that misbehaves or has served another operator before. */
import { join } from "node:path"
import { assert, it, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { LONG_TEST } from "../support/eventually.ts"
import { assets, leftOut, present } from "./assets.ts"
import { start } from "./ControlPlane.ts"
import { temporaryFolder } from "./Scene.ts"
import { compaction, conflicts, killedConnections, makeWeather, restart } from "./storms.ts"
import { earlierCluster, upgrade } from "./upgrade.ts"

const OPERATOR = { name: "operator", token: "operator-token" }

const makeServer = Effect.gen(function* () {
  const audit = join(yield* temporaryFolder, "audit.log")
  const tokens = ["admin-token,admin,1,system:masters", `${OPERATOR.token},${OPERATOR.name},2,system:masters`]
  const plane = yield* start({ assets, tokens, audit, flags: ["--watch-cache=false"] })
  const earlier = yield* earlierCluster(plane, "admin-token")
  return { earlier, weather: yield* makeWeather(plane, OPERATOR, audit) }
})

/** One for all: the earlier operator's definition is there first, and ours replaces it. */
class Server extends Context.Service<Server, Effect.Success<typeof makeServer>>()(
  "cloudkit-operator/test/cluster/Storms"
) {
  static readonly layer = Layer.effect(Server, makeServer)
}

if (present("etcd", "kube-apiserver", "kubectl")) {
  layer(Server.layer, { excludeTestServices: true, timeout: LONG_TEST })("on a real API server", (it) => {
    it.effect(
      "an upgrade from the earlier operator launches nothing, prunes nothing, and goes on where the other stopped",
      () => Effect.flatMap(Server, ({ earlier }) => Effect.scoped(upgrade(earlier))),
      LONG_TEST
    )
    for (const [name, story] of Object.entries({
      "a compaction of what was not seen costs one list, and loses no change": compaction,
      "an API server that is killed in the middle of a life costs one list, and loses no change": restart,
      "killed connections cost no list and no change": killedConnections,
      "whole lives end well while somebody else writes to the same objects fifty times a second": conflicts
    })) {
      it.effect(name, () => Effect.flatMap(Server, ({ weather }) => story(weather)), LONG_TEST)
    }
  })
} else {
  const line = leftOut("an API server that misbehaves, and the upgrade from the earlier operator")
  it("says what is left out without KUBEBUILDER_ASSETS, and how to have it", () => {
    assert.include(line, "setup-envtest use -p path")
  })
}
