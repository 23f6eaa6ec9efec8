/** What is decided for an object that is being deleted. */
import { describe, expect, it } from "vitest"
import type { LostLaunch } from "../../src/domain/ComputeInstance.ts"
import type { Job } from "../../src/domain/Job.ts"
import {
  at,
  intentFor,
  intentOf,
  job,
  NOW,
  noProvider,
  type Scene,
  searched,
  step,
  UID,
  versions
} from "./support/objects.ts"

const built = job("provision", "Succeeded")
const torn = (state: Job["state"], more: Partial<Job> = {}) => job("deprovision", state, more)
const manual = { annotations: { "cloudkit.openshift.io/management-state": "manual" } }

/** An object that is being deleted, the intent of its newest launch still on it. */
const dying = (jobs: ReadonlyArray<Job>, more: Scene = {}): Scene => {
  const last = jobs.findLast((one) => one.launchKey !== undefined)
  return { deleting: true, jobs, ...(last === undefined ? {} : { intent: intentOf(last) }), ...more }
}

const mark: LostLaunch = {
  provider: "aap",
  template: "provision-template",
  operation: "provision",
  since: "2026-11-21T11:00:00Z"
}
const marked = (more: Scene = {}): Scene => ({ ...more, status: { ...more.status, lostLaunches: [{ ...mark }] } })
const release = { _tag: "Release", warning: undefined, playbookFinalizers: false }
const releaseAll = { ...release, playbookFinalizers: true }

describe("before a deprovision", () => {
  it("an object that lost our finalizer is cleaned, whatever the record says", () => {
    const cleaned = { _tag: "LeaveAlone", why: "Cleaned" }
    expect(step({ deleting: true, finalizers: [] })).toEqual(cleaned)
    expect(step(dying([job("provision", "Running")], { finalizers: ["other"] }))).toEqual(cleaned)
    expect(step({ deleting: true, finalizers: [], intent: intentFor("provision") })).toEqual(cleaned)
  })

  it("an object for which nothing was ever launched is released at once", () => {
    expect(step({ deleting: true })).toEqual(release)
    expect(step({ deleting: true, ...manual })).toEqual(release)
  })

  it("an object whose every launch was refused is released at once", () => {
    const intent = intentFor("provision")
    const launch = { key: intent.key, stamp: intent.stamp, operation: "provision", outcome: "Refused", time: at(NOW) }
    expect(step({ deleting: true, intent, status: { attempts: { provision: 1 }, launch } })).toEqual(release)
  })

  it.each(["Pending", "Waiting", "Running", "Unknown"] as const)("a provision job that is %s is cancelled", (state) => {
    const live = job("provision", state)
    expect(step(dying([live]))).toMatchObject({ _tag: "Cancel", why: "Deletion", jobs: [{ jobID: "41" }] })
  })

  it("all live provision jobs are cancelled together", () => {
    const live = [job("provision", "Running"), job("provision", "Pending", { jobID: "42", attempt: 2 })]
    expect(step(dying(live))).toMatchObject({ _tag: "Cancel", jobs: [{ jobID: "41" }, { jobID: "42" }] })
  })

  it("a live provision job at a provider that is not configured waits for a person", () => {
    expect(step(dying([job("provision", "Running")], { providers: noProvider }))).toMatchObject({
      _tag: "Block",
      reason: "ProviderNotConfigured"
    })
  })

  it.each(["Succeeded", "Failed", "Canceled"] as const)("a provision that %s is deprovisioned", (state) => {
    expect(step(dying([job("provision", state)]))).toMatchObject({
      _tag: "Launch",
      operation: "deprovision",
      attempt: 1
    })
  })

  it("a provision that was purged is deprovisioned", () => {
    const gone = job("provision", "Unknown", { gone: true })
    expect(step(dying([gone]))).toMatchObject({ _tag: "Launch", operation: "deprovision" })
  })

  it("a machine that only a duplicate may have built is deprovisioned", () => {
    const duplicate = job("provision", "Canceled", { duplicate: true })
    expect(step(dying([duplicate]))).toMatchObject({ _tag: "Launch", operation: "deprovision" })
  })

  it("a manual object with something provisioned waits for a person instead of orphaning it", () => {
    expect(step(dying([built], manual))).toMatchObject({ _tag: "Block", reason: "ManualDeletion" })
  })

  it("an unmanaged object is deprovisioned all the same", () => {
    const unmanaged = { annotations: { "cloudkit.openshift.io/management-state": "unmanaged" } }
    expect(step(dying([built], unmanaged))).toMatchObject({ _tag: "Launch", operation: "deprovision" })
  })

  it("a spec that cannot be understood does not keep an object from being deleted", () => {
    expect(step(dying([built], { spec: { vcpu: "two" } }))).toMatchObject({ _tag: "Launch", operation: "deprovision" })
    expect(step({ deleting: true, spec: { vcpu: "two" } })).toEqual(release)
  })
})

