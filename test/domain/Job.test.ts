import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  isLive,
  isTerminal,
  type Job,
  type JobObservation,
  JobState,
  describe as messageOf,
  newest,
  Operation,
  observed,
  trim
} from "../../src/domain/Job.ts"

const job = (fields: Partial<Job>): Job => ({ jobID: "1", type: "provision", state: "Running", ...fields })

const optionally = fc.option(fc.constant(true), { nil: undefined })
const jobs: fc.Arbitrary<ReadonlyArray<Job>> = fc.array(
  fc
    .record({
      jobID: fc.constantFrom("", "1", "2", "eda-webhook-1"),
      type: fc.constantFrom(...Operation.literals),
      // most of a long history has ended
      state: fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom("Succeeded", "Failed", "Canceled") },
        fc.constantFrom(...JobState.literals)
      ),
      duplicate: optionally,
      gone: optionally,
      launchKey: fc.constantFrom(undefined, "a", "b", "c")
    })
    .map(({ duplicate, gone, launchKey, ...rest }) => ({
      ...rest,
      ...(duplicate === undefined ? {} : { duplicate }),
      ...(gone === undefined ? {} : { gone }),
      ...(launchKey === undefined ? {} : { launchKey })
    })),
  { maxLength: 14 }
)
const observation: fc.Arbitrary<JobObservation> = fc
  .record({
    state: fc.constantFrom(...JobState.literals),
    detail: fc.constantFrom("", "no quota", "paused"),
    startedAt: fc.constantFrom(undefined, "2026-01-01T00:00:00Z"),
    finishedAt: fc.constantFrom(undefined, "2026-01-01T00:05:00Z"),
    gone: fc.boolean()
  })
  .map(({ startedAt, finishedAt, ...rest }) => ({
    ...rest,
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(finishedAt === undefined ? {} : { finishedAt })
  }))

describe("a job", () => {
  for (const [state, terminal] of [
    ["Pending", false],
    ["Waiting", false],
    ["Running", false],
    ["Unknown", false],
    ["Succeeded", true],
    ["Failed", true],
    ["Canceled", true]
  ] as const) {
    it(`that is ${state} has ${terminal ? "" : "not "}ended`, () => {
      expect(isTerminal(job({ state }))).toBe(terminal)
      expect(isLive(job({ state }))).toBe(!terminal)
    })
    it(`that is ${state} and no longer known to its provider has ended`, () => {
      expect(isTerminal(job({ state, gone: true }))).toBe(true)
      expect(isLive(job({ state, gone: true }))).toBe(false)
    })
  }

  it("without an id is not alive: earlier operators recorded failed launches so", () => {
    expect(isLive(job({ jobID: "", state: "Pending" }))).toBe(false)
  })
})

describe("the newest job of an operation", () => {
  it("is the last in the array, whatever the times say", () => {
    const history = [
      job({ jobID: "2", timestamp: "2026-01-02T00:00:00Z" }),
      job({ jobID: "1", timestamp: "2026-01-01T00:00:00Z" })
    ]
    expect(newest(history, "provision")?.jobID).toBe("1")
  })
  it("is never one of the other operation, a duplicate or a record without an id", () => {
    const history = [
      job({ jobID: "1" }),
      job({ jobID: "2", type: "deprovision" }),
      job({ jobID: "3", duplicate: true }),
      job({ jobID: "" })
    ]
    expect(newest(history, "provision")?.jobID).toBe("1")
    expect(newest(history, "deprovision")?.jobID).toBe("2")
  })
  it("is absent where there is none", () => {
    expect(newest([], "provision")).toBeUndefined()
    expect(newest([job({ type: "deprovision" })], "provision")).toBeUndefined()
  })
})

describe("the message of a job", () => {
  for (const [operation, state, message] of [
    ["provision", "Pending", "Job queued"],
    ["provision", "Waiting", "Job waiting for capacity"],
    ["provision", "Running", "Job running"],
    ["provision", "Succeeded", "Job completed successfully"],
    ["provision", "Canceled", "Job canceled"],
    ["deprovision", "Pending", "Deprovision job triggered"],
    ["deprovision", "Running", "Deprovisioning in progress"],
    ["deprovision", "Succeeded", "Deprovision completed"],
    ["deprovision", "Canceled", "Job canceled"]
  ] as const)
    it(`of a ${operation} that is ${state} is "${message}"`, () => {
      expect(messageOf(operation, state, "successful")).toBe(message)
    })
  for (const operation of Operation.literals)
    it(`of a ${operation} that failed, or is in a state nobody knows, is the provider's own`, () => {
      expect(messageOf(operation, "Failed", "AAP job failed: no quota")).toBe("AAP job failed: no quota")
      expect(messageOf(operation, "Unknown", "paused")).toBe("paused")
    })
})

