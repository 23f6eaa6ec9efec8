/**
 * Looks for launches whose answer was lost: the jobs of a template since a time, recognised by the key they carry.
 *
 * Guarantees: a search begins after it was asked for, or no longer ago than whoever asks allows; searches are shared as far
 * as that goes, so that their number does not grow with the launches in doubt; every page is read, however many there are,
 * in bounded memory, or the search fails and says so. A row that cannot be read fails the search of those alone whose it
 * may be.
 */
import { Clock, DateTime, Deferred, Duration, Effect, Exit, Option, Result } from "effect"
import { CLOCK_SKEW } from "../../domain/Launching.ts"
import type { ProviderError } from "../../ports/ProviderError.ts"
import type { FoundJob } from "../../ports/ProvisioningProvider.ts"
import { AapClient } from "./AapClient.ts"
import { type Doubt, launchIn } from "./LaunchRows.ts"
import { refuse, toProviderError } from "./ProviderErrors.ts"
import { retryReads } from "./ReadRetry.ts"
import * as Templates from "./Templates.ts"

/** A page takes a while, and more than this no database of jobs holds: an AAP whose lists have no end is not believed. */
const PAGES = 2_000
/** The launches of so many objects are kept for whoever may ask; of more, only those of objects that wait. */
const MANY = 20_000
/** Searches reach back to whole minutes, so that launches of about the same time share one. */
const MINUTE = 60_000
/** A search that has to reach back for long is apart from those that need not. */
const APART = 60 * MINUTE
/** How long a result may be of use to somebody else. */
const KEPT = Duration.seconds(10)
const OPERATION = "find launched jobs"

/** What a search is to look through. All times in milliseconds of the wall clock. */
interface Range {
  since: number
  /** Infinity: to the newest. */
  until: number
  /** Jobs that had ended before are left out; none: none are. */
  readonly unfinishedAt: number | undefined
}

/** What was found of an object. */
interface Found {
  readonly jobs: Array<FoundJob>
  doubt: Doubt | undefined
}

interface Search extends Range {
  /** Monotonic milliseconds; none before it begins. */
  begun: number | undefined
  /** Uids of the objects that wait for it. */
  readonly wanted: Set<string>
  /** By the uid of the object. */
  readonly found: Map<string, Found>
  /** Nothing was left out of what was found. */
  whole: boolean
  readonly outcome: Deferred.Deferred<void, ProviderError>
}

const isoOf = (milliseconds: number): string => DateTime.formatIso(DateTime.makeUnsafe(milliseconds))

/** By AAP's clock, whichever way it differs from ours. */
const rangeOf = ({ since, unfinishedAt, until }: Range) => ({
  since: isoOf(since - CLOCK_SKEW),
  until: until === Number.POSITIVE_INFINITY ? undefined : isoOf(until + CLOCK_SKEW),
  unfinishedAt: unfinishedAt === undefined ? undefined : isoOf(unfinishedAt - CLOCK_SKEW)
})

/** Keeps what is or may become of use, within bounds. */
const keep = (search: Search, uid: string, add: (found: Found) => void) => {
  if (search.whole && search.found.size >= MANY) {
    search.whole = false
    for (const one of search.found.keys()) if (!search.wanted.has(one)) search.found.delete(one)
  }
  if (!search.whole && !search.wanted.has(uid)) return
  const found = search.found.get(uid) ?? { jobs: [], doubt: undefined }
  search.found.set(uid, found)
  add(found)
}

const uidIn = (key: string): string => key.slice(0, Math.max(0, key.indexOf("/")))

/** A doubt that may be anybody's fails the search for all. */
const readRow = (search: Search, row: Parameters<typeof launchIn>[0]): Effect.Effect<void, ProviderError> => {
  const launches = launchIn(row)
  if (Result.isSuccess(launches)) {
    for (const job of launches.success) keep(search, uidIn(job.launchKey), ({ jobs }) => jobs.push(job))
    return Effect.void
  }
  const { message, uid } = launches.failure
  if (uid === undefined) return refuse(OPERATION, "ProviderMisaddressed", message)
  keep(search, uid, (found) => {
    found.doubt ??= launches.failure
  })
  return Effect.void
}

