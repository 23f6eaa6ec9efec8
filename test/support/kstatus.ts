/**
 * What generic tools make of an object, by the rules that kstatus publishes: an oracle that knows nothing of the operator.
 */
import { at } from "./expectations.ts"

export type Kstatus = "Current" | "InProgress" | "Failed" | "Terminating"

const conditionsOf = (object: unknown): ReadonlyArray<unknown> => {
  const conditions = at(object, "status", "conditions")
  return Array.isArray(conditions) ? conditions : []
}

/** Deletion first, then the generation that was observed, then Reconciling and Stalled, then Ready. */
export const kstatusOf = (object: unknown): Kstatus => {
  if (at(object, "metadata", "deletionTimestamp") !== undefined) return "Terminating"
  const observed = at(object, "status", "observedGeneration")
  if (observed !== undefined && observed !== at(object, "metadata", "generation")) return "InProgress"
  const conditions = conditionsOf(object)
  for (const condition of conditions) {
    if (at(condition, "status") !== "True") continue
    if (at(condition, "type") === "Reconciling") return "InProgress"
    if (at(condition, "type") === "Stalled") return "Failed"
  }
  const ready = conditions.find((condition) => at(condition, "type") === "Ready")
  return ready === undefined || at(ready, "status") === "True" ? "Current" : "InProgress"
}
