/** The operator as it is deployed against Event-Driven Ansible as it is deployed: a real ansible-rulebook runs real playbooks. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, it, layer } from "@effect/vitest"
import { Context, Effect, Layer, Schedule } from "effect"
import { at, verdict } from "../support/expectations.ts"
import { isPresent, leftOut } from "./home.ts"
import { startOperator } from "./Operator.ts"
import { freePort, temporaryFolder } from "./Process.ts"
import { phaseOf, watched } from "./Resource.ts"
import { make, type Rulebook, TOKEN } from "./Rulebook.ts"
import * as Site from "./Site.ts"

class Eda extends Context.Service<Eda, Rulebook>()("cloudkit-operator/test/rulebook/Eda") {
  static readonly layer = Layer.effect(
    Eda,
    Effect.gen(function* () {
      return yield* make(yield* Site.Here, yield* freePort)
    })
  )
}

const world = Layer.provideMerge(Eda.layer, Site.layer)
if (isPresent)
  layer(world, { excludeTestServices: true, timeout: "2 minutes" })(`ansible-rulebook and ${Site.what}`, (it) => {
    it.effect("explore", () => Effect.gen(function* () {
      const site = yield* Site.Here
      const eda = yield* Eda
      const folder = yield* temporaryFolder
      const namespace = "default"
      const tokenFile = join(folder, "token")
      writeFileSync(tokenFile, TOKEN)
      const op = yield* startOperator(site, { namespace, webhooks: eda.url, tokenFile, folder })
      const vm = yield* watched(site.cluster, namespace, "vm-1")
      yield* vm.create({ templateID: "t", vcpu: 2 })
      const r = yield* vm.until("requested", (o) => at(o, "status", "provisionJob", "state") === "Unknown")
      const before = yield* site.requests
      yield* Effect.repeat(Effect.sync(() => eda.lines("vm-1").length), { until: (n) => n > 0, schedule: Schedule.spaced("20 millis") }).pipe(Effect.timeout("30 seconds"))
      const after = yield* site.requests
      console.log(before, after, JSON.stringify(r.status, null, 1), JSON.stringify(r.metadata, null, 1))
      yield* vm.until("held", (o) => JSON.stringify(at(o, "metadata", "finalizers")).includes("-aap"))
      yield* eda.finish("provision", "vm-1")
      const ready = yield* vm.until("ready", (o) => phaseOf(o) === "Ready")
      console.log(JSON.stringify(ready.status, null, 1))
      yield* eda.finish("deprovision", "vm-1")
      yield* vm.remove
      const last = yield* vm.gone
      console.log(JSON.stringify(last, null, 1), vm.story(phaseOf), vm.story(o => JSON.stringify(o.status)), eda.requests(), eda.lines("vm-1"))
      console.log(op.said(), eda.said())
    }), 100_000)
  })
else it("x", () => { leftOut("x") })
