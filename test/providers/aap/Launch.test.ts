/** A launch leaves once, whatever happens to it, and what became of it is told as it is. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Option, Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { Harm } from "../../support/Faults.ts"
import { ConnectionLost, json, text, type WireResponse } from "../../support/Wire.ts"
import {
  adminToken,
  count,
  isLaunch,
  isLookUp,
  launch,
  makeRig,
  objectOf,
  orderOf,
  PROVISION,
  referenceOf,
  uidOf
} from "./Rig.ts"

const launches = Effect.fnUntraced(function* (rig: Effect.Success<ReturnType<typeof makeRig>>) {
  return { sent: yield* count(rig.wire, isLaunch), made: (yield* rig.aap.ledger).length }
})

/** Launches while time goes by. */
const launchInTime = (rig: Effect.Success<ReturnType<typeof makeRig>>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(Effect.result(launch(rig.provider, 1)))
    yield* TestClock.adjust("1 second")
    yield* TestClock.adjust("5 minutes")
    return yield* Fiber.join(fiber)
  })

describe("a launch", () => {
  it.effect("sends the resource in the envelope of Event-Driven Ansible, under our key", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      const job = yield* launch(rig.provider, 1)
      const [made] = yield* rig.aap.ledger
      assert.deepStrictEqual(
        { id: job.id, kind: job.kind, state: job.state, detail: job.detail, unusable: job.unusable },
        { id: String(made?.id), kind: "job", state: "Pending", detail: "", unusable: Option.none() }
      )
      const { key, stamp, payload } = orderOf(1)
      assert.deepStrictEqual(made?.payload, payload)
      assert.strictEqual(made?.launchKey, key)
      assert.deepStrictEqual(made?.extraVars, {
        ansible_eda: {
          event: {
            payload,
            meta: {
              uuid: key,
              stamp,
              received_at: stamp,
              source: { name: "cloudkit-operator", type: "cloudkit-operator" }
            }
          }
        }
      })
    })
  )

  it.effect("of a sliced template is a workflow job, as AAP says", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig({
        aap: { templates: [{ name: PROVISION, slices: 3 }] },
        settings: { token: Effect.succeed(adminToken) }
      })
      assert.strictEqual((yield* launch(rig.provider, 1)).kind, "workflow_job")
    })
  )

  it.effect("whose variables AAP ignored is unusable, names what was ignored, and holds back the others", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      const answer = json(201, { id: 9, type: "job", status: "pending", ignored_fields: { extra_vars: { a: 1 } } })
      yield* rig.wire.order({ when: isLaunch, harm: { _tag: "Answer", response: answer } })
      const { unusable, id } = yield* launch(rig.provider, 1)
      assert.strictEqual(id, "9")
      const { reason, message } = Option.getOrThrow(unusable)
      assert.strictEqual(reason, "TemplateRefusesVariables")
      assert.match(message, /^Template 'osac-create-compute-instance' ignored extra_vars/u)
      assert.strictEqual((yield* Effect.flip(launch(rig.provider, 2))).reason, "TemplateRefusesVariables")
    })
  )
})

