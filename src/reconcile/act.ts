/**
 * One small handler per Step. A handler does one thing and says how far it got; it decides nothing.
 */
import { Duration, Effect, Option, Result } from "effect"
import { FINALIZER, PLAYBOOK_FINALIZERS, RETIRED_FINALIZER } from "../domain/ComputeInstance.ts"
import type { Step } from "../domain/Decision.ts"
import { withSeen, withSuperseded } from "../domain/History.ts"
import type { Job, JobObservation } from "../domain/Job.ts"
import { KubernetesClient } from "../ports/KubernetesClient.ts"
import type { ProviderError } from "../ports/ProviderError.ts"
import type { FoundJob, Provider } from "../ports/ProvisioningProvider.ts"
import * as Action from "../runtime/Action.ts"
import * as Finalizer from "../runtime/Finalizer.ts"
import { launch, presume, renew } from "./launch.ts"
import { countChanges } from "./measure.ts"
import { providerFor, referenceOf, type Sight } from "./observe.ts"
import { again, finished, rest, retry } from "./Progress.ts"
import { amend, recordSight, viewOf } from "./record.ts"
import { publish, report } from "./report.ts"
import { adopt, adoptNamed, awaitQuiet, close, searchIntent, searchLost } from "./resolve.ts"
import { Settings } from "./Settings.ts"
import { Store } from "./Store.ts"

type Of<Tag extends Step["_tag"]> = Extract<Step, { readonly _tag: Tag }>

const milliseconds = (amount: number) => Action.after(Duration.millis(Math.max(0, amount)))

// ── stopping jobs ────────────────────────────────────────────────────────────────────────────────────────────────────

/** The provider no longer has the job, in its own words where it has some. */
const goneFrom = (provider: Provider): JobObservation => ({
  state: "Unknown",
  detail: provider.gone ?? "no longer known to the provider",
  gone: true
})

const observationOf = (row: FoundJob): JobObservation => ({
  state: row.state,
  detail: row.detail,
  gone: false,
  ...(row.startedAt === undefined ? {} : { startedAt: row.startedAt }),
  ...(row.finishedAt === undefined ? {} : { finishedAt: row.finishedAt })
})

/** Asks for one job to be cancelled. Answers what is known of a job that needs no cancelling any more. */
const cancelOne = Effect.fnUntraced(function* (sight: Sight, job: Job) {
  const provider = yield* providerFor(job.provider)
  if (provider.cancel === undefined) return Option.none<JobObservation>()
  const said = { computeinstance: sight.instance.key, jobID: job.jobID, state: job.state }
  yield* Effect.logInfo(`${job.type} job is running, attempting to cancel`, said)
  const answer = yield* provider.cancel(sight.instance.object, referenceOf(job))
  switch (answer) {
    case "Requested":
      yield* Effect.logInfo(`canceled ${job.type} job`, said)
      return Option.none<JobObservation>()
    case "Gone":
      return Option.some(goneFrom(provider))
    case "AlreadyTerminal": {
      yield* Effect.logInfo(`${job.type} job already terminal`, said)
      const row = provider.lookUp === undefined ? Option.none<FoundJob>() : yield* provider.lookUp(job.jobID)
      return Option.map(row, observationOf)
    }
  }
})

const named = (jobs: ReadonlyArray<Job>) => ({
  jobID: jobs.map((job) => job.jobID).join(", "),
  state: jobs.map((job) => job.state).join(", ")
})

const cancel = Effect.fnUntraced(function* (sight: Sight, step: Of<"Cancel">) {
  const { pollInterval } = yield* Settings
  const { instance } = sight
  const said = { computeinstance: instance.key, ...named(step.jobs) }
  if (step.why === "Deletion") yield* Effect.logInfo("checking provision job before deprovision", said)
  const seen = new Map<string, JobObservation>()
  let refused: ProviderError | undefined
  for (const job of step.jobs) {
    // one job that cannot be cancelled must not keep the others alive
    const ended = yield* Effect.result(cancelOne(sight, job))
    if (Result.isFailure(ended)) refused ??= ended.failure
    else if (Option.isSome(ended.success)) seen.set(job.jobID, ended.success.value)
  }
  const written =
    seen.size === 0 ? instance.object : yield* amend(instance.object, (history) => withSeen(history, seen))
  if (written !== instance.object) return again(written)
  if (refused !== undefined) return yield* refused
  if (step.why === "Deletion") yield* Effect.logInfo("deprovisioning not ready, requeueing", said)
  return rest(milliseconds(pollInterval))
})

// ── letting go ───────────────────────────────────────────────────────────────────────────────────────────────────────

