/**
 * Launches exactly once: intent first, one sending within the window, the answer recorded.
 *
 * From the write of the intent to the record of the answer nothing interrupts, so that a shutdown waits for the id. A crash
 * in between leaves an open intent, which `decide` has resolved before anything else happens to the object.
 */
import { Clock, Effect, Option, Result } from "effect"
import { FINALIZER, PLAYBOOK_FINALIZERS, RECONCILED_VERSION_ANNOTATION } from "../domain/ComputeInstance.ts"
import type { LaunchStep } from "../domain/Decision.ts"
import { type Refusal, withLaunched, withLost, withRefused, withUnusable } from "../domain/History.ts"
import type { Instance } from "../domain/Instance.ts"
import { INTENT_ANNOTATION, type Intent, keyOf, print } from "../domain/Intent.ts"
import { newest } from "../domain/Job.ts"
import type { JsonObject } from "../domain/Resource.ts"
import { KubernetesClient, type KubernetesObject } from "../ports/KubernetesClient.ts"
import type { ProviderError } from "../ports/ProviderError.ts"
import {
  type LaunchedJob,
  type Order,
  type PreparedLaunch,
  type Provider,
  Providers
} from "../ports/ProvisioningProvider.ts"
import * as Finalizer from "../runtime/Finalizer.ts"
import { IntentClock } from "./IntentClock.ts"
import { type FullSearch, problemOf, providerFor, type Sight } from "./observe.ts"
import { again } from "./Progress.ts"
import { amend, recordAnswer, viewOf } from "./record.ts"
import { publish } from "./report.ts"
import { Settings } from "./Settings.ts"
import { Store } from "./Store.ts"

/** The resource as playbooks get it. */
const payloadOf = (object: KubernetesObject, desiredConfigVersion: string): JsonObject => ({
  apiVersion: object.apiVersion,
  kind: object.kind,
  metadata: JSON.parse(JSON.stringify(object.metadata)),
  ...(object.spec === undefined ? {} : { spec: object.spec }),
  status: {
    ...(typeof object.status === "object" && object.status !== null && !Array.isArray(object.status)
      ? object.status
      : {}),
    desiredConfigVersion
  }
})

const fields = (instance: Instance, intent: Intent) => ({
  computeinstance: instance.key,
  operation: intent.operation,
  attempt: intent.attempt,
  launchKey: intent.key,
  provider: intent.provider,
  template: intent.template
})

const holdsPlaybookFinalizer = ({ object }: Instance): boolean =>
  (object.metadata.finalizers ?? []).some((finalizer) => PLAYBOOK_FINALIZERS.includes(finalizer))

/** A signal of an earlier run for the very version that is about to be launched must not be taken for the new run's. */
const staleSignal = ({ object }: Instance, intent: Intent, provider: Provider): Readonly<Record<string, null>> =>
  provider.playbooksHoldFinalizer === true &&
  intent.operation === "provision" &&
  object.metadata.annotations?.[RECONCILED_VERSION_ANNOTATION] === intent.configVersion
    ? { [RECONCILED_VERSION_ANNOTATION]: null }
    : {}

/** Writes the intent, and the finalizer with it, guarded by the view the launch was decided on. */
const writeIntent = Effect.fnUntraced(function* (instance: Instance, intent: Intent, provider: Provider) {
  const client = yield* KubernetesClient
  const store = yield* Store
  const finalizers = instance.object.metadata.finalizers ?? []
  const written = yield* client.patchMetadata(viewOf(instance.object), {
    annotations: { [INTENT_ANNOTATION]: print(intent), ...staleSignal(instance, intent, provider) },
    ...(instance.holdsFinalizer ? {} : { finalizers: Finalizer.added(finalizers, FINALIZER) })
  })
  yield* store.apply(written)
  const clock = yield* IntentClock
  yield* clock.age(instance.key, intent.stamp)
  return written
})

/** Everything the provider needs to send the launch that the intent describes. */
const orderOf = (object: KubernetesObject, instance: Instance, intent: Intent): Order => ({
  key: intent.key,
  stamp: intent.stamp,
  recorded: Result.match(instance.history, {
    onFailure: () => [],
    onSuccess: (history) => history.jobs.map((job) => job.jobID)
  }),
  payload: payloadOf(object, intent.configVersion)
})

