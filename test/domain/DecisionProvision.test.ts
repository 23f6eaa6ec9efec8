/** What is decided for an object that is to live. */
import { describe, expect, it } from "vitest"
import type { Job } from "../../src/domain/Job.ts"
import type { JsonObject } from "../../src/domain/Resource.ts"
import { facts, HOUR, intentFor, intentOf, job, NOW, noProvider, specs, step, versions } from "./support/objects.ts"

const person = (value: string) => ({ annotations: { "cloudkit.openshift.io/management-state": value } })

/** A record that was left by a launch, with the intent that it closed still on the object. */
const recorded = (one: Job) => ({ jobs: [one], intent: intentOf(one) })

const refusal = (more: JsonObject = {}): JsonObject => ({
  key: intentFor("provision").key,
  stamp: intentFor("provision").stamp,
  operation: "provision",
  outcome: "Refused",
  configVersion: versions.A,
  reason: "CredentialsRejected",
  message: "401 Unauthorized",
  time: "2026-11-21T11:59:50Z",
  refusals: 1,
  retryAt: "2026-11-21T12:00:10Z",
  ...more
})

describe("an object that is to live", () => {
  it("a new object is launched, first attempt, without a look-up", () => {
    expect(step({ finalizers: [] })).toEqual({
      _tag: "Launch",
      operation: "provision",
      attempt: 1,
      configVersion: versions.A,
      searchFirst: false
    })
  })

  it("an object whose newest provision succeeded with the desired version is settled", () => {
    expect(step(recorded(job("provision", "Succeeded")))).toEqual({ _tag: "Settle" })
  })

  it.each(["Pending", "Waiting", "Running", "Unknown"] as const)("a job that is %s is followed", (state) => {
    expect(step(recorded(job("provision", state)))).toMatchObject({ _tag: "Follow", job: { jobID: "41" } })
  })

  it("a live deprovision job is followed even on an object that is not being deleted", () => {
    expect(step(recorded(job("deprovision", "Running")))).toMatchObject({ _tag: "Follow", job: { jobID: "71" } })
  })

  it("a change during a run waits for the run to end", () => {
    expect(step({ ...recorded(job("provision", "Running")), spec: specs.B })).toMatchObject({ _tag: "Follow" })
  })

  it("a live job whose provider is not configured needs a person, and the provider is named", () => {
    const live = recorded(job("provision", "Running", { provider: "other" }))
    expect(step(live)).toMatchObject({ _tag: "Block", reason: "ProviderNotConfigured" })
    expect(step(live)).toMatchObject({ message: expect.stringContaining("other") })
  })

  it("a live job of which nobody knows the provider needs a person", () => {
    const { provider: _, ...orphan } = job("provision", "Running")
    expect(step({ jobs: [orphan] })).toMatchObject({ _tag: "Block", reason: "ProviderNotConfigured" })
  })

  it("an object Ready under one provider stays Ready under the other, with no launch", () => {
    const playbooks = ["cloudkit.openshift.io/computeinstance", "cloudkit.openshift.io/computeinstance-aap"]
    const byAap = recorded(job("provision", "Succeeded"))
    expect(step({ ...byAap, finalizers: playbooks, providers: facts("eda") })).toEqual({ _tag: "Settle" })
    const byEda = job("provision", "Succeeded", { jobID: "eda-webhook-1", provider: "eda" })
    expect(step({ ...recorded(byEda), providers: noProvider })).toEqual({ _tag: "Settle" })
  })

  it("a spec that cannot be provisioned launches nothing and says what is wrong", () => {
    const invalid = { spec: { templateID: "t", templateParameters: "[1]" } }
    expect(step(invalid)).toMatchObject({
      _tag: "Block",
      reason: "SpecInvalid",
      message: expect.stringContaining("templateParameters")
    })
  })

  it("a record that cannot be understood stops everything but an open-handed leave", () => {
    const broken = { status: { jobs: [{ jobID: 5, type: "provision", state: "Running" }] } }
    expect(step(broken)).toMatchObject({ _tag: "Block", reason: "RecordInvalid" })
    expect(step({ ...broken, deleting: true })).toMatchObject({ _tag: "Block", reason: "RecordInvalid" })
    expect(step({ ...broken, ...person("unmanaged") })).toMatchObject({ _tag: "LeaveAlone" })
  })

  it("unmanaged means hands off, whatever else is on the object", () => {
    expect(step(person("unmanaged"))).toEqual({ _tag: "LeaveAlone", why: "Unmanaged" })
    const busy = { jobs: [job("provision", "Running", { duplicate: true })], intent: intentFor("provision") }
    expect(step({ ...busy, adopt: "9", ...person("unmanaged") })).toEqual({ _tag: "LeaveAlone", why: "Unmanaged" })
  })

  it("manual means no provisioning, and live jobs go their way", () => {
    expect(step(person("manual"))).toEqual({ _tag: "Manual" })
    expect(step({ ...person("manual"), ...recorded(job("provision", "Running")) })).toMatchObject({ _tag: "Follow" })
  })

  it("an object that is Ready stays Ready when people take it over", () => {
    expect(step({ ...person("manual"), ...recorded(job("provision", "Succeeded")) })).toEqual({ _tag: "Settle" })
  })

  it("another word for the management state means managed", () => {
    expect(step({ finalizers: [], ...person("Manual") })).toMatchObject({ _tag: "Launch" })
  })
})

