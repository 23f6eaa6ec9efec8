/**
 * One pass over one ComputeInstance: observe → decide → act → record.
 *
 * Safe to run at any time, any number of times, from any point of failure: everything a pass knows it reads from the
 * object and the providers, and every write is guarded by the view it was decided on.
 */
import { Effect, Option } from "effect"
import { FINALIZER, RETIRED_FINALIZER } from "../domain/ComputeInstance.ts"
import { decode } from "../domain/Instance.ts"
import { isObject, type KubernetesObject, type NamespacedName } from "../domain/Resource.ts"
import type { Problem } from "../domain/Status.ts"
import { KubernetesClient } from "../ports/KubernetesClient.ts"
import { Providers } from "../ports/ProvisioningProvider.ts"
import * as Action from "../runtime/Action.ts"
import * as Finalizer from "../runtime/Finalizer.ts"
import { Answers } from "./Answers.ts"
import { act, speaksFirst } from "./act.ts"
import { IntentClock } from "./IntentClock.ts"
import { type FullSearch, observe, patchFor, problemOf, type Sight } from "./observe.ts"
import { isConflict, isGone, type PassError } from "./policy.ts"
import { recordKept, recordSight, viewOf } from "./record.ts"
import { publish } from "./report.ts"
import { StandingProblem } from "./StandingProblem.ts"
import { Store } from "./Store.ts"
import { Turnstile } from "./Turnstile.ts"

/** More steps in a row than any sound course of events takes; a pass that needs more lets others go first. */
const LONGEST_PASS = 12

/** Who stands in line is called. To look again before that is only for the case that a call went astray. */
const IN_LINE = Action.untried("10 minutes")
const A_MOMENT = Action.untried("3 seconds")

const nameOf = (key: string): NamespacedName => {
  const [namespace = "", name = ""] = key.split("/")
  return { namespace, name }
}

/** Nothing is owed to the object any more: whatever memory holds of it goes. */
const forget = Effect.fnUntraced(function* (key: string) {
  const providers = yield* Providers
  const clock = yield* IntentClock
  const standing = yield* StandingProblem
  const answers = yield* Answers
  yield* clock.forget(key)
  yield* answers.clear(key)
  yield* standing.forget(key)
  yield* Effect.forEach(providers.all, (provider) => provider.forget(nameOf(key)), { discard: true })
})

/** The searches of a pass that still hold: a new one replaces its like, and whatever is written makes all of them old. */
const still = (earlier: ReadonlyArray<FullSearch>, search: FullSearch | undefined, next: FullSearch | undefined) =>
  next === undefined || search === undefined || search.purpose === next.purpose ? earlier : [...earlier, search]

/**
 * Writes what the sight knows. None: the same was written a moment ago, and somebody else, who sees it differently, took it
 * back. Theirs stays for a while, as two that overrule each other would do nothing else.
 */
const say = Effect.fnUntraced(function* (key: string, sight: Sight, problem: Problem | undefined) {
  const standing = yield* StandingProblem
  const { history, instance, step } = sight
  if (patchFor(sight, problem) === undefined) return Option.some(instance.object)
  const jobs = history.jobs.map((job) => [job.jobID, job.state])
  const words = JSON.stringify([step._tag, problem, instance.object.metadata.generation, jobs])
  if (yield* standing.justSaid(key, words)) return Option.none()
  const written = yield* recordSight(sight, problem)
  yield* standing.said(key, words)
  return Option.some(written)
})

/** Whoever deletes is not left to look at an object that says Ready for as long as others launch first. */
const isUnheard = ({ instance: { deletingSince, object } }: Sight): boolean =>
  deletingSince !== undefined && !(isObject(object.status) && object.status.phase === "Deleting")

