/** What a cancel does to a job of the simulated AAP, in virtual time. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { ask, launch, playing, statusOf } from "./asking.ts"

describe("the cancel of a job", () => {
  it.effect("that runs is answered 202 until the job has ended, then 405 or, without superuser, 403", () =>
    Effect.gen(function* () {
      const aap = yield* playing({ runningFor: "1 hour", cancelTakes: "1 minute" })
      yield* launch(aap)
      yield* TestClock.adjust("10 seconds")
      expect(yield* ask(aap, "POST jobs/1/cancel/")).toMatchObject({ status: 202, text: "" })
      yield* TestClock.adjust("59 seconds")
      expect((yield* ask(aap, "GET jobs/1/")).json).toMatchObject({
        status: "running",
        canceled_on: "1970-01-01T00:00:10.000000Z"
      })
      expect((yield* ask(aap, "POST jobs/1/cancel/")).status).toBe(202)
      yield* TestClock.adjust("1 second")
      expect(yield* statusOf(aap)).toBe("canceled")
      expect((yield* ask(aap, "POST jobs/1/cancel/")).status).toBe(405)
      expect((yield* ask(aap, "POST jobs/1/cancel/", undefined, "operator-token")).status).toBe(403)
      const [job] = yield* aap.ledger
      expect(job?.cancelRequests.map(({ answered }) => answered)).toEqual([202, 202, 405, 403])
    })
  )

  it.effect("may block before its answer although it is in effect already", () =>
    Effect.gen(function* () {
      const aap = yield* playing({ runningFor: "1 hour", cancelAnswerTakes: "10 seconds", cancelTakes: "1 second" })
      yield* launch(aap)
      yield* TestClock.adjust("5 seconds")
      const answer = yield* Effect.forkChild(ask(aap, "POST jobs/1/cancel/"), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      expect(yield* statusOf(aap)).toBe("canceled")
      expect(answer.pollUnsafe()).toBeUndefined()
      yield* TestClock.adjust("9 seconds")
      expect((yield* Fiber.join(answer)).status).toBe(202)
    })
  )

  it.effect("is at once when the job has not started", () =>
    Effect.gen(function* () {
      const aap = yield* playing({ pendingFor: "1 hour", cancelTakes: "1 hour" })
      yield* launch(aap)
      yield* ask(aap, "POST jobs/1/cancel/")
      expect((yield* ask(aap, "GET jobs/1/")).json).toMatchObject({ status: "canceled", started: null, elapsed: 0 })
    })
  )
})

describe("a cancelled job", () => {
  it.effect("may come to its own end first", () =>
    Effect.gen(function* () {
      const aap = yield* playing({ runningFor: "10 seconds", cancelTakes: "1 minute" })
      yield* launch(aap)
      yield* TestClock.adjust("5 seconds")
      yield* ask(aap, "POST jobs/1/cancel/")
      yield* TestClock.adjust("1 hour")
      expect(yield* statusOf(aap)).toBe("successful")
    })
  )

  it.effect("may end otherwise than canceled", () =>
    Effect.gen(function* () {
      const aap = yield* playing({ ends: "never", cancelRace: "failed", cancelTakes: "2 seconds" })
      yield* launch(aap)
      yield* TestClock.adjust("5 seconds")
      yield* ask(aap, "POST jobs/1/cancel/")
      yield* TestClock.adjust("2 seconds")
      expect(yield* statusOf(aap)).toBe("failed")
    })
  )

  it.effect("is seen as failed when a person cancelled it", () =>
    Effect.gen(function* () {
      const aap = yield* playing({ ends: "canceled" })
      yield* launch(aap)
      yield* TestClock.adjust("1 minute")
      expect((yield* ask(aap, "GET jobs/1/")).json).toMatchObject({ status: "canceled", failed: true })
    })
  )
})
