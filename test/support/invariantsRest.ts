/** What holds when nothing moves any more: every object is as wanted or says who is needed, and says the truth. */
import { Effect } from "effect"
import { at, condition } from "./expectations.ts"
import { uidOf } from "./invariantsEnds.ts"
import type { Truth } from "./invariantsHistory.ts"
import { lifetime } from "./SimulatedAap.ts"
import type { World } from "./World.ts"

const MANAGEMENT = "cloudkit.openshift.io/management-state"
const INTENT = "cloudkit.openshift.io/launch-intent"

/** The object is as wanted, or says which person is needed, or people have said hands off. */
export const isSettled = (object: unknown): boolean =>
  at(object, "status", "phase") === "Ready" ||
  condition(object, "Stalled")?.status === "True" ||
  (["unmanaged", "manual"].includes(String(at(object, "metadata", "annotations", MANAGEMENT))) &&
    at(object, "metadata", "deletionTimestamp") === undefined)

/** Nothing is alive, and every object has settled down. */
export const atRest = Effect.fnUntraced(function* (world: World) {
  const ledger = yield* world.aap.ledger
  const runs = yield* world.eda.runs
  const objects = yield* world.kubernetes.objects
  return (
    ledger.every((job) => Number.isFinite(lifetime(job).to)) &&
    runs.every(({ outcome }) => outcome !== "running") &&
    objects.every(isSettled)
  )
})

/** Version of the spec that a job was given. */
const versionOf = (payload: unknown): string => String(at(payload, "status", "desiredConfigVersion"))

/** The version that the newest successful provision built, and when; undefined: there was none. */
const lastBuilt = ({ ledger, runs }: Truth, uid: string) =>
  [
    ...ledger
      .filter(
        ({ object, status, template }) => object?.uid === uid && status === "successful" && !template.includes("delete")
      )
      .map((job) => ({ version: versionOf(job.payload), at: lifetime(job).to })),
    ...runs
      .filter((run) => run.uid === uid && run.operation === "provision" && run.outcome === "successful")
      .map((run) => ({ version: run.version, at: run.ended ?? 0 }))
  ]
    .toSorted((a, b) => a.at - b.at)
    .at(-1)?.version

/** At rest, phase and conditions agree with the ground truth. */
export const liesAtRest = (truth: Truth): ReadonlyArray<string> => {
  const last = new Map(truth.versions.map((version) => [version.uid, version]))
  return [...last.values()].flatMap(({ name, object }) => {
    if (object === undefined || at(object, "status", "phase") !== "Ready") return []
    if (at(object, "metadata", "annotations", MANAGEMENT) === "unmanaged") return []
    const built = lastBuilt(truth, uidOf(object))
    const desired = String(at(object, "status", "desiredConfigVersion"))
    const says = [
      [`it was built as ${built}`, built === desired],
      ["Ready is not True", condition(object, "Ready")?.status === "True"],
      ["it is still reconciling", condition(object, "Reconciling")?.status !== "True"],
      ["it is stalled", condition(object, "Stalled")?.status !== "True"],
      [`its reconciled version is another`, at(object, "status", "reconciledConfigVersion") === desired],
      [
        `its generation was not observed`,
        at(object, "status", "observedGeneration") === at(object, "metadata", "generation")
      ]
    ] as const
    const intent = String(at(object, "metadata", "annotations", INTENT))
    return says.flatMap(([what, holds]) => (holds ? [] : [`${name} is Ready (${desired}), and ${what} (${intent})`]))
  })
}
