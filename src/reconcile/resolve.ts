/**
 * Finds out what came of launches nobody confirmed, and writes it down: search, wait, adopt, give up.
 */
import { Clock, Duration, Effect, Option } from "effect"
import { ADOPT_ANNOTATION, FINALIZER, type LostLaunch } from "../domain/ComputeInstance.ts"
import type { Step } from "../domain/Decision.ts"
import { type FoundRecord, withClosed, withFound } from "../domain/History.ts"
import { type Intent, readKey } from "../domain/Intent.ts"
import { newest } from "../domain/Job.ts"
import { isTooOld } from "../domain/Launching.ts"
import { KubernetesClient } from "../ports/KubernetesClient.ts"
import { type FoundJob, type Provider, Providers } from "../ports/ProvisioningProvider.ts"
import * as Action from "../runtime/Action.ts"
import * as Finalizer from "../runtime/Finalizer.ts"
import { IntentClock } from "./IntentClock.ts"
import { type FullSearch, providerFor, relaunchNote, type Sight } from "./observe.ts"
import { again, rest } from "./Progress.ts"
import { amend, viewOf } from "./record.ts"
import { publish } from "./report.ts"
import { Settings } from "./Settings.ts"
import { Store } from "./Store.ts"

type Of<Tag extends Step["_tag"]> = Extract<Step, { readonly _tag: Tag }>

// ── looking for jobs ─────────────────────────────────────────────────────────────────────────────────────────────────

const tagged = (provider: Provider, found: ReadonlyArray<FoundJob>): FullSearch["found"] =>
  found.map((job) => ({ ...job, provider: provider.name, blockDeletionOnFailure: blocks(provider, job) }))

const blocks = (provider: Provider, job: FoundJob): boolean =>
  job.operation === "deprovision" && provider.blockDeletionOnFailure

/** A person ran one of the object's jobs again: it carries our key, is nobody's duplicate, and is not ours to stop. */
export const noticeRelaunches = Effect.fnUntraced(function* (sight: Sight, found: ReadonlyArray<FoundJob>) {
  for (const job of found.filter((one) => one.relaunched)) {
    const note = relaunchNote(job)
    if (sight.instance.conditions.some((condition) => condition.message?.includes(note) === true)) continue
    yield* Effect.logWarning(note, { computeinstance: sight.instance.key, jobID: job.id, launchKey: job.launchKey })
    yield* publish(sight.instance, "RelaunchSeen", note)
  }
})

/** Milliseconds within which launches in doubt share a search, so that a start with thousands of them costs a few. */
const TOGETHER = 5_000

/**
 * How old a search may be. One that is to prove an absence began when the quiet period was over; one that only hopes to
 * find began after the launch was stamped, and lately.
 */
const maxAgeOf = (age: number, quietPeriod: number, sinceStamp: number): number =>
  age >= quietPeriod ? age - quietPeriod : Math.min(TOGETHER, Math.max(0, sinceStamp))

/** However late a launch may arrive that left within its send window: longer than any proxy holds a request. */
const LATE = 60 * 60_000

/**
 * After this no job comes of this sending, so that an old intent does not look through all that was launched since. Only an
 * intent that is not sent again whatever is found: AAP's clock may be further ahead of ours than any bound.
 */
const untilOf = (sight: Sight, intent: Intent, quietPeriod: number): { readonly until?: string } => {
  const stamped = Date.parse(intent.stamp)
  return isTooOld(sight, intent) && !Number.isNaN(stamped)
    ? { until: new Date(stamped + quietPeriod + LATE).toISOString() }
    : {}
}

export const searchIntent = Effect.fnUntraced(function* (sight: Sight, intent: Intent) {
  const { quietPeriod } = yield* Settings
  const clock = yield* IntentClock
  const provider = yield* providerFor(intent.provider)
  const age = yield* clock.age(sight.instance.key, intent.stamp)
  const bound = untilOf(sight, intent, quietPeriod)
  const found =
    provider.find === undefined
      ? []
      : yield* provider.find({
          template: intent.template,
          uid: readKey(intent.key)?.uid ?? sight.instance.uid,
          since: intent.since ?? intent.stamp,
          ...bound,
          maxAge: maxAgeOf(age, quietPeriod, sight.now - Date.parse(intent.stamp))
        })
  yield* noticeRelaunches(sight, found)
  return again(sight.instance.object, {
    purpose: "intent",
    quiet: age >= quietPeriod,
    bounded: bound.until !== undefined,
    found: tagged(provider, found)
  })
})

/** What ended before the newest deprovision began is torn down by it; before there is one, by the one that will be. */
const unfinishedAt = ({ history, now }: Sight): string =>
  newest(history.jobs, "deprovision")?.timestamp ?? new Date(now).toISOString()

/** However old the marks, only what may still matter is looked through: jobs that live, or did until lately. */
export const searchLost = Effect.fnUntraced(function* (sight: Sight, lost: ReadonlyArray<LostLaunch>) {
  const found: Array<FullSearch["found"][number]> = []
  for (const mark of lost) {
    const provider = yield* providerFor(mark.provider)
    if (provider.find === undefined) continue
    const jobs = yield* provider.find({
      template: mark.template,
      uid: mark.uid ?? sight.instance.uid,
      since: mark.since,
      unfinishedAt: unfinishedAt(sight)
    })
    found.push(...tagged(provider, jobs))
    yield* noticeRelaunches(sight, jobs)
  }
  return again(sight.instance.object, { purpose: "lost", quiet: true, found })
})

