/**
 * How all objects together are doing: counts that are kept up to date one changed object at a time, so that a scrape costs
 * the same however many objects there are.
 *
 * Reads what is recorded, tolerantly and cheaply, and decides nothing.
 */
import { Clock, Effect, Option, Scope } from "effect"
import { FINALIZER, MANAGEMENT_STATE_ANNOTATION } from "../domain/ComputeInstance.ts"
import { INTENT_ANNOTATION } from "../domain/Intent.ts"
import { reasons } from "../domain/Reasons.ts"
import { isObject, type JsonObject, type KubernetesObject, keyOf } from "../domain/Resource.ts"
import { OTHER } from "../telemetry/Declaration.ts"
import { objectMetrics } from "../telemetry/Metrics.ts"

export interface Census {
  /** Takes the object as it is now; none: it is gone. */
  readonly look: (key: string, object: Option.Option<KubernetesObject>) => Effect.Effect<void>
}

/** What an object counts as. */
interface Entry {
  readonly marks: ReadonlyArray<string>
  /** Since when it is in a phase that should pass, in milliseconds. */
  readonly passing: { readonly phase: string; readonly since: number } | undefined
}

const asObject = (value: unknown): JsonObject => (isObject(value) ? value : {})
const objectsIn = (value: unknown): ReadonlyArray<JsonObject> => (Array.isArray(value) ? value.filter(isObject) : [])

const ended = new Set(["Succeeded", "Failed", "Canceled"])

const jobMarks = (jobs: ReadonlyArray<JsonObject>): ReadonlyArray<string> => {
  const newest = (type: unknown) => jobs.findLast((job) => job.type === type && job.duplicate !== true)
  return jobs
    .filter((job) => !(ended.has(String(job.state)) || job.gone === true) || newest(job.type) === job)
    .map((job) => `job/${job.type}/${job.state}`)
}

const observedTypes: ReadonlyArray<unknown> = objectMetrics.conditions.declaration.labels.type?.values ?? []

const conditionMarks = (conditions: ReadonlyArray<JsonObject>): ReadonlyArray<string> =>
  conditions
    .filter(({ status, type }) => status === "True" && observedTypes.includes(type))
    .map(({ reason, type }) => `condition/${type}/${Object.hasOwn(reasons, String(reason)) ? reason : OTHER}`)

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** No record names this key and this stamp. */
const isOpen = (intent: JsonObject, status: JsonObject, jobs: ReadonlyArray<JsonObject>): boolean => {
  const { key, stamp } = intent
  const launch = asObject(status.launch)
  return (
    typeof key === "string" &&
    !jobs.some((job) => job.launchKey === key && job.launchStamp === stamp) &&
    !(launch.key === key && launch.stamp === stamp)
  )
}

const phaseOf = ({ metadata }: KubernetesObject, status: JsonObject): string => {
  if (metadata.deletionTimestamp !== undefined) return "Deleting"
  return typeof status.phase === "string" && status.phase !== "" ? status.phase : "New"
}

const sinceWhen = ({ metadata }: KubernetesObject, phase: string, conditions: ReadonlyArray<JsonObject>) => {
  const created = metadata.creationTimestamp
  switch (phase) {
    case "New":
      return metadata.annotations?.[MANAGEMENT_STATE_ANNOTATION] === "unmanaged" ? undefined : created
    case "Progressing":
      return conditions.find(({ status, type }) => type === "Ready" && status !== "True")?.lastTransitionTime ?? created
    case "Deleting":
      // what others still hold is theirs to finish
      return metadata.finalizers?.includes(FINALIZER) === true ? metadata.deletionTimestamp : undefined
    default:
      return undefined
  }
}

