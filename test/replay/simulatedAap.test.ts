/** How jobs of the simulated AAP live, in virtual time: what the recordings of an idle installation cannot show. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as Aap from "../support/SimulatedAap.ts"
import { ask, at, launch, playing, rows, statusOf } from "./asking.ts"

describe("a job", () => {
  it.effect("is pending, waiting, running and finished at the times its playbook says", () =>
    Effect.gen(function* () {
      const aap = yield* playing({ pendingFor: "10 seconds", waitingFor: "5 seconds", runningFor: "1 minute" })
      yield* launch(aap)
      yield* TestClock.adjust("1 hour")
      const [job] = yield* aap.ledger
      expect(job?.transitions).toEqual([
        { status: "pending", at: 0 },
        { status: "waiting", at: 10_000 },
        { status: "running", at: 15_000 },
        { status: "successful", at: 75_000 }
      ])
      expect((yield* ask(aap, "GET jobs/1/")).json).toMatchObject({
        started: "1970-01-01T00:00:15.000000Z",
        finished: "1970-01-01T00:01:15.000000Z",
        elapsed: 60,
        failed: false
      })
    })
  )

  it.effect("has the same history whether it is watched or not", () =>
    Effect.gen(function* () {
      const watched = yield* playing({ backToPending: true })
      const unwatched = yield* playing({ backToPending: true })
      yield* launch(watched)
      yield* launch(unwatched)
      for (let second = 0; second < 60; second++) {
        yield* TestClock.adjust("700 millis")
        yield* ask(watched, "GET unified_jobs/?id__in=1")
      }
      expect(yield* watched.ledger).toEqual(yield* unwatched.ledger)
    })
  )

  it.effect("whose end is never runs on for a month", () =>
    Effect.gen(function* () {
      const aap = yield* playing({ ends: "never" })
      yield* launch(aap)
      yield* TestClock.adjust("30 days")
      expect(yield* statusOf(aap)).toBe("running")
    })
  )

  it.effect("goes back to pending once when the cluster has no room, and keeps its start", () =>
    Effect.gen(function* () {
      const aap = yield* playing({ backToPending: true })
      yield* launch(aap)
      yield* TestClock.adjust("6 seconds")
      expect((yield* ask(aap, "GET jobs/1/")).json).toMatchObject({
        status: "pending",
        started: "1970-01-01T00:00:01.000000Z"
      })
      yield* TestClock.adjust("1 minute")
      const [job] = yield* aap.ledger
      expect(job?.transitions.map(({ status }) => status)).toEqual([
        ...["pending", "waiting", "running"],
        ...["pending", "waiting", "running", "successful"]
      ])
    })
  )
})

describe("a launched job", () => {
  it.effect("that ends in error shows its traceback in the detail only", () =>
    Effect.gen(function* () {
      const aap = yield* playing({
        ends: "error",
        traceback: "Traceback: boom",
        explanation: "Job terminated due to error"
      })
      yield* launch(aap)
      yield* TestClock.adjust("1 minute")
      const detail = yield* ask(aap, "GET jobs/1/")
      const [row] = rows(yield* ask(aap, "GET unified_jobs/?id=1"))
      expect(detail.json).toMatchObject({ status: "error", result_traceback: "Traceback: boom", failed: true })
      expect(row).toMatchObject({ job_explanation: "Job terminated due to error" })
      expect(row).not.toHaveProperty("result_traceback")
    })
  )

  it.effect("waits behind another one of a template without simultaneous jobs, and says so after half a minute", () =>
    Effect.gen(function* () {
      const aap = yield* playing({ runningFor: "10 minutes" }, { templates: [{ name: "t", allowSimultaneous: false }] })
      yield* launch(aap)
      yield* launch(aap)
      yield* TestClock.adjust("29 seconds")
      expect((yield* ask(aap, "GET jobs/2/")).json).toMatchObject({ status: "pending", job_explanation: "" })
      yield* TestClock.adjust("1 second")
      expect((yield* ask(aap, "GET jobs/2/")).json.job_explanation).toBe("waiting for job-1 to finish")
      yield* TestClock.adjust("1 hour")
      const [first, second] = yield* aap.ledger
      expect(second?.started).toBe(first?.finished)
      expect((yield* ask(aap, "GET jobs/2/")).json).toMatchObject({ status: "successful", job_explanation: "" })
    })
  )

  it.effect("is created as its template's playbook decides, which sees payload, variables and count", () =>
    Effect.gen(function* () {
      const aap = yield* Aap.make()
      const seen: Array<Aap.Launch> = []
      yield* aap.play((launched) => {
        seen.push(launched)
        return { ends: launched.n === 1 ? "failed" : "successful" }
      })
      yield* launch(aap)
      yield* launch(aap)
      yield* TestClock.adjust("1 minute")
      const ledger = yield* aap.ledger
      expect(ledger.map(({ status }) => status)).toEqual(["failed", "successful"])
      expect(ledger[0]).toMatchObject({ launchKey: "k1", object: { uid: "u1", name: "vm", namespace: "ns" } })
      expect(seen[1]).toMatchObject({ template: "osac-create-compute-instance", kind: "job", n: 2 })
      expect(at(seen[1]?.payload, "metadata").uid).toBe("u1")
    })
  )
})

describe("the ledger", () => {
  it.effect("tells when two jobs of one object were alive at once, and when they only touched", () =>
    Effect.gen(function* () {
      const aap = yield* playing({})
      yield* launch(aap, 7)
      yield* TestClock.adjust("6 seconds")
      yield* launch(aap, 8)
      yield* TestClock.adjust("3 seconds")
      expect((yield* aap.ledger).map(Aap.lifetime)).toEqual([
        { from: 0, to: 6000 },
        { from: 6000, to: Number.POSITIVE_INFINITY }
      ])
      expect(Aap.overlaps(yield* aap.ledger)).toEqual([])
      yield* launch(aap, 7)
      yield* TestClock.adjust("1 minute")
      expect(Aap.overlaps(yield* aap.ledger)).toMatchObject([
        { first: { id: 2 }, second: { id: 3 }, from: 9000, to: 12_000 }
      ])
    })
  )

  it.effect("keeps what AAP forgot", () =>
    Effect.gen(function* () {
      const aap = yield* playing({})
      yield* launch(aap)
      yield* TestClock.adjust("1 minute")
      yield* aap.purge(1)
      expect(yield* ask(aap, "GET jobs/1/")).toMatchObject({
        status: 404,
        json: { detail: "No Job matches the given query." }
      })
      expect((yield* ask(aap, "GET unified_jobs/?id__in=1")).json.count).toBe(0)
      expect(yield* aap.ledger).toMatchObject([{ id: 1, status: "successful", gone: 60_000 }])
    })
  )

  it.effect("counts jobs of a database that was lost as dead, though their ids are given again", () =>
    Effect.gen(function* () {
      const aap = yield* playing({ ends: "never" })
      yield* launch(aap)
      yield* TestClock.adjust("1 minute")
      yield* aap.rebuild
      expect((yield* launch(aap)).json.id).toBe(1)
      expect(Aap.overlaps(yield* aap.ledger)).toEqual([])
      expect((yield* aap.ledger).map(({ id, status }) => [id, status])).toEqual([
        [1, "error"],
        [1, "pending"]
      ])
    })
  )
})
