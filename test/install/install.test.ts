/** The manifests, the rights and the page about installing, on a real kube-apiserver. */
import { assert, layer, it as plain } from "@effect/vitest"
import { Effect } from "effect"
import { leftOut, present } from "../cluster/assets.ts"
import { LONG_TEST } from "../support/eventually.ts"
import { applying } from "./applying.ts"
import { Bench } from "./Bench.ts"
import { comparing } from "./comparing.ts"
import { containing } from "./containing.ts"
import { lifecycles } from "./lifecycles.ts"
import { page } from "./page.ts"
import { users } from "./users.ts"

if (present("etcd", "kube-apiserver", "kubectl")) {
  layer(Bench.layer, { excludeTestServices: true, timeout: LONG_TEST })("installed on a real API server", (it) => {
    for (const [name, check] of Object.entries({
      ...applying,
      ...users,
      ...lifecycles,
      ...containing,
      ...comparing,
      ...page
    })) {
      it.effect(name, () => Effect.scoped(Effect.flatMap(Bench, check)), LONG_TEST)
    }
  })
} else {
  const line = leftOut("the manifests on a real kube-apiserver")
  plain("says what is left out without KUBEBUILDER_ASSETS, and how to have it", () => {
    assert.include(line, "setup-envtest use -p path")
  })
}
