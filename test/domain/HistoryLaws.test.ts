/** Laws of the record, over any sequence of changes. */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  type FoundRecord,
  type Launched,
  withClosed,
  withFound,
  withLaunched,
  withLost,
  withRefused,
  withSeen,
  withUnusable
} from "../../src/domain/History.ts"
import type { History } from "../../src/domain/Instance.ts"
import { type Intent, readKey } from "../../src/domain/Intent.ts"
import type { Job, Operation } from "../../src/domain/Job.ts"
import { intent, jobs, seen, state } from "./support/arbitraries.ts"
import { emptyHistory, historyOf, NOW, objectOf } from "./support/objects.ts"

const RUNS = { numRuns: 1_200 }

type Change = (history: History) => History
interface Named {
  readonly name: string
  /** Jobs that are judged anew by it. */
  readonly judged?: ReadonlyArray<string>
  readonly limit?: number
  readonly apply: Change
}

const id = fc.constantFrom("1", "2", "3", "11", "12", "13", "14", "15")
const limit = fc.integer({ min: 2, max: 6 })
const current = (sent: Intent) =>
  fc.constantFrom<Intent | undefined>(sent, sent, undefined, { ...sent, stamp: "another" })

/** Ids with digits are one provider's, as the forms of ids tell providers apart. */
const order = intent.map((one): Intent => ({ ...one, provider: "aap" }))

const launched: fc.Arbitrary<Named> = order.chain((sent) =>
  fc.record({ id, state, now: current(sent), limit }).map((a) => {
    const job: Launched = { id: a.id, kind: undefined, state: a.state, detail: "", blockDeletionOnFailure: true }
    return { name: `launched ${a.id}`, apply: (history) => withLaunched(history, job, sent, a.now, NOW, a.limit) }
  })
)
const refused: fc.Arbitrary<Named> = intent.chain((sent) =>
  current(sent).map((now) => ({
    name: "refused",
    apply: (history) =>
      withRefused(history, { reason: "LaunchRefused", message: "m", retryAfter: undefined }, sent, now, NOW)
  }))
)
const given: fc.Arbitrary<Named> = fc
  .tuple(intent, fc.constantFrom<"NotFound" | "Unknown" | undefined>("NotFound", "Unknown", undefined))
  .map(([sent, outcome]) => ({
    name: `given up ${outcome}`,
    apply: (history) => (outcome === undefined ? withLost(history, sent) : withClosed(history, sent, outcome, "m", NOW))
  }))
const row = fc.tuple(id, intent, state).map(
  ([one, of, is]): FoundRecord => ({
    id: one,
    provider: "aap",
    kind: "job",
    operation: of.operation,
    launchKey: of.key,
    state: is,
    detail: "",
    created: "2026-11-21T11:00:00Z",
    startedAt: undefined,
    finishedAt: undefined,
    blockDeletionOnFailure: true
  })
)
const found: fc.Arbitrary<Named> = fc
  .tuple(
    fc.uniqueArray(row, { maxLength: 4, selector: (one) => one.id }),
    fc.constantFrom("counts" as const, "duplicate" as const),
    fc.option(intent, { nil: undefined }),
    limit
  )
  .map(([rows, first, of, most]) => ({
    name: `found ${rows.map((one) => one.id)} ${first}`,
    judged: rows.map((one) => one.id),
    limit: most,
    apply: (history) => withFound(history, rows, first, of, "a1", most)
  }))
const saw: fc.Arbitrary<Named> = seen.map((news) => ({ name: "saw", apply: (history) => withSeen(history, news) }))
const unusable: fc.Arbitrary<Named> = id.map((one) => ({
  name: `unusable ${one}`,
  judged: [one],
  apply: (history) => withUnusable(history, one)
}))
const change = fc.oneof(launched, refused, given, found, saw, unusable)

/** Histories as they are read: ids differ, and have a provider's form. */
const start: fc.Arbitrary<History> = jobs.map((all) =>
  historyOf(objectOf({ jobs: all.map((job) => (job.provider === "eda" ? job : { ...job, provider: "aap" })) }))
)

const identity = (job: Job) => `${job.provider ?? ""} ${job.jobID}`
const ended = (job: Job) => ["Succeeded", "Failed", "Canceled"].includes(job.state) || job.gone === true
const operations: ReadonlyArray<Operation> = ["provision", "deprovision"]

