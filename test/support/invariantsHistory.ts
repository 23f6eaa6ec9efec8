/** Every version of every ComputeInstance, with the instant from which it held: the ground truth of the cluster. */
import { Clock, Effect } from "effect"
import { at } from "./expectations.ts"
import type { LedgerJob } from "./SimulatedAap.ts"
import type { Run } from "./SimulatedEda.ts"
import type { JsonObject, SimulatedKubernetes } from "./SimulatedKubernetes.ts"
import type { WireHandler } from "./Wire.ts"

export interface Version {
  readonly from: number
  readonly uid: string
  readonly name: string
  /** Absent: from then on the object was gone. */
  readonly object: JsonObject | undefined
}

/** All there is to judge by. */
export interface Truth {
  readonly ledger: ReadonlyArray<LedgerJob>
  readonly versions: ReadonlyArray<Version>
  /** What EDA's playbooks did. */
  readonly runs: ReadonlyArray<Run>
}

export interface ClusterHistory {
  /** Around the API server's handler. */
  readonly recording: (inner: WireHandler) => WireHandler
  readonly watches: (cluster: Pick<SimulatedKubernetes, "objects">) => void
  /** Oldest first. */
  readonly versions: () => ReadonlyArray<Version>
}

const word = (value: unknown): string => (typeof value === "string" ? value : "")

export const makeHistory = (): ClusterHistory => {
  const versions: Array<Version> = []
  const current = new Map<string, string>()
  let cluster: Pick<SimulatedKubernetes, "objects"> | undefined

  const compare = (now: number, objects: ReadonlyArray<JsonObject>) => {
    const there = new Set<string>()
    for (const object of objects) {
      const uid = word(at(object, "metadata", "uid"))
      const name = word(at(object, "metadata", "name"))
      const version = word(at(object, "metadata", "resourceVersion"))
      there.add(uid)
      if (current.get(uid) === version) continue
      current.set(uid, version)
      versions.push({ from: now, uid, name, object })
    }
    for (const uid of current.keys()) {
      if (there.has(uid)) continue
      current.delete(uid)
      const name = versions.findLast((version) => version.uid === uid)?.name ?? ""
      versions.push({ from: now, uid, name, object: undefined })
    }
  }

  const look = Effect.suspend(() =>
    cluster === undefined
      ? Effect.void
      : Effect.flatMap(cluster.objects, (objects) =>
          Effect.map(Clock.currentTimeMillis, (now) => compare(now, objects))
        )
  )

  return {
    recording: (inner) => (request) => (request.method === "GET" ? inner(request) : Effect.tap(inner(request), look)),
    watches: (simulated) => {
      cluster = simulated
    },
    versions: () => versions.slice()
  }
}