const readAll = Effect.fnUntraced(function* (template: string, search: Search) {
  const client = yield* AapClient
  const wanted = Templates.parse(template)
  const range = rangeOf(search)
  let after = 0
  for (let page = 0; page < PAGES; page++) {
    const { rows, unreadable, more } = yield* retryReads(client.jobsOfTemplate(wanted, range, after)).pipe(
      Effect.mapError(toProviderError({ operation: OPERATION }))
    )
    if (unreadable.length > 0) {
      return yield* refuse(
        OPERATION,
        "ProviderMisaddressed",
        "AAP lists something that is no job, so that a launch may be among it: look at what answers at CLOUDKIT_AAP_URL"
      )
    }
    for (const row of rows) yield* readRow(search, row)
    const last = Math.max(after, ...rows.map((row) => row.id ?? 0))
    if (!more) return
    if (last === after) {
      return yield* refuse(
        OPERATION,
        "ProviderMisaddressed",
        `AAP says that more jobs follow job ${after} of template '${wanted.name}', and lists none with a higher id: look at what answers at CLOUDKIT_AAP_URL`
      )
    }
    after = last
  }
  return yield* refuse(
    OPERATION,
    "ProviderFailure",
    `Template '${wanted.name}' has more than ${PAGES} pages of jobs since ${range.since}, too many to look through for a launch: let AAP clean up old jobs (its management job 'Cleanup Job Details'), or name the job to follow by the annotation cloudkit.openshift.io/adopt-job`
  )
})

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
  readonly until?: string
  readonly unfinishedAt?: string
  readonly maxAge?: number
}

/** Not moved by changes of the wall clock. */
const monotonic = Effect.map(Clock.monotonicTimeNanos, (nanoseconds) => Number(nanoseconds / 1_000_000n))

/** The search serves who wants to look through this range on behalf of this object. */
const serves = (search: Search, range: Range, uid: string): boolean =>
  search.since <= range.since && search.until >= range.until && (search.whole || search.wanted.has(uid))

/** Searches that may be one. */
const placeOf = (template: string, { since, unfinishedAt }: Range): string =>
  `${Math.floor(since / APART)}/${unfinishedAt ?? ""}/${template}`

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
        const exit = yield* Effect.exit(readAll(template, search))
        if (Exit.isFailure(exit)) slot.newest = undefined
        yield* Deferred.done(search.outcome, exit)
        if (Exit.isFailure(exit)) yield* Effect.logInfo("AAP could not be searched for launched jobs", { template })
      }
      slot.working = false
      yield* Effect.sleep(KEPT)
      if (!slot.working && slots.get(place) === slot) slots.delete(place)
    }).pipe(Effect.provideService(AapClient, client))

  /** A search that began at `earliest` or after it, and looks through the range; a new one if there is none. */
  const join = (template: string, range: Range, uid: string, earliest: number) =>
    Effect.uninterruptibleMask((restore) => {
      const place = placeOf(template, range)
      const slot = slots.get(place) ?? { working: false, newest: undefined, next: undefined }
      slots.set(place, slot)
      const { newest } = slot
      if (newest?.begun !== undefined && newest.begun >= earliest && serves(newest, range, uid)) {
        newest.wanted.add(uid)
        return Effect.as(restore(Deferred.await(newest.outcome)), newest)
      }
      slot.next ??= {
        ...range,
        begun: undefined,
        wanted: new Set(),
        found: new Map(),
        whole: true,
        outcome: Deferred.makeUnsafe()
      }
      const { next } = slot
      next.since = Math.min(next.since, range.since)
      next.until = Math.max(next.until, range.until)
      next.wanted.add(uid)
      const started = slot.working ? Effect.void : Effect.forkIn(work(place, template, slot), scope)
      slot.working = true
      return Effect.andThen(started, Effect.as(restore(Deferred.await(next.outcome)), next))
    })

  /** A time of the query, to whole minutes. */
  const timeOf = (text: string): Effect.Effect<number, ProviderError> =>
    Option.match(DateTime.make(text), {
      onNone: () => refuse(OPERATION, "ProviderRefused", `'${text}' is not a time`),
      onSome: (time) => Effect.succeed(Math.floor(DateTime.toEpochMillis(time) / MINUTE) * MINUTE)
    })

  return Effect.fnUntraced(function* (query: Query): Effect.fn.Return<ReadonlyArray<FoundJob>, ProviderError> {
    const range: Range = {
      since: yield* timeOf(query.since),
      until: query.until === undefined ? Number.POSITIVE_INFINITY : MINUTE + (yield* timeOf(query.until)),
      unfinishedAt: query.unfinishedAt === undefined ? undefined : yield* timeOf(query.unfinishedAt)
    }
    const { maxAge = 0 } = query
    // without an allowance only a search that has not begun will do, whatever the clock's resolution
    const earliest = maxAge > 0 ? (yield* monotonic) - maxAge : Number.POSITIVE_INFINITY
    const search = yield* join(query.template, range, query.uid, earliest)
    const found = search.found.get(query.uid)
    if (found?.doubt !== undefined) return yield* refuse(OPERATION, "ProviderMisaddressed", found.doubt.message)
    return found?.jobs ?? []
  })
})
