/**
 * Writes down what happened, by compare-and-swap, and only what changed.
 *
 * The answer of a launch is the one thing that must not get lost: `recordAnswer` goes on, with fresh reads, until it is
 * stored or the object is gone.
 */
import { Clock, Effect, Option, Schedule } from "effect"
import { decide } from "../domain/Decision.ts"
import type { History, Instance } from "../domain/Instance.ts"
import { keyOf } from "../domain/Resource.ts"
import { type Problem, statusPatch } from "../domain/Status.ts"
import { KubernetesClient, type KubernetesError, type KubernetesObject, type View } from "../ports/KubernetesClient.ts"
import { Providers } from "../ports/ProvisioningProvider.ts"
import { factsOf, patchFor, type Sight, understand } from "./observe.ts"
import { announce, report } from "./report.ts"
import { Settings } from "./Settings.ts"
import { Store } from "./Store.ts"

export const viewOf = (object: KubernetesObject): View => ({
  namespace: object.metadata.namespace,
  name: object.metadata.name,
  uid: object.metadata.uid,
  resourceVersion: object.metadata.resourceVersion
})

/** Writes what the sight knows, if the object does not say so already. Answers the object as it is now. */
export const recordSight = Effect.fnUntraced(function* (sight: Sight, problem?: Problem) {
  const patch = patchFor(sight, problem)
  if (patch === undefined) return sight.instance.object
  const client = yield* KubernetesClient
  const store = yield* Store
  const written = yield* client.patchStatus(viewOf(sight.instance.object), patch)
  yield* store.apply(written)
  yield* report(sight.instance, sight.history)
  yield* announce(sight.instance, patch)
  return written
})

export type Change = (history: History, instance: Instance, now: number) => History

/** One guarded write of a changed history, with the status that follows from it. */
export const amend = Effect.fnUntraced(function* (object: KubernetesObject, change: Change) {
  const providers = yield* Providers
  const limits = yield* Settings
  const client = yield* KubernetesClient
  const store = yield* Store
  const now = yield* Clock.currentTimeMillis
  const { history: before, instance } = understand(object, providers)
  const history = change(before, instance, now)
  const step = decide({ instance, history, now, providers: factsOf(providers), limits, search: undefined })
  const patch = statusPatch({ instance, history, step, problem: undefined, now, limits })
  if (patch === undefined) return object
  const written = yield* client.patchStatus(viewOf(object), patch)
  yield* store.apply(written)
  yield* report(instance, history)
  yield* announce(instance, patch)
  return written
})

/** Between attempts to record an answer. */
const patience = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("5 seconds")]).pipe(
  Schedule.jittered
)

/** Attempts that not even a shutdown cuts short; with the waits between them about twenty seconds. */
const SHIELDED_ATTEMPTS = 8

/** The object as it is now, unless it is gone or another one took its name. */
const freshly = Effect.fnUntraced(function* (object: KubernetesObject) {
  const client = yield* KubernetesClient
  const fresh = yield* client.get(object.metadata).pipe(
    Effect.catchIf(
      (error) => error.reason._tag === "NotFound",
      () => Effect.undefined
    )
  )
  return Option.filter(Option.fromUndefinedOr(fresh), (one) => one.metadata.uid === object.metadata.uid)
})

/**
 * Amends until it is stored or the object is gone (none), reading afresh after every failure. A shutdown waits for the
 * first attempts; after that the open intent is what the next process finds the job by.
 */
export const recordAnswer = (object: KubernetesObject, change: Change) => {
  let view = Option.some(object)
  const again = (error: KubernetesError) =>
    Effect.andThen(
      Effect.logDebug("the answer of a launch is not recorded yet", {
        computeinstance: keyOf(object.metadata),
        error: error.message
      }),
      Effect.tap(freshly(object), (fresh) =>
        Effect.sync(() => {
          view = fresh
        })
      )
    )
  const once = Effect.suspend(() =>
    Option.match(view, {
      onNone: () => Effect.succeed(Option.none<KubernetesObject>()),
      onSome: (current) => Effect.asSome(amend(current, change))
    })
  )
  const attempt = Effect.tapError(once, (error) => Effect.ignore(again(error)))
  const lost = Effect.logError(
    "stopping before the answer of a launch could be recorded; its intent leads to the job",
    {
      computeinstance: keyOf(object.metadata)
    }
  )
  return attempt.pipe(
    Effect.retry(patience.pipe(Schedule.upTo({ times: SHIELDED_ATTEMPTS }))),
    Effect.uninterruptible,
    Effect.catch(() =>
      attempt.pipe(
        Effect.retry(patience),
        Effect.onInterrupt(() => lost),
        Effect.interruptible
      )
    )
  )
}