const accepted = Effect.fnUntraced(function* (
  object: KubernetesObject,
  instance: Instance,
  intent: Intent,
  provider: Provider,
  job: LaunchedJob
) {
  yield* Effect.logInfo(`${intent.operation} job triggered`, {
    ...fields(instance, intent),
    jobID: job.id,
    state: job.state
  })
  const { maxJobHistory } = yield* Settings
  const blocks = intent.operation === "deprovision" && provider.blockDeletionOnFailure
  const stored = yield* recordAnswer(object, (history, current, now) => {
    const launched = { ...job, blockDeletionOnFailure: blocks }
    const next = withLaunched(history, launched, intent, current.intent, now, maxJobHistory)
    return Option.match(job.unusable, {
      onNone: () => next,
      onSome: (why) =>
        withRefused(withUnusable(next, job.id), { ...why, retryAfter: undefined }, intent, current.intent, now)
    })
  })
  if (Option.isSome(stored)) {
    yield* publish(instance, {
      type: "Normal",
      reason: "JobLaunched",
      action: "Launch",
      note: `Launched ${intent.operation} job ${job.id} (${intent.template})`
    })
    return again(stored.value)
  }
  yield* Effect.logError("the object is gone; its job is being cancelled", {
    ...fields(instance, intent),
    jobID: job.id
  })
  if (provider.cancel !== undefined) {
    yield* Effect.ignore(
      provider.cancel(object, { id: job.id, kind: job.kind, operation: intent.operation, launchKey: intent.key })
    )
  }
  return again(object)
})

const refused = Effect.fnUntraced(function* (
  object: KubernetesObject,
  instance: Instance,
  intent: Intent,
  refusal: Refusal
) {
  yield* Effect.logWarning(`${intent.operation} launch refused: ${refusal.message}`, fields(instance, intent))
  yield* publish(instance, { type: "Warning", reason: refusal.reason, action: "Launch", note: refusal.message })
  const stored = yield* recordAnswer(object, (history, current, now) =>
    withRefused(history, refusal, intent, current.intent, now)
  )
  return again(Option.getOrElse(stored, () => object))
})

const ambiguous = Effect.fnUntraced(function* (
  object: KubernetesObject,
  instance: Instance,
  intent: Intent,
  error: ProviderError
) {
  yield* Effect.logWarning(`${intent.operation} launch is ambiguous: ${error.message}`, fields(instance, intent))
  yield* publish(instance, { type: "Warning", reason: "LaunchAmbiguous", action: "Launch", note: error.message })
  return again(object)
})

/** The send window is over: nothing was sent, and nothing will be. */
const tooLate: Refusal = {
  reason: "LaunchRefused",
  message: "The launch was not sent, because writing its intent took longer than the send window; it is tried again",
  retryAfter: undefined
}

/** Intent, sending, record. Nothing in here is repeated, and nothing interrupts it. */
const send = (instance: Instance, provider: Provider, prepared: PreparedLaunch, intent: Intent) =>
  Effect.gen(function* () {
    const { sendWindow } = yield* Settings
    const begun = yield* Clock.monotonicTimeNanos
    const object = yield* writeIntent(instance, intent, provider)
    const elapsed = Number(((yield* Clock.monotonicTimeNanos) - begun) / 1_000_000n)
    if (elapsed > sendWindow) return yield* refused(object, instance, intent, tooLate)
    const answer = yield* Effect.result(prepared.send(orderOf(object, instance, intent)))
    if (Result.isSuccess(answer)) return yield* accepted(object, instance, intent, provider, answer.success)
    const error = answer.failure
    return error.applied === "no"
      ? yield* refused(object, instance, intent, { ...problemOf(error), retryAfter: error.retryAfter })
      : yield* ambiguous(object, instance, intent, error)
  }).pipe(Effect.uninterruptible)

const stampNow = Effect.map(Clock.currentTimeMillis, (now) => new Date(now).toISOString())

