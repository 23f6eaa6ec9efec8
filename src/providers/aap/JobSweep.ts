/**
 * One round of questions about many jobs: one list request per chunk, and what follows from its answer.
 *
 * Guarantees: a job is gone only when AAP's own JSON says so to a request for that very job; a job that is merely absent
 * from a list is not. One id, one row or one chunk that AAP chokes on does not keep the others from being read. What AAP
 * answers about ids that nobody asked for is not AAP's answer to our question, and nothing in it is believed. An AAP that
 * answers nothing is asked two or three times in the first such round, and once in each that follows.
 */
import { Effect, Result } from "effect"
import { aapMetrics } from "../../telemetry/Metrics.ts"
import { AapClient } from "./AapClient.ts"
import * as AapError from "./AapError.ts"
import { chunksOf } from "./Chunks.ts"
import type { Wanted } from "./JobLedger.ts"
import type { JobKind, JobRow } from "./Wire.ts"

/** Where the answers go. `order` is the place of the request they answer. */
export interface Findings {
  readonly begin: Effect.Effect<number>
  readonly row: (row: JobRow, order: number) => Effect.Effect<void>
  readonly gone: (id: string, order: number) => Effect.Effect<void>
  readonly doubt: (id: string, error: AapError.AapError) => Effect.Effect<void>
}

export interface Round {
  /** Requests for a list that were answered. */
  readonly answered: number
  /** Why the others were not; the first of them. */
  readonly failure: AapError.AapError | undefined
}

/** AAP's answer to this many confirmations is awaited in one round; others wait for the next. */
const CONFIRMATIONS = 25
const isId = /^\d{1,15}$/u

/** All pages of one list; AAP may have a lower page size than we ask for. */
const list = Effect.fnUntraced(function* (ids: ReadonlyArray<string>) {
  const client = yield* AapClient
  yield* aapMetrics.batch.observe({}, ids.length)
  const asked = new Set(ids)
  const rows: Array<JobRow> = []
  const strange: Array<string> = []
  let after = 0
  for (;;) {
    const page = yield* client.jobsById(ids, after)
    const got = [...page.rows.map((row) => row.id), ...page.unreadable.filter((id) => !Number.isNaN(id))]
    if (got.some((id) => !asked.has(String(id)))) {
      return yield* new AapError.NotTheApi({ status: 200, detail: "a list of other jobs than those asked for" })
    }
    rows.push(...page.rows)
    strange.push(...page.unreadable.map(String))
    const last = Math.max(after, ...got)
    if (!page.more || last === after)
      return { rows, present: new Set([...rows.map((row) => String(row.id)), ...strange]) }
    after = last
  }
})

/** Failures that may be the fault of a single id or row among those asked for. */
const mayBePoison = (error: AapError.AapError): boolean =>
  error._tag === "BadRequest" || error._tag === "TooLarge" || (error._tag === "ServerFailure" && error.status === 500)

/** The outcome of a round so far. */
interface Tally {
  answered: number
  failure: AapError.AapError | undefined
  /** Requests for a list that failed since the last one that was answered. */
  failures: number
  /** A job of a list that was answered. */
  good: Wanted | undefined
}

/** A few at a time, each in its turn, so that those in doubt do not keep the others from being buried. */
const makeConfirm = (findings: Findings) => {
  let turn = 0

  const detail = Effect.fnUntraced(function* (kind: JobKind, id: string) {
    const client = yield* AapClient
    const order = yield* findings.begin
    return yield* client.jobDetail(kind, id).pipe(
      Effect.flatMap((row) => Effect.as(findings.row(row, order), true)),
      Effect.catchTag("NotFound", () => Effect.succeed(false))
    )
  })

  /** Asks for one job itself, of the kind it is known to be or else of both. Answers whether AAP did. */
  const confirm = Effect.fnUntraced(function* ({ id, kind }: Wanted): Effect.fn.Return<boolean, never, AapClient> {
    const order = yield* findings.begin
    const kinds: ReadonlyArray<JobKind> = isId.test(id) ? (kind === undefined ? ["job", "workflow_job"] : [kind]) : []
    const found = yield* Effect.result(Effect.forEach(kinds, (each) => detail(each, id)))
    if (Result.isSuccess(found)) {
      if (!found.success.includes(true)) yield* findings.gone(id, order)
      return true
    }
    if (found.failure._tag !== "Forbidden") return false
    yield* findings.doubt(id, found.failure)
    return true
  })

  return Effect.fnUntraced(function* (missing: ReadonlyArray<Wanted>) {
    const start = missing.length === 0 ? 0 : turn % missing.length
    const some = [...missing.slice(start), ...missing.slice(0, start)].slice(0, CONFIRMATIONS)
    turn = missing.length <= CONFIRMATIONS ? 0 : start + CONFIRMATIONS
    return (yield* Effect.forEach(some, confirm, { concurrency: 4 })).includes(true)
  })
}

/** More jobs than these are never at fault at the same time; beyond, they are found anew. */
const SUSPECTS = 200

