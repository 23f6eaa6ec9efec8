/** Providers that only hear of the end of their jobs: what is waited for, how long, and who lets go of what. */
import { describe, expect, it } from "vitest"
import type { Job } from "../../src/domain/Job.ts"
import { facts, INTERVAL, intentOf, job, NOW, type Scene, SETTLE, specs, step, versions } from "./support/objects.ts"

const OURS = "cloudkit.openshift.io/computeinstance"
const PLAYBOOKS = ["cloudkit.openshift.io/computeinstance-aap", "cloudkit.openshift.io/compute-instance-finalizer"]
const manual = { annotations: { "cloudkit.openshift.io/management-state": "manual" } }

const requested = (type: Job["type"], ago: number, more: Partial<Job> = {}): Job =>
  job(type, "Unknown", {
    jobID: type === "provision" ? "eda-webhook-1" : "eda-webhook-2",
    provider: "eda",
    timestamp: new Date(NOW - ago).toISOString(),
    blockDeletionOnFailure: false,
    ...more
  })
const eda = (jobs: ReadonlyArray<Job>, more: Scene = {}): Scene => {
  const last = jobs.at(-1)
  return { jobs, providers: facts("eda"), ...(last === undefined ? {} : { intent: intentOf(last) }), ...more }
}

describe("a provision that only signals its end", () => {
  it("is given time to signal, then a person is told, and a signal that comes late still counts", () => {
    const young = eda([requested("provision", 1_000, { message: "requested" })])
    expect(step(young)).toEqual({
      _tag: "Wait",
      until: NOW - 1_000 + SETTLE,
      reason: "JobPending",
      message: "requested"
    })
    const silent = step(eda([requested("provision", SETTLE)]))
    expect(silent).toMatchObject({ _tag: "Block", reason: "AwaitingSignal" })
    expect(silent).toMatchObject({ message: expect.stringContaining("cloudkit.openshift.io/retry-requested-at") })
    expect(
      step(eda([requested("provision", 9 * SETTLE, { state: "Succeeded" })], { finalizers: [OURS, ...PLAYBOOKS] }))
    ).toEqual({
      _tag: "Settle"
    })
  })

  it("is repeated neither by a retry nor by a spec change before it had time to signal, and is afterwards", () => {
    for (const more of [{ retry: "1" }, { spec: specs.B }]) {
      expect(step(eda([requested("provision", SETTLE - 1)], more))).toMatchObject({ _tag: "Wait" })
      const silent = eda([requested("provision", SETTLE)], more)
      expect(step(silent)).toMatchObject({ _tag: "Supersede", jobs: [{ jobID: "eda-webhook-1" }] })
    }
  })

  it("that was superseded is launched again for whom it was superseded", () => {
    const gone = requested("provision", SETTLE, { gone: true })
    expect(step(eda([gone], { retry: "1" }))).toMatchObject({ _tag: "Launch", attempt: 2 })
    expect(step(eda([gone], { spec: specs.B }))).toMatchObject({ _tag: "Launch", configVersion: versions.B })
    expect(step(eda([gone]))).toMatchObject({ _tag: "Block", reason: "JobOutcomeUnknown" })
  })

  it("keeps its distance to the request before: the rest of the interval is waited for", () => {
    const done = requested("provision", 10_000, { state: "Succeeded" })
    const next = eda([done], { spec: specs.B })
    expect(step(next)).toMatchObject({ _tag: "Wait", until: NOW - 10_000 + INTERVAL })
    expect(step({ ...next, now: NOW - 10_000 + INTERVAL })).toMatchObject({ _tag: "Launch" })
  })

  it("keeps that distance per operation and provider, and not at all where none is asked for", () => {
    const done = requested("provision", 10_000, { state: "Succeeded" })
    expect(step(eda([done], { deleting: true }))).toMatchObject({ _tag: "Launch", operation: "deprovision" })
    const finalizers = [OURS, ...PLAYBOOKS]
    expect(step(eda([{ ...done, provider: "aap" }], { spec: specs.B, finalizers }))).toMatchObject({ _tag: "Launch" })
    expect(step({ ...eda([done], { spec: specs.B }), providers: facts("aap") })).toMatchObject({ _tag: "Launch" })
  })

  it("waits no longer than the interval when the clock was set back", () => {
    const future = requested("provision", -10 * INTERVAL, { state: "Succeeded" })
    expect(step(eda([future], { spec: specs.B }))).toMatchObject({ _tag: "Launch" })
  })
})

