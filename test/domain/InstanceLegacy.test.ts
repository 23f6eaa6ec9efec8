/** Objects as an earlier operator really left them, recorded whole: each is understood, and importing it launches nothing. */
import { readdirSync, readFileSync } from "node:fs"
import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { decide, type Observation } from "../../src/domain/Decision.ts"
import { withSeen } from "../../src/domain/History.ts"
import { decode } from "../../src/domain/Instance.ts"
import type { JobObservation } from "../../src/domain/Job.ts"
import type { JsonObject, KubernetesObject } from "../../src/domain/Resource.ts"
import { project, statusPatch } from "../../src/domain/Status.ts"
import { facts, historyOf, limits, NOW, objectOf, specs, statusOf, step, stored, versions } from "./support/objects.ts"

const folder = new URL("../fixtures/earlier-operator/", import.meta.url)
const recordings = readdirSync(folder)
const read = (name: string): KubernetesObject => JSON.parse(readFileSync(new URL(name, folder), "utf8"))

/** A recording as a pass sees it, the ids' owner named, brought up to date with what providers say. */
const view = (object: KubernetesObject, seen: ReadonlyMap<string, JobObservation> = new Map()): Observation => {
  const history = historyOf(object)
  const jobs = history.jobs.map((job) => ({ ...job, provider: job.jobID.startsWith("eda-webhook-") ? "eda" : "aap" }))
  return {
    instance: decode(object),
    history: withSeen({ ...history, jobs }, seen),
    now: NOW,
    providers: facts(),
    limits,
    search: undefined
  }
}
const saw = (id: string, state: JobObservation["state"], gone = false) => new Map([[id, { state, detail: "", gone }]])

describe("objects that an earlier operator left", () => {
  it.each(recordings)("%s is understood, spec and record", (name) => {
    const instance = decode(read(name))
    expect(Result.isSuccess(instance.spec)).toBe(true)
    expect(Result.isSuccess(instance.history)).toBe(true)
    expect(instance.desiredVersion).toBe("cfd490dd9e0eef4b")
  })

  it.each(recordings)("%s launches nothing when it is imported", (name) => {
    expect(["Settle", "Follow", "Block", "Wait", "Supersede"]).toContain(decide(view(read(name)))._tag)
  })

  it("there are the seven of them", () => {
    expect(recordings).toHaveLength(7)
  })

  it("a provisioned one is Ready at once", () => {
    const o = view(read("aap-provisioned.json"))
    expect(decide(o)).toEqual({ _tag: "Settle" })
    expect(project({ ...o, step: decide(o), problem: undefined })).toMatchObject({
      phase: "Ready",
      reconciledConfigVersion: "cfd490dd9e0eef4b",
      provisionJob: { id: "1000", state: "Succeeded", blockDeletionOnFailure: false }
    })
  })

  it("a failed one stays Failed, and is not run again", () => {
    expect(decide(view(read("aap-failed.json")))).toMatchObject({
      _tag: "Block",
      reason: "JobFailed",
      message: "failed"
    })
  })

  it("one whose job was running is followed, and Ready with no launch when the job succeeds", () => {
    const object = read("aap-running.json")
    expect(decide(view(object))).toMatchObject({ _tag: "Follow", job: { jobID: "1002" } })
    expect(decide(view(object, saw("1002", "Succeeded")))).toEqual({ _tag: "Settle" })
    expect(decide(view(object, saw("1002", "Unknown", true)))).toMatchObject({ reason: "JobOutcomeUnknown" })
  })

  it("one whose job was running is Ready with no launch from what was stored, too", () => {
    const object = read("aap-running.json")
    const first = view(object, saw("1002", "Succeeded"))
    const after = stored(object, statusPatch({ ...first, step: decide(first), problem: undefined }))
    expect(decide(view(after))).toEqual({ _tag: "Settle" })
    expect(statusOf(after)).toMatchObject({ tenantReference: { name: "tenant-bdd76b5vnjpbm" } })
  })

  it("one that is being deleted has its deprovision followed, then goes", () => {
    const object = read("aap-deleting.json")
    expect(decide(view(object))).toMatchObject({ _tag: "Follow", job: { jobID: "1003" } })
    expect(decide(view(object, saw("1003", "Succeeded")))).toMatchObject({ _tag: "Release", warning: undefined })
    expect(decide(view(object, saw("1003", "Failed")))).toMatchObject({ reason: "DeprovisionFailed" })
    expect(decide(view(object, saw("1003", "Unknown", true)))).toMatchObject({
      _tag: "Launch",
      operation: "deprovision"
    })
  })
})

