/**
 * Writes down what happened, by compare-and-swap, and only what changed.
 *
 * The answer of a launch is the one thing that must not get lost: `recordAnswer` tries with fresh reads, shielded from
 * shutdown, and what it could not store is kept for later passes.
 */
import { Clock, Effect, Option, Schedule } from "effect"
import { decide } from "../domain/Decision.ts"
import { equal, isObject, type JsonObject, keyOf } from "../domain/Resource.ts"
import { type Problem, statusPatch } from "../domain/Status.ts"
import { Clearance } from "../ports/Clearance.ts"
import {
  Invalid,
  KubernetesClient,
  KubernetesError,
  type KubernetesObject,
  type View
} from "../ports/KubernetesClient.ts"
import { Providers } from "../ports/ProvisioningProvider.ts"
import { Answers, type Change } from "./Answers.ts"
import { countChanges } from "./measure.ts"
import { factsOf, patchFor, type Sight, understand } from "./observe.ts"
import { isConflict } from "./policy.ts"
import { announce, report } from "./report.ts"
import { Settings } from "./Settings.ts"
import { Store } from "./Store.ts"

export const viewOf = (object: KubernetesObject): View => ({
  namespace: object.metadata.namespace,
  name: object.metadata.name,
  uid: object.metadata.uid,
  resourceVersion: object.metadata.resourceVersion
})

/**
 * A CustomResourceDefinition older than the operator prunes what it does not know, and with it what intents are closed by.
 * Going on would be writing the same thing for ever.
 */
const assertKept = (written: KubernetesObject, patch: JsonObject) => {
  const stored = isObject(written.status) ? written.status : {}
  const kept = patch.jobs === undefined || equal(stored.jobs, patch.jobs)
  return kept
    ? Effect.void
    : Effect.fail(
        new KubernetesError({
          operation: `patch status ${keyOf(written.metadata)}`,
          reason: new Invalid({
            status: 200,
            message:
              "the API server dropped fields of status.jobs: the CustomResourceDefinition is older than the operator; apply the one of this version"
          })
        })
      )
}

/** Writes what the sight knows, if the object does not say so already. Answers the object as it is now. */
export const recordSight = Effect.fnUntraced(function* (sight: Sight, problem?: Problem) {
  const patch = patchFor(sight, problem)
  if (patch === undefined) return sight.instance.object
  const client = yield* KubernetesClient
  const store = yield* Store
  const written = yield* client.patchStatus(viewOf(sight.instance.object), patch)
  yield* store.apply(written)
  yield* assertKept(written, patch)
  yield* countChanges(sight.instance, sight.history)
  yield* report(sight.instance, sight.history)
  yield* announce(sight.instance, patch)
  return written
})

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
  yield* assertKept(written, patch)
  yield* countChanges(instance, history)
  yield* report(instance, history)
  yield* announce(instance, patch)
  return written
})

/** Somebody else was faster: the API server is well, and the next attempt need not wait for it. */
const contested = Schedule.jittered(Schedule.spaced("20 millis"))
const CONTESTED_ATTEMPTS = 10

/** Between attempts to record an answer. */
const patience = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("5 seconds")]).pipe(
  Schedule.jittered
)

/** How long a shutdown waits for a record before the last attempt, in nanoseconds: twenty seconds. */
const SHIELD = 20_000_000_000n

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
 * Amends until it is stored or the object is gone (none), reading afresh before every further attempt; not even a shutdown
 * cuts it short. Bounded: after that the answer is kept for later passes, and the open intent is what a later process goes
 * by. Who may not write does not try again.
 */
export const recordAnswer = Effect.fnUntraced(function* (object: KubernetesObject, change: Change) {
  const begun = yield* Clock.monotonicTimeNanos
  const isClear = yield* Clearance
  let view = Option.some(object)
  let isStale = false
  // right before the write: what was read before the wait is old again where somebody writes all the time
  const look = Effect.suspend(() =>
    isStale ? Effect.orElseSucceed(freshly(object), () => view) : Effect.succeed(view)
  )
  const once = Effect.gen(function* () {
    view = yield* look
    return Option.isNone(view) ? view : Option.some(yield* amend(view.value, change))
  })
  return yield* once.pipe(
    Effect.tapError(() =>
      Effect.sync(() => {
        isStale = true
      })
    ),
    Effect.retry({ schedule: contested, times: CONTESTED_ATTEMPTS, while: (error) => isClear() && isConflict(error) }),
    Effect.tapError((error) =>
      Effect.logWarning("the answer of a launch is not recorded yet; trying again", {
        computeinstance: keyOf(object.metadata),
        reason: error.message
      })
    ),
    Effect.retry({
      schedule: patience,
      while: () => Effect.map(Clock.monotonicTimeNanos, (now) => isClear() && now - begun < SHIELD)
    }),
    Effect.tapError(() => Effect.flatMap(Answers, (answers) => answers.keep(object, change)))
  )
}, Effect.uninterruptible)

/** Tries again to record an answer that is still kept. None: there is none, or it is recorded now. */
export const recordKept = Effect.fnUntraced(function* (object: KubernetesObject) {
  const answers = yield* Answers
  const kept = yield* answers.of(object)
  if (Option.isNone(kept)) return object
  const written = yield* amend(object, kept.value)
  yield* answers.clear(keyOf(object.metadata))
  return written
})
