/** Cancelling only what is the object's, and understanding what AAP's answer means. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import type { CancelAnswer, JobReference } from "../../../src/ports/ProvisioningProvider.ts"
import { json, text } from "../../support/Wire.ts"
import {
  adminToken,
  count,
  isCancel,
  isLaunch,
  launch,
  makeRig,
  objectOf,
  PROVISION,
  providerOver,
  type Rig,
  referenceOf
} from "./Rig.ts"

const cancel = (rig: Rig, n: number, reference: JobReference) =>
  rig.provider.cancel?.(objectOf(n), reference) ?? Effect.die(new Error("AAP can cancel"))

/** A job of object 1 that runs until it is cancelled, known to a process that did not launch it. */
const running = Effect.fnUntraced(function* (options: Parameters<typeof makeRig>[0] = {}) {
  const before = yield* makeRig(options)
  yield* before.aap.play(() => ({ ends: "never", pendingFor: "1 second", cancelTakes: "20 seconds" }))
  const reference = referenceOf(yield* launch(before.provider, 1), 1)
  yield* TestClock.adjust("5 seconds")
  const rig: Rig = { ...before, provider: yield* providerOver(before.wire.handler, options.settings) }
  yield* rig.wire.forget
  const status = Effect.map(rig.aap.ledger, (ledger) => ledger[0]?.status)
  return { rig, reference, status }
})

describe("a cancel", () => {
  it.effect("asks AAP, after it made sure whose job it is, and may be repeated while the job lives on", () =>
    Effect.gen(function* () {
      const { rig, reference, status } = yield* running()
      assert.strictEqual(yield* cancel(rig, 1, reference), "Requested")
      assert.strictEqual(yield* status, "running")
      assert.strictEqual(yield* cancel(rig, 1, reference), "Requested")
      assert.strictEqual((yield* rig.aap.ledger)[0]?.cancelRequests.length, 2)
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* status, "canceled")
    })
  )

  it.effect("of a job whose owner a round has shown costs one request", () =>
    Effect.gen(function* () {
      const { rig, reference } = yield* running()
      yield* rig.provider.track(objectOf(1), [reference])
      yield* TestClock.adjust("1 second")
      yield* rig.wire.forget
      yield* cancel(rig, 1, reference)
      assert.strictEqual((yield* rig.wire.exchanges).length, 1)
    })
  )

  it.effect("makes the end known soon, not only in the next round", () =>
    Effect.gen(function* () {
      const { rig, reference } = yield* running()
      yield* rig.aap.setStatus(Number(reference.id), "pending")
      yield* rig.provider.track(objectOf(1), [reference])
      yield* TestClock.adjust("1 second")
      yield* cancel(rig, 1, reference)
      yield* TestClock.adjust("1 second")
      const { seen } = yield* rig.provider.track(objectOf(1), [reference])
      assert.strictEqual(seen.get(reference.id)?.state, "Canceled")
    })
  )

  it.effect(
    "of a workflow goes to the workflow, also when the record does not know the kind or is wrong about it",
    () =>
      Effect.gen(function* () {
        for (const kind of ["workflow_job", undefined, "job"]) {
          const { rig, reference, status } = yield* running({
            aap: { templates: [{ name: PROVISION, kind: "workflow_job_template" }] },
            settings: { token: Effect.succeed(adminToken) }
          })
          assert.strictEqual(yield* cancel(rig, 1, { ...reference, kind }), "Requested")
          yield* TestClock.adjust("2 minutes")
          assert.strictEqual(yield* status, "canceled")
        }
      })
  )

  it.effect("of a workflow that was launched without AAP saying so finds it after a 404", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig({
        aap: { templates: [{ name: PROVISION, kind: "workflow_job_template" }] },
        settings: { token: Effect.succeed(adminToken) }
      })
      yield* rig.aap.play(() => ({ ends: "never" }))
      const vague = json(201, { job: 1, ignored_fields: {} })
      yield* rig.wire.order({ when: isLaunch, harm: { _tag: "Answer", response: vague, after: true } })
      const reference = referenceOf(yield* launch(rig.provider, 1), 1)
      assert.strictEqual(reference.kind, "job")
      yield* rig.provider.track(objectOf(1), [reference])
      assert.strictEqual(yield* cancel(rig, 1, reference), "Requested")
      assert.strictEqual((yield* rig.aap.ledger)[0]?.cancelRequests.length, 1)
    })
  )
})