describe("objects that an earlier operator left with EDA jobs, or between passes", () => {
  it("EDA jobs are waited for until their playbook signals, and need a person when it never does", () => {
    const requested = view(read("eda-requested.json"))
    const soon = { ...requested, now: Date.parse("2026-11-21T11:45:00Z") }
    expect(decide(soon)).toMatchObject({ _tag: "Wait", until: Date.parse("2026-11-21T11:49:48Z") })
    expect(decide(requested)).toMatchObject({ _tag: "Block", reason: "AwaitingSignal" })
    const provisioned = read("eda-provisioned.json")
    expect(decide(view(provisioned, saw("eda-webhook-1", "Succeeded")))).toEqual({ _tag: "Settle" })
  })

  it("an EDA deletion waits for its playbook, and for a person when the playbook gives no sign", () => {
    const deleting = view(read("eda-deleting.json"), saw("eda-webhook-1", "Succeeded"))
    const soon = { ...deleting, now: Date.parse("2026-11-21T11:41:00Z") }
    expect(decide(soon)).toMatchObject({ _tag: "Wait", until: Date.parse("2026-11-21T11:50:01Z") })
    expect(decide(deleting)).toMatchObject({ _tag: "Block", reason: "AwaitingSignal" })
  })

  it("a Ready one whose job was purged stays as it is", () => {
    const o = view(read("eda-provisioned.json"), saw("eda-webhook-1", "Unknown", true))
    expect(decide(o)).toEqual({ _tag: "Settle" })
  })

  it.each(recordings)("%s says the same on every pass after the first", (name) => {
    const first = view(read(name))
    const object = stored(read(name), statusPatch({ ...first, step: decide(first), problem: undefined }))
    const second = view(object)
    expect(decide(second)._tag).toBe(decide(first)._tag)
    expect(statusPatch({ ...second, step: decide(second), problem: undefined })).toBeUndefined()
  })
})

describe("records without a list of jobs", () => {
  const only = (projection: JsonObject, more: JsonObject = {}) => ({
    status: { provisionJob: { provider: "aap", ...projection }, ...more }
  })

  it("are understood from the latest job of each operation", () => {
    const status = {
      provisionJob: { id: "7", state: "Succeeded", message: "m" },
      deprovisionJob: { id: "8", state: "Running" }
    }
    expect(historyOf(objectOf({ status })).jobs).toMatchObject([
      { jobID: "7", type: "provision", state: "Succeeded", message: "m" },
      { jobID: "8", type: "deprovision", state: "Running" }
    ])
  })

  it("import with no launch, with the version of the time", () => {
    expect(step(only({ id: "7", state: "Succeeded" }, { desiredConfigVersion: versions.A }))).toEqual({
      _tag: "Settle"
    })
    expect(step(only({ id: "7", state: "Running" }, { desiredConfigVersion: versions.A }))).toMatchObject({
      _tag: "Follow"
    })
  })

  it("import with no launch even when they name no version at all", () => {
    expect(step(only({ id: "7", state: "Succeeded" }))._tag).not.toBe("Launch")
    expect(step(only({ id: "7", state: "Failed" }))._tag).not.toBe("Launch")
    const listed = { jobs: [{ jobID: "7", type: "provision", state: "Succeeded", timestamp: "2026-02-01T00:00:00Z" }] }
    expect(step({ status: listed })._tag).not.toBe("Launch")
  })

  it("give way to the list of jobs, which is the record, even where it is empty", () => {
    const status = { jobs: [], provisionJob: { id: "7", state: "Succeeded" } }
    expect(historyOf(objectOf({ status })).jobs).toEqual([])
  })

  it("launch when the spec has changed since", () => {
    const old = only({ id: "7", state: "Succeeded" }, { desiredConfigVersion: versions.A })
    expect(step({ ...old, spec: specs.B })).toMatchObject({ _tag: "Launch", configVersion: versions.B })
    const reconciled = { desiredConfigVersion: versions.B, reconciledConfigVersion: versions.A }
    expect(step({ ...only({ id: "7", state: "Succeeded" }, reconciled), spec: specs.B })).toMatchObject({
      _tag: "Launch"
    })
  })

  it("with a job that has no id have no job", () => {
    expect(historyOf(objectOf(only({ id: "", state: "Failed" }))).jobs).toEqual([])
    expect(historyOf(objectOf({ status: { provisionJob: null, deprovisionJob: "x" } })).jobs).toEqual([])
  })

  it("empty versions, as Go writes them, are no versions", () => {
    const status = { reconciledConfigVersion: "", desiredConfigVersion: "", jobs: [] }
    expect(historyOf(objectOf({ status })).reconciledConfigVersion).toBeUndefined()
  })
})
