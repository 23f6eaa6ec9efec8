/**
 * Answers of launches that could not be recorded yet: kept while the process lives, so that no pass has to wait for the API
 * server and no job has to be searched for. A crash loses them, and the open intent finds the job.
 */
import { Context, Effect, Layer, Option } from "effect"
import type { History, Instance } from "../domain/Instance.ts"

/** A change of the record, made to whatever the object is by the time it can be written. */
export type Change = (history: History, instance: Instance, now: number) => History

export class Answers extends Context.Service<
  Answers,
  {
    readonly of: (object: string) => Effect.Effect<Option.Option<Change>>
    readonly keep: (object: string, answer: Change) => Effect.Effect<void>
    readonly clear: (object: string) => Effect.Effect<void>
  }
>()("cloudkit-operator/reconcile/Answers") {
  static readonly layer = Layer.sync(Answers, () => {
    const kept = new Map<string, Change>()
    return Answers.of({
      of: (object) => Effect.sync(() => Option.fromUndefinedOr(kept.get(object))),
      keep: (object, answer) => Effect.sync(() => void kept.set(object, answer)),
      clear: (object) => Effect.sync(() => void kept.delete(object))
    })
  })
}
