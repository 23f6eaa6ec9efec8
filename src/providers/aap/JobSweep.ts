/**
 * One round of questions about many jobs: one list request per chunk, and what follows from its answer.
 *
 * Guarantees: a job is gone only when AAP's own JSON says so to a request for that very job; a job that is merely absent
 * from a list is not. One id, one row or one chunk that AAP chokes on does not keep the others from being read. What AAP
 * answers about ids that nobody asked for is not AAP's answer to our question, and nothing in it is believed.
 */
import { Effect, Result } from "effect"
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

export const makeSweep = (findings: Findings) => {
  let turn = 0

  const detail = Effect.fnUntraced(function* (kind: JobKind, id: string) {
    const client = yield* AapClient
    const order = yield* findings.begin
    return yield* client.jobDetail(kind, id).pipe(
      Effect.flatMap((row) => Effect.as(findings.row(row, order), true)),
      Effect.catchTag("NotFound", () => Effect.succeed(false))
    )
  })

  /** Asks for one job itself, of the kind it is known to be or else of both. */
  const confirm = Effect.fnUntraced(function* ({ id, kind }: Wanted): Effect.fn.Return<void, never, AapClient> {
    const order = yield* findings.begin
    const kinds: ReadonlyArray<JobKind> = isId.test(id) ? (kind === undefined ? ["job", "workflow_job"] : [kind]) : []
    const found = yield* Effect.result(Effect.forEach(kinds, (each) => detail(each, id)))
    if (Result.isSuccess(found)) {
      if (!found.success.includes(true)) yield* findings.gone(id, order)
    } else if (found.failure._tag === "Forbidden") yield* findings.doubt(id, found.failure)
  })

  /** The jobs that AAP's answer does not mention. */
  const read = Effect.fnUntraced(function* (chunk: ReadonlyArray<Wanted>) {
    const order = yield* findings.begin
    const { rows, present } = yield* list(chunk.map((job) => job.id))
    yield* Effect.forEach(rows, (row) => findings.row(row, order), { discard: true })
    return chunk.filter((job) => !present.has(job.id))
  })

  /** A single job that AAP chokes on: refused as an id, it is asked for by itself; otherwise it is in doubt. */
  const single = (job: Wanted, error: AapError.AapError) =>
    error._tag === "BadRequest" ? Effect.succeed([job]) : Effect.as(findings.doubt(job.id, error), [])

  /** Reads both halves of a chunk that failed, and halves again what fails, unless all of it fails: that is an outage. */
  const halve = Effect.fnUntraced(function* (
    chunk: ReadonlyArray<Wanted>,
    error: AapError.AapError
  ): Effect.fn.Return<ReadonlyArray<Wanted>, AapError.AapError, AapClient> {
    const [only] = chunk
    if (only !== undefined && chunk.length === 1) return yield* single(only, error)
    const middle = Math.ceil(chunk.length / 2)
    const halves = [chunk.slice(0, middle), chunk.slice(middle)]
    const results = yield* Effect.forEach(halves, (half) => Effect.result(read(half)))
    if (error._tag === "ServerFailure" && results.every(Result.isFailure)) return yield* error
    const missing = yield* Effect.forEach(results, (result, index) => {
      if (Result.isSuccess(result)) return Effect.succeed(result.success)
      if (!mayBePoison(result.failure)) return Effect.fail(result.failure)
      return halve(halves[index] ?? [], result.failure)
    })
    return missing.flat()
  })

  const ask = (chunk: ReadonlyArray<Wanted>) => Effect.catchIf(read(chunk), mayBePoison, (error) => halve(chunk, error))

  /** A few at a time, each in its turn, so that those in doubt do not keep the others from being buried. */
  const confirmSome = (missing: ReadonlyArray<Wanted>) => {
    const start = missing.length === 0 ? 0 : turn % missing.length
    const some = [...missing.slice(start), ...missing.slice(0, start)].slice(0, CONFIRMATIONS)
    turn = missing.length <= CONFIRMATIONS ? 0 : start + CONFIRMATIONS
    return Effect.forEach(some, confirm, { discard: true, concurrency: 4 })
  }

  /** Asks for all of them, `limit` at a time. Never fails: an outage is an outcome. */
  return Effect.fnUntraced(function* (
    wanted: ReadonlyArray<Wanted>,
    limit: number
  ): Effect.fn.Return<Round, never, AapClient> {
    const usable = wanted.filter((job) => isId.test(job.id))
    const missing = wanted.filter((job) => !isId.test(job.id))
    let answered = 0
    let failure: AapError.AapError | undefined
    for (const chunk of chunksOf(usable, limit)) {
      const absent = yield* Effect.result(ask(chunk))
      if (Result.isSuccess(absent)) {
        answered += 1
        missing.push(...absent.success)
      } else {
        failure ??= absent.failure
        if (AapError.isOutage(absent.failure)) break
      }
    }
    yield* confirmSome(missing)
    return { answered, failure }
  })
}
