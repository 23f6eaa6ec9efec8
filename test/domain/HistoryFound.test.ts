/** What searches and providers tell a record, and how it stays bounded. */
import { describe, expect, it } from "vitest"
import {
  type FoundRecord,
  type Launched,
  withClosed,
  withFound,
  withLaunched,
  withSeen,
  withSuperseded
} from "../../src/domain/History.ts"
import type { History } from "../../src/domain/Instance.ts"
import { isClosed } from "../../src/domain/Intent.ts"
import type { JobObservation } from "../../src/domain/Job.ts"
import { emptyHistory, intentFor, intentOf, job, NOW, UID, versions } from "./support/objects.ts"

const sent = intentFor("provision", { attempt: 4 })
const answer: Launched = { id: "52", kind: "job", state: "Pending", detail: "", blockDeletionOnFailure: false }
const of = (more: Partial<History>): History => ({ ...emptyHistory, ...more })
const ids = (history: History) => history.jobs.map((one) => one.jobID)

const found = (id: string, more: Partial<FoundRecord> = {}): FoundRecord => ({
  id,
  provider: "aap",
  kind: "workflow_job",
  operation: "provision",
  launchKey: sent.key,
  state: "Running",
  detail: "",
  created: "2026-11-21T13:29:00.123456+02:00",
  startedAt: "2026-11-21T11:29:05Z",
  finishedAt: undefined,
  blockDeletionOnFailure: false,
  ...more
})

describe("jobs that were found", () => {
  it("the oldest counts and closes the intent, all others are duplicates, and it is the newest of the record", () => {
    const before = of({ jobs: [job("provision", "Failed")] })
    const history = withFound(before, [found("60"), found("61"), found("62")], "counts", sent, versions.B, 10)
    expect(ids(history)).toEqual(["41", "61", "62", "60"])
    expect(history.jobs.map((one) => one.duplicate === true)).toEqual([false, true, true, false])
    expect(isClosed(sent, history.jobs, history.launch)).toBe(true)
    expect(history.attempts.provision).toBe(4)
  })

  it("are recorded as their key says, in UTC", () => {
    const [read] = withFound(emptyHistory, [found("60")], "counts", sent, versions.B, 10).jobs
    expect(read).toMatchObject({
      type: "provision",
      configVersion: versions.A,
      attempt: 4,
      kind: "workflow_job",
      message: "Job running"
    })
    expect(read).toMatchObject({ timestamp: "2026-11-21T11:29:00Z", startedAt: "2026-11-21T11:29:05Z" })
    const deprovision = found("61", {
      launchKey: `${UID}/deprovision/3`,
      blockDeletionOnFailure: true,
      finishedAt: "2026-11-21T11:40:00Z"
    })
    expect(withFound(emptyHistory, [deprovision], "counts", undefined, versions.B, 10)).toMatchObject({
      jobs: [{ type: "deprovision", attempt: 3, blockDeletionOnFailure: true, finishedAt: "2026-11-21T11:40:00Z" }],
      attempts: { provision: 0, deprovision: 3 }
    })
  })

  it("without a key of ours are taken at the provider's word, for the current spec", () => {
    const [read] = withFound(
      emptyHistory,
      [found("60", { launchKey: "", kind: undefined })],
      "counts",
      undefined,
      versions.B,
      10
    ).jobs
    expect(read).toMatchObject({ type: "provision", configVersion: versions.B })
    expect(read).not.toHaveProperty("launchKey")
    expect(read).not.toHaveProperty("attempt")
  })

  it("that are worth nothing are all duplicates, and close nothing", () => {
    const given = withClosed(emptyHistory, sent, "NotFound", "m", NOW)
    const history = withFound(given, [found("60"), found("61")], "duplicate", undefined, versions.B, 10)
    expect(history.jobs.every((one) => one.duplicate)).toBe(true)
    expect(history.jobs).toHaveLength(2)
    expect(history.launch).toEqual(given.launch)
  })

  it("that are recorded already are not recorded twice, and keep what is known of them", () => {
    const known = job("provision", "Succeeded", { jobID: "60", duplicate: true, message: "kept" })
    const history = withFound(of({ jobs: [known] }), [found("60")], "counts", sent, versions.B, 10)
    expect(history.jobs).toMatchObject([{ jobID: "60", state: "Succeeded", message: "kept", launchStamp: sent.stamp }])
    expect(history.jobs[0]).not.toHaveProperty("duplicate")
  })

  it("twice in one search are one job, and the one that counts does not become its own duplicate", () => {
    const history = withFound(emptyHistory, [found("60"), found("60"), found("61")], "counts", sent, versions.B, 10)
    expect([...ids(history)].sort()).toEqual(["60", "61"])
    expect(history.jobs.find((one) => one.jobID === "60")).not.toHaveProperty("duplicate")
  })

  it("by a person for an open intent use its attempt up", () => {
    const history = withFound(emptyHistory, [found("60", { launchKey: "" })], "counts", sent, versions.B, 10)
    expect(history.attempts.provision).toBeGreaterThanOrEqual(sent.attempt)
  })

  it("that are none change nothing", () => {
    expect(withFound(emptyHistory, [], "counts", sent, versions.B, 10)).toBe(emptyHistory)
  })
})

