/** Launch exactly once: keys, open intents, searches, duplicates. */
import { describe, expect, it } from "vitest"
import {
  at,
  facts,
  HOUR,
  intentFor,
  intentOf,
  job,
  NOW,
  noProvider,
  searched,
  specs,
  step,
  UID,
  versions
} from "./support/objects.ts"

const open = intentFor("provision")
const late = { id: "52", launchKey: open.key }

describe("the attempt of a launch", () => {
  it("is one more than the highest ever used for the operation, whatever the config version", () => {
    const failed = job("provision", "Failed", { attempt: 3, configVersion: versions.B })
    expect(step({ jobs: [failed], intent: intentOf(failed) })).toMatchObject({ _tag: "Launch", attempt: 4 })
  })

  it("is kept in the record, and never derived by counting jobs", () => {
    const failed = job("provision", "Failed", { attempt: 2, configVersion: versions.B })
    const scene = { jobs: [failed], status: { attempts: { provision: 9, deprovision: 4 } }, intent: intentOf(failed) }
    expect(step(scene)).toMatchObject({ attempt: 10 })
    expect(step({ ...scene, deleting: true })).toMatchObject({ operation: "deprovision", attempt: 5 })
  })

  it("is above that of an intent that was closed although the record lost count", () => {
    const refused = intentFor("provision", { attempt: 6 })
    const launch = {
      key: refused.key,
      stamp: refused.stamp,
      operation: "provision",
      outcome: "NotFound",
      time: at(NOW)
    }
    expect(step({ intent: refused, status: { launch } })).toMatchObject({ _tag: "Launch", attempt: 7 })
  })
})

describe("an open intent", () => {
  it("is searched for before anything else happens to the object", () => {
    expect(step({ intent: open })).toEqual({ _tag: "Search", purpose: "intent", intent: open })
  })

  it("holds back a spec change, a deletion, a retry and the end of a live job", () => {
    const search = { _tag: "Search", purpose: "intent" }
    expect(step({ intent: open, spec: specs.B })).toMatchObject(search)
    expect(step({ intent: open, deleting: true })).toMatchObject(search)
    expect(step({ intent: open, retry: "1" })).toMatchObject(search)
    const done = job("deprovision", "Succeeded")
    expect(step({ intent: intentFor("deprovision", { attempt: 2 }), jobs: [done], deleting: true })).toMatchObject(
      search
    )
    const duplicate = job("provision", "Running", { duplicate: true, attempt: 4 })
    expect(step({ intent: open, jobs: [duplicate] })).toMatchObject(search)
  })

  it("is closed only by a record that names both its key and its stamp", () => {
    const renewed = intentFor("provision", { stamp: at(NOW), since: open.stamp })
    const earlier = job("provision", "Succeeded", { launchKey: open.key, launchStamp: open.stamp })
    expect(step({ intent: renewed, jobs: [earlier] })).toMatchObject({ _tag: "Search" })
    expect(step({ intent: open, jobs: [earlier] })).toEqual({ _tag: "Settle" })
    const launch = { key: open.key, stamp: open.stamp, operation: "provision", outcome: "NotFound", time: at(NOW) }
    expect(step({ intent: renewed, status: { launch } })).toMatchObject({ _tag: "Search" })
    expect(step({ intent: open, status: { launch } })).toMatchObject({ _tag: "Launch" })
  })

  it("whose job was found adopts it, whatever happened to the object since", () => {
    const adopt = { _tag: "Adopt", first: "counts", intent: open, found: [late] }
    expect(step({ intent: open, search: searched("intent", false, late) })).toMatchObject(adopt)
    expect(step({ intent: open, search: searched("intent", true, late), deleting: true })).toMatchObject(adopt)
    expect(step({ intent: open, search: searched("intent", true, late), spec: specs.B })).toMatchObject(adopt)
    const old = { ...open, stamp: at(NOW - 90 * HOUR) }
    expect(step({ intent: old, search: searched("intent", true, late) })).toMatchObject({ _tag: "Adopt" })
  })

  it("of which several jobs were found hands all of them over, oldest first", () => {
    const second = { id: "53", launchKey: open.key }
    const both = step({ intent: open, search: searched("intent", true, late, second) })
    expect(both).toMatchObject({ _tag: "Adopt", first: "counts", found: [{ id: "52" }, { id: "53" }] })
  })

  it("is not answered by a job of another key, nor by a person's relaunch", () => {
    const others = [
      { id: "50", launchKey: intentFor("provision", { attempt: 9 }).key },
      { id: "51", launchKey: open.key, relaunched: true }
    ]
    expect(step({ intent: open, search: searched("intent", false, ...others) })).toMatchObject({ _tag: "AwaitQuiet" })
    expect(step({ intent: open, search: searched("intent", true, ...others) })).toMatchObject({ _tag: "Renew" })
  })
})