const run = Effect.fnUntraced(function* (key: string, first: KubernetesObject) {
  const standing = yield* StandingProblem
  let object = yield* recordKept(first)
  let search: FullSearch | undefined
  let earlier: ReadonlyArray<FullSearch> = []
  for (let steps = 0; steps < LONGEST_PASS; steps++) {
    const sight = yield* observe(object, search, earlier)
    const { _tag: step } = sight.step
    const known = yield* standing.of(key, step)
    if (speaksFirst(sight) && patchFor(sight, known) !== undefined) {
      // nothing is launched before it is written how the job before it ended
      const said = step === "Launch" ? Option.some(yield* recordSight(sight, known)) : yield* say(key, sight, known)
      if (Option.isSome(said)) {
        object = said.value
        continue
      }
    }
    const progress = yield* act(sight)
    // what was wrong the last time is neither mended nor met again
    if (progress._tag === "InLine") {
      if (!isUnheard(sight)) return IN_LINE
      // most wait for a moment only, which is not worth a write
      if (!progress.still) return A_MOMENT
      // what was wrong with an earlier launch is nothing that stands in the way of this one
      yield* say(key, sight, undefined)
      return IN_LINE
    }
    yield* progress._tag === "Retry" ? standing.note(key, step, problemOf(progress.error)) : standing.clear(key)
    switch (progress._tag) {
      case "Again":
        earlier = progress.search === undefined ? [] : still(earlier, search, progress.search)
        object = progress.object
        search = progress.search
        continue
      case "Finished":
        return progress.action
      case "Rest":
        return Option.isSome(yield* say(key, sight, progress.problem))
          ? progress.action
          : Action.after(StandingProblem.PATIENCE)
      case "Retry":
        yield* say(key, sight, problemOf(progress.error))
        return yield* progress.error
    }
  }
  return Action.after("1 second")
})

/** Nothing is owed; but the controller that would take the retired finalizer off no longer exists. */
const dropRetired = Effect.fnUntraced(function* (object: KubernetesObject) {
  const finalizers = object.metadata.finalizers ?? []
  if (!finalizers.includes(RETIRED_FINALIZER)) return Action.awaitChange
  const client = yield* KubernetesClient
  yield* client.patchMetadata(viewOf(object), { finalizers: Finalizer.removed(finalizers, [RETIRED_FINALIZER]) })
  return Action.awaitChange
})

/** The finalizer is the bracket around every pass: without it on an object that is being deleted, nothing is done. */
const bracket = Effect.fnUntraced(function* (key: string) {
  const store = yield* Store
  const held = yield* store.get(key)
  if (Option.isNone(held)) return yield* Effect.as(forget(key), Action.gone)
  return yield* Finalizer.around(Finalizer.phase(held.value.metadata, FINALIZER), {
    live: run(key, held.value),
    cleanup: run(key, held.value),
    gone: Effect.andThen(forget(key), dropRetired(held.value))
  })
})

/** The API server refuses what the operator writes: a person has to know, where the object is looked at. */
const tellRefusal = Effect.fnUntraced(function* (key: string, error: PassError) {
  if (error._tag !== "KubernetesError" || !["Invalid", "Forbidden"].includes(error.reason._tag)) return
  const store = yield* Store
  const held = yield* store.get(key)
  if (Option.isNone(held)) return
  const note = `Kubernetes refuses to ${error.operation}: ${error.reason.message}`
  yield* publish(decode(held.value), "WriteRefused", note)
})

/** While the answer of a launch waits to be recorded, an API server that is away is asked again soon, whatever the backoff. */
const unlessKept = Effect.fnUntraced(function* (key: string, error: PassError) {
  const answers = yield* Answers
  const store = yield* Store
  const held = yield* store.get(key)
  const away = error._tag === "KubernetesError" && ["ServerFailure", "Unreachable"].includes(error.reason._tag)
  if (away && Option.isSome(held) && Option.isSome(yield* answers.of(held.value))) return Action.after("5 seconds")
  return yield* error
})

const attempt = (key: string) =>
  bracket(key).pipe(
    Effect.catchIf(
      (error) => isConflict(error) || isGone(error),
      () => Effect.succeed(Action.after("1 second"))
    ),
    Effect.catch((error) => unlessKept(key, error)),
    Effect.tapError((error) => tellRefusal(key, error))
  )

/** The pass. Conflicts are silent: the view was stale, and the newer one comes by the watch or by the next look. */
export const reconcile = (key: string) =>
  Effect.flatMap(Turnstile, (turnstile) => turnstile.around(key, attempt(key))).pipe(
    Effect.annotateLogs({ controller: "computeinstance" }),
    Effect.withSpan("reconcile", { attributes: { computeinstance: key } }, { captureStackTrace: false })
  )