export const awaitQuiet = Effect.fnUntraced(function* (sight: Sight, intent: Intent) {
  const { pollInterval, quietPeriod } = yield* Settings
  const clock = yield* IntentClock
  const age = yield* clock.age(sight.instance.key, intent.stamp)
  const left = Math.max(1, quietPeriod - age)
  if (left > pollInterval) return rest(Action.after(Duration.millis(pollInterval)))
  // whose quiet period ends at about the same time looks at the same time, for one search
  const now = Number((yield* Clock.monotonicTimeNanos) / 1_000_000n)
  return rest(Action.after(Duration.millis(Math.ceil((now + left) / TOGETHER) * TOGETHER - now)))
})

// ── settling what was found ──────────────────────────────────────────────────────────────────────────────────────────

export const close = Effect.fnUntraced(function* (sight: Sight, step: Of<"Close">) {
  const { intent, outcome } = step
  const message =
    outcome === "NotFound"
      ? "No job came of the launch within the quiet period"
      : `It cannot be told whether the launch of ${intent.stamp} happened: the provider may have dropped its job. Look for the machine, then set the annotation cloudkit.openshift.io/retry-requested-at to launch again, or cloudkit.openshift.io/adopt-job to name the job`
  yield* Effect.logWarning(`${intent.operation} launch given up: ${message}`, {
    computeinstance: sight.instance.key,
    launchKey: intent.key,
    outcome
  })
  yield* publish(sight.instance, "LaunchGivenUp", message)
  return again(
    yield* amend(sight.instance.object, (history, instance, now) =>
      instance.intent?.key === intent.key && instance.intent.stamp === intent.stamp
        ? withClosed(history, intent, outcome, message, now)
        : history
    )
  )
})

/** The full rows behind the step's ids. A job seen while a search was under way is in its result. */
const rowsOf = (sight: Sight, step: Of<"Adopt">): ReadonlyArray<FoundRecord> =>
  step.found.flatMap((one) =>
    [...sight.earlier, ...(sight.search === undefined ? [] : [sight.search])]
      .flatMap((search) => search.found)
      .filter((row) => row.id === one.id)
      .slice(-1)
  )

/** Says what was adopted or recorded, once it is. */
const tell = Effect.fnUntraced(function* (sight: Sight, row: FoundRecord, counts: boolean) {
  yield* Effect.logWarning(counts ? "adopting a job of an unconfirmed launch" : "recording a duplicate job", {
    computeinstance: sight.instance.key,
    jobID: row.id,
    launchKey: row.launchKey
  })
  yield* publish(
    sight.instance,
    counts ? "JobAdopted" : "DuplicateJobFound",
    counts
      ? `Job ${row.id} carries the key of a launch whose answer was lost; it is followed`
      : `Job ${row.id} is one too many and is being cancelled`
  )
})

export const adopt = Effect.fnUntraced(function* (sight: Sight, step: Of<"Adopt">) {
  const { maxJobHistory } = yield* Settings
  const rows = rowsOf(sight, step)
  const written = yield* amend(sight.instance.object, (history, instance) =>
    withFound(history, rows, step.first, step.intent, instance.desiredVersion, maxJobHistory)
  )
  for (const [index, row] of rows.entries()) yield* tell(sight, row, index === 0 && step.first === "counts")
  return again(written)
})

const hold = Effect.fnUntraced(function* (sight: Sight) {
  const client = yield* KubernetesClient
  const store = yield* Store
  const { object } = sight.instance
  const finalizers = Finalizer.added(object.metadata.finalizers, FINALIZER)
  const written = yield* client.patchMetadata(viewOf(object), { finalizers })
  yield* store.apply(written)
  return again(written)
})

const takeOff = Effect.fnUntraced(function* (sight: Sight, annotation: string) {
  const client = yield* KubernetesClient
  const store = yield* Store
  const written = yield* client.patchMetadata(viewOf(sight.instance.object), { annotations: { [annotation]: null } })
  yield* store.apply(written)
  return again(written)
})

/** Why the job a person named cannot be followed, if it cannot. */
const unfit = (sight: Sight, provider: Provider, id: string, row: Option.Option<FoundJob>): string | undefined => {
  if (Option.isNone(row)) return `${provider.name} has no job ${id}`
  const { instance } = sight
  const owners = [instance.uid, readKey(instance.intent?.key ?? "")?.uid]
  return row.value.owner !== undefined && owners.includes(row.value.owner)
    ? undefined
    : `Job ${id} belongs to another object, or was launched by hand: neither its launch key nor the resource it was given names this one`
}

export const adoptNamed = Effect.fnUntraced(function* (sight: Sight, step: Of<"AdoptNamed">) {
  const { maxJobHistory } = yield* Settings
  const { active: provider } = yield* Providers
  const { instance } = sight
  const row = provider.lookUp === undefined ? Option.none<FoundJob>() : yield* provider.lookUp(step.id)
  const why = unfit(sight, provider, step.id, row)
  if (why !== undefined) {
    const note = `${why}; the annotation adopt-job is removed`
    yield* publish(instance, "AdoptRefused", note)
    return yield* takeOff(sight, ADOPT_ANNOTATION)
  }
  // what is followed must be torn down one day: the finalizer comes before the record
  if (!instance.holdsFinalizer) return yield* hold(sight)
  const found = tagged(provider, Option.toArray(row))
  const written = yield* amend(instance.object, (history, current) =>
    history.jobs.at(-1)?.jobID === step.id
      ? history
      : withFound(history, found, "counts", current.intent, current.desiredVersion, maxJobHistory)
  )
  if (written !== instance.object) {
    yield* publish(instance, "JobAdopted", `Job ${step.id} was named by the annotation adopt-job; it is followed`)
    return again(written)
  }
  return yield* takeOff(sight, ADOPT_ANNOTATION)
})
