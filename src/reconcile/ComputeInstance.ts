/**
 * One pass over one ComputeInstance: observe → decide → act → record.
 *
 * Safe to run at any time, any number of times, from any point of failure: everything a pass knows it reads from the
 * object and the providers, and every write is guarded by the view it was decided on.
 */
import { Effect, Option } from "effect"
import { FINALIZER } from "../domain/ComputeInstance.ts"
import type { KubernetesObject, NamespacedName } from "../domain/Resource.ts"
import { Providers } from "../ports/ProvisioningProvider.ts"
import * as Action from "../runtime/Action.ts"
import * as Finalizer from "../runtime/Finalizer.ts"
import { act, speaksFirst } from "./act.ts"
import { IntentClock } from "./IntentClock.ts"
import { type FullSearch, observe, patchFor, problemOf } from "./observe.ts"
import { isConflict, isGone } from "./policy.ts"
import { recordSight } from "./record.ts"
import { Store } from "./Store.ts"

/** More steps in a row than any sound course of events takes; a pass that needs more lets others go first. */
const LONGEST_PASS = 12

const nameOf = (key: string): NamespacedName => {
  const [namespace = "", name = ""] = key.split("/")
  return { namespace, name }
}

/** Nothing is owed to the object any more: whatever memory holds of it goes. */
const forget = Effect.fnUntraced(function* (key: string) {
  const providers = yield* Providers
  const clock = yield* IntentClock
  yield* clock.forget(key)
  yield* Effect.forEach(providers.all, (provider) => provider.forget(nameOf(key)), { discard: true })
})

const run = Effect.fnUntraced(function* (first: KubernetesObject) {
  let object = first
  let search: FullSearch | undefined
  for (let steps = 0; steps < LONGEST_PASS; steps++) {
    const sight = yield* observe(object, search)
    if (speaksFirst(sight) && patchFor(sight, undefined) !== undefined) {
      object = yield* recordSight(sight)
      continue
    }
    const progress = yield* act(sight)
    switch (progress._tag) {
      case "Again":
        object = progress.object
        search = progress.search
        continue
      case "Finished":
        return progress.action
      case "Rest":
        yield* recordSight(sight, progress.problem)
        return progress.action
      case "Retry":
        yield* recordSight(sight, problemOf(progress.error))
        return yield* progress.error
    }
  }
  return Action.after("1 second")
})

/** The finalizer is the bracket around every pass: without it on an object that is being deleted, nothing is done. */
const bracket = Effect.fnUntraced(function* (key: string) {
  const store = yield* Store
  const held = yield* store.get(key)
  if (Option.isNone(held)) return yield* Effect.as(forget(key), Action.gone)
  return yield* Finalizer.around(Finalizer.phase(held.value.metadata, FINALIZER), {
    live: run(held.value),
    cleanup: run(held.value),
    gone: Effect.as(forget(key), Action.awaitChange)
  })
})

/** The pass. Conflicts are silent: the view was stale, and the newer one comes by the watch or by the next look. */
export const reconcile = (key: string) =>
  bracket(key).pipe(
    Effect.catchIf(
      (error) => isConflict(error) || isGone(error),
      () => Effect.succeed(Action.after("1 second"))
    ),
    Effect.annotateLogs({ controller: "computeinstance" })
  )
