/**
 * Launches exactly once: intent first, one sending within the window, the answer recorded.
 *
 * From the write of the intent to the record of the answer nothing interrupts, so that a shutdown waits for the id. A crash
 * in between leaves an open intent, which `decide` has resolved before anything else happens to the object. Whoever lost
 * the lease on the way sends nothing, and writes nothing but the record of an id it already has.
 */
import { Clock, Effect, Option, Result, Schedule } from "effect"
import { PLAYBOOK_FINALIZERS } from "../domain/ComputeInstance.ts"
import type { LaunchStep } from "../domain/Decision.ts"
import { type Refusal, withLaunched, withLost, withRefused, withUnusable } from "../domain/History.ts"
import type { Instance } from "../domain/Instance.ts"
import { type Intent, keyOf } from "../domain/Intent.ts"
import { newest } from "../domain/Job.ts"
import { type Clear, Clearance } from "../ports/Clearance.ts"
import type { KubernetesObject } from "../ports/KubernetesClient.ts"
import type { ProviderError } from "../ports/ProviderError.ts"
import { type LaunchedJob, type Provider, Providers } from "../ports/ProvisioningProvider.ts"
import * as Action from "../runtime/Action.ts"
import * as Finalizer from "../runtime/Finalizer.ts"
import { IntentClock } from "./IntentClock.ts"
import { fields, holdsPlaybookFinalizer, orderOf, writeIntent } from "./intent.ts"
import { countDoubt, countLaunch } from "./measure.ts"
import { type FullSearch, problemOf, providerFor, type Sight } from "./observe.ts"
import { again, finished } from "./Progress.ts"
import { preparing, type Ready } from "./prepare.ts"
import { amend, recordAnswer } from "./record.ts"
import { publish } from "./report.ts"
import { noticeRelaunches } from "./resolve.ts"
import { Settings } from "./Settings.ts"
import { Turnstile } from "./Turnstile.ts"

/** A job nobody owns any more is worth several attempts to stop it, as long as a shutdown can wait. */
const orphanRetry = Schedule.exponential("1 second").pipe(Schedule.upTo({ times: 5, duration: "30 seconds" }))

/** Whoever leads finds the intent open, and resolves it before anything else happens to the object. */
const leftOpen = Effect.fnUntraced(function* (instance: Instance, intent: Intent) {
  yield* Effect.logWarning("this replica no longer leads: the launch is left to the one that does", {
    ...fields(instance, intent)
  })
  return finished(Action.after("1 second"))
})

const accepted = Effect.fnUntraced(function* (
  object: KubernetesObject,
  instance: Instance,
  intent: Intent,
  provider: Provider,
  job: LaunchedJob,
  mayRecord: Clear
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
  }).pipe(Effect.provideService(Clearance, mayRecord))
  if (Option.isSome(stored)) {
    yield* publish(instance, "JobLaunched", `Launched ${intent.operation} job ${job.id} (${intent.template})`)
    return again(stored.value)
  }
  yield* Effect.logError("the object is gone; its job is being cancelled", {
    ...fields(instance, intent),
    jobID: job.id
  })
  if (provider.cancel !== undefined) {
    const orphan = { id: job.id, kind: job.kind, operation: intent.operation, launchKey: intent.key }
    yield* provider.cancel(object, orphan).pipe(Effect.retry(orphanRetry), Effect.ignore)
  }
  return again(object)
})

const refused = Effect.fnUntraced(function* (
  object: KubernetesObject,
  instance: Instance,
  intent: Intent,
  refusal: Refusal
) {
  const isClear = yield* Clearance
  if (!isClear()) return yield* leftOpen(instance, intent)
  yield* countLaunch(intent, "refused")
  yield* Effect.logWarning(`${intent.operation} launch refused: ${refusal.message}`, fields(instance, intent))
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
  yield* countLaunch(intent, "ambiguous")
  yield* countDoubt
  yield* Effect.logWarning(`${intent.operation} launch is ambiguous: ${error.message}`, fields(instance, intent))
  yield* publish(instance, "LaunchAmbiguous", error.message)
  return again(object)
})

/** The send window is over: nothing was sent, and nothing will be. */
const tooLate: Refusal = {
  reason: "LaunchRefused",
  message:
    "The launch was not sent, because it took longer than the send window to write its intent and to connect; it is tried again",
  retryAfter: undefined
}

/** What lets a launch out: for as long as this process leads and the intent is fresh. Once it has said no, it stays so. */
const makeExit = Effect.gen(function* () {
  const { sendWindow } = yield* Settings
  const clock = yield* Clock.Clock
  const leads = yield* Clearance
  const begun = clock.monotonicTimeNanosUnsafe()
  let heldBack: "lost" | "late" | undefined
  return {
    isClear: () => {
      const age = Number(clock.monotonicTimeNanosUnsafe() - begun) / 1_000_000
      heldBack ??= leads() ? (age > sendWindow ? "late" : undefined) : "lost"
      return heldBack === undefined
    },
    heldBack: () => heldBack
  }
})