describe("an observation", () => {
  it("moves the record on, with the times that the provider gave", () => {
    const seen = { state: "Succeeded", detail: "", startedAt: "A", finishedAt: "B", gone: false } as const
    expect(observed(job({ configVersion: "v" }), seen)).toEqual(
      job({
        configVersion: "v",
        state: "Succeeded",
        message: "Job completed successfully",
        startedAt: "A",
        finishedAt: "B"
      })
    )
  })
  it("that the provider has the job no more ends it without a known outcome", () => {
    const detail = "no longer in AAP (404 Not Found)"
    const next = observed(job({}), { state: "Unknown", detail, gone: true })
    expect(next).toEqual(job({ state: "Unknown", message: detail, gone: true }))
  })
  it("does not forget the times that an earlier one gave", () => {
    expect(observed(job({ startedAt: "A" }), { state: "Running", detail: "", gone: false }).startedAt).toBe("A")
  })
  it("changes nothing in a job that has ended", () =>
    fc.assert(
      fc.property(jobs, observation, (history, seen) => {
        for (const it of history.filter(isTerminal)) expect(observed(it, seen)).toBe(it)
      })
    ))
  it("made twice is as if made once, and a repetition is recognised as no change", () =>
    fc.assert(
      fc.property(jobs, observation, (history, seen) => {
        for (const it of history) {
          const once = observed(it, seen)
          expect(observed(once, seen)).toBe(once)
        }
      })
    ))
  it("touches nothing but state, message, times and whether the job is gone", () =>
    fc.assert(
      fc.property(jobs, observation, (history, seen) => {
        for (const it of history)
          expect(observed(it, seen)).toMatchObject({
            jobID: it.jobID,
            type: it.type,
            ...(it.launchKey === undefined ? {} : { launchKey: it.launchKey })
          })
      })
    ))
})

describe("trimming a history", () => {
  const limit = fc.integer({ min: 2, max: 10 })
  const named = fc.constantFrom(undefined, "a", "b")
  const counting = (all: ReadonlyArray<Job>, type: Job["type"]): ReadonlyArray<Job> =>
    all.filter((other) => other.type === type && !other.duplicate && other.jobID !== "")
  /** Said again, independently: what must never be dropped. */
  const isNeeded = (all: ReadonlyArray<Job>, it: Job, key: string | undefined): boolean =>
    (it.jobID !== "" && !it.gone && ["Pending", "Waiting", "Running", "Unknown"].includes(it.state)) ||
    (key !== undefined && it.launchKey === key) ||
    Operation.literals.some((type) => it === counting(all, type).at(-1)) ||
    (counting(all, "deprovision").length > 0 &&
      it.type === "provision" &&
      all.indexOf(it) > all.lastIndexOf(counting(all, "deprovision").at(-1) ?? it) &&
      it === all.filter((other) => other.type === "provision").at(-1))

  it("drops no live job, not the newest of a type, and no record of the launch that is open", () =>
    fc.assert(
      fc.property(jobs, limit, named, (all, limit, key) => {
        const left = trim(all, limit, key)
        for (const it of all) if (isNeeded(all, it, key)) expect(left).toContain(it)
      })
    ))
  it("leaves no more than the limit, unless more than that is needed", () =>
    fc.assert(
      fc.property(jobs, limit, named, (all, limit, key) => {
        const needed = all.filter((it) => isNeeded(all, it, key)).length
        expect(trim(all, limit, key).length).toBe(Math.min(all.length, Math.max(limit, needed)))
      })
    ))
  it("keeps the order, and drops the oldest first", () =>
    fc.assert(
      fc.property(jobs, limit, named, (all, limit, key) => {
        const left = trim(all, limit, key)
        expect(all.filter((it) => left.includes(it))).toEqual(left)
        const spare = all.filter((it) => !isNeeded(all, it, key))
        const firstKept = spare.findIndex((it) => left.includes(it))
        if (firstKept !== -1) expect(spare.slice(firstKept).every((it) => left.includes(it))).toBe(true)
      })
    ))
  it("keeps the provision job through any number of failed deprovisions", () => {
    const provision = job({ jobID: "1", state: "Succeeded" })
    const retries = Array.from({ length: 30 }, (_, i) =>
      job({ jobID: `${i + 2}`, type: "deprovision", state: "Failed" })
    )
    const left = trim([provision, ...retries], 10, undefined)
    expect(left).toHaveLength(10)
    expect(left[0]).toBe(provision)
    expect(left.at(-1)).toBe(retries.at(-1))
  })
})