describe("the answer to a launch", () => {
  const answeredBy = (response: WireResponse) =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      yield* rig.wire.order({ when: isLaunch, harm: { _tag: "Answer", response, after: true } })
      return yield* Effect.result(launch(rig.provider, 1))
    })

  it.effect("is traced by its Location when its body cannot be read", () =>
    Effect.gen(function* () {
      for (const [body, location] of [
        ['{"id": 3', "/api/v2/jobs/38/"],
        ["", "https://aap.test/api/controller/v2/jobs/38/"],
        ['{"status": 7}', "/api/v2/jobs/38"]
      ] as const) {
        const result = yield* answeredBy({ status: 201, headers: { location }, body })
        assert.strictEqual(result._tag === "Success" ? `${result.success.kind} ${result.success.id}` : "", "job 38")
      }
      const workflow = yield* answeredBy({ status: 201, headers: { location: "/api/v2/workflow_jobs/4/" }, body: "" })
      assert.strictEqual(workflow._tag === "Success" ? workflow.success.kind : "", "workflow_job")
    })
  )

  const breaking = (headers: Readonly<Record<string, string>>, code: string) =>
    answeredBy({ status: 201, headers, body: Stream.fail(new ConnectionLost({ code })) })

  it.effect("is traced by its Location when the connection breaks before its body is there", () =>
    Effect.gen(function* () {
      const result = yield* breaking({ location: "/api/v2/jobs/38/" }, "ECONNRESET")
      assert.strictEqual(result._tag === "Success" ? result.success.id : "", "38")
    })
  )

  it.effect("that breaks off is ambiguous, also when it breaks off like a connection that was never made", () =>
    Effect.gen(function* () {
      for (const code of ["ECONNRESET", "EPROTO", "ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR", "ECONNREFUSED"]) {
        const result = yield* breaking({}, code)
        assert.strictEqual(result._tag === "Failure" ? result.failure.applied : "", "unknown", code)
      }
    })
  )

  it.effect("is a job of the right kind even when it names the id only", () =>
    Effect.gen(function* () {
      const result = yield* answeredBy(json(201, { workflow_job: 41, ignored_fields: {} }))
      assert.strictEqual(
        result._tag === "Success" ? `${result.success.kind} ${result.success.id}` : "",
        "workflow_job 41"
      )
    })
  )

  it.effect("without any trace of a job is ambiguous", () =>
    Effect.gen(function* () {
      for (const response of [
        json(201, {}),
        text(200, "<html></html>", "text/html"),
        json(201, { id: "x" }, { location: "/login" })
      ]) {
        const result = yield* answeredBy(response)
        assert.strictEqual(result._tag === "Failure" ? result.failure.applied : "", "unknown")
      }
    })
  )
})

describe("a launch is never repeated", () => {
  const page = text(504, "<html><title>504 Gateway Time-out</title></html>", "text/html")
  const faults: ReadonlyArray<readonly [string, Harm, "no" | "unknown", number]> = [
    ["401", { _tag: "Answer", response: json(401, { detail: "No." }) }, "no", 0],
    ["403", { _tag: "Answer", response: json(403, { detail: "No." }) }, "no", 0],
    ["400", { _tag: "Answer", response: json(400, { limit: ["No."] }) }, "no", 0],
    ["404", { _tag: "Answer", response: json(404, { detail: "No." }) }, "no", 0],
    ["409", { _tag: "Answer", response: json(409, { error: "No." }) }, "no", 0],
    ["413 page", { _tag: "Answer", response: text(413, "<html></html>", "text/html") }, "no", 0],
    ["429", { _tag: "Answer", response: json(429, {}, { "retry-after": "1" }) }, "no", 0],
    ["503 with patience", { _tag: "Answer", response: json(503, { detail: "." }, { "retry-after": "1" }) }, "no", 0],
    ["ECONNREFUSED", { _tag: "Lose", code: "ECONNREFUSED" }, "no", 0],
    ["ENOTFOUND", { _tag: "Lose", code: "ENOTFOUND" }, "no", 0],
    ["CERT_HAS_EXPIRED", { _tag: "Lose", code: "CERT_HAS_EXPIRED" }, "no", 0],
    ["408", { _tag: "Answer", response: json(408, {}) }, "unknown", 0],
    ["500", { _tag: "Answer", response: json(500, { detail: "A server error has occurred." }) }, "unknown", 0],
    ["502 after it was applied", { _tag: "Answer", response: text(502, "bad gateway"), after: true }, "unknown", 1],
    ["503 page", { _tag: "Answer", response: text(503, "no healthy upstream") }, "unknown", 0],
    ["301", { _tag: "Answer", response: { status: 301, headers: { location: "/x/" }, body: "" } }, "unknown", 0],
    ["a reset before", { _tag: "Lose", code: "ECONNRESET" }, "unknown", 0],
    ["a reset after", { _tag: "Lose", code: "ECONNRESET", after: true }, "unknown", 1],
    ["silence before", { _tag: "Hang" }, "unknown", 0],
    ["silence after", { _tag: "Hang", after: true }, "unknown", 1],
    ["an answer that comes too late", { _tag: "Delay", by: "31 seconds", after: true }, "unknown", 1],
    ["a 504 before it is applied", { _tag: "CommitLate", by: "90 seconds", answer: page }, "unknown", 1],
    [
      "a reset before it is applied",
      { _tag: "CommitLate", by: "90 seconds", answer: new ConnectionLost({ code: "ECONNRESET" }) },
      "unknown",
      1
    ]
  ]
  for (const [name, harm, applied, made] of faults) {
    it.effect(`after ${name}: ${applied === "no" ? "it certainly had no effect" : "nobody knows"}`, () =>
      Effect.gen(function* () {
        const rig = yield* makeRig()
        yield* rig.wire.order({ when: isLaunch, harm })
        const result = yield* launchInTime(rig)
        assert.strictEqual(result._tag === "Failure" ? result.failure.applied : "succeeded", applied)
        assert.deepStrictEqual(yield* launches(rig), { sent: 1, made })
      })
    )
  }
})

