/** One pass of the operator over the small world: decide, do, record, with a fate for every request and a crash anywhere. */
import { Result } from "effect"
import { decide, type Step } from "../../../src/domain/Decision.ts"
import {
  withClosed,
  withFound,
  withLaunched,
  withLost,
  withRefused,
  withSeen,
  withUnusable
} from "../../../src/domain/History.ts"
import { decode, type History, type Instance } from "../../../src/domain/Instance.ts"
import { INTENT_ANNOTATION, type Intent, keyOf, print } from "../../../src/domain/Intent.ts"
import type { JobObservation } from "../../../src/domain/Job.ts"
import type { KubernetesObject } from "../../../src/domain/Resource.ts"
import { statusPatch } from "../../../src/domain/Status.ts"
import { at, emptyHistory, facts, limits, stored } from "./objects.ts"
import {
  annotate,
  create,
  type FullSearch,
  find,
  isAlive,
  LONGEST_FLIGHT,
  observationOf,
  QUIET,
  setFinalizer,
  type World
} from "./world.ts"

export interface Fate {
  /** What becomes of a request: answered, its answer lost or slow, on its way for a while, dropped, refused, or worthless. */
  readonly post: "answered" | "lost" | "slow" | "late" | "dropped" | "refused" | "unusable"
  /** The process dies after this many effects. */
  readonly crashAfter: number
  /** The provider was not asked about live jobs since the last pass. */
  readonly blind: boolean
}
export const fair: Fate = { post: "answered", crashAfter: Number.POSITIVE_INFINITY, blind: false }

const crash = Symbol("crash")

const providers = facts()

const understood = new WeakMap<KubernetesObject, { readonly instance: Instance; readonly history: History }>()

/** Decodes an object once. */
const read = (object: KubernetesObject) => {
  const known = understood.get(object)
  if (known !== undefined) return known
  const instance = decode(object)
  const fresh = { instance, history: Result.getOrElse(instance.history, () => emptyHistory) }
  understood.set(object, fresh)
  return fresh
}

/** The decision at this moment, as the pipeline makes it. */
const look = (world: World, search: FullSearch | undefined, blind: boolean) => {
  const { history: recorded, instance } = read(world.object)
  const seen = new Map<string, JobObservation>(
    recorded.jobs
      .filter(() => !blind)
      .map((job) => [job.jobID, observationOf(world.jobs.find((one) => one.id === job.jobID))])
  )
  const history = withSeen(recorded, seen)
  const observation = { instance, history, now: world.now, providers, limits: limits, search }
  return { ...observation, step: decide(observation), problem: undefined }
}

/** A guarded write of a changed history; nothing is written where nothing changed. */
const amend = (world: World, change: (history: History, current: Intent | undefined) => History): void => {
  const { history: before, instance } = read(world.object)
  const history = change(before, instance.intent)
  const observation = { instance, history, now: world.now, providers, limits: limits, search: undefined }
  world.object = stored(world.object, statusPatch({ ...observation, step: decide(observation), problem: undefined }))
}

const record = (world: World, intent: Intent, id: string, worthless: boolean): void =>
  amend(world, (history, current) => {
    const job = {
      id,
      kind: "job",
      state: "Pending" as const,
      detail: "",
      blockDeletionOnFailure: intent.operation === "deprovision"
    }
    const next = withLaunched(history, job, intent, current, world.now, world.limit)
    const why = { reason: "TemplateRefusesVariables" as const, message: "worthless", retryAfter: undefined }
    return worthless ? withRefused(withUnusable(next, id), why, intent, current, world.now) : next
  })

/** An answer that was slow arrives. */
export const deliver = (world: World): void => {
  const [first, ...others] = world.answers
  if (first === undefined) return
  world.answers = others
  record(world, first.intent, first.id, false)
}

const refusal = { reason: "CredentialsRejected" as const, message: "401 Unauthorized", retryAfter: undefined }

const post = (world: World, intent: Intent, fate: Fate, effect: () => void): void => {
  switch (fate.post) {
    case "dropped":
      return
    case "late":
      world.flights = [...world.flights, { intent, lands: world.now + LONGEST_FLIGHT }]
      return
    case "lost":
      create(world, intent)
      return
    case "slow":
      world.answers = [...world.answers, { id: create(world, intent).id, intent }]
      return
    case "refused":
      effect()
      amend(world, (history, current) => withRefused(history, refusal, intent, current, world.now))
      return
    case "answered":
    case "unusable": {
      const { id } = create(world, intent)
      effect()
      record(world, intent, id, fate.post === "unusable")
    }
  }
}