/** One round of lists. Jobs whose rows AAP chokes on are remembered, and asked for by themselves after all others. */
const makeLists = (findings: Findings) => {
  const suspects = new Set<string>()
  let turn = 0

  /** The jobs that AAP's answer does not mention. */
  const read = Effect.fnUntraced(function* (chunk: ReadonlyArray<Wanted>, tally: Tally) {
    const order = yield* findings.begin
    const { rows, present } = yield* Effect.tapError(list(chunk.map((job) => job.id)), () =>
      Effect.sync(() => (tally.failures += 1))
    )
    tally.answered += 1
    tally.failures = 0
    tally.good = chunk[0]
    yield* Effect.forEach(rows, (row) => findings.row(row, order), { discard: true })
    for (const job of chunk) suspects.delete(job.id)
    return chunk.filter((job) => !present.has(job.id))
  })

  /** Whether AAP answers at all: for one job alone, another one each time. */
  const probe = (usable: ReadonlyArray<Wanted>, tally: Tally) => {
    turn += 1
    return Effect.result(read(usable.slice(turn % usable.length).slice(0, 1), tally))
  }

  /** What failed may be at fault itself, or AAP is away: it is, when it no longer answers for what it answered before. */
  const isAway = (tally: Tally) =>
    tally.good === undefined
      ? Effect.succeed(true)
      : Effect.map(Effect.result(read([tally.good], tally)), Result.isFailure)

  /** A single job that AAP chokes on: refused as an id, it is asked for by itself; otherwise it is in doubt. */
  const single = Effect.fnUntraced(function* (job: Wanted, error: AapError.AapError, tally: Tally) {
    if (error._tag === "BadRequest") {
      tally.failure ??= error
      return [job]
    }
    if (tally.answered === 0) return yield* error
    if (suspects.size >= SUSPECTS) suspects.clear()
    suspects.add(job.id)
    yield* findings.doubt(job.id, error)
    return []
  })

  /** Reads both halves of a chunk that failed, and halves again what fails, unless AAP is away. */
  const halve = Effect.fnUntraced(function* (
    chunk: ReadonlyArray<Wanted>,
    error: AapError.AapError,
    tally: Tally
  ): Effect.fn.Return<ReadonlyArray<Wanted>, AapError.AapError, AapClient> {
    const [only] = chunk
    if (only !== undefined && chunk.length === 1) return yield* single(only, error, tally)
    const middle = Math.ceil(chunk.length / 2)
    const halves = [chunk.slice(0, middle), chunk.slice(middle)]
    const results = yield* Effect.forEach(halves, (half) => Effect.result(read(half, tally)))
    if (results.every(Result.isFailure) && (yield* isAway(tally))) return yield* error
    const missing = yield* Effect.forEach(results, (result, index) => {
      if (Result.isSuccess(result)) return Effect.succeed(result.success)
      if (!mayBePoison(result.failure)) return Effect.fail(result.failure)
      return halve(halves[index] ?? [], result.failure, tally)
    })
    return missing.flat()
  })

  const readAll = Effect.fnUntraced(function* (usable: ReadonlyArray<Wanted>, limit: number, tally: Tally) {
    const alone = usable.filter((job) => suspects.has(job.id)).map((job) => [job])
    const healthy = usable.filter((job) => !suspects.has(job.id))
    const missing: Array<Wanted> = []
    for (const chunk of [...chunksOf(healthy, limit), ...alone]) {
      const absent = yield* Effect.result(
        Effect.catchIf(read(chunk, tally), mayBePoison, (error) => halve(chunk, error, tally))
      )
      if (Result.isSuccess(absent)) missing.push(...absent.success)
      else {
        tally.failure ??= absent.failure
        if (AapError.isOutage(absent.failure)) break
        // one chunk may have been too much for AAP; the one after it tells
        if (tally.failures > 1 && (yield* isAway(tally))) break
      }
    }
    return missing
  })

  return { probe, readAll }
}

export const makeSweep = (findings: Findings) => {
  const lists = makeLists(findings)
  const confirmSome = makeConfirm(findings)
  /** Nothing was answered in the last round. */
  let away = false

  /** Asks for all of them, `limit` at a time. Never fails: an outage is an outcome. */
  return Effect.fnUntraced(function* (
    wanted: ReadonlyArray<Wanted>,
    limit: number
  ): Effect.fn.Return<Round, never, AapClient> {
    const usable = wanted.filter((job) => isId.test(job.id))
    const missing = wanted.filter((job) => !isId.test(job.id))
    const tally: Tally = { answered: 0, failure: undefined, failures: 0, good: undefined }
    if (away && usable.length > 1) {
      const probed = yield* lists.probe(usable, tally)
      if (Result.isFailure(probed)) return { answered: 0, failure: probed.failure }
    }
    missing.push(...(yield* lists.readAll(usable, limit, tally)))
    const confirmed = yield* confirmSome(missing)
    const answered = tally.answered + (confirmed ? 1 : 0)
    away = answered === 0 && tally.failure !== undefined
    return { answered, failure: tally.failure }
  })
}