describe("a launch that fails", () => {
  it.effect("for a reason that all share keeps the others back until one probe succeeds", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      yield* rig.wire.order({ when: isLaunch, times: 100, harm: { _tag: "Lose", code: "ECONNREFUSED" } })
      const refused = yield* Effect.forEach(
        Array.from({ length: 100 }, (_, n) => n),
        (n) => Effect.flip(launch(rig.provider, n)),
        { concurrency: "unbounded" }
      )
      assert.isTrue(refused.every((error) => error.reason === "ProviderUnreachable" && error.applied === "no"))
      // those that held one of the few launch permits when the first one failed
      assert.isAtMost(yield* count(rig.wire, isLaunch), 4)
      yield* rig.wire.heal
      yield* TestClock.adjust("7 seconds")
      yield* launch(rig.provider, 1)
      assert.strictEqual((yield* rig.aap.ledger).length, 1)
    })
  )

  it.effect("for a reason of its own keeps nobody back", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      const refusal = json(400, { extra_vars: ["Cannot parse as JSON"] })
      yield* rig.wire.order({ when: isLaunch, harm: { _tag: "Answer", response: refusal } })
      assert.strictEqual((yield* Effect.flip(launch(rig.provider, 1))).reason, "LaunchRefused")
      yield* launch(rig.provider, 2)
      assert.strictEqual(yield* count(rig.wire, isLookUp), 1)
    })
  )
})

describe("permits", () => {
  it.effect("let few launches be under way at once, and come back with the scope, sent or not", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      const scopes = yield* Effect.forEach(Array.from({ length: 6 }), () => Scope.make())
      const fibers = yield* Effect.forEach(scopes, (scope) =>
        Effect.forkChild(rig.provider.prepare("provision").pipe(Effect.provideService(Scope.Scope, scope)))
      )
      yield* TestClock.adjust("1 minute")
      const ready = () => fibers.filter((fiber) => fiber.pollUnsafe() !== undefined).length
      assert.strictEqual(ready(), 4)
      for (const scope of scopes.slice(0, 2)) yield* Scope.close(scope, Exit.void)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(ready(), 6)
    })
  )

  it.effect("do not come back late: a launch that waited long is checked again before it is sent", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig({ settings: { maxConcurrentRequests: 1 } })
      const scope = yield* Scope.make()
      yield* rig.provider.prepare("provision").pipe(Effect.provideService(Scope.Scope, scope))
      const waiting = yield* Effect.forkChild(Effect.result(launch(rig.provider, 2)))
      yield* TestClock.adjust("10 minutes")
      yield* rig.aap.revokeToken("operator-token")
      yield* Scope.close(scope, Exit.void)
      const result = yield* Fiber.join(waiting)
      assert.strictEqual(result._tag === "Failure" ? result.failure.reason : "", "CredentialsRejected")
      assert.strictEqual(yield* count(rig.wire, isLaunch), 0)
    })
  )
})

describe("a job just launched", () => {
  it.effect("is the object's without proof, and costs nothing until the next regular round", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      const job = yield* launch(rig.provider, 1)
      yield* rig.wire.forget
      yield* rig.provider.track(objectOf(1), [referenceOf(job, 1)])
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(yield* rig.wire.exchanges, [])
      assert.strictEqual((yield* rig.aap.ledger)[0]?.object?.uid, uidOf(1))
    })
  )
})
