/** What the status says of every standing an object can have. */
import { describe, expect, it } from "vitest"
import type { Step } from "../../src/domain/Decision.ts"
import { reasons } from "../../src/domain/Reasons.ts"
import { type Problem, project, statusPatch } from "../../src/domain/Status.ts"
import {
  HOUR,
  intentFor,
  intentOf,
  job,
  knowledge,
  NOW,
  objectOf,
  type Scene,
  specs,
  statusOf,
  versions,
  written
} from "./support/objects.ts"

const built = job("provision", "Succeeded")
const held = (one: typeof built, more: Scene = {}): Scene => ({ jobs: [one], intent: intentOf(one), ...more })

/** The projection of a scene, with the step it leads to or a given one. */
const shown = (scene: Scene, step?: Step, problem?: Problem) => {
  const known = knowledge(scene, problem)
  return project(step === undefined ? known : { ...known, step })
}
const condition = (type: string, status: string, reason: string, message?: string) =>
  expect.objectContaining({ type, status, reason, ...(message === undefined ? {} : { message }) })
const types = (status: { readonly conditions?: unknown }) =>
  Array.isArray(status.conditions) ? status.conditions.map((one) => one.type) : []

const away: Problem = { reason: "ProviderUnreachable", message: "AAP does not answer: ECONNREFUSED" }

describe("an object that is Ready", () => {
  it("says so, with the version it was built from, and is idle", () => {
    const status = shown(held(built))
    expect(status).toMatchObject({
      phase: "Ready",
      observedGeneration: 3,
      desiredConfigVersion: versions.A,
      reconciledConfigVersion: versions.A
    })
    expect(types(status)).toEqual(["Ready", "Provisioned"])
    expect(status.conditions).toContainEqual(condition("Ready", "True", "Provisioned"))
  })

  it("is no longer Ready, though still provisioned, when its spec changes", () => {
    const status = shown(held(built, { spec: specs.B }))
    expect(status).toMatchObject({
      phase: "Progressing",
      desiredConfigVersion: versions.B,
      reconciledConfigVersion: versions.A
    })
    expect(status.conditions).toContainEqual(condition("Ready", "False", "LaunchPending"))
    expect(status.conditions).toContainEqual(condition("Provisioned", "True", "Provisioned"))
  })
})

describe("an object on its way", () => {
  it.each([
    ["Pending", "JobPending"],
    ["Waiting", "JobPending"],
    ["Running", "JobRunning"]
  ] as const)("shows a job that is %s as %s, in the job's words", (state, reason) => {
    const status = shown(held(job("provision", state, { message: "in its words" })))
    expect(status.phase).toBe("Progressing")
    expect(types(status)).toEqual(["Ready", "Reconciling", "Provisioned"])
    expect(status.conditions).toContainEqual(condition("Reconciling", "True", reason, "in its words"))
  })

  it("names what the provider says instead of guessing at the job, and stays Progressing", () => {
    const status = shown(held(job("provision", "Running")), undefined, away)
    expect(status).toMatchObject({ phase: "Progressing", provisionJob: { state: "Running" } })
    expect(status.conditions).toContainEqual(condition("Reconciling", "True", "ProviderUnreachable", away.message))
  })

  it("needs a person, but has not failed, when its job is alive for longer than the deadline", () => {
    const late = { ...held(job("provision", "Running")), now: Date.parse("2026-11-21T11:30:00Z") + 24 * HOUR + 1 }
    expect(shown(late).phase).toBe("Progressing")
    expect(shown(late).conditions).toContainEqual(condition("Stalled", "True", "JobDeadlineExceeded"))
    expect(types(shown({ ...late, now: late.now - 1 }))).not.toContain("Stalled")
  })

  it("says that a launch is pending, and why it could not be made", () => {
    expect(shown({ finalizers: [] }).conditions).toContainEqual(condition("Reconciling", "True", "LaunchPending"))
    const status = shown({ finalizers: [] }, undefined, {
      reason: "TemplateNotFound",
      message: "Template 'x' not found"
    })
    expect(status.phase).toBe("Progressing")
    expect(status.conditions).toContainEqual(
      condition("Reconciling", "True", "TemplateNotFound", "Template 'x' not found")
    )
    expect(status.jobs).toBeUndefined()
  })

  const intent = intentFor("provision")
  it.each<Step>([
    { _tag: "Search", purpose: "intent", intent },
    { _tag: "AwaitQuiet", intent },
    { _tag: "Renew", intent },
    { _tag: "Close", intent, outcome: "NotFound" },
    { _tag: "Adopt", first: "counts", intent, found: [] }
  ])("says of an unresolved launch that it is ambiguous ($_tag)", (step) => {
    expect(shown({ intent }, step).conditions).toContainEqual(condition("Reconciling", "True", "LaunchAmbiguous"))
    const text = expect.stringContaining(away.message)
    expect(shown({ intent }, step, away).conditions).toContainEqual(expect.objectContaining({ message: text }))
  })

  it("says that it waits for a duplicate to be cancelled", () => {
    const duplicate = job("provision", "Running", { jobID: "99", duplicate: true, timestamp: "2026-11-21T11:59:00Z" })
    const status = shown({ jobs: [built, duplicate], intent: intentOf(built) })
    expect(status.conditions).toContainEqual(condition("Reconciling", "True", "CancelingJob"))
    expect(status).toMatchObject({ provisionJob: { id: "41" } })
  })

  it("says that a named job is looked for", () => {
    const status = shown({ adopt: "77" })
    expect(status.conditions).toContainEqual(condition("Reconciling", "True", "LaunchPending", "Looking for job 77"))
    expect(shown({ adopt: "77" }, undefined, away).conditions).toContainEqual(
      condition("Reconciling", "True", "ProviderUnreachable")
    )
  })
})