describe("deletion of what only signals its end", () => {
  const dying = (jobs: ReadonlyArray<Job>, more: Scene = {}) => eda(jobs, { deleting: true, ...more })

  it("gives a requested provision time to signal, so that a late playbook leaves no orphan, then goes on", () => {
    const waiting = dying([requested("provision", 1_000)])
    expect(step(waiting)).toMatchObject({ _tag: "Wait", until: NOW - 1_000 + SETTLE })
    expect(step(dying([requested("provision", SETTLE)]))).toMatchObject({ _tag: "Supersede" })
    const gone = requested("provision", SETTLE, { gone: true })
    expect(step(dying([gone]))).toMatchObject({ _tag: "Launch", operation: "deprovision" })
  })

  it("waits for the signal of a deprovision, then for a person who is told both ways out", () => {
    const built = requested("provision", 9 * SETTLE, { state: "Succeeded" })
    const young = dying([built, requested("deprovision", 1_000)])
    expect(step(young)).toMatchObject({ _tag: "Wait", until: NOW - 1_000 + SETTLE, reason: "Deprovisioning" })
    const silent = step(dying([built, requested("deprovision", SETTLE)]))
    expect(silent).toMatchObject({ _tag: "Block", reason: "AwaitingSignal" })
    for (const way of ["cloudkit.openshift.io/deprovisioned", "cloudkit.openshift.io/retry-requested-at"]) {
      expect(silent).toMatchObject({ message: expect.stringContaining(way) })
    }
  })

  it("requests a silent deprovision again when a person asks, and not before it had time to signal", () => {
    const built = requested("provision", 9 * SETTLE, { state: "Succeeded" })
    expect(step(dying([built, requested("deprovision", 1_000)], { retry: "1" }))).toMatchObject({ _tag: "Wait" })
    const silent = requested("deprovision", SETTLE)
    expect(step(dying([built, silent], { retry: "1" }))).toMatchObject({
      _tag: "Supersede",
      jobs: [{ jobID: "eda-webhook-2" }]
    })
    const gone = { ...silent, gone: true }
    expect(step(dying([built, gone], { retry: "1" }))).toMatchObject({ _tag: "Launch", operation: "deprovision" })
  })

  it("of an object that never carried the playbooks' finalizer says at once what it waits for", () => {
    const built = job("provision", "Succeeded")
    const waiting = dying([built, requested("deprovision", 1_000, { kind: "annotation" })])
    expect(step(waiting)).toMatchObject({ _tag: "Block", reason: "AwaitingSignal" })
  })

  it.each(PLAYBOOKS)("of an object with the finalizer %s deprovisions, whatever the record says", (finalizer) => {
    const held = dying([], { finalizers: [OURS, finalizer] })
    expect(step(held)).toMatchObject({ _tag: "Launch", operation: "deprovision" })
    expect(step({ ...held, ...manual })).toMatchObject({ _tag: "Block", reason: "ManualDeletion" })
  })

  it("lets the playbooks keep their own finalizers", () => {
    const built = requested("provision", 9 * SETTLE, { state: "Succeeded" })
    const torn = requested("deprovision", 1_000, { state: "Succeeded" })
    expect(step(dying([built, torn]))).toEqual({ _tag: "Release", warning: undefined, playbookFinalizers: false })
  })
})

describe("switching the provider", () => {
  const built = requested("provision", 9 * SETTLE, { state: "Succeeded" })
  const finalizers = [OURS, ...PLAYBOOKS]

  it("deprovisioned by the one whose playbooks hold no finalizer, theirs go too, as nobody else will", () => {
    const torn = job("deprovision", "Succeeded")
    const scene: Scene = { jobs: [built, torn], intent: intentOf(torn), finalizers, deleting: true }
    expect(step(scene)).toMatchObject({ _tag: "Release", playbookFinalizers: true })
  })

  it("a deprovision that failed takes nobody else's finalizer off", () => {
    const failed = job("deprovision", "Failed", { blockDeletionOnFailure: false })
    const scene: Scene = { jobs: [built, failed], intent: intentOf(failed), finalizers, deleting: true }
    expect(step(scene)).toMatchObject({ _tag: "Release", playbookFinalizers: false })
  })

  it("an object built without the playbooks' finalizer gets it while it lives, once, and is not launched again", () => {
    const byAap = job("provision", "Succeeded")
    expect(step(eda([byAap]))).toEqual({ _tag: "HoldForPlaybook", next: { _tag: "Settle" } })
    expect(step(eda([byAap], { finalizers: [OURS, "cloudkit.openshift.io/computeinstance-aap"] }))).toEqual({
      _tag: "Settle"
    })
    expect(step(eda([byAap], { deleting: true }))).toMatchObject({ _tag: "Launch", operation: "deprovision" })
    expect(step({ ...eda([byAap]), providers: facts("aap") })).toEqual({ _tag: "Settle" })
  })

  it("a job is judged by the provider that launched it, whichever is active", () => {
    const live = job("provision", "Running", { timestamp: "2026-11-20T11:00:00Z" })
    expect(step(eda([live], { retry: "1", finalizers }))).toMatchObject({ _tag: "Follow" })
    expect(step(eda([live], { deleting: true }))).toMatchObject({ _tag: "Cancel" })
    const silent = requested("provision", SETTLE)
    expect(step({ ...eda([silent], { deleting: true }), providers: facts("aap") })).toMatchObject({ _tag: "Supersede" })
  })
})