describe("a cancel of an ended job", () => {
  it.effect("is too late, whether AAP says 405 to a superuser or 403 to everybody else", () =>
    Effect.gen(function* () {
      for (const token of [adminToken, undefined]) {
        const { rig, reference } = yield* running(
          token === undefined ? {} : { settings: { token: Effect.succeed(token) } }
        )
        yield* rig.aap.setStatus(Number(reference.id), "successful")
        assert.strictEqual(yield* cancel(rig, 1, reference), "AlreadyTerminal")
        const [request] = (yield* rig.wire.exchanges).filter(({ method }) => method === "POST")
        assert.strictEqual(request?.status, token === undefined ? 403 : 405)
      }
    })
  )

  it.effect("is not too late because a proxy says 405 in HTML", () =>
    Effect.gen(function* () {
      const { rig, reference } = yield* running()
      const page = text(405, "<html><title>405 Not Allowed</title></html>", "text/html")
      yield* rig.wire.order({ when: isCancel, harm: { _tag: "Answer", response: page } })
      assert.strictEqual((yield* Effect.flip(cancel(rig, 1, reference))).reason, "ProviderMisaddressed")
    })
  )
})

describe("a cancel that AAP denies", () => {
  it.effect("of a live job names the role that is missing", () =>
    Effect.gen(function* () {
      const { rig, reference } = yield* running()
      const denied = json(403, { detail: "You do not have permission to perform this action." })
      yield* rig.wire.order({ when: isCancel, harm: { _tag: "Answer", response: denied } })
      const error = yield* Effect.flip(cancel(rig, 1, reference))
      assert.strictEqual(error.reason, "PermissionDenied")
      assert.strictEqual(
        error.message,
        `AAP does not let the token's user cancel job 1, which is running (403 Forbidden): grant it the role admin on template '${PROVISION}', and use a token with write scope`
      )
    })
  )
})

describe("a cancel of a job that is not there", () => {
  it.effect("finds it gone once AAP confirms it", () =>
    Effect.gen(function* () {
      const { rig, reference } = yield* running()
      yield* rig.aap.purge(Number(reference.id))
      assert.strictEqual(yield* cancel(rig, 1, reference), "Gone")
      assert.strictEqual(yield* count(rig.wire, isCancel), 0)
    })
  )

  it.effect("finds it gone when it went between the look and the cancel", () =>
    Effect.gen(function* () {
      const { rig, reference } = yield* running()
      yield* rig.provider.track(objectOf(1), [reference])
      yield* TestClock.adjust("1 second")
      yield* rig.aap.purge(Number(reference.id))
      assert.strictEqual(yield* cancel(rig, 1, reference), "Gone")
    })
  )

  it.effect("does not find it gone because a page says 404", () =>
    Effect.gen(function* () {
      const { rig, reference } = yield* running()
      const page = text(404, "<html><title>Not Found</title></html>", "text/html")
      yield* rig.wire.order({ when: isCancel, harm: { _tag: "Answer", response: page } })
      assert.strictEqual((yield* Effect.flip(cancel(rig, 1, reference))).reason, "ProviderMisaddressed")
    })
  )

  it.effect("never touches another object's job that has the id now", () =>
    Effect.gen(function* () {
      const { rig, reference } = yield* running()
      yield* rig.aap.rebuild
      const stranger = yield* launch(rig.provider, 2)
      assert.strictEqual(stranger.id, reference.id)
      assert.strictEqual(yield* cancel(rig, 1, reference), "Gone")
      assert.strictEqual(yield* count(rig.wire, isCancel), 0)
    })
  )

  it.effect("has nothing to do for an id that AAP cannot have", () =>
    Effect.gen(function* () {
      const { rig, reference } = yield* running()
      const answers: Array<CancelAnswer> = []
      for (const id of ["eda-webhook-1", "../../users/1", "", "1".repeat(30)]) {
        answers.push(yield* cancel(rig, 1, { ...reference, id }))
      }
      assert.deepStrictEqual(answers, ["Gone", "Gone", "Gone", "Gone"])
      assert.deepStrictEqual(yield* rig.wire.exchanges, [])
      assert.isTrue(rig.provider.recognises("41"))
      assert.isFalse(rig.provider.recognises("eda-webhook-1"))
    })
  )
})

describe("a cancel that gets no answer", () => {
  it.effect("fails with the reason, and is not repeated by itself", () =>
    Effect.gen(function* () {
      const { rig, reference, status } = yield* running()
      yield* rig.wire.order({ when: isCancel, harm: { _tag: "Lose", code: "ECONNRESET", after: true } })
      const error = yield* Effect.flip(cancel(rig, 1, reference))
      assert.strictEqual(error.reason, "ProviderUnreachable")
      assert.strictEqual(yield* count(rig.wire, isCancel), 1)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* status, "canceled")
      assert.isTrue(Option.isNone((yield* rig.provider.track(objectOf(1), [reference])).problem))
    })
  )
})
