/** Two namespaces of a real API server, a simulated AAP whose jobs are short, and replicas of the operator as processes. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { type Cluster, partOf } from "../document/Cluster.ts"
import { eventually } from "../support/eventually.ts"
import { type JsonObject, objectAt, stringAt } from "../support/kubernetes/Json.ts"
import * as SimulatedAap from "../support/SimulatedAap.ts"
import { serve, type WireHandler } from "../support/Wire.ts"
import type { ControlPlane } from "./ControlPlane.ts"
import { type Replica, startReplica } from "./Replica.ts"

const PROVISION = "osac-create-compute-instance"
const DEPROVISION = "osac-delete-compute-instance"
export const QUICK: SimulatedAap.Playbook = { pendingFor: "100 millis", runningFor: "500 millis", ends: "successful" }

export interface Setting {
  /** The name of the namespace. */
  readonly name: string
  /** Who the replicas are. */
  readonly token: string
  /** Stands before AAP. */
  readonly around?: (aap: WireHandler) => WireHandler
  readonly env?: Readonly<Record<string, string>>
}

export const collectionOf = ({ namespace }: Cluster): string =>
  `/apis/cloudkit.openshift.io/v1alpha1/namespaces/${namespace}/computeinstances`

export const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "cluster-"))),
  (home) => Effect.sync(() => rmSync(home, { recursive: true, force: true }))
)

export const makeScene = Effect.fnUntraced(function* (plane: ControlPlane, setting: Setting) {
  const cluster = yield* partOf(plane, setting.name)
  const home = yield* temporaryFolder
  const aap = yield* SimulatedAap.make()
  yield* aap.play(() => QUICK)
  const { url } = yield* serve(setting.around?.(aap.handler) ?? aap.handler)
  const env = {
    POD_NAMESPACE: cluster.system,
    CLOUDKIT_COMPUTE_INSTANCE_NAMESPACE: cluster.namespace,
    CLOUDKIT_PROVISIONING_PROVIDER: "aap",
    CLOUDKIT_AAP_URL: url,
    CLOUDKIT_AAP_TOKEN: "operator-token",
    CLOUDKIT_AAP_PROVISION_TEMPLATE: PROVISION,
    CLOUDKIT_AAP_DEPROVISION_TEMPLATE: DEPROVISION,
    CLOUDKIT_AAP_STATUS_POLL_INTERVAL: "1s",
    ...setting.env
  }
  const pathOf = (name: string) => `${collectionOf(cluster)}/${name}`
  const object = (name: string) =>
    Effect.map(cluster.ask("GET", pathOf(name)), ({ body, status }) => (status === 200 ? objectAt(body) : undefined))
  const becomes = (name: string, what: string, holds: (object: JsonObject | undefined) => boolean) =>
    eventually(`${name} to be ${what}`, object(name), holds)
  return {
    cluster,
    aap,
    replica: (name: string) => startReplica(name, { plane, token: setting.token }, home, env),
    object,
    becomes,
    create: (name: string, besides: JsonObject = {}, spec: JsonObject = { name, vcpu: 1, memory: 1024, disk: 10 }) =>
      cluster.ask("POST", collectionOf(cluster), {
        apiVersion: "cloudkit.openshift.io/v1alpha1",
        kind: "ComputeInstance",
        metadata: { name, ...besides },
        spec
      }),
    patch: (name: string, change: JsonObject) => cluster.ask("PATCH", pathOf(name), change),
    remove: (name: string) => cluster.ask("DELETE", pathOf(name)),
    isReady: (name: string) => becomes(name, "Ready", (seen) => stringAt(seen, "status", "phase") === "Ready"),
    isGone: (name: string) => becomes(name, "gone", (seen) => seen === undefined),
    launchesOf: (name: string) =>
      Effect.map(aap.ledger, (jobs) => jobs.filter((job) => job.object?.name === name).length)
  }
})
export type Scene = Effect.Success<ReturnType<typeof makeScene>>

export const says = (replica: Replica, words: string) =>
  eventually(`${replica.name} to say "${words}"`, replica.readyz, (body) => body.startsWith(words))