describe("an open intent of which no job was found", () => {
  it("is given a whole quiet period before its launch counts as lost", () => {
    expect(step({ intent: open, search: searched("intent", false) })).toEqual({ _tag: "AwaitQuiet", intent: open })
    expect(step({ intent: open, search: searched("intent", true) })).toEqual({ _tag: "Renew", intent: open })
  })

  it("is renewed under its own key only while the object still wants this very launch", () => {
    const quiet = searched("intent", true)
    const closed = { _tag: "Close", intent: open, outcome: "NotFound" }
    expect(step({ intent: open, search: quiet, spec: specs.B })).toEqual(closed)
    expect(step({ intent: open, search: quiet, deleting: true })).toEqual(closed)
    expect(step({ intent: open, search: quiet, spec: { templateID: "5" } })).toEqual(closed)
    const manual = { "cloudkit.openshift.io/management-state": "manual" }
    expect(step({ intent: open, search: quiet, annotations: manual })).toEqual(closed)
  })

  it("of a deprovision is renewed while the object is being deleted, and given up on a restored one", () => {
    const deprovision = intentFor("deprovision")
    const quiet = searched("intent", true)
    expect(step({ intent: deprovision, search: quiet, deleting: true })).toMatchObject({ _tag: "Renew" })
    expect(step({ intent: deprovision, search: quiet })).toMatchObject({ _tag: "Close", outcome: "NotFound" })
  })

  it("that is older than finished jobs are kept proves nothing, and nothing is sent again", () => {
    const old = intentFor("provision", { stamp: at(NOW - 24 * HOUR - 1) })
    const unknown = { _tag: "Close", outcome: "Unknown" }
    expect(step({ intent: old, search: searched("intent", true) })).toMatchObject(unknown)
    expect(step({ intent: old, search: searched("intent", true), deleting: true })).toMatchObject(unknown)
    const kept = intentFor("provision", { stamp: at(NOW - 24 * HOUR) })
    expect(step({ intent: kept, search: searched("intent", true) })).toMatchObject({ _tag: "Renew" })
  })

  it("that was renewed is as old as its first sending", () => {
    const renewed = intentFor("provision", { stamp: at(NOW - HOUR), since: at(NOW - 25 * HOUR) })
    expect(step({ intent: renewed, search: searched("intent", true) })).toMatchObject({
      _tag: "Close",
      outcome: "Unknown"
    })
  })

  it("whose age nobody can tell is never sent again", () => {
    const undated = intentFor("provision", { stamp: "yesterday" })
    expect(step({ intent: undated, search: searched("intent", true) })).toMatchObject({
      _tag: "Close",
      outcome: "Unknown"
    })
  })

  it("of a provider that is not configured waits for a person", () => {
    expect(step({ intent: open, providers: noProvider })).toMatchObject({
      _tag: "Block",
      reason: "ProviderNotConfigured"
    })
    expect(step({ intent: open, providers: noProvider, deleting: true })).toMatchObject({ _tag: "Block" })
  })

  it("of a provider that cannot look for jobs counts as sent, once, and is not repeated", () => {
    const eda = intentFor("provision", { provider: "eda" })
    const presumed = { _tag: "Presume", intent: eda }
    expect(step({ intent: eda, providers: facts("eda") })).toEqual(presumed)
    expect(step({ intent: eda, providers: facts("eda"), deleting: true, retry: "1" })).toEqual(presumed)
    const sent = job("provision", "Unknown", { provider: "eda", launchKey: eda.key, launchStamp: eda.stamp })
    const known = step({ intent: eda, jobs: [sent], providers: facts("eda") })
    expect(["Wait", "Block"]).toContain(known._tag)
  })

  it("of a provider that can neither look nor presume is given up as unknown", () => {
    const blind = { ...facts(), of: () => ({ configured: true, canFind: false, canCancel: false }) }
    expect(step({ intent: open, providers: blind })).toEqual({ _tag: "Close", intent: open, outcome: "Unknown" })
  })

  it("is not sent again because a search for something else found nothing", () => {
    expect(step({ intent: open, search: searched("lost", true) })).toMatchObject({ _tag: "Search", purpose: "intent" })
    expect(step({ intent: open, search: searched("next", true) })).toMatchObject({ _tag: "Search", purpose: "intent" })
  })

  it("is not sent again while a job of the object is alive", () => {
    const live = job("provision", "Running", { attempt: 5, jobID: "60", launchStamp: "another" })
    expect(step({ intent: open, jobs: [live], search: searched("intent", true) })._tag).not.toBe("Renew")
    const duplicate = { ...live, duplicate: true }
    expect(step({ intent: open, jobs: [duplicate], search: searched("intent", true) })._tag).not.toBe("Renew")
  })
})

