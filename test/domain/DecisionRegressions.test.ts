/** Mistakes of earlier operators, and courses of events that once had no end. Each is named after what must hold. */
import { describe, expect, it } from "vitest"
import type { Search, Step } from "../../src/domain/Decision.ts"
import { decide } from "../../src/domain/Decision.ts"
import { type FoundRecord, withFound } from "../../src/domain/History.ts"
import type { Job } from "../../src/domain/Job.ts"
import type { JsonObject } from "../../src/domain/Resource.ts"
import { intentOf, job, look, NOW, type Scene, specs, statusOf, step, versions, written } from "./support/objects.ts"

const built = (version: string, attempt: number, state: Job["state"] = "Succeeded"): Job =>
  job("provision", state, { jobID: `${40 + attempt}`, attempt, configVersion: version })

describe("spec changes", () => {
  it("a spec change after a success provisions again", () => {
    const one = built(versions.A, 1)
    expect(step({ jobs: [one], intent: intentOf(one), spec: specs.B })).toMatchObject({
      _tag: "Launch",
      operation: "provision",
      configVersion: versions.B
    })
  })

  it("A, then B, then A again provisions A again, under a key of its own", () => {
    const jobs = [built(versions.A, 1), built(versions.B, 2)]
    const launch = step({ jobs, intent: intentOf(built(versions.B, 2)), spec: specs.A })
    expect(launch).toMatchObject({ _tag: "Launch", configVersion: versions.A, attempt: 3 })
  })

  it("a failure of an older version does not hide behind a success of the newest", () => {
    const jobs = [built(versions.A, 1, "Failed"), built(versions.B, 2)]
    expect(step({ jobs, intent: intentOf(built(versions.B, 2)), spec: specs.B })).toEqual({ _tag: "Settle" })
    expect(step({ jobs, intent: intentOf(built(versions.B, 2)), spec: specs.A })).toMatchObject({ _tag: "Launch" })
  })
})

describe("second passes", () => {
  /** The status after as many passes that record what they see. */
  const passes = (scene: Scene, times: number): JsonObject => {
    let status: JsonObject = {}
    for (let pass = 0; pass < times; pass++) status = statusOf(written({ ...scene, status }))
    return status
  }

  it.each(["Failed", "Canceled"] as const)("phase stays Failed on every pass after a job ended %s", (state) => {
    const failed = built(versions.A, 1, state)
    for (const times of [1, 2, 3]) {
      const status = passes({ jobs: [failed], intent: intentOf(failed) }, times)
      expect(status).toMatchObject({ phase: "Failed", provisionJob: { id: "41", state } })
    }
  })

  it("the reason of a failure is still there on the second pass", () => {
    const failed = { ...built(versions.A, 1, "Failed"), message: "AAP job failed: disk full" }
    const status = passes({ jobs: [failed], intent: intentOf(failed) }, 2)
    expect(status.conditions).toContainEqual(
      expect.objectContaining({ type: "Stalled", reason: "JobFailed", message: "AAP job failed: disk full" })
    )
  })

  it("an object that is being deleted has phase Deleting from the first pass on, job or no job", () => {
    expect(passes({ deleting: true }, 1)).toMatchObject({ phase: "Deleting" })
    expect(passes({ deleting: true, jobs: [built(versions.A, 1, "Running")] }, 1)).toMatchObject({ phase: "Deleting" })
    expect(passes({ deleting: true, jobs: [built(versions.A, 1, "Failed")] }, 2)).toMatchObject({ phase: "Deleting" })
  })
})

describe("deletion with launches that were given up", () => {
  const keep = 2
  /** All that the provider has: three finished provisions, the oldest of which the bounded record forgot. */
  const atProvider = [1, 2, 3].map(
    (attempt): FoundRecord => ({
      id: `${40 + attempt}`,
      provider: "aap",
      kind: "job",
      operation: "provision",
      launchKey: built(versions.A, attempt).launchKey ?? "",
      state: "Succeeded",
      detail: "",
      created: "2026-11-21T11:30:00Z",
      startedAt: "2026-11-21T11:31:00Z",
      finishedAt: "2026-11-21T11:32:00Z",
      blockDeletionOnFailure: false
    })
  )
  const lost = { provider: "aap", template: "t", operation: "provision", since: "2026-11-21T11:00:00Z" }
  const found: Search = {
    purpose: "lost",
    quiet: true,
    found: atProvider.map((row) => ({ ...row, relaunched: false }))
  }

  /** Follows searches and adoptions until a step asks for something else. */
  const outcome = (jobs: ReadonlyArray<Job>): Step["_tag"] => {
    const base = { deleting: true, intent: intentOf(built(versions.A, 3)) }
    let status: JsonObject = { lostLaunches: [lost], jobs: jobs.map((one) => ({ ...one })) }
    let search: Search | undefined
    for (let round = 0; round < 20; round++) {
      const seen = look({ ...base, status, ...(search === undefined ? {} : { search }) })
      const next = decide(seen)
      if (next._tag !== "Search" && next._tag !== "Adopt") return next._tag
      search = next._tag === "Search" ? found : undefined
      if (next._tag === "Search") continue
      const rows = atProvider.filter((row) => next.found.some((one) => one.id === row.id))
      const history = withFound(seen.history, rows, next.first, next.intent, versions.A, keep)
      status = { ...status, jobs: history.jobs.map((one): JsonObject => ({ ...one })) }
    }
    return "Search"
  }

  it("a job that the bounded record forgot is not taken for a lost one, over and over", () => {
    expect(outcome([built(versions.A, 2), built(versions.A, 3)])).toBe("Launch")
  })

  it("a job that ended before the deprovision began does not make it run again", () => {
    const torn = job("deprovision", "Succeeded", { timestamp: "2026-11-21T11:40:00Z" })
    expect(outcome([built(versions.A, 3), torn])).toBe("Release")
  })

  it("a job that ended after the deprovision began makes it run again, however short the record", () => {
    const torn = job("deprovision", "Succeeded", { timestamp: "2026-11-21T11:31:30Z" })
    expect(outcome([built(versions.A, 3), torn])).toBe("Launch")
  })
})

describe("time", () => {
  it("a retry that is asked for while the clock stands still is a retry", () => {
    const failed = built(versions.A, 1, "Failed")
    const scene = { jobs: [failed], intent: intentOf(failed, { retry: "2026-11-21T11:00:00Z" }), now: NOW }
    expect(step({ ...scene, retry: "2026-11-21T11:00:00Z" })).toMatchObject({ _tag: "Block" })
    expect(step({ ...scene, retry: "2026-11-21T11:00:01Z" })).toMatchObject({ _tag: "Launch" })
  })
})
