/** Laws of the projection and of the patch that writes it. */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { decide } from "../../src/domain/Decision.ts"
import { withSeen } from "../../src/domain/History.ts"
import { decode } from "../../src/domain/Instance.ts"
import { reasons } from "../../src/domain/Reasons.ts"
import type { JsonObject, KubernetesObject } from "../../src/domain/Resource.ts"
import { type Knowledge, type Problem, project, statusPatch } from "../../src/domain/Status.ts"
import { scene, seen } from "./support/arbitraries.ts"
import { HOUR, historyOf, look, statusOf, stored } from "./support/objects.ts"

const RUNS = { numRuns: 1_200 }

const problem = fc.option(
  fc.constantFrom<Problem>(
    { reason: "CredentialsRejected", message: "401 Unauthorized" },
    { reason: "PermissionDenied", message: "403" },
    { reason: "ProviderUnreachable", message: "ECONNREFUSED" }
  ),
  { nil: undefined }
)

const knowledge: fc.Arbitrary<Knowledge> = fc.tuple(scene, seen, problem).map(([s, news, said]) => {
  const o = look(s)
  const observed = { ...o, history: withSeen(o.history, news) }
  return { ...observed, step: decide(observed), problem: said }
})

/** The keys of the status that are ours to write, as the resource documents them. */
const ours = [
  "phase",
  "observedGeneration",
  "desiredConfigVersion",
  "reconciledConfigVersion",
  "jobs",
  "provisionJob",
  "deprovisionJob",
  "conditions",
  "attempts",
  "launch",
  "lostLaunches",
  "pendingLaunch"
]
const split = (status: JsonObject) => {
  const entries = Object.entries(status)
  return {
    mine: Object.fromEntries(entries.filter(([key]) => ours.includes(key))),
    theirs: Object.fromEntries(entries.filter(([key]) => !ours.includes(key)))
  }
}
const asJson = (value: JsonObject): JsonObject => JSON.parse(JSON.stringify(value))

interface Shown {
  readonly phase: unknown
  readonly conditions: ReadonlyArray<{
    readonly type: string
    readonly status: string
    readonly reason: string
    readonly message: string
  }>
}
const shown = (k: Knowledge): Shown => JSON.parse(JSON.stringify(project(k)))
const law = (holdsFor: (k: Knowledge, status: Shown) => void) => () =>
  fc.assert(
    fc.property(knowledge, (k) => holdsFor(k, shown(k))),
    RUNS
  )

describe("the patch", () => {
  it("gives exactly the projection for our keys, and leaves all others as they were", () =>
    fc.assert(
      fc.property(knowledge, (k) => {
        const before = statusOf(k.instance.object)
        const after = statusOf(stored(k.instance.object, statusPatch(k)))
        expect(split(after).mine).toEqual(split(asJson(project(k))).mine)
        expect(split(after).theirs).toEqual(split(before).theirs)
      }),
      RUNS
    ))

  it("touches no key that is not ours", () =>
    fc.assert(
      fc.property(knowledge, (k) => {
        expect(Object.keys(statusPatch(k) ?? {}).filter((key) => !ours.includes(key))).toEqual([])
      }),
      RUNS
    ))

  it("is needed once: the same knowledge about the object as stored gives none", () =>
    fc.assert(
      fc.property(knowledge, fc.constantFrom(0, 1_000, HOUR), (k, later) => {
        const object = stored(k.instance.object, statusPatch(k))
        const deadline = { ...k.limits, jobDeadline: 1e15, cancelDeadline: 1e15 }
        const first = stored(k.instance.object, statusPatch({ ...k, limits: deadline }))
        expect(statusPatch({ ...k, instance: decode(object) })).toBeUndefined()
        expect(statusPatch({ ...k, limits: deadline, instance: decode(first), now: k.now + later })).toBeUndefined()
      }),
      RUNS
    ))

  it("says the whole truth: what is read back leads to the same step for ever after, and to no further patch", () =>
    fc.assert(
      fc.property(knowledge, (k) => {
        fc.pre(k.step._tag !== "LeaveAlone")
        const again = (object: KubernetesObject): Knowledge => {
          const read = { ...look({}), ...k, instance: decode(object), history: historyOf(object), search: undefined }
          return { ...read, step: decide(read), problem: k.problem }
        }
        const first = again(stored(k.instance.object, statusPatch(k)))
        const second = again(stored(first.instance.object, statusPatch(first)))
        expect(second.history.jobs).toEqual(first.history.jobs)
        expect(second.step).toEqual(first.step)
        expect(statusPatch(second)).toBeUndefined()
      }),
      RUNS
    ))

  it("is the same for the same knowledge", () =>
    fc.assert(
      fc.property(knowledge, (k) => {
        expect(statusPatch(k)).toEqual(statusPatch(k))
      }),
      RUNS
    ))
})

describe("conditions", () => {
  it(
    "there is exactly one Ready, and one Provisioned, and no type twice",
    law((_, { conditions }) => {
      const types = conditions.map((one) => one.type)
      expect(types.filter((type) => type === "Ready")).toHaveLength(1)
      expect(types.filter((type) => type === "Provisioned")).toHaveLength(1)
      expect(new Set(types).size).toBe(types.length)
    })
  )

  it(
    "Reconciling and Stalled are never there together, and neither when Ready",
    law((_, { conditions }) => {
      const on = (type: string) => conditions.some((one) => one.type === type && one.status === "True")
      expect(on("Reconciling") && on("Stalled")).toBe(false)
      if (on("Ready")) expect(on("Reconciling") || on("Stalled")).toBe(false)
    })
  )

  it(
    "DeletionBlocked means that a person is needed, and is said only of what is being deleted",
    law((k, { conditions }) => {
      const blocked = conditions.find((one) => one.type === "DeletionBlocked")
      if (blocked === undefined) return
      expect(k.instance.deletingSince).toBeDefined()
      const stalled = conditions.find((one) => one.type === "Stalled")
      expect(stalled).toMatchObject({ status: "True", reason: blocked.reason, message: blocked.message })
    })
  )

  it(
    "Stalled needs a person, Reconciling does not, and every reason is of the closed set",
    law((_, { conditions }) => {
      const persons = new Map(Object.entries(reasons).map(([reason, { person }]) => [reason, person]))
      for (const one of conditions.filter((each) => each.type !== "Custom")) {
        expect(persons.has(one.reason)).toBe(true)
        if (one.type === "Stalled") expect(persons.get(one.reason)).toBe(true)
        if (one.type === "Reconciling") expect(persons.get(one.reason)).toBe(false)
      }
    })
  )

  it(
    "an object that is being deleted has phase Deleting, and no other has",
    law((k, { phase }) => {
      expect(phase === "Deleting").toBe(k.instance.object.metadata.deletionTimestamp !== undefined)
    })
  )

  it(
    "no object that lives is said to be torn down, but for one whose deprovision is under way all the same",
    law((k, { conditions }) => {
      if (k.instance.object.metadata.deletionTimestamp !== undefined) return
      const step = k.step._tag === "HoldForPlaybook" ? k.step.next : k.step
      if (step._tag === "Follow" && step.job.type === "deprovision") return
      const ours = conditions.filter((one) => one.type !== "Custom").map((one) => one.reason)
      for (const reason of ["Deprovisioning", "DeprovisionFailed", "ManualDeletion"]) expect(ours).not.toContain(reason)
    })
  )

  it(
    "phase Ready and condition Ready say the same",
    law((_, { conditions, phase }) => {
      const ready = conditions.some((one) => one.type === "Ready" && one.status === "True")
      expect(ready).toBe(phase === "Ready")
    })
  )
})