/** Intent, sending, record. Nothing in here is repeated, and nothing interrupts it. */
const send = (instance: Instance, provider: Provider, ready: Ready, intent: Intent) =>
  Effect.gen(function* () {
    const turnstile = yield* Turnstile
    const exit = yield* makeExit
    const object = yield* writeIntent(instance, intent, provider)
    const answer = exit.isClear()
      ? yield* Effect.asSome(
          ready.prepared.send(orderOf(object, instance, intent)).pipe(
            Effect.tap(() => countLaunch(intent, "launched")),
            Effect.provideService(Clearance, exit.isClear),
            Effect.result
          )
        )
      : Option.none()
    // whoever waits to launch need not wait for the record
    yield* ready.release
    yield* turnstile.leave(instance.key)
    if (Option.isSome(answer) && Result.isSuccess(answer.value)) {
      // an id that was received is recorded even by who leads no more: nobody else knows it
      return yield* accepted(object, instance, intent, provider, answer.value.success, () => true)
    }
    if (exit.heldBack() === "lost") return yield* leftOpen(instance, intent)
    const error = Option.flatMap(answer, Result.getFailure)
    if (Option.isNone(error) || exit.heldBack() === "late") return yield* refused(object, instance, intent, tooLate)
    return error.value.applied === "no"
      ? yield* refused(object, instance, intent, { ...problemOf(error.value), retryAfter: error.value.retryAfter })
      : yield* ambiguous(object, instance, intent, error.value)
  }).pipe(Effect.uninterruptible)

const stampNow = Effect.map(Clock.currentTimeMillis, (now) => new Date(now).toISOString())

/** Looks for the key that is about to be used, on an object whose intent somebody took off. */
const searchNext = Effect.fnUntraced(function* (
  sight: Sight,
  { blockDeletionOnFailure, name }: Provider,
  find: NonNullable<Provider["find"]>,
  template: string
) {
  const { history, instance } = sight
  const since = history.jobs[0]?.timestamp ?? instance.object.metadata.creationTimestamp ?? new Date(0).toISOString()
  const found = yield* find({ template, uid: instance.uid, since })
  yield* noticeRelaunches(sight, found)
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
export const launch = Effect.fnUntraced(function* (sight: Sight, step: LaunchStep) {
  const { active: provider } = yield* Providers
  const { instance } = sight
  return yield* preparing(
    instance,
    provider,
    step.operation,
    Effect.fnUntraced(function* (ready) {
      if (step.operation === "deprovision") yield* sayProvisionEnded(sight)
      if (step.searchFirst && provider.find !== undefined) {
        // a search may take long, and others want to launch meanwhile
        yield* ready.release
        const { aside } = yield* Turnstile
        const search = searchNext(sight, provider, provider.find, ready.prepared.template)
        return again(instance.object, yield* aside(instance.key, search))
      }
      yield* Effect.logInfo(`triggering ${step.operation}ing`, {
        computeinstance: instance.key,
        attempt: step.attempt
      })
      const intent: Intent = {
        key: keyOf(instance.uid, step.operation, step.configVersion, step.attempt),
        object: instance.key,
        operation: step.operation,
        attempt: step.attempt,
        provider: provider.name,
        template: ready.prepared.template,
        configVersion: step.configVersion,
        ...(instance.retryRequested === undefined ? {} : { retry: instance.retryRequested }),
        ...(holdsPlaybookFinalizer(instance) ? { heldByPlaybook: true } : {}),
        stamp: yield* stampNow
      }
      return yield* send(instance, provider, ready, intent)
    })
  )
})

/** Step Renew: the same key under a new stamp, after a quiet period without a trace. The doubt is marked for good first. */
export const renew = Effect.fnUntraced(function* (sight: Sight, intent: Intent) {
  const provider = yield* providerFor(intent.provider)
  return yield* preparing(
    sight.instance,
    provider,
    intent.operation,
    Effect.fnUntraced(function* (ready) {
      const marked = yield* amend(sight.instance.object, (history) => withLost(history, intent))
      if (marked !== sight.instance.object) return again(marked, sight.search)
      return yield* send(sight.instance, provider, ready, {
        ...intent,
        template: ready.prepared.template,
        since: intent.since ?? intent.stamp,
        stamp: yield* stampNow
      })
    })
  )
})

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
  const clock = yield* IntentClock
  yield* clock.age(instance.key, intent.stamp)
  yield* countLaunch(intent, "presumed")
  const job = provider.presume(orderOf(asSent(instance.object, intent), instance, intent), intent.operation)
  yield* Effect.logWarning(
    `${intent.operation} request may have been accepted; it is not repeated`,
    fields(instance, intent)
  )
  return yield* accepted(instance.object, instance, intent, provider, job, yield* Clearance)
})
