/**
 * The problem that the last attempt at a step met, so that the status does not forget it between two attempts and conditions
 * do not flap. A cache: losing it costs one write.
 *
 * It also keeps two processes that see different problems from overruling each other at the speed of the wire: what was
 * just said and is there no longer was taken back by somebody else, and is not said again at once.
 */
import { Clock, Context, Duration, Effect, Layer } from "effect"
import type { Step } from "../domain/Decision.ts"
import type { Problem } from "../domain/Status.ts"
import * as Spoken from "./Spoken.ts"

/** Not moved by changes of the wall clock. */
const milliseconds = Effect.map(Clock.monotonicTimeNanos, (nanoseconds) => Number(nanoseconds) / 1e6)

export class StandingProblem extends Context.Service<
  StandingProblem,
  {
    readonly of: (object: string, step: Step["_tag"]) => Effect.Effect<Problem | undefined>
    readonly note: (object: string, step: Step["_tag"], problem: Problem) => Effect.Effect<void>
    readonly clear: (object: string) => Effect.Effect<void>
    /** What was written about the object in words, just now. */
    readonly said: (object: string, words: string) => Effect.Effect<void>
    /** Whether this was written seconds ago. */
    readonly justSaid: (object: string, words: string) => Effect.Effect<boolean>
    readonly forget: (object: string) => Effect.Effect<void>
  }
>()("cloudkit-operator/reconcile/StandingProblem") {
  /** How long words are left alone that somebody else put in the place of ours. */
  static readonly PATIENCE = Duration.seconds(10)

  static readonly layer = Layer.sync(StandingProblem, () => {
    const standing = new Map<string, { readonly step: Step["_tag"]; readonly problem: Problem }>()
    const spoken = Spoken.make(Duration.toMillis(StandingProblem.PATIENCE))
    return StandingProblem.of({
      of: (object, step) =>
        Effect.sync(() => {
          const known = standing.get(object)
          return known?.step === step ? known.problem : undefined
        }),
      note: (object, step, problem) => Effect.sync(() => void standing.set(object, { step, problem })),
      clear: (object) => Effect.sync(() => void standing.delete(object)),
      said: (object, words) => Effect.map(milliseconds, (now) => spoken.say(object, words, now)),
      justSaid: (object, words) => Effect.map(milliseconds, (now) => spoken.justSaid(object, words, now)),
      forget: (object) =>
        Effect.sync(() => {
          standing.delete(object)
          spoken.forget(object)
        })
    })
  })
}