/** Intent first, then one request. */
const send = (world: World, draft: Omit<Intent, "stamp">, fate: Fate, effect: () => void): void => {
  world.requests += 1
  const intent: Intent = { ...draft, stamp: at(world.now + world.requests) }
  effect()
  annotate(world, INTENT_ANNOTATION, print(intent))
  setFinalizer(world, true)
  world.memory.set(intent.stamp, world.now)
  effect()
  post(world, intent, fate, effect)
}

const draftOf = (world: World, step: Extract<Step, { _tag: "Launch" }>): Omit<Intent, "stamp"> => {
  const { retryRequested, uid } = read(world.object).instance
  return {
    key: keyOf(uid, step.operation, step.configVersion, step.attempt),
    object: "tenant/vm",
    operation: step.operation,
    attempt: step.attempt,
    provider: "aap",
    template: step.operation,
    configVersion: step.configVersion,
    ...(retryRequested === undefined ? {} : { retry: retryRequested })
  }
}

const searchFor = (world: World, step: Step): FullSearch | undefined => {
  if (step._tag === "Launch") {
    const [oldest] = read(world.object).history.jobs
    const since = oldest?.timestamp ?? world.object.metadata.creationTimestamp ?? ""
    return { purpose: "next", quiet: false, found: find(world, since, step.operation) }
  }
  if (step._tag !== "Search") return undefined
  if (step.purpose === "lost") {
    return { purpose: "lost", quiet: true, found: step.lost.flatMap((lost) => find(world, lost.since, lost.operation)) }
  }
  const { intent } = step
  if (!world.memory.has(intent.stamp)) world.memory.set(intent.stamp, world.now)
  const quiet = world.now - (world.memory.get(intent.stamp) ?? world.now) >= QUIET
  return { purpose: "intent", quiet, found: find(world, intent.since ?? intent.stamp, intent.operation) }
}

/** Does one step. Answers what was found, "again" where the world changed, or "rest". */
const act = (
  world: World,
  step: Step,
  search: FullSearch | undefined,
  fate: Fate,
  effect: () => void
): FullSearch | "again" | "rest" => {
  switch (step._tag) {
    case "Search":
      return searchFor(world, step) ?? "rest"
    case "Launch":
      if (step.searchFirst) return searchFor(world, step) ?? "rest"
      send(world, draftOf(world, step), fate, effect)
      return "again"
    case "Renew": {
      effect()
      amend(world, (history) => withLost(history, step.intent))
      send(world, { ...step.intent, since: step.intent.since ?? step.intent.stamp }, fate, effect)
      return "again"
    }
    case "Close":
      effect()
      amend(world, (history) => withClosed(history, step.intent, step.outcome, "given up", world.now))
      return "again"
    case "Adopt": {
      const rows = search?.found.filter((row) => step.found.some((one) => one.id === row.id)) ?? []
      effect()
      amend(world, (history) => withFound(history, rows, step.first, step.intent, "", world.limit))
      return "again"
    }
    case "Cancel":
      for (const job of world.jobs)
        if (isAlive(job) && step.jobs.some((one) => one.jobID === job.id)) job.cancelled = true
      return "rest"
    case "Release":
      world.released = true
      return "rest"
    default:
      return "rest"
  }
}

/** One pass. Answers the step it came to rest on, or undefined where it died or gave way. */
export const run = (world: World, fate: Fate): Step | undefined => {
  let effects = 0
  const effect = () => {
    if (effects++ >= fate.crashAfter) throw crash
  }
  let search: FullSearch | undefined
  try {
    for (let steps = 0; steps < 12; steps++) {
      const sight = look(world, search, fate.blind)
      const patch = statusPatch(sight)
      if (patch !== undefined && sight.step._tag !== "LeaveAlone") {
        effect()
        world.object = stored(world.object, patch)
      }
      const done = act(world, sight.step, search, fate, effect)
      if (done === "rest") return sight.step
      search = done === "again" ? undefined : done
    }
  } catch (thrown) {
    if (thrown !== crash) throw thrown
    world.memory = new Map()
  }
  return undefined
}