describe("an object that rests or needs a person", () => {
  it.each([
    ["Failed", "JobFailed"],
    ["Canceled", "JobCanceled"]
  ] as const)("a job that ended %s is phase Failed and Stalled", (state, reason) => {
    const status = shown(held(job("provision", state)))
    expect(status.phase).toBe("Failed")
    expect(types(status)).toEqual(["Ready", "Stalled", "Provisioned"])
    expect(status.conditions).toContainEqual(condition("Stalled", "True", reason))
  })

  it("a spec that cannot be provisioned is phase Failed and Stalled, with what is wrong", () => {
    const status = shown({ spec: { templateID: "t", templateParameters: "[]" } })
    expect(status.phase).toBe("Failed")
    expect(status.conditions).toContainEqual(condition("Stalled", "True", "SpecInvalid"))
  })

  it("a manual object is neither Reconciling nor Stalled", () => {
    const status = shown({ annotations: { "cloudkit.openshift.io/management-state": "manual" } })
    expect(types(status)).toEqual(["Ready", "Provisioned"])
    expect(status.conditions).toContainEqual(condition("Ready", "False", "Manual"))
  })

  it("an object that turned unmanaged while its launch was answered says so, and speaks of no deletion", () => {
    const status = shown(held(built, { annotations: { "cloudkit.openshift.io/management-state": "unmanaged" } }))
    expect(status.conditions).toContainEqual(condition("Ready", "False", "Unmanaged"))
    expect(types(status)).not.toContain("Reconciling")
  })

  it("every reason that needs a person is Stalled, and Failed unless the work goes on; every other is Reconciling and Progressing", () => {
    const goesOn = ["JobDeadlineExceeded", "AwaitingSignal"]
    for (const [reason, { person }] of Object.entries(reasons)) {
      const known = Object.keys(reasons).find((one): one is keyof typeof reasons => one === reason)
      if (known === undefined || ["Manual", "Unmanaged"].includes(known)) continue
      const status = shown({}, { _tag: "Block", reason: known, message: "m" })
      const failed = person && !goesOn.includes(known)
      expect([reason, status.phase]).toEqual([reason, failed ? "Failed" : "Progressing"])
      expect(types(status)).toContain(person ? "Stalled" : "Reconciling")
    }
  })
})

describe("an object that is being deleted", () => {
  const dying = (more: Scene = {}): Scene => ({ deleting: true, ...more })
  const torn = job("deprovision", "Failed", { message: "AAP job failed: no route" })

  it("is phase Deleting and Reconciling from the first pass on, without any job", () => {
    const status = shown(dying())
    expect(status.phase).toBe("Deleting")
    expect(status.conditions).toContainEqual(
      condition("Reconciling", "True", "Deprovisioning", "Nothing is left to clean up")
    )
  })

  it("follows its deprovision in the job's words", () => {
    const live = job("deprovision", "Running", { message: "Deprovisioning in progress" })
    const status = shown(dying({ jobs: [built, live], intent: intentOf(live) }))
    expect(status).toMatchObject({ phase: "Deleting", deprovisionJob: { id: "71", blockDeletionOnFailure: true } })
    expect(status.conditions).toContainEqual(
      condition("Reconciling", "True", "Deprovisioning", "Deprovisioning in progress")
    )
  })

  it("is blocked and Stalled by a failed deprovision, with id, reason and way out", () => {
    const status = shown(dying({ jobs: [built, torn], intent: intentOf(torn) }))
    expect(status.phase).toBe("Deleting")
    expect(types(status)).toEqual(["Ready", "Stalled", "Provisioned", "DeletionBlocked"])
    const message = expect.stringMatching(/71.*no route.*retry-requested-at/u)
    expect(status.conditions).toContainEqual(
      expect.objectContaining({ type: "DeletionBlocked", status: "True", message })
    )
  })

  it("is blocked by a live job that may not be cancelled, in the provider's words", () => {
    const live = dying(held(job("provision", "Running")))
    const denied = shown(live, undefined, { reason: "PermissionDenied", message: "admin on template 9 is missing" })
    expect(denied.conditions).toContainEqual(
      condition("DeletionBlocked", "True", "CancelForbidden", "admin on template 9 is missing")
    )
    expect(shown(live, undefined, away).conditions).toContainEqual(
      condition("Reconciling", "True", "ProviderUnreachable")
    )
  })

  it("waits for a cancelled job, and needs a person after the deadline while it goes on asking", () => {
    const live = dying(held(job("provision", "Running")))
    expect(shown(live).conditions).toContainEqual(condition("Reconciling", "True", "CancelingJob"))
    const late = { ...live, now: NOW + 600_000 }
    expect(shown(late).conditions).toContainEqual(condition("DeletionBlocked", "True", "CancelDeadlineExceeded"))
    expect(shown(late).phase).toBe("Deleting")
  })

  it("says that it looks once more for launches that were given up", () => {
    const lost = [{ provider: "aap", template: "t", operation: "provision", since: "2026-11-21T11:00:00Z" }]
    const status = shown(dying({ status: { lostLaunches: lost } }))
    expect(status.conditions).toContainEqual(condition("Reconciling", "True", "Deprovisioning"))
    expect(status).toMatchObject({ lostLaunches: lost })
  })

  it("says why the finalizer could not be taken off", () => {
    expect(shown(dying(), undefined, away).conditions).toContainEqual(
      condition("Reconciling", "True", "ProviderUnreachable")
    )
  })
})