const release = Effect.fnUntraced(function* (sight: Sight, step: Of<"Release">) {
  const client = yield* KubernetesClient
  const store = yield* Store
  const { history, instance } = sight
  const finalizers = Finalizer.removed(instance.object.metadata.finalizers, [
    FINALIZER,
    RETIRED_FINALIZER,
    ...(step.playbookFinalizers ? PLAYBOOK_FINALIZERS : [])
  ])
  const object = finalizers.length === 0 ? instance.object : yield* recordSight(sight)
  const written = yield* client.patchMetadata(viewOf(object), { finalizers })
  yield* store.apply(written)
  if (step.warning !== undefined) {
    yield* Effect.logWarning(`deleted although clean-up failed: ${step.warning}`, { computeinstance: instance.key })
    yield* publish(instance, "DeletedAfterFailure", step.warning)
  }
  if (object === instance.object) yield* Effect.andThen(countChanges(instance, history), report(instance, history))
  yield* Effect.logInfo("finalizer removed", { computeinstance: instance.key })
  return finished(Action.awaitChange)
})

/** A provider that only hears of ends stayed silent: its jobs count as gone, and a Warning says so. */
const supersede = Effect.fnUntraced(function* (sight: Sight, step: Of<"Supersede">) {
  const ids = step.jobs.map((job) => job.jobID).join(", ")
  const note = `Job ${ids} has not signalled its end within the settle period and is no longer waited for`
  const written = yield* amend(sight.instance.object, (history) => withSuperseded(history, step.jobs))
  yield* Effect.logWarning(note, { computeinstance: sight.instance.key })
  yield* publish(sight.instance, "SignalMissing", note)
  return again(written)
})

/** The machine came from a provider whose playbooks hold no finalizer: theirs is put on in their place. */
const holdForPlaybook = Effect.fnUntraced(function* (sight: Sight) {
  const client = yield* KubernetesClient
  const store = yield* Store
  const { object } = sight.instance
  const [playbook] = PLAYBOOK_FINALIZERS
  const finalizers = Finalizer.added(Finalizer.added(object.metadata.finalizers, FINALIZER), playbook)
  const written = yield* client.patchMetadata(viewOf(object), { finalizers })
  yield* store.apply(written)
  return again(written)
})

const follow = Effect.fnUntraced(function* (sight: Sight, job: Job) {
  const line = job.type === "provision" ? "checking provision job status" : "checking deprovision job status"
  yield* Effect.logInfo(line, { computeinstance: sight.instance.key, jobID: job.jobID, state: job.state })
  const since = job.timestamp === undefined ? sight.now : Date.parse(job.timestamp)
  const remaining = since + sight.limits.jobDeadline - sight.now
  return rest(remaining > 0 ? milliseconds(remaining + 1_000) : Action.awaitChange)
})

const handle = Effect.fnUntraced(function* (sight: Sight) {
  const { step } = sight
  switch (step._tag) {
    case "LeaveAlone":
      return finished(Action.awaitChange)
    case "Settle":
    case "Manual":
    case "Block":
      return rest(Action.awaitChange)
    case "Wait":
      return rest(milliseconds(step.until - sight.now))
    case "Follow":
      return yield* follow(sight, step.job)
    case "Launch":
      return yield* launch(sight, step)
    case "Search":
      return step.purpose === "intent" ? yield* searchIntent(sight, step.intent) : yield* searchLost(sight, step.lost)
    case "AwaitQuiet":
      return yield* awaitQuiet(sight, step.intent)
    case "Renew":
      return yield* renew(sight, step.intent)
    case "Presume":
      return yield* presume(sight, step.intent)
    case "Supersede":
      return yield* supersede(sight, step)
    case "HoldForPlaybook":
      return yield* holdForPlaybook(sight)
    case "Close":
      return yield* close(sight, step)
    case "Adopt":
      return yield* adopt(sight, step)
    case "AdoptNamed":
      return yield* adoptNamed(sight, step)
    case "Cancel":
      return yield* cancel(sight, step)
    case "Release":
      return yield* release(sight, step)
  }
})

/** Does what was decided. A provider that says no is an answer, not a failure of the handler. */
export const act = (sight: Sight) =>
  Effect.catchTag(handle(sight), "ProviderError", (error) => Effect.succeed(retry(error)))

/** Steps whose doing is not the first thing a person should hear of: the status speaks before they are taken. */
export const speaksFirst = (sight: Sight): boolean => {
  switch (sight.step._tag) {
    case "Launch":
      return sight.unrecorded
    case "Search":
    case "Renew":
    case "Presume":
    case "Supersede":
    case "Close":
    case "Adopt":
    case "AdoptNamed":
    case "Cancel":
      return true
    default:
      return false
  }
}