describe("copied, restored and replaced objects", () => {
  it("a copy does not inherit the intent of the original", () => {
    const original = intentFor("provision", { object: "tenant/original" })
    expect(step({ intent: original, finalizers: [] })).toMatchObject({ _tag: "Launch", attempt: 1 })
    expect(step({ intent: original, deleting: true })).toMatchObject({ _tag: "Release" })
  })

  it("a restored object has an open intent, and the search adopts its job", () => {
    const before = intentFor("provision", { key: `${"0".repeat(36)}/provision/${versions.A}/2`, attempt: 2 })
    expect(step({ intent: before, finalizers: [] })).toMatchObject({ _tag: "Search", purpose: "intent" })
    const found = searched("intent", false, { id: "52", launchKey: before.key })
    expect(step({ intent: before, search: found })).toMatchObject({ _tag: "Adopt", first: "counts" })
  })

  it("an object that lost its finalizer and intent searches for the next key before it launches", () => {
    const failed = job("provision", "Failed", { configVersion: versions.B })
    const replaced = { jobs: [failed], finalizers: [] }
    expect(step(replaced)).toMatchObject({ _tag: "Launch", searchFirst: true })
    expect(step({ ...replaced, search: searched("next", false) })).toMatchObject({ _tag: "Launch", searchFirst: false })
    const key = { id: "88", launchKey: `${UID}/provision/${versions.A}/2` }
    expect(step({ ...replaced, search: searched("next", false, key) })).toMatchObject({
      _tag: "Adopt",
      first: "counts",
      intent: undefined,
      found: [key]
    })
  })

  it("an object that is not new searches, even though its record tells of no attempt", () => {
    const status = { phase: "Progressing", observedGeneration: 1, desiredConfigVersion: versions.A }
    expect(step({ status, finalizers: [] })).toMatchObject({ _tag: "Launch", searchFirst: true })
  })

  it("an object with our finalizer and no intent searches too, and one with an intent does not", () => {
    expect(step({})).toMatchObject({ _tag: "Launch", searchFirst: true })
    const failed = job("provision", "Failed")
    expect(step({ jobs: [failed], intent: intentOf(failed), spec: specs.B })).toMatchObject({ searchFirst: false })
  })

  it("what that search finds is not adopted when it is recorded already, or a person's relaunch", () => {
    const failed = job("provision", "Failed", { configVersion: versions.B })
    const known = { id: "41", launchKey: failed.launchKey ?? "" }
    const relaunch = { id: "90", launchKey: failed.launchKey ?? "", relaunched: true }
    expect(step({ jobs: [failed], search: searched("next", false, known, relaunch) })).toMatchObject({ _tag: "Launch" })
  })
})

describe("duplicates", () => {
  const duplicate = job("provision", "Running", { jobID: "99", duplicate: true, attempt: 2 })
  const counts = job("provision", "Succeeded")
  const scene = { jobs: [counts, duplicate], intent: intentOf(counts) }

  it("are cancelled while they live, and nothing new starts meanwhile", () => {
    const cancel = { _tag: "Cancel", why: "Duplicate", jobs: [{ jobID: "99" }] }
    expect(step(scene)).toMatchObject(cancel)
    expect(step({ ...scene, spec: specs.B })).toMatchObject(cancel)
    expect(step({ ...scene, deleting: true })).toMatchObject(cancel)
  })

  it("that have ended decide nothing", () => {
    expect(step({ ...scene, jobs: [counts, { ...duplicate, state: "Failed" }] })).toEqual({ _tag: "Settle" })
    expect(step({ ...scene, jobs: [counts, { ...duplicate, gone: true }] })).toEqual({ _tag: "Settle" })
  })

  it("that nobody can cancel are waited for, and no longer than they may take to give a sign", () => {
    const silent = { ...duplicate, provider: "eda", timestamp: "2026-11-21T11:55:00Z" }
    const eda = { ...scene, jobs: [counts, silent] }
    expect(step(eda)).toMatchObject({ _tag: "Wait", until: Date.parse("2026-11-21T12:05:00Z") })
    expect(step({ ...eda, now: Date.parse("2026-11-21T12:05:00Z") })).toMatchObject({
      _tag: "Supersede",
      jobs: [{ jobID: "99" }]
    })
  })

  it("whose provider is not configured wait for a person", () => {
    const orphan = [counts, { ...duplicate, provider: "other" }]
    expect(step({ ...scene, jobs: orphan })).toMatchObject({ _tag: "Block", reason: "ProviderNotConfigured" })
  })
})

describe("a job that a person names", () => {
  it("is looked up before an open intent is searched, and before anything is launched", () => {
    expect(step({ adopt: "77" })).toEqual({ _tag: "AdoptNamed", id: "77" })
    expect(step({ adopt: "77", intent: open })).toEqual({ _tag: "AdoptNamed", id: "77" })
    expect(step({ adopt: "77", deleting: true })).toEqual({ _tag: "AdoptNamed", id: "77" })
  })

  it("is no job when the annotation is empty", () => {
    expect(step({ adopt: "", finalizers: [] })).toMatchObject({ _tag: "Launch" })
  })
})