describe("what providers saw", () => {
  const seen = (more: Partial<JobObservation> = {}) =>
    new Map<string, JobObservation>([
      ["41", { state: "Failed", detail: "AAP job failed: disk full", gone: false, ...more }]
    ])

  it("brings a live job up to date, and nothing else", () => {
    const history = of({ jobs: [job("provision", "Running"), job("deprovision", "Running")] })
    const next = withSeen(history, seen({ finishedAt: "2026-11-21T11:59:00Z" }))
    expect(next.jobs[0]).toMatchObject({
      state: "Failed",
      message: "AAP job failed: disk full",
      finishedAt: "2026-11-21T11:59:00Z"
    })
    expect(next.jobs[1]).toBe(history.jobs[1])
  })

  it("never leaves a terminal state", () => {
    for (const state of ["Succeeded", "Failed", "Canceled"] as const) {
      const history = of({ jobs: [job("provision", state)] })
      expect(withSeen(history, seen({ state: "Running" }))).toBe(history)
    }
    const gone = of({ jobs: [job("provision", "Unknown", { gone: true })] })
    expect(withSeen(gone, seen({ state: "Succeeded" }))).toBe(gone)
  })

  it("is the same record when nothing changed", () => {
    const history = of({ jobs: [job("provision", "Running", { message: "Job running" })] })
    expect(withSeen(history, seen({ state: "Running", detail: "" }))).toBe(history)
    expect(withSeen(history, new Map())).toBe(history)
  })

  it("nothing, for so long that a job is no longer waited for: it is gone, its outcome unknown, and the others stay", () => {
    const silent = job("provision", "Unknown", { jobID: "eda-webhook-1", provider: "eda" })
    const history = of({ jobs: [silent, job("deprovision", "Running")] })
    const next = withSuperseded(history, [silent])
    expect(next.jobs[0]).toMatchObject({ state: "Unknown", gone: true, message: expect.stringContaining("no signal") })
    expect(next.jobs[1]).toBe(history.jobs[1])
    expect(withSuperseded(next, [silent])).toBe(next)
  })

  it("marks a purged job as gone, its outcome unknown", () => {
    const next = withSeen(
      of({ jobs: [job("provision", "Running")] }),
      seen({ state: "Unknown", detail: "no longer in AAP (404 Not Found)", gone: true })
    )
    expect(next.jobs).toMatchObject([{ state: "Unknown", gone: true, message: "no longer in AAP (404 Not Found)" }])
  })
})

describe("the bound of a history", () => {
  const many = [1, 2, 3, 4, 5].map((n) => job("deprovision", "Failed", { jobID: `7${n}`, attempt: n }))

  it("drops the oldest, but keeps the newest of a type, live jobs, and the job that the intent names", () => {
    const old = job("provision", "Succeeded", { jobID: "1" })
    const live = job("deprovision", "Running", { jobID: "2", duplicate: true })
    const [named] = many
    const next = intentFor("deprovision", { attempt: 6 })
    const before = of({ jobs: [old, live, ...many] })
    expect(ids(withLaunched(before, { ...answer, id: "76" }, next, next, NOW, 3))).toEqual(["1", "2", "76"])
    const current = named === undefined ? undefined : intentOf(named)
    expect(ids(withLaunched(before, { ...answer, id: "76" }, next, current, NOW, 3))).toEqual([
      "1",
      "2",
      "71",
      "75",
      "76"
    ])
  })

  it("keeps a provision that turned up after the newest deprovision, which has yet to be covered by another", () => {
    const before = of({ jobs: [job("provision", "Succeeded"), job("deprovision", "Succeeded")] })
    const late = [found("60", { state: "Succeeded" })]
    const history = withFound(before, late, "duplicate", undefined, versions.A, 2)
    expect(ids(history)).toContain("60")
  })

  it("is not reached before the limit", () => {
    const next = intentFor("deprovision", { attempt: 6 })
    expect(ids(withLaunched(of({ jobs: many }), { ...answer, id: "76" }, next, next, NOW, 6))).toHaveLength(6)
    expect(ids(withLaunched(of({ jobs: many }), { ...answer, id: "76" }, next, next, NOW, 5))).toEqual([
      "72",
      "73",
      "74",
      "75",
      "76"
    ])
  })
})