describe("a launch that was given up", () => {
  it("counts as launched: it is looked for once more, then deprovisioned", () => {
    expect(step(marked({ deleting: true }))).toEqual({ _tag: "Search", purpose: "lost", lost: [mark] })
    expect(step(marked({ deleting: true, search: searched("lost", true) }))).toMatchObject({
      _tag: "Launch",
      operation: "deprovision"
    })
  })

  it("is looked for once more before the finalizer goes", () => {
    const done = dying([built, torn("Succeeded")])
    expect(step(marked(done))).toMatchObject({ _tag: "Search", purpose: "lost" })
    expect(step(marked({ ...done, search: searched("lost", true) }))).toEqual(releaseAll)
  })

  it("and turns up after all is recorded as a duplicate, cancelled, and deprovisioned once more", () => {
    const late = { id: "66", launchKey: `${UID}/provision/${versions.A}/9` }
    const done = dying([built, torn("Succeeded")])
    expect(step(marked({ ...done, search: searched("lost", true, late) }))).toMatchObject({
      _tag: "Adopt",
      first: "duplicate",
      intent: undefined,
      found: [late]
    })
    const recorded = job("provision", "Canceled", { jobID: "66", attempt: 9, duplicate: true })
    const again = dying([built, torn("Succeeded"), recorded], { search: searched("lost", true, late) })
    expect(step(marked({ ...again, intent: intentOf(torn("Succeeded")) }))).toMatchObject({
      _tag: "Launch",
      operation: "deprovision",
      attempt: 2
    })
  })

  it("is settled when all that the search finds is known or a person's relaunch", () => {
    const known = { id: "41", launchKey: built.launchKey ?? "" }
    const relaunch = { id: "67", launchKey: built.launchKey ?? "", relaunched: true }
    const done = dying([built, torn("Succeeded")], { search: searched("lost", true, known, relaunch) })
    expect(step(marked(done))).toEqual(releaseAll)
  })

  it("at a provider that cannot look for jobs is not looked for", () => {
    const eda = { lostLaunches: [{ ...mark, provider: "eda" }] }
    expect(step({ ...dying([built, torn("Succeeded")]), status: eda })).toEqual(releaseAll)
    expect(step({ deleting: true, status: eda })).toMatchObject({ _tag: "Launch", operation: "deprovision" })
  })

  it("at a provider that is not configured waits for a person instead of guessing", () => {
    const elsewhere = { lostLaunches: [{ ...mark, provider: "other" }] }
    const blocked = { _tag: "Block", reason: "ProviderNotConfigured" }
    expect(step({ ...dying([built, torn("Succeeded")]), status: elsewhere })).toMatchObject(blocked)
  })

  it("asks nobody else to pay: without the mark there is no search", () => {
    expect(step(dying([built, torn("Succeeded")]))).toEqual(releaseAll)
  })

  it("of a deprovision, too old to tell, waits for a person", () => {
    const intent = intentFor("deprovision")
    const launch = { key: intent.key, stamp: intent.stamp, operation: "deprovision", outcome: "Unknown", time: at(NOW) }
    const scene = { ...dying([built]), intent, status: { launch } }
    expect(step(scene)).toMatchObject({ _tag: "Block", reason: "LaunchOutcomeUnknown" })
    expect(step({ ...scene, retry: "1" })).toMatchObject({ _tag: "Launch", operation: "deprovision", attempt: 2 })
  })

  it("of a provision, too old to tell, does not keep the object from being deprovisioned", () => {
    const intent = intentFor("provision")
    const launch = { key: intent.key, stamp: intent.stamp, operation: "provision", outcome: "Unknown", time: at(NOW) }
    const scene = marked({ deleting: true, intent, status: { launch }, search: searched("lost", true) })
    expect(step(scene)).toMatchObject({ _tag: "Launch", operation: "deprovision" })
  })
})