describe("a failure", () => {
  it.each([
    ["Failed", "JobFailed"],
    ["Canceled", "JobCanceled"]
  ] as const)("a job that ended %s is never launched again silently", (state, reason) => {
    expect(step(recorded(job("provision", state)))).toMatchObject({ _tag: "Block", reason })
  })

  it("a purged job of a Progressing object has an unknown outcome, and a person decides", () => {
    const gone = job("provision", "Unknown", { gone: true, message: "no longer in AAP (404 Not Found)" })
    expect(step(recorded(gone))).toMatchObject({
      _tag: "Block",
      reason: "JobOutcomeUnknown",
      message: expect.stringContaining("404 Not Found")
    })
  })

  it("a purged provision job of a Ready object changes nothing", () => {
    const gone = job("provision", "Unknown", { gone: true })
    expect(step({ ...recorded(gone), status: { reconciledConfigVersion: versions.A } })).toEqual({ _tag: "Settle" })
  })

  it("a purged job of a Progressing object is not Ready because an older job had built the same version once", () => {
    const newest = job("provision", "Unknown", { jobID: "43", attempt: 3, gone: true })
    const jobs = [
      job("provision", "Succeeded", { jobID: "41", attempt: 1 }),
      job("provision", "Failed", { jobID: "42", attempt: 2, configVersion: versions.B }),
      newest
    ]
    const scene = { jobs, status: { reconciledConfigVersion: versions.A }, intent: intentOf(newest) }
    expect(step(scene)).toMatchObject({ _tag: "Block", reason: "JobOutcomeUnknown" })
  })

  it.each(["Failed", "Canceled", "Unknown"] as const)("a new retry value runs a job again that ended %s", (state) => {
    const ended = job("provision", state, state === "Unknown" ? { gone: true } : {})
    expect(step({ ...recorded(ended), retry: "1" })).toMatchObject({
      _tag: "Launch",
      operation: "provision",
      attempt: 2
    })
  })

  it("a retry value that a launch answered is not new", () => {
    const failed = job("provision", "Failed", { attempt: 2 })
    const answered = { jobs: [failed], intent: intentOf(failed, { retry: "1" }), retry: "1" }
    expect(step(answered)).toMatchObject({ _tag: "Block", reason: "JobFailed" })
    expect(step({ ...answered, retry: "2" })).toMatchObject({ _tag: "Launch", attempt: 3 })
  })

  it("a retry value does not touch an object that is Ready", () => {
    expect(step({ ...recorded(job("provision", "Succeeded")), retry: "1" })).toEqual({ _tag: "Settle" })
  })

  it("a spec change after a failure provisions the newest spec", () => {
    expect(step({ ...recorded(job("provision", "Failed")), spec: specs.B })).toMatchObject({
      _tag: "Launch",
      configVersion: versions.B,
      attempt: 2
    })
  })
})

