/**
 * What this project relies on a Kubernetes API server for, as one table. `simulated.test.ts` holds the simulator to it,
 * `real.test.ts` a kube-apiserver, and `switchedOff.test.ts` shows that each entry can fail.
 */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { AccessRule, User } from "../support/SimulatedKubernetes.ts"
import { applying } from "./contract/applying.ts"
import { asking } from "./contract/asking.ts"
import { builtIns } from "./contract/builtIns.ts"
import { type Cluster, type Promised, widgetsIn } from "./contract/Cluster.ts"
import { deleting } from "./contract/deleting.ts"
import { listing } from "./contract/listing.ts"
import { patching } from "./contract/patching.ts"
import { schemas } from "./contract/schemas.ts"
import { watching } from "./contract/watching.ts"
import { writing } from "./contract/writing.ts"

export const contract: ReadonlyArray<Promised> = [
  ...writing,
  ...patching,
  ...applying,
  ...deleting,
  ...schemas,
  ...listing,
  ...watching,
  ...asking,
  ...builtIns
]

/** Checks one promise in a namespace of its own, named by the number. */
export const check = (cluster: Cluster, promise: Promised, number: number): Effect.Effect<void> =>
  Effect.gen(function* () {
    const namespace = `contract-${number}`
    const body = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }
    const created = yield* cluster.ask("/api/v1/namespaces", { method: "POST", body })
    assert.strictEqual(created.status, 201, created.text)
    yield* promise.check(widgetsIn(cluster, namespace))
  })

/** What one user of the contract may do. */
export const viewerRule: AccessRule = {
  apiGroups: ["contract.example.com"],
  resources: ["widgets"],
  verbs: ["get", "list", "watch"]
}

/** The users of the contract by token: an administrator, one with no rule at all, one who may look at widgets. */
export const users: Readonly<Record<string, User>> = {
  "admin-token": { user: "admin", groups: ["system:masters"] },
  "nobody-token": { user: "nobody" },
  "viewer-token": { user: "viewer", rules: [viewerRule] }
}
