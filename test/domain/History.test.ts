/** The changes a record goes through: answers, refusals, losses. */
import { describe, expect, it } from "vitest"
import {
  type Launched,
  type Refusal,
  refusalWait,
  timestampOf,
  withClosed,
  withLaunched,
  withLost,
  withRefused,
  withUnusable
} from "../../src/domain/History.ts"
import type { History } from "../../src/domain/Instance.ts"
import { isClosed, keyOf, readKey } from "../../src/domain/Intent.ts"
import { at, emptyHistory, intentFor, job, NOW, versions } from "./support/objects.ts"

const sent = intentFor("provision", { attempt: 4 })
const answer: Launched = { id: "52", kind: "job", state: "Pending", detail: "", blockDeletionOnFailure: false }
const of = (more: Partial<History>): History => ({ ...emptyHistory, ...more })

describe("times", () => {
  it("are UTC in whole seconds, whatever the time zone of the machine", () => {
    const { TZ } = process.env
    try {
      for (const zone of ["Asia/Kolkata", "America/St_Johns", "UTC"]) {
        process.env.TZ = zone
        expect(timestampOf(Date.parse("2026-11-21T12:00:00.987Z"))).toBe("2026-11-21T12:00:00Z")
      }
    } finally {
      if (TZ === undefined) delete process.env.TZ
      else process.env.TZ = TZ
    }
  })
})

describe("the answer of a launch", () => {
  it("is recorded with all that is needed to find, follow and judge the job", () => {
    const history = withLaunched(emptyHistory, answer, sent, sent, NOW, 10)
    expect(history.jobs).toEqual([
      {
        jobID: "52",
        type: "provision",
        provider: "aap",
        kind: "job",
        state: "Pending",
        message: "Job queued",
        timestamp: "2026-11-21T12:00:00Z",
        configVersion: versions.A,
        blockDeletionOnFailure: false,
        launchKey: sent.key,
        launchStamp: sent.stamp,
        attempt: 4
      }
    ])
    expect(history.attempts).toEqual({ provision: 4, deprovision: 0 })
    expect(isClosed(sent, history.jobs, history.launch)).toBe(true)
  })

  it("clears the record of the launch that went before", () => {
    const before = withRefused(emptyHistory, refusal, intentFor("provision"), intentFor("provision"), NOW)
    expect(withLaunched(before, answer, sent, sent, NOW, 10).launch).toBeUndefined()
  })

  it("that comes after the intent was renewed, replaced or taken off is recorded as a duplicate", () => {
    const renewed = { ...sent, stamp: at(NOW) }
    const other = intentFor("provision", { attempt: 5, stamp: sent.stamp })
    for (const current of [renewed, other, undefined]) {
      const history = withLaunched(emptyHistory, answer, sent, current, NOW, 10)
      expect(history.jobs).toMatchObject([{ jobID: "52", duplicate: true }])
      if (current !== undefined) expect(isClosed(current, history.jobs, history.launch)).toBe(false)
    }
  })

  it("that comes after another job had closed the intent is recorded as a duplicate", () => {
    const adopted = job("provision", "Running", { jobID: "51", launchKey: sent.key, launchStamp: sent.stamp })
    const history = withLaunched(of({ jobs: [adopted] }), answer, sent, sent, NOW, 10)
    expect(history.jobs).toMatchObject([{ jobID: "51" }, { jobID: "52", duplicate: true }])
  })

  it("that comes after the intent was given up leaves the record of giving up", () => {
    const given = withClosed(emptyHistory, sent, "NotFound", "nothing", NOW)
    const history = withLaunched(given, answer, sent, sent, NOW, 10)
    expect(history.jobs).toMatchObject([{ duplicate: true }])
    expect(history.launch).toEqual(given.launch)
  })

  it("for a job that a search had recorded already changes nothing", () => {
    const known = of({ jobs: [job("provision", "Running", { jobID: "52" })] })
    expect(withLaunched(known, answer, sent, sent, NOW, 10)).toBe(known)
  })

  it("for a job of another provider with the same id is a job of its own", () => {
    const known = of({ jobs: [job("provision", "Succeeded", { jobID: "52", provider: "eda" })] })
    expect(withLaunched(known, answer, sent, sent, NOW, 10).jobs).toHaveLength(2)
  })

  it("never lowers the highest attempt", () => {
    const history = of({ attempts: { provision: 9, deprovision: 2 } })
    expect(withLaunched(history, answer, sent, sent, NOW, 10).attempts).toEqual({ provision: 9, deprovision: 2 })
  })

  it("with a job that is worthless marks it for cancelling, and only it", () => {
    const both = of({ jobs: [job("provision", "Succeeded"), job("provision", "Running", { jobID: "52" })] })
    expect(withUnusable(both, "52").jobs).toMatchObject([{ jobID: "41" }, { jobID: "52", duplicate: true }])
    expect(withUnusable(both, "52").jobs[0]).toBe(both.jobs[0])
  })
})

const refusal: Refusal = { reason: "CredentialsRejected", message: "401 Unauthorized", retryAfter: undefined }