describe("a refused launch", () => {
  const refused = (more: JsonObject = {}) => ({
    status: { attempts: { provision: 1 }, launch: refusal(more) },
    intent: intentFor("provision")
  })

  it("is tried again after a while, and says meanwhile why it was refused", () => {
    expect(step(refused())).toEqual({
      _tag: "Wait",
      until: NOW + 10_000,
      reason: "CredentialsRejected",
      message: "401 Unauthorized"
    })
    expect(step({ ...refused(), now: NOW + 10_000 })).toMatchObject({ _tag: "Launch", attempt: 2 })
  })

  it("holds back neither another spec, nor the other operation, nor a person's retry", () => {
    expect(step({ ...refused(), spec: specs.B })).toMatchObject({ _tag: "Launch", configVersion: versions.B })
    expect(step({ ...refused(), retry: "1" })).toMatchObject({ _tag: "Launch" })
    const deleting = { ...refused(), jobs: [job("provision", "Failed")], deleting: true }
    expect(step(deleting)).toMatchObject({ _tag: "Launch", operation: "deprovision" })
  })

  it("holds back a deprovision whatever the spec", () => {
    const deprovision = refusal({ operation: "deprovision", key: intentFor("deprovision").key })
    const scene = {
      jobs: [job("provision", "Succeeded")],
      status: { launch: deprovision },
      intent: intentFor("deprovision"),
      deleting: true
    }
    expect(step({ ...scene, spec: specs.B })).toMatchObject({ _tag: "Wait", reason: "CredentialsRejected" })
  })

  it.each([
    "CredentialsRejected",
    "PermissionDenied",
    "TemplateNotFound",
    "TemplateAmbiguous",
    "TemplateRefusesVariables",
    "ProviderUnreachable",
    "ProviderOverloaded",
    "ProviderFailure",
    "ProviderMisaddressed",
    "ProviderRefused",
    "LaunchRefused"
  ])("keeps its reason %s while it waits", (reason) => {
    expect(step(refused({ reason }))).toMatchObject({ _tag: "Wait", reason })
  })

  it("with a reason nobody knows is a refused launch all the same", () => {
    expect(step(refused({ reason: "Whatever" }))).toMatchObject({ _tag: "Wait", reason: "LaunchRefused" })
  })

  it("with a time that is none holds nothing back", () => {
    expect(step(refused({ retryAt: "tomorrow" }))).toMatchObject({ _tag: "Launch" })
  })
})

describe("a launch of which nobody can tell", () => {
  const unknown = {
    status: { attempts: { provision: 1 }, launch: { ...refusal(), outcome: "Unknown", message: "look for it" } },
    intent: intentFor("provision")
  }

  it("is never sent again without a person", () => {
    expect(step(unknown)).toEqual({ _tag: "Block", reason: "LaunchOutcomeUnknown", message: "look for it" })
    expect(step({ ...unknown, now: NOW + 1_000 * HOUR })).toMatchObject({ _tag: "Block" })
    expect(step({ ...unknown, spec: specs.B })).toMatchObject({ _tag: "Block", reason: "LaunchOutcomeUnknown" })
  })

  it("is sent again under a new key when a person asks by a new retry value", () => {
    expect(step({ ...unknown, retry: "1" })).toMatchObject({ _tag: "Launch", attempt: 2 })
  })

  it("gives way to the job that a person names", () => {
    expect(step({ ...unknown, adopt: "77" })).toEqual({ _tag: "AdoptNamed", id: "77" })
  })
})