describe("what is written", () => {
  it("keeps fields of others, and conditions of others", () => {
    const theirs = { type: "Custom", status: "True", reason: "Theirs", lastTransitionTime: "2026-01-01T00:00:00Z" }
    const before = { tenantReference: { name: "t1", namespace: "n" }, conditions: [theirs] }
    const after = statusOf(written(held(built, { status: before })))
    expect(after).toMatchObject({ phase: "Ready", tenantReference: before.tenantReference })
    expect(after.conditions).toContainEqual(theirs)
  })

  it("drops the conditions that earlier operators wrote and nobody keeps up", () => {
    const old = ["Accepted", "Progressing", "Available", "Deleting"].map((type) => ({ type, status: "True" }))
    expect(types(statusOf(written(held(built, { status: { conditions: old } }))))).toEqual(["Ready", "Provisioned"])
  })

  it("is nothing when nothing changed, however much time went by", () => {
    const status = statusOf(written(held(built)))
    const again = knowledge(held(built, { status, now: NOW + HOUR }))
    expect(statusPatch(again)).toBeUndefined()
  })

  it("moves a transition time only when the status of the condition changed", () => {
    const pending = statusOf(written(held(job("provision", "Pending"))))
    const running = statusOf(written(held(job("provision", "Running"), { status: pending, now: NOW + 60_000 })))
    const since = (status: typeof running, type: string) =>
      Array.isArray(status.conditions)
        ? JSON.stringify(status.conditions).match(new RegExp(`"${type}".*?Time":"([^"]+)`, "u"))?.[1]
        : ""
    expect(since(running, "Reconciling")).toBe("2026-11-21T12:00:00Z")
    const ready = statusOf(written(held(built, { status: running, now: NOW + 120_000 })))
    expect(since(ready, "Ready")).toBe("2026-11-21T12:02:00Z")
  })

  it("removes what no longer holds", () => {
    const status = {
      launch: { key: "k", stamp: "s", operation: "provision", outcome: "Refused", time: "2026-11-21T11:00:00Z" }
    }
    const known = knowledge(held(built, { status }))
    const patch = statusPatch({ ...known, history: { ...known.history, launch: undefined } })
    expect(patch).toMatchObject({ launch: null })
    expect(statusPatch({ ...known, history: { ...known.history, jobs: [] } })).toMatchObject({ jobs: null })
  })

  it("leaves a record that cannot be understood as it is: only phase and conditions speak", () => {
    const status = { jobs: [{ jobID: 5, type: "provision", state: "Running" }], attempts: { provision: 3 } }
    const patch = statusPatch(knowledge({ status }))
    expect(Object.keys(patch ?? {}).sort()).toEqual(["conditions", "observedGeneration", "phase"])
    expect(statusOf(written({ status }))).toMatchObject({ ...status, phase: "Failed" })
  })

  it("is a whole status for an object that had none", () => {
    const { status: _, ...object } = objectOf({})
    const patch = statusPatch({ ...knowledge({}), instance: { ...knowledge({}).instance, object } })
    expect(patch).toMatchObject({ phase: "Progressing", desiredConfigVersion: versions.A })
  })

  it("says times in UTC and in whole seconds", () => {
    expect(JSON.stringify(shown({}).conditions)).toContain('"lastTransitionTime":"2026-11-21T12:00:00Z"')
  })
})
