/**
 * Answers of launches that could not be recorded yet: kept while the process lives, so that no pass has to wait for the API
 * server and no job has to be searched for. A crash loses them, and the open intent finds the job.
 *
 * Kept for the very object: another one that took its name gets nothing.
 */
import { Context, Effect, Layer, Option } from "effect"
import type { History, Instance } from "../domain/Instance.ts"
import { type KubernetesObject, keyOf } from "../domain/Resource.ts"

/** A change of the record, made to whatever the object is by the time it can be written. */
export type Change = (history: History, instance: Instance, now: number) => History

export class Answers extends Context.Service<
  Answers,
  {
    readonly of: (object: KubernetesObject) => Effect.Effect<Option.Option<Change>>
    readonly keep: (object: KubernetesObject, answer: Change) => Effect.Effect<void>
    /** By key: the object may be gone. */
    readonly clear: (key: string) => Effect.Effect<void>
  }
>()("cloudkit-operator/reconcile/Answers") {
  static readonly layer = Layer.sync(Answers, () => {
    const kept = new Map<string, { readonly uid: string; readonly answer: Change }>()
    return Answers.of({
      of: ({ metadata }) =>
        Effect.sync(() => {
          const known = kept.get(keyOf(metadata))
          return known?.uid === metadata.uid ? Option.some(known.answer) : Option.none()
        }),
      keep: ({ metadata }, answer) => Effect.sync(() => void kept.set(keyOf(metadata), { uid: metadata.uid, answer })),
      clear: (key) => Effect.sync(() => void kept.delete(key))
    })
  })
}
