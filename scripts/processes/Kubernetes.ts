/**
 * A Kubernetes API server as a process of its own: the simulated cluster with all it checks, or the lean stand-in for very
 * many objects.
 */
import { readFileSync } from "node:fs"
import { Effect, Schema, type Scope } from "effect"
import { parse } from "yaml"
import { GROUP, KIND, VERSION } from "../../src/domain/ComputeInstance.ts"
import * as SimulatedKubernetes from "../../test/support/SimulatedKubernetes.ts"
import type { Simulator } from "./Aap.ts"
import { LeanKubernetes } from "./LeanKubernetes.ts"
import { makeStock, nameOf, Sample } from "./Stock.ts"

const crd = new URL("../../k8s/crd/cloudkit.openshift.io_computeinstances.yaml", import.meta.url)

const Stocking = Schema.Struct({ sample: Sample, from: Schema.Int, count: Schema.Int, namespace: Schema.String })
const decodeStocking = Schema.decodeUnknownEffect(Stocking)

export const makeKubernetes: Effect.Effect<Simulator, never, Scope.Scope> = Effect.gen(function* () {
  const cluster = yield* SimulatedKubernetes.make({ crds: [parse(readFileSync(crd, "utf8"))] })
  return {
    handler: cluster.handler,
    routes: {
      "GET /objects": () => cluster.objects,
      "POST /compact": () => cluster.compact,
      "POST /disconnect": () => cluster.disconnectWatches,
      "POST /stall": () => cluster.stallWatches,
      "POST /resume": () => cluster.resumeWatches
    }
  }
})

export const makeLeanKubernetes: Effect.Effect<Simulator> = Effect.sync(() => {
  const cluster = new LeanKubernetes(`${GROUP}/${VERSION}`, KIND)
  const stocked = (body: unknown) =>
    Effect.map(decodeStocking(body), ({ count, from, namespace, sample }) => {
      const stock = makeStock(sample)
      for (let n = from; n < from + count; n++) {
        cluster.stock(`${namespace}/${nameOf(n)}`, (revision) => stock.object(n, revision))
      }
    })
  return {
    handler: cluster.handler,
    routes: {
      "POST /stock": (body) => Effect.orDie(stocked(body)),
      "POST /compact": () => Effect.sync(() => cluster.compact())
    }
  }
})
