/** A call leaves once, as the receiver wants it, and what became of it is told as it is. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Fiber, Inspectable, Option, Redacted, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { Harm } from "../../support/Faults.ts"
import { ConnectionLost, text, type WireHandler, type WireRequest } from "../../support/Wire.ts"
import { failure, launch, makeRig, orderOf, providerOver } from "./Rig.ts"

const secret = (token: string) => Option.some(Effect.succeed(Redacted.make(token)))

describe("a call", () => {
  it.effect("carries the resource as JSON, and nothing else", () =>
    Effect.gen(function* () {
      const seen: Array<WireRequest> = []
      const provider = yield* providerOver((request) =>
        Effect.sync(() => {
          seen.push(request)
          return text(200, "create-compute-instance")
        })
      )
      yield* launch(provider)
      assert.deepStrictEqual(
        seen.map(({ method, url, headers }) => [method, url.href, headers["content-type"], headers.authorization]),
        [["POST", "http://eda.test:5000/create-compute-instance", "application/json", undefined]]
      )
      assert.deepStrictEqual(JSON.parse(seen[0]?.body ?? ""), orderOf().payload)
    })
  )

  it.effect("goes to the webhook of its operation", () =>
    Effect.gen(function* () {
      const { eda, provider } = yield* makeRig()
      yield* launch(provider, "deprovision")
      yield* launch(provider, "provision")
      assert.deepStrictEqual(
        (yield* eda.webhooks).map(({ path, accepted }) => [path, accepted]),
        [
          ["delete-compute-instance", true],
          ["create-compute-instance", true]
        ]
      )
    })
  )

  for (const status of [200, 201, 202, 204]) {
    it.effect(`is accepted by ${status}`, () =>
      Effect.gen(function* () {
        const provider = yield* providerOver(() => Effect.succeed(text(status, "")))
        assert.strictEqual((yield* launch(provider)).id, "eda-webhook-1")
      })
    )
  }
})

describe("an answer", () => {
  it.effect("that accepts counts from its head on, though its body breaks off", () =>
    Effect.gen(function* () {
      const broken = Stream.concat(Stream.make("create-"), Stream.fail(new ConnectionLost({ code: "ECONNRESET" })))
      const provider = yield* providerOver(() => Effect.succeed({ ...text(200, ""), body: broken }))
      assert.strictEqual((yield* launch(provider)).id, "eda-webhook-1")
    })
  )

  it.effect("counts from its head on, though its body never ends", () =>
    Effect.gen(function* () {
      const endless =
        (status: number): WireHandler =>
        () =>
          Effect.succeed({ ...text(status, ""), body: Stream.concat(Stream.make("No"), Stream.never) })
      assert.strictEqual((yield* failure(yield* providerOver(endless(400)))).applied, "no")
      const fiber = yield* Effect.forkChild(launch(yield* providerOver(endless(200))))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Fiber.join(fiber)).id, "eda-webhook-1")
    })
  )

  it.effect("is read no further than it is needed", () =>
    Effect.gen(function* () {
      let produced = 0
      const page = Stream.fromEffectRepeat(
        Effect.sync(() => {
          produced++
          return "x".repeat(16_384)
        })
      )
      const provider = yield* providerOver(() => Effect.succeed({ ...text(500, ""), body: page }))
      const { message } = yield* failure(provider)
      assert.isBelow(message.length, 1000)
      assert.isBelow(produced, 20)
    })
  )
})

describe("a call of a resource", () => {
  /** A payload of exactly so many bytes as JSON, some of them in characters of two bytes. */
  const sized = (bytes: number) => {
    const empty = JSON.stringify({ a: "" }).length
    return { payload: { a: `${"é".repeat(1000)}${"x".repeat(bytes - empty - 2000)}` } }
  }

  it.effect("of 1 MiB is sent", () =>
    Effect.gen(function* () {
      const { eda, provider } = yield* makeRig()
      yield* launch(provider, "provision", orderOf("provision", sized(1_048_576)))
      assert.deepStrictEqual(
        (yield* eda.webhooks).map(({ status }) => status),
        [200]
      )
    })
  )

  it.effect("of one byte more is refused before it leaves", () =>
    Effect.gen(function* () {
      const { eda, provider } = yield* makeRig()
      const error = yield* failure(provider, "provision", orderOf("provision", sized(1_048_577)))
      assert.deepStrictEqual(
        { reason: error.reason, applied: error.applied, message: error.message },
        {
          reason: "LaunchRefused",
          applied: "no",
          message:
            "The resource is larger as JSON than the 1048576 bytes that an EDA webhook accepts, and was not sent: shorten spec.templateParameters or the annotations"
        }
      )
      assert.deepStrictEqual(yield* eda.webhooks, [])
    })
  )
})

