/**
 * A pass under way, as a replay: every call that leaves the process is answered with the answer recorded for it, and the
 * first one without an answer suspends the pass.
 */
import { Effect } from "effect"
import type { Step } from "../../src/domain/Decision.ts"
import type { JobObservation } from "../../src/domain/Job.ts"
import type { KubernetesObject } from "../../src/domain/Resource.ts"
import type { Problem } from "../../src/domain/Status.ts"
import type { Change } from "../../src/reconcile/Answers.ts"
import type { ReconcileSettings } from "../../src/reconcile/Settings.ts"
import type { Answer, Reply, Request } from "./Request.ts"
import type { Version } from "./Versions.ts"

export const KEY = "tenant/vm"
/** The quiet period; the time between two ticks of the world's clock. */
export const QUIET = 240_000

export const settings: ReconcileSettings = {
  quietPeriod: QUIET,
  sendWindow: 10_000,
  pollInterval: 30_000,
  maxJobHistory: 2,
  jobRetention: 2.5 * QUIET,
  jobDeadline: 1_000 * QUIET,
  cancelDeadline: 1_000 * QUIET
}

/** What a process knows of a job that its view records as alive. */
export interface Seen {
  readonly id: string
  readonly observation: JobObservation
}

/** How one process of the operator is set up. */
export interface Profile {
  /** The first one launches. */
  readonly providers: readonly ["aap" | "eda", ...ReadonlyArray<"aap" | "eda">]
  /** How much its wall clock is ahead, in milliseconds. */
  readonly ahead: number
}

/** What the process remembers between two passes. */
export interface Memory {
  readonly clock: { readonly stamp: string; readonly at: number } | undefined
  readonly standing: { readonly step: Step["_tag"]; readonly problem: Problem } | undefined
  readonly spoken: { readonly words: string; readonly at: number } | undefined
  /** The answer of a launch that is not recorded yet, and the name of the moment it was kept at. */
  readonly kept: { readonly name: string; readonly change: Change } | undefined
}
export const noMemory: Memory = { clock: undefined, standing: undefined, spoken: undefined, kept: undefined }

/** A pass under way: what it was told, and what it did. */
export interface Run {
  readonly profile: Profile
  readonly name: string
  readonly seen: ReadonlyArray<Seen>
  readonly answers: ReadonlyArray<Answer>
  /** The objects it was given, by the place that guards its writes. */
  readonly given: Array<Version>
  used: number
  now: number
  /** The process holds the lease. */
  leads: boolean
  /** Which of the given objects its store holds. */
  held: number | undefined
  request: Request | undefined
  memory: Memory
}

class Suspended extends Error {}
const suspended = new Suspended("a request without an answer")

let underWay: Run | undefined

/** From now on this is the pass under way. */
export const enter = (here: Run): void => {
  underWay = here
}

export const run = (): Run => {
  if (underWay === undefined) throw new Error("no pass is under way")
  return underWay
}

/** The object in the words of the API server; its version is the place among the given ones. */
export const shown = (version: Version, place: number): KubernetesObject => ({
  ...version.object,
  metadata: { ...version.object.metadata, resourceVersion: String(place) }
})

export const give = (version: Version): KubernetesObject => {
  const { given } = run()
  given.push(version)
  return shown(version, given.length - 1)
}

export const ask = (request: Request): Effect.Effect<Reply> =>
  Effect.suspend(() => {
    const here = run()
    const answer = here.answers[here.used]
    if (answer === undefined || here.request !== undefined) {
      here.request ??= request
      return Effect.die(suspended)
    }
    here.used += 1
    here.now = answer.at
    here.leads = answer.leads
    return Effect.succeed(answer.reply)
  })
