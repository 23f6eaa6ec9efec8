/**
 * Reads the world for one pass: the object as held in memory, and what the providers know of its jobs. Costs no request.
 */
import { Clock, Effect, Option, Result } from "effect"
import { decide, type Observation, type ProviderFacts, type Search, type Step } from "../domain/Decision.ts"
import { withSeen } from "../domain/History.ts"
import { decode, type History, type Instance } from "../domain/Instance.ts"
import { isLive, type Job, type JobObservation } from "../domain/Job.ts"
import { type Problem, statusPatch } from "../domain/Status.ts"
import type { KubernetesObject } from "../ports/KubernetesClient.ts"
import type { ProviderError } from "../ports/ProviderError.ts"
import { type FoundJob, type JobReference, Providers } from "../ports/ProvisioningProvider.ts"
import { Settings } from "./Settings.ts"

/** A search with everything that was found, for whoever records it. */
export interface FullSearch extends Search {
  readonly found: ReadonlyArray<FoundJob & { readonly provider: string; readonly blockDeletionOnFailure: boolean }>
}

/** One look at an object. */
export interface Sight extends Observation {
  readonly instance: Instance
  readonly search: FullSearch | undefined
  readonly earlier: ReadonlyArray<FullSearch>
  /** Jobs changed since they were last recorded. */
  readonly unrecorded: boolean
  /** Why nothing newer is known of the live jobs. */
  readonly problem: Problem | undefined
  readonly step: Step
}

const nothing: History = {
  jobs: [],
  attempts: { provision: 0, deprovision: 0 },
  launch: undefined,
  lostLaunches: [],
  reconciledConfigVersion: undefined
}

type AllProviders = Providers["Service"]

/** Old records do not name the provider; the id's form does. */
const withProviders = (history: History, providers: AllProviders): History => {
  if (history.jobs.every((job) => job.provider !== undefined)) return history
  const named = (job: Job): Job => {
    const owner = job.provider === undefined ? providers.all.find((one) => one.recognises(job.jobID)) : undefined
    return owner === undefined ? job : { ...job, provider: owner.name }
  }
  return { ...history, jobs: history.jobs.map(named) }
}

/** The decoded object with a history that is complete as far as memory tells. */
export const understand = (
  object: KubernetesObject,
  providers: AllProviders
): { readonly instance: Instance; readonly history: History } => {
  const instance = decode(object)
  return {
    instance,
    history: withProviders(
      Result.getOrElse(instance.history, () => nothing),
      providers
    )
  }
}

export const factsOf = (providers: AllProviders): ProviderFacts => ({
  active: providers.active,
  of: (name) =>
    Option.match(providers.byName(name), {
      onNone: () => ({ configured: false, canFind: false, canCancel: false }),
      onSome: (provider) => ({
        configured: true,
        canFind: provider.find !== undefined,
        canCancel: provider.cancel !== undefined,
        canPresume: provider.presume !== undefined,
        settlePeriod: provider.settlePeriod,
        playbooksHoldFinalizer: provider.playbooksHoldFinalizer
      })
    })
})

export const referenceOf = (job: Job): JobReference => ({
  id: job.jobID,
  kind: job.kind,
  operation: job.type,
  launchKey: job.launchKey,
  configVersion: job.configVersion
})

export const problemOf = (error: ProviderError) => ({ reason: error.reason, message: error.message }) satisfies Problem

/** Objects nobody is to act on are not followed either. */
const isLeftAlone = (instance: Instance): boolean =>
  instance.deletingSince === undefined ? instance.management === "unmanaged" : !instance.holdsFinalizer

const trackAll = Effect.fnUntraced(function* (instance: Instance, history: History, providers: AllProviders) {
  const seen = new Map<string, JobObservation>()
  let problem: Problem | undefined
  for (const provider of providers.all) {
    const jobs = isLeftAlone(instance)
      ? []
      : history.jobs.filter((job) => isLive(job) && job.provider === provider.name).map(referenceOf)
    const tracked = yield* provider.track(instance.object, jobs)
    for (const [id, observation] of tracked.seen) seen.set(id, observation)
    problem ??= Option.getOrUndefined(Option.map(tracked.problem, problemOf))
  }
  return { seen, problem }
})

/** Looks at the object and decides. */
export const observe = Effect.fnUntraced(function* (
  object: KubernetesObject,
  search: FullSearch | undefined,
  earlier: ReadonlyArray<FullSearch>
) {
  const providers = yield* Providers
  const limits = yield* Settings
  const { instance, history: recorded } = understand(object, providers)
  const { problem, seen } = yield* trackAll(instance, recorded, providers)
  const history = withSeen(recorded, seen)
  const now = yield* Clock.currentTimeMillis
  const observation = { instance, history, now, providers: factsOf(providers), limits, search, earlier }
  const sight: Sight = { ...observation, unrecorded: history !== recorded, problem, step: decide(observation) }
  return sight
})

/** While the provider stays away for the same reason, its words stay the same too: they may change with every attempt. */
const sameWords = (instance: Instance, problem: Problem | undefined): Problem | undefined => {
  const said = instance.conditions.find((condition) => condition.type === "Ready")
  return problem !== undefined && said?.reason === problem.reason && said.message !== undefined
    ? { ...problem, message: said.message }
    : problem
}

/** What a person is told of a job that a person ran again. Its state is left out, as it may change unseen. */
export const relaunchNote = (job: { readonly id: string }): string =>
  `Job ${job.id} is a person's relaunch of one of this resource's jobs; it is left alone, and its end is not waited for`

/** Relaunches among what the searches of this pass found. */
const relaunchesOf = ({ earlier, search }: Sight): ReadonlyArray<string> => [
  ...new Set(
    [...earlier, ...(search === undefined ? [] : [search])]
      .flatMap(({ found }) => found)
      .filter((job) => job.relaunched)
      .map(relaunchNote)
  )
]

/** The status patch that says what this sight knows; undefined when the object says it already. */
export const patchFor = (sight: Sight, problem: Problem | undefined) =>
  statusPatch({
    remarks: relaunchesOf(sight),
    instance: sight.instance,
    history: sight.history,
    step: sight.step,
    problem: problem ?? (sight.step._tag === "Follow" ? sameWords(sight.instance, sight.problem) : undefined),
    now: sight.now,
    limits: sight.limits
  })

/** The provider of a record. `decide` lets no step through whose provider is not configured. */
export const providerFor = Effect.fnUntraced(function* (name: string | undefined) {
  const providers = yield* Providers
  return Option.getOrElse(name === undefined ? Option.none() : providers.byName(name), () => providers.active)
})
