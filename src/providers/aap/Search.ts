/**
 * Looks for launches whose answer was lost: all jobs of a template since a time, recognised by the key they carry.
 *
 * Guarantees: a search begins after it was asked for, or no longer ago than whoever asks allows; searches are shared as far
 * as that goes, so that their number does not grow with the launches in doubt; every page is read, or the search fails and
 * says so. Jobs that a workflow or a slice started carry their parent's key and are not
 * launches of ours, so they are left out.
 */
import { Clock, DateTime, Deferred, Duration, Effect, Exit, Option } from "effect"
import type { ProviderError } from "../../ports/ProviderError.ts"
import type { FoundJob } from "../../ports/ProvisioningProvider.ts"
import { AapClient } from "./AapClient.ts"
import { stateOf, timesOf } from "./JobStates.ts"
import { keyIn, ownerOf } from "./Ownership.ts"
import { refuse, toProviderError } from "./ProviderErrors.ts"
import { retryReads } from "./ReadRetry.ts"
import * as Templates from "./Templates.ts"
import { type JobRow, jobKind } from "./Wire.ts"

/** AAP's clock and ours may differ by this much. */
const SKEW = 10 * 60_000
const PAGES = 100
/** Searches reach back to whole minutes, so that launches of about the same time share one. */
const MINUTE = 60_000
/** A search that has to reach back for long is apart from those that need not. */
const APART = 60 * MINUTE
/** How long a result may be of use to somebody else. */
const KEPT = Duration.seconds(10)
const OPERATION = "find launched jobs"

/** A job as the port describes it, under the key it carries. */
export const foundJob = (row: JobRow, kind: string, launchKey: string, operation: FoundJob["operation"]): FoundJob => {
  const { state, detail } = stateOf(row.status)
  const { startedAt, finishedAt } = timesOf(row)
  return {
    id: String(row.id),
    kind,
    operation,
    launchKey,
    owner: ownerOf(row.extra_vars),
    state,
    detail,
    created: row.created ?? "",
    startedAt,
    finishedAt,
    relaunched: row.launch_type === "relaunch"
  }
}

export const operationIn = (key: string): FoundJob["operation"] | undefined => {
  const operation = key.split("/")[1]
  return operation === "provision" || operation === "deprovision" ? operation : undefined
}

/** The launch a row stands for, if it is one of ours. */
export const launchIn = (row: JobRow): ReadonlyArray<FoundJob> => {
  const kind = jobKind(row.type)
  const key = keyIn(row.extra_vars)
  const operation = key === undefined ? undefined : operationIn(key)
  if (kind === undefined || key === undefined || operation === undefined || row.launch_type === "workflow") return []
  return [foundJob(row, kind, key, operation)]
}

const readAll = Effect.fnUntraced(function* (template: string, since: number) {
  const client = yield* AapClient
  const wanted = Templates.parse(template)
  const created = DateTime.formatIso(DateTime.makeUnsafe(since - SKEW))
  const found: Array<FoundJob> = []
  let after = 0
  for (let page = 0; page < PAGES; page++) {
    const { rows, unreadable, more } = yield* retryReads(client.jobsOfTemplate(wanted, created, after)).pipe(
      Effect.mapError(toProviderError({ operation: OPERATION }))
    )
    if (unreadable.length > 0) {
      return yield* refuse(
        OPERATION,
        "ProviderMisaddressed",
        "AAP lists jobs that cannot be read, so that a launch may be among them"
      )
    }
    found.push(...rows.flatMap(launchIn))
    const last = Math.max(after, ...rows.map((row) => row.id))
    if (!more || last === after) return found
    after = last
  }
  return yield* refuse(
    OPERATION,
    "ProviderFailure",
    `Template '${wanted.name}' has more than ${PAGES} pages of jobs since the launch, too many to look through`
  )
})

/** Found launches by the uid of their object. */
type Found = ReadonlyMap<string, ReadonlyArray<FoundJob>>

interface Search {
  since: number
  /** Monotonic milliseconds; none before it begins. */
  begun: number | undefined
  readonly outcome: Deferred.Deferred<Found, ProviderError>
}

/** Searches of one template that reach back to the same hour: the newest that has begun, and one that is about to begin. */
interface Slot {
  working: boolean
  newest: Search | undefined
  next: Search | undefined
}

export interface Query {
  readonly template: string
  readonly uid: string
  readonly since: string
  readonly maxAge?: number
}

const uidIn = (key: string): string => key.slice(0, Math.max(0, key.indexOf("/")))

/** Not moved by changes of the wall clock. */
const monotonic = Effect.map(Clock.monotonicTimeNanos, (nanoseconds) => Number(nanoseconds / 1_000_000n))

export const makeSearch = Effect.gen(function* () {
  const client = yield* AapClient
  const scope = yield* Effect.scope
  const slots = new Map<string, Slot>()

  /** Runs the waiting search, and whatever was asked for meanwhile; the last result is kept for a little while. */
  const work = (place: string, template: string, slot: Slot): Effect.Effect<void> =>
    Effect.gen(function* () {
      while (slot.next !== undefined) {
        const search = slot.next
        slot.next = undefined
        slot.newest = search
        search.begun = yield* monotonic
        const exit = yield* Effect.exit(readAll(template, search.since))
        if (Exit.isFailure(exit)) slot.newest = undefined
        yield* Deferred.done(
          search.outcome,
          Exit.map(exit, (jobs) => Map.groupBy(jobs, (job) => uidIn(job.launchKey)))
        )
        if (Exit.isFailure(exit)) yield* Effect.logInfo("AAP could not be searched for launched jobs", { template })
      }
      slot.working = false
      yield* Effect.sleep(KEPT)
      if (!slot.working && slots.get(place) === slot) slots.delete(place)
    }).pipe(Effect.provideService(AapClient, client))

  /** A search that began at `earliest` or after it, and reaches back to `since`; a new one if there is none. */
  const join = (template: string, since: number, earliest: number) =>
    Effect.uninterruptibleMask((restore) => {
      const place = `${Math.floor(since / APART)}/${template}`
      const slot = slots.get(place) ?? { working: false, newest: undefined, next: undefined }
      slots.set(place, slot)
      const { newest } = slot
      if (newest?.begun !== undefined && newest.begun >= earliest && newest.since <= since) {
        return restore(Deferred.await(newest.outcome))
      }
      slot.next ??= { since, begun: undefined, outcome: Deferred.makeUnsafe() }
      slot.next.since = Math.min(slot.next.since, since)
      const started = slot.working ? Effect.void : Effect.forkIn(work(place, template, slot), scope)
      slot.working = true
      return Effect.andThen(started, restore(Deferred.await(slot.next.outcome)))
    })

  return Effect.fnUntraced(function* (query: Query): Effect.fn.Return<ReadonlyArray<FoundJob>, ProviderError> {
    const from = Option.map(DateTime.make(query.since), DateTime.toEpochMillis)
    if (Option.isNone(from)) return yield* refuse(OPERATION, "ProviderRefused", `'${query.since}' is not a time`)
    const { maxAge = 0 } = query
    // without an allowance only a search that has not begun will do, whatever the clock's resolution
    const earliest = maxAge > 0 ? (yield* monotonic) - maxAge : Number.POSITIVE_INFINITY
    const found = yield* join(query.template, Math.floor(from.value / MINUTE) * MINUTE, earliest)
    return found.get(query.uid) ?? []
  })
})