describe("a refusal", () => {
  it("closes the intent, uses its attempt up, and says why and until when", () => {
    const history = withRefused(emptyHistory, refusal, sent, sent, NOW)
    expect(history.launch).toEqual({
      key: sent.key,
      stamp: sent.stamp,
      operation: "provision",
      outcome: "Refused",
      configVersion: versions.A,
      time: "2026-11-21T12:00:00Z",
      reason: "CredentialsRejected",
      message: "401 Unauthorized",
      refusals: 1,
      retryAt: "2026-11-21T12:00:10Z"
    })
    expect(history.attempts.provision).toBe(4)
    expect(history.jobs).toEqual([])
    expect(history.lostLaunches).toEqual([])
  })

  it("of a sending that is not the current one changes nothing", () => {
    for (const current of [undefined, { ...sent, stamp: at(NOW) }, intentFor("provision", { attempt: 5 })]) {
      expect(withRefused(emptyHistory, refusal, sent, current, NOW)).toBe(emptyHistory)
    }
  })

  it("in a row makes the wait longer, doubling from 10 seconds to 5 minutes", () => {
    expect([1, 2, 3, 5, 6, 60].map((n) => refusalWait(n, undefined))).toEqual([
      10_000, 20_000, 40_000, 160_000, 300_000, 300_000
    ])
    let history = emptyHistory
    for (let n = 1; n <= 3; n++)
      history = withRefused(history, refusal, { ...sent, attempt: n }, { ...sent, attempt: n }, NOW)
    expect(history.launch).toMatchObject({ refusals: 3, retryAt: "2026-11-21T12:00:40Z" })
  })

  it("of the other operation, or after another outcome, begins anew", () => {
    const deprovision = intentFor("deprovision")
    const refused = withRefused(
      withRefused(emptyHistory, refusal, sent, sent, NOW),
      refusal,
      deprovision,
      deprovision,
      NOW
    )
    expect(refused.launch).toMatchObject({ operation: "deprovision", refusals: 1 })
    const lost = withClosed(refused, deprovision, "NotFound", "m", NOW)
    expect(withRefused(lost, refusal, deprovision, deprovision, NOW).launch).toMatchObject({ refusals: 1 })
  })

  it("waits as long as the provider asked, if that is longer", () => {
    expect(refusalWait(1, 45_000)).toBe(45_000)
    expect(refusalWait(9, 45_000)).toBe(300_000)
    const asked = { ...refusal, retryAfter: 600_000 }
    expect(withRefused(emptyHistory, asked, sent, sent, NOW).launch).toMatchObject({ retryAt: "2026-11-21T12:10:00Z" })
  })

  it("never waits less than the provider asked, for all that times are whole seconds", () => {
    const asked = { ...refusal, retryAfter: 45_000 }
    const { launch } = withRefused(emptyHistory, asked, sent, sent, NOW + 999)
    expect(Date.parse(launch?.retryAt ?? "")).toBeGreaterThanOrEqual(NOW + 999 + 45_000)
  })
})

describe("a refusal of a launch whose job was found meanwhile", () => {
  it("is not recorded: there is a job, and it is followed", () => {
    const adopted = withLaunched(emptyHistory, answer, sent, sent, NOW, 10)
    expect(withRefused(adopted, refusal, sent, sent, NOW)).toBe(adopted)
  })
})

describe("a launch that is given up", () => {
  it.each(["NotFound", "Unknown"] as const)(
    "as %s closes the intent, uses the attempt up, and is remembered for good",
    (outcome) => {
      const history = withClosed(emptyHistory, sent, outcome, "why", NOW)
      expect(history.launch).toMatchObject({ key: sent.key, stamp: sent.stamp, outcome, message: "why" })
      expect(history.attempts.provision).toBe(4)
      expect(history.lostLaunches).toEqual([
        {
          provider: "aap",
          template: "provision-template",
          operation: "provision",
          uid: readKey(sent.key)?.uid,
          since: sent.stamp
        }
      ])
    }
  )

  it("is remembered from its first sending on, once per template, provider and operation", () => {
    const renewed = { ...sent, stamp: at(NOW), since: sent.stamp }
    const once = withLost(emptyHistory, renewed)
    expect(once.lostLaunches).toMatchObject([{ since: sent.stamp }])
    expect(withLost(once, { ...renewed, since: at(NOW) })).toBe(once)
    expect(withLost(once, { ...sent, template: "other" }).lostLaunches).toHaveLength(2)
    expect(withLost(once, { ...sent, provider: "eda" }).lostLaunches).toHaveLength(2)
    expect(withLost(once, { ...sent, operation: "deprovision" }).lostLaunches).toHaveLength(2)
  })

  it("is remembered with the uid of its key, which a restored object no longer has, beside marks that name none", () => {
    const unnamed = { provider: "aap", template: sent.template, operation: sent.operation, since: sent.stamp } as const
    const marked = { ...emptyHistory, lostLaunches: [unnamed] }
    const restored = { ...sent, key: keyOf("another-uid", "provision", sent.configVersion, 1) }
    const both = withLost(withLost(marked, sent), restored)
    expect(both.lostLaunches.map(({ uid }) => uid)).toEqual([undefined, readKey(sent.key)?.uid, "another-uid"])
    expect(withLost(both, restored)).toBe(both)
  })

  it("stays remembered when a later launch succeeds", () => {
    const lost = withClosed(emptyHistory, sent, "NotFound", "why", NOW)
    const next = intentFor("provision", { attempt: 5 })
    expect(withLaunched(lost, answer, next, next, NOW, 10).lostLaunches).toEqual(lost.lostLaunches)
  })
})
