/**
 * The problem that the last attempt at a step met, so that the status does not forget it between two attempts and conditions
 * do not flap. A cache: losing it costs one write.
 */
import { Context, Effect, Layer } from "effect"
import type { Step } from "../domain/Decision.ts"
import type { Problem } from "../domain/Status.ts"

export class StandingProblem extends Context.Service<
  StandingProblem,
  {
    readonly of: (object: string, step: Step["_tag"]) => Effect.Effect<Problem | undefined>
    readonly note: (object: string, step: Step["_tag"], problem: Problem) => Effect.Effect<void>
    readonly clear: (object: string) => Effect.Effect<void>
  }
>()("cloudkit-operator/reconcile/StandingProblem") {
  static readonly layer = Layer.sync(StandingProblem, () => {
    const standing = new Map<string, { readonly step: Step["_tag"]; readonly problem: Problem }>()
    return StandingProblem.of({
      of: (object, step) =>
        Effect.sync(() => {
          const known = standing.get(object)
          return known?.step === step ? known.problem : undefined
        }),
      note: (object, step, problem) => Effect.sync(() => void standing.set(object, { step, problem })),
      clear: (object) => Effect.sync(() => void standing.delete(object))
    })
  })
}