describe("a call without an answer", () => {
  const patience = (harm: Harm) =>
    Effect.gen(function* () {
      const { eda, provider, wire } = yield* makeRig()
      yield* wire.order({ when: () => true, harm })
      // as the pipeline sends: nothing interrupts it, and time must end it all the same
      const fiber = yield* Effect.forkChild(Effect.uninterruptible(Effect.flip(launch(provider))))
      yield* TestClock.adjust("9999 millis")
      const early = fiber.pollUnsafe() !== undefined
      yield* TestClock.adjust("1 millis")
      const { message, applied } = yield* Fiber.join(fiber)
      yield* TestClock.adjust("1 hour")
      return { early, message, applied, received: (yield* eda.webhooks).length }
    })
  const late = {
    early: false,
    applied: "unknown",
    message: "The EDA webhook did not answer in time, and may have accepted the request: no answer within 10s"
  }

  it.effect("ends after ten seconds, and is not repeated", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* patience({ _tag: "Hang" }), { ...late, received: 0 })
    })
  )

  it.effect("may have been accepted by a receiver that was busy", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* patience({ _tag: "Hang", after: true }), { ...late, received: 1 })
      assert.deepStrictEqual(yield* patience({ _tag: "Delay", by: "11 seconds", after: true }), {
        ...late,
        received: 1
      })
    })
  )

  for (const [code, after, applied] of [
    ["ECONNRESET", true, "unknown"],
    ["ECONNRESET", false, "unknown"],
    ["ECONNREFUSED", false, "no"],
    ["ENOTFOUND", false, "no"],
    ["CERT_HAS_EXPIRED", false, "no"]
  ] as const) {
    it.effect(`for ${code} is sent once and counts as ${applied === "no" ? "not sent" : "perhaps accepted"}`, () =>
      Effect.gen(function* () {
        const { eda, provider, wire } = yield* makeRig()
        yield* wire.order({ when: () => true, harm: { _tag: "Lose", code, after } })
        const error = yield* failure(provider)
        assert.strictEqual(error.applied, applied)
        assert.include(error.message, code)
        assert.strictEqual((yield* wire.exchanges).length, 1)
        assert.strictEqual((yield* eda.webhooks).length, after ? 1 : 0)
      })
    )
  }
})

describe("a token", () => {
  it.effect("is the bearer's, and asked for anew at each call", () =>
    Effect.gen(function* () {
      let token = "wrong-token"
      const { provider } = yield* makeRig({
        eda: { token: "s3cret" },
        settings: { token: Option.some(Effect.sync(() => Redacted.make(token))) }
      })
      assert.strictEqual((yield* failure(provider)).reason, "CredentialsRejected")
      token = "s3cret"
      assert.strictEqual((yield* launch(provider)).id, "eda-webhook-1")
    })
  )

  it.effect("is missed by a receiver that wants one", () =>
    Effect.gen(function* () {
      const { provider } = yield* makeRig({ eda: { token: "s3cret" } })
      const { applied, message } = yield* failure(provider)
      assert.strictEqual(applied, "no")
      assert.include(message, "Missing authorization token")
    })
  )
})

describe("the token", () => {
  /** Everything that is said of a failure: the message, and the error with all its causes. */
  const said = (handler: WireHandler, webhook: string) =>
    Effect.gen(function* () {
      const provider = yield* providerOver(handler, {
        token: secret("s3cret"),
        webhooks: { provision: Option.some(webhook), deprovision: Option.none() }
      })
      const { template } = yield* Effect.scoped(provider.prepare("provision"))
      const error = yield* failure(provider)
      return [template, error.message, Cause.pretty(Cause.fail(error)), Inspectable.toStringUnknown(error)].join("\n")
    })
  const webhook = "http://user:pass%40word@eda.test:5000/create?key=h1dden"
  const hidden = /s3cret|pass%40word|pass@word|h1dden|user/u

  it.effect("and the address's credentials and query appear nowhere, though the receiver repeats them", () =>
    Effect.gen(function* () {
      const echo = "Bearer s3cret, token s3cret, user:pass@word and pass%40word at /create?key=h1dden"
      for (const status of [400, 401, 403, 404, 405, 413, 429, 500, 503]) {
        const words = yield* said(() => Effect.succeed(text(status, echo)), webhook)
        assert.notMatch(words, hidden)
        assert.include(words, "token [redacted]")
        assert.match(words, /eda\.test:5000\/create\n/u)
      }
      const redirect = { ...text(308, ""), headers: { location: "https://user:pass%40word@x.test/s3cret?key=h1dden" } }
      assert.notMatch(yield* said(() => Effect.succeed(redirect), webhook), hidden)
    })
  )

  it.effect("appears nowhere when there is no answer either", () =>
    Effect.gen(function* () {
      for (const code of ["ECONNRESET", "ECONNREFUSED", "ENOTFOUND", "CERT_HAS_EXPIRED"]) {
        assert.notMatch(yield* said(() => Effect.fail(new ConnectionLost({ code })), webhook), hidden)
      }
      assert.notMatch(yield* said(() => Effect.never, webhook), hidden)
    })
  )
})