const entryOf = (object: KubernetesObject): Entry => {
  const status = asObject(object.status)
  const jobs = objectsIn(status.jobs)
  const conditions = objectsIn(status.conditions)
  const phase = phaseOf(object, status)
  const intent = asObject(parsed(object.metadata.annotations?.[INTENT_ANNOTATION] ?? "null"))
  const since = Date.parse(String(sinceWhen(object, phase, conditions)))
  return {
    marks: [
      `phase/${phase}`,
      ...jobMarks(jobs),
      ...conditionMarks(conditions),
      ...(intent.object === keyOf(object.metadata) && isOpen(intent, status, jobs) ? ["intent"] : [])
    ],
    passing: Number.isNaN(since) ? undefined : { phase, since }
  }
}

/** The books: what is counted, and who has been in a phase that should pass for how long. */
class Books {
  readonly #entries = new Map<string, ReadonlyArray<string>>()
  readonly #passing = new Map<string, NonNullable<Entry["passing"]>>()
  readonly #counts = new Map<string, number>()
  /** Many objects count as the same: each such list is kept once. */
  readonly #lists = new Map<string, ReadonlyArray<string>>()

  count = (mark: string): number => this.#counts.get(mark) ?? 0

  /** Milliseconds; 0 if nobody is in this phase. */
  oldest(phase: string, now: number): number {
    let since = now
    for (const one of this.#passing.values()) if (one.phase === phase) since = Math.min(since, one.since)
    return now - since
  }

  enter(key: string, entry: Entry | undefined): void {
    for (const mark of this.#entries.get(key) ?? []) this.#add(mark, -1)
    this.#entries.delete(key)
    this.#passing.delete(key)
    if (entry === undefined) return
    for (const mark of entry.marks) this.#add(mark, 1)
    this.#entries.set(key, this.#shared(entry.marks))
    if (entry.passing !== undefined) this.#passing.set(key, entry.passing)
  }

  #add(mark: string, amount: number): void {
    const count = this.count(mark) + amount
    if (count === 0) this.#counts.delete(mark)
    else this.#counts.set(mark, count)
  }

  #shared(marks: ReadonlyArray<string>): ReadonlyArray<string> {
    const name = marks.join()
    const known = this.#lists.get(name) ?? marks
    // what people write into a status must not make this grow for ever
    if (this.#lists.size < 10_000) this.#lists.set(name, known)
    return known
  }
}

/** What is always shown, if only as 0. */
const showAll = Effect.fnUntraced(function* (books: Books) {
  const clock = yield* Clock.Clock
  const { jobs, oldest, openIntents, phases } = objectMetrics
  const { state, type } = jobs.declaration.labels
  yield* openIntents.reads({}, () => books.count("intent"))
  for (const phase of phases.declaration.labels.phase?.values ?? []) {
    yield* phases.reads({ phase }, () => books.count(`phase/${phase}`))
  }
  for (const phase of oldest.declaration.labels.phase?.values ?? []) {
    yield* oldest.reads({ phase }, () => books.oldest(phase, clock.currentTimeMillisUnsafe()) / 1_000)
  }
  for (const one of type?.values ?? []) {
    for (const each of state?.values ?? []) {
      yield* jobs.reads({ type: one, state: each }, () => books.count(`job/${one}/${each}`))
    }
  }
})

/** Shows the counts for as long as the scope lives. */
export const make = Effect.gen(function* () {
  const scope = yield* Effect.scope
  const books = new Books()
  const shown = new Set<string>()
  yield* showAll(books)

  /** A reason is shown from the first time on that an object had it. */
  const show = Effect.fnUntraced(function* (mark: string) {
    shown.add(mark)
    const [, type = "", reason = ""] = mark.split("/")
    yield* Scope.provide(
      objectMetrics.conditions.reads({ type, reason }, () => books.count(mark)),
      scope
    )
  })

  const census: Census = {
    look: (key, object) =>
      Effect.suspend(() => {
        const entry = Option.getOrUndefined(Option.map(object, entryOf))
        books.enter(key, entry)
        const fresh = (entry?.marks ?? []).filter((mark) => mark.startsWith("condition/") && !shown.has(mark))
        return Effect.forEach(fresh, show, { discard: true })
      })
  }
  return census
})