/** Looks for the key that is about to be used, on an object whose intent somebody took off. */
const searchNext = Effect.fnUntraced(function* (sight: Sight, provider: Provider, template: string) {
  if (provider.find === undefined) return undefined
  const { history, instance } = sight
  const since = history.jobs[0]?.timestamp ?? instance.object.metadata.creationTimestamp ?? new Date(0).toISOString()
  const found = yield* provider.find({ template, uid: instance.uid, since })
  const { blockDeletionOnFailure, name } = provider
  const search: FullSearch = {
    purpose: "next",
    quiet: false,
    found: found.map((job) => ({ ...job, provider: name, blockDeletionOnFailure }))
  }
  return search
})

/** Nothing is torn down while a provision may run; `decide` saw to it, and this says on what it relied. */
const sayProvisionEnded = Effect.fnUntraced(function* ({ history, instance }: Sight) {
  const provision = newest(history.jobs, "provision")
  if (provision === undefined) return
  const said = { computeinstance: instance.key, jobID: provision.jobID, state: provision.state }
  yield* Effect.logInfo("checking provision job before deprovision", said)
  yield* Effect.logInfo("provision job already terminal", said)
})

/** Step Launch. */
export const launch = (sight: Sight, step: LaunchStep) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { active: provider } = yield* Providers
      const { instance } = sight
      const prepared = yield* provider.prepare(step.operation)
      if (step.searchFirst) {
        const search = yield* searchNext(sight, provider, prepared.template)
        if (search !== undefined) return again(instance.object, search)
      }
      if (step.operation === "deprovision") yield* sayProvisionEnded(sight)
      yield* Effect.logInfo(`triggering ${step.operation}ing`, { computeinstance: instance.key, attempt: step.attempt })
      const intent: Intent = {
        key: keyOf(instance.uid, step.operation, step.configVersion, step.attempt),
        object: instance.key,
        operation: step.operation,
        attempt: step.attempt,
        provider: provider.name,
        template: prepared.template,
        configVersion: step.configVersion,
        ...(instance.retryRequested === undefined ? {} : { retry: instance.retryRequested }),
        ...(holdsPlaybookFinalizer(instance) ? { heldByPlaybook: true } : {}),
        stamp: yield* stampNow
      }
      return yield* send(instance, provider, prepared, intent)
    })
  )

/** Step Renew: the same key under a new stamp, after a quiet period without a trace. The doubt is marked for good first. */
export const renew = (sight: Sight, intent: Intent) =>
  Effect.scoped(
    Effect.gen(function* () {
      const providers = yield* Providers
      const provider = Option.getOrElse(providers.byName(intent.provider), () => providers.active)
      const prepared = yield* provider.prepare(intent.operation)
      const marked = yield* amend(sight.instance.object, (history) => withLost(history, intent))
      if (marked !== sight.instance.object) return again(marked, sight.search)
      return yield* send(sight.instance, provider, prepared, {
        ...intent,
        template: prepared.template,
        since: intent.since ?? intent.stamp,
        stamp: yield* stampNow
      })
    })
  )

/** The object as it was when the launch was sent: a playbook may have let go of it since. */
const asSent = (object: KubernetesObject, intent: Intent): KubernetesObject => {
  const { finalizers = [] } = object.metadata
  const [playbook] = PLAYBOOK_FINALIZERS
  return intent.heldByPlaybook === true
    ? { ...object, metadata: { ...object.metadata, finalizers: Finalizer.added(finalizers, playbook) } }
    : object
}

/** Step Presume: nobody can tell whether it was sent, so it counts as sent. */
export const presume = Effect.fnUntraced(function* (sight: Sight, intent: Intent) {
  const provider = yield* providerFor(intent.provider)
  const { instance } = sight
  if (provider.presume === undefined) return again(instance.object)
  const job = provider.presume(orderOf(asSent(instance.object, intent), instance, intent), intent.operation)
  yield* Effect.logWarning(
    `${intent.operation} request may have been accepted; it is not repeated`,
    fields(instance, intent)
  )
  return yield* accepted(instance.object, instance, intent, provider, job)
})