describe("a deprovision", () => {
  it.each(["Pending", "Waiting", "Running", "Unknown"] as const)("that is %s is followed", (state) => {
    expect(step(dying([built, torn(state)]))).toMatchObject({ _tag: "Follow", job: { jobID: "71" } })
  })

  it("that lives at a provider which is not configured waits for a person", () => {
    expect(step(dying([built, torn("Running")], { providers: noProvider }))).toMatchObject({
      _tag: "Block",
      reason: "ProviderNotConfigured"
    })
  })

  it("that lives keeps the object although a newer one has ended", () => {
    const jobs = [built, torn("Running"), torn("Succeeded", { jobID: "72", attempt: 2 })]
    expect(step(dying(jobs))).toMatchObject({ _tag: "Follow", job: { jobID: "71" } })
    const purged = [built, torn("Running"), torn("Unknown", { jobID: "72", attempt: 2, gone: true })]
    expect(step(dying(purged))).toMatchObject({ _tag: "Follow", job: { jobID: "71" } })
  })

  it("that succeeded after every provision releases the object", () => {
    expect(step(dying([built, torn("Succeeded")]))).toEqual(releaseAll)
    expect(step(dying([built, torn("Succeeded")], manual))).toEqual(releaseAll)
  })

  it("that succeeded before the newest provision proves nothing", () => {
    const jobs = [torn("Succeeded"), job("provision", "Canceled")]
    expect(step(dying(jobs))).toMatchObject({ _tag: "Launch", operation: "deprovision", attempt: 2 })
  })

  it("that is purged before its end was seen runs again by itself", () => {
    const purged = dying([built, torn("Unknown", { gone: true })])
    expect(step(purged)).toMatchObject({ _tag: "Launch", operation: "deprovision", attempt: 2 })
  })

  it.each(["Failed", "Canceled"] as const)("that ended %s and blocks keeps the object, with the way out", (state) => {
    const blocked = step(dying([built, torn(state, { message: "AAP job failed: no route to host" })]))
    expect(blocked).toMatchObject({ _tag: "Block", reason: "DeprovisionFailed" })
    for (const part of ["71", "no route to host", "cloudkit.openshift.io/retry-requested-at", "finalizer"]) {
      expect(blocked).toMatchObject({ message: expect.stringContaining(part) })
    }
  })

  it("that failed and blocks is run again by a new retry value, once", () => {
    const failed = dying([built, torn("Failed")])
    expect(step({ ...failed, retry: "1" })).toMatchObject({ _tag: "Launch", operation: "deprovision", attempt: 2 })
    const answered = { ...failed, retry: "1", intent: intentOf(torn("Failed"), { retry: "1" }) }
    expect(step(answered)).toMatchObject({ _tag: "Block", reason: "DeprovisionFailed" })
  })

  it.each(["Failed", "Canceled"] as const)("that ended %s and does not block releases with a warning", (state) => {
    const eda = torn(state, { blockDeletionOnFailure: false, message: "gave up" })
    expect(step(dying([built, eda]))).toMatchObject({ _tag: "Release", warning: expect.stringContaining("gave up") })
  })

  it("that failed and says nothing of blocking does not block, as its printed status says", () => {
    const { blockDeletionOnFailure: _, ...silent } = torn("Failed")
    expect(step(dying([built, silent]))).toMatchObject({ _tag: "Release", warning: expect.stringContaining("71") })
  })

  it("that failed without blocking is still looked after: launches given up are searched for first", () => {
    const eda = dying([built, torn("Failed", { blockDeletionOnFailure: false })])
    expect(step(marked(eda))).toMatchObject({ _tag: "Search", purpose: "lost" })
  })
})
