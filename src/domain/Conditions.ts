/**
 * The closed set of condition types, each with its meaning, after the kstatus conventions.
 *
 * Guarantees: conditions do not flap (an unchanged status keeps its transition time), and conditions of other writers stay.
 */
import { Schema } from "effect"
import type { Reason } from "./Reasons.ts"

/** Every type there is. */
export const conditionTypes = {
  Ready: "The machine is as specified. False: the reason says why not.",
  Reconciling: "The operator is on its way to what is specified, or waits for something that recovers by itself.",
  Stalled: "Nothing moves until somebody does something.",
  Provisioned: "A machine was built at some time, whatever happened since.",
  DeletionBlocked: "The resource is being deleted and stays until somebody does something. Stalled is True as well."
} as const

export type ConditionType = keyof typeof conditionTypes

export const Condition = Schema.Struct({
  type: Schema.String.annotate({ description: "Kind of the condition, CamelCase." }),
  status: Schema.Literals(["True", "False", "Unknown"]).annotate({ description: "Whether the condition holds." }),
  reason: Schema.optionalKey(Schema.String.annotate({ description: "One CamelCase word of the documented set." })),
  message: Schema.optionalKey(Schema.String.annotate({ description: "What a person needs to know, and what to do." })),
  observedGeneration: Schema.optionalKey(
    Schema.Int.annotate({ format: "int64", description: "Generation of the spec that the condition speaks of." })
  ),
  lastTransitionTime: Schema.optionalKey(
    Schema.String.annotate({ format: "date-time", description: "When the status last changed (UTC)." })
  )
})
export type Condition = typeof Condition.Type

/** A condition as decided by `project`: the closed type and reason, before times. */
export interface Verdict {
  readonly type: ConditionType
  readonly status: "True" | "False" | "Unknown"
  readonly reason: Reason
  readonly message: string
}

/** Types that earlier operators wrote and nobody maintains any more. */
const retired = new Set(["Accepted", "Progressing", "Available", "Deleting"])
const ours = new Set<string>(Object.keys(conditionTypes))

/**
 * The new list: one condition per verdict, absent where there is none, foreign conditions kept. The transition time moves
 * only when the status does.
 */
export const applyVerdicts = (
  current: ReadonlyArray<Condition>,
  verdicts: ReadonlyArray<Verdict>,
  generation: number | undefined,
  now: string
): ReadonlyArray<Condition> => [
  ...current.filter((condition) => !ours.has(condition.type) && !retired.has(condition.type)),
  ...verdicts.map((verdict): Condition => {
    const before = current.find((condition) => condition.type === verdict.type)
    return {
      type: verdict.type,
      status: verdict.status,
      reason: verdict.reason,
      message: verdict.message,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      lastTransitionTime:
        before?.status === verdict.status && before.lastTransitionTime !== undefined ? before.lastTransitionTime : now
    }
  })
]