/** A law about what one change makes of a history. */
const law = (holds: (before: History, after: History, change: Named) => void) => () =>
  fc.assert(
    fc.property(start, fc.array(change, { minLength: 1, maxLength: 6 }), (first, changes) => {
      let history = first
      for (const one of changes) {
        const next = one.apply(history)
        holds(history, next, one)
        history = next
      }
    }),
    RUNS
  )

describe("whatever happens to a record", () => {
  it(
    "no job is in it twice",
    law((_, after) => {
      const all = after.jobs.map(identity)
      expect(new Set(all).size).toBe(all.length)
    })
  )

  it(
    "the highest attempt never falls, and is never below that of a job or a closed launch",
    law((before, after) => {
      for (const operation of operations) {
        expect(after.attempts[operation]).toBeGreaterThanOrEqual(before.attempts[operation])
        for (const job of after.jobs) {
          if (job.type === operation) expect(after.attempts[operation]).toBeGreaterThanOrEqual(job.attempt ?? 0)
        }
        if (after.launch?.operation !== operation) continue
        expect(after.attempts[operation]).toBeGreaterThanOrEqual(readKey(after.launch.key)?.attempt ?? 0)
      }
    })
  )

  it(
    "a mark of a lost launch stays as it is",
    law((before, after) => {
      expect(after.lostLaunches.slice(0, before.lostLaunches.length)).toEqual(before.lostLaunches)
    })
  )

  it(
    "a job that ended stays as it ended",
    law((before, after) => {
      for (const job of before.jobs.filter(ended)) {
        const now = after.jobs.find((one) => identity(one) === identity(job))
        if (now !== undefined) expect([now.state, now.gone, now.message]).toEqual([job.state, job.gone, job.message])
      }
    })
  )

  it(
    "a live job is never forgotten",
    law((before, after) => {
      const known = new Set(after.jobs.map(identity))
      for (const job of before.jobs.filter((one) => !ended(one))) expect(known).toContain(identity(job))
    })
  )

  it(
    "the newest job of an operation that counts is never forgotten, but for one that is judged anew",
    law((before, after, { judged = [] }) => {
      for (const operation of operations) {
        const newest = before.jobs.filter((one) => one.type === operation && one.duplicate !== true).at(-1)
        if (newest === undefined || judged.includes(newest.jobID)) continue
        const counts = after.jobs.filter((one) => one.type === operation && one.duplicate !== true)
        expect(counts.length).toBeGreaterThan(0)
        const newer = !before.jobs.some((one) => identity(one) === identity(counts.at(-1) ?? newest))
        if (!newer && judged.length === 0) expect(counts.at(-1)).toMatchObject({ jobID: newest.jobID })
      }
    })
  )

  it(
    "the order of the jobs that were there stays, but for those found again",
    law((before, after, { judged }) => {
      if (judged !== undefined) return
      const kept = before.jobs.map(identity).filter((one) => after.jobs.some((job) => identity(job) === one))
      expect(after.jobs.map(identity).slice(0, kept.length)).toEqual(kept)
    })
  )

  it(
    "a change that is made twice is made once, as far as the bound lets the record remember it",
    law((before, _, one) => {
      const bounded = before.jobs.length + (one.judged?.length ?? 0) > (one.limit ?? Number.POSITIVE_INFINITY)
      if (one.name === "refused" || bounded) return
      const once = one.apply(before)
      expect(one.apply(once)).toEqual(once)
    })
  )
})

describe("the bound", () => {
  it("holds unless what is protected alone exceeds it", () => {
    fc.assert(
      fc.property(start, intent, limit, (history, sent, most) => {
        const job: Launched = { id: "99", kind: undefined, state: "Pending", detail: "", blockDeletionOnFailure: true }
        const after = withLaunched(history, job, sent, sent, NOW, most).jobs
        const newest = operations.map((operation) =>
          after.filter((one) => one.type === operation && one.duplicate !== true).at(-1)
        )
        const torn = after.findLastIndex((one) => one.type === "deprovision" && one.duplicate !== true)
        const needed = after.filter(
          (one, index) =>
            !ended(one) ||
            one.launchKey === sent.key ||
            newest.includes(one) ||
            (torn >= 0 && index > torn && one.type === "provision")
        )
        expect(after.length).toBeLessThanOrEqual(Math.max(most, needed.length))
      }),
      RUNS
    )
  })

  it("keeps an empty record empty", () => {
    expect(withSeen(emptyHistory, new Map())).toBe(emptyHistory)
  })
})
