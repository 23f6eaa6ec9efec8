/**
 * Where the soak takes place: a cluster, simulated or real, and a simulated AAP, with every version of every object kept from
 * the instant on in which anybody could know of it.
 */
import { Effect, type Scope, Semaphore } from "effect"
import { GROUP, PLURAL, VERSION } from "../../src/domain/ComputeInstance.ts"
import type { ControlPlaneError } from "../../test/cluster/ControlPlane.ts"
import { forwarded } from "../../test/cluster/Replica.ts"
import { controlPlane, partOf } from "../../test/document/Cluster.ts"
import { makeHistory, type Truth } from "../../test/support/invariantsHistory.ts"
import { isObject, type JsonObject, listAt } from "../../test/support/kubernetes/Json.ts"
import * as SimulatedAap from "../../test/support/SimulatedAap.ts"
import * as SimulatedKubernetes from "../../test/support/SimulatedKubernetes.ts"
import type { WireHandler } from "../../test/support/Wire.ts"
import { crd } from "../../test/support/World.ts"
import { DEPROVISION, PROVISION } from "../processes/Aap.ts"
import type { Chance } from "./Chance.ts"

export const NAMESPACE = "soak"
/** Where the operator runs. */
export const SYSTEM = "soak-system"

export interface Site {
  /** With every right; what is changed through it is remembered. */
  readonly cluster: WireHandler
  readonly aap: SimulatedAap.SimulatedAap
  readonly objects: Effect.Effect<ReadonlyArray<JsonObject>>
  readonly truth: Effect.Effect<Truth>
}

interface Cluster {
  readonly handler: WireHandler
  readonly objects: Effect.Effect<ReadonlyArray<JsonObject>>
}

const simulated: Effect.Effect<Cluster, never, Scope.Scope> = Effect.map(
  SimulatedKubernetes.make({ crds: [crd], namespaces: [NAMESPACE, SYSTEM] }),
  ({ handler, objects }) => ({ handler, objects })
)

const real: Effect.Effect<Cluster, ControlPlaneError, Scope.Scope> = Effect.gen(function* () {
  const plane = yield* controlPlane
  const { ask } = yield* partOf(plane, NAMESPACE)
  const list = ask("GET", `/apis/${GROUP}/${VERSION}/namespaces/${NAMESPACE}/${PLURAL}`)
  return {
    handler: forwarded(plane, "admin-token"),
    // an answer without items is no empty list
    objects: Effect.flatMap(list, ({ body, status }) =>
      status === 200
        ? Effect.succeed(listAt(body, "items").filter(isObject))
        : Effect.die(new Error(`the list was answered ${status}`))
    )
  }
})

/** Most jobs succeed; a few fail, and a few do not stop at once when they are cancelled. */
const playbookBy = (chance: Chance, longest: number): SimulatedAap.Playbook => ({
  pendingFor: `${chance.between(50, longest / 5)} millis`,
  runningFor: `${chance.between(longest / 5, longest)} millis`,
  ends: chance.happens(0.05) ? "failed" : "successful",
  cancelTakes: `${chance.between(100, 1500)} millis`,
  ...(chance.happens(0.1) ? { cancelRace: chance.oneOf(["successful", "failed"]) } : {})
})

export const makeSite = Effect.fnUntraced(function* (kube: "simulated" | "real", chance: Chance, longestJob: number) {
  const { handler, objects } = yield* kube === "real" ? real : simulated
  const aap = yield* SimulatedAap.make({ templates: [PROVISION, DEPROVISION] })
  yield* aap.play(() => playbookBy(chance, longestJob))
  const history = makeHistory()
  history.watches({ objects })
  // one after the other, so that no list is compared after a newer one
  const turn = Semaphore.makeUnsafe(1)
  const recording = history.recording(handler)
  const cluster: WireHandler = (request) =>
    request.method === "GET" || !request.url.pathname.includes(`/${PLURAL}`)
      ? handler(request)
      : // a server goes on with what it was asked, whoever hung up meanwhile
        Effect.uninterruptible(turn.withPermits(1)(recording(request)))
  const truth = Effect.map(aap.ledger, (ledger): Truth => ({ ledger, versions: history.versions(), runs: [] }))
  return { cluster, aap, objects, truth } satisfies Site
})
