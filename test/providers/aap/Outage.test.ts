/** An AAP that does not answer changes no job; it is a problem that people are told once. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import { json, text } from "../../support/Wire.ts"
import { count, follow, isPoll, listen, makeRig, objectOf, upTo } from "./Rig.ts"

const ROUND = "30 seconds"

/** A live job that is followed, and what its object would be told. */
const watched = Effect.fnUntraced(function* (objects = 1) {
  const rig = yield* makeRig()
  yield* rig.aap.play(() => ({ ends: "never" }))
  const { references, stateOf } = yield* follow(rig, upTo(objects))
  yield* TestClock.adjust(ROUND)
  yield* rig.wire.forget
  const told = yield* listen(rig)
  yield* TestClock.adjust("1 second")
  told.length = 0
  const problem = Effect.map(rig.provider.track(objectOf(1), [...references.values()].slice(0, 1)), (tracked) =>
    Option.match(tracked.problem, { onNone: () => "", onSome: ({ reason, message }) => `${reason}: ${message}` })
  )
  return { rig, told, problem, stateOf }
})

describe("an outage of AAP", () => {
  const outages = [
    [
      "AAP is away",
      { _tag: "Lose", code: "ECONNREFUSED" },
      "ProviderUnreachable: AAP cannot be reached (ECONNREFUSED)"
    ],
    ["DNS fails", { _tag: "Lose", code: "ENOTFOUND" }, "ProviderUnreachable: AAP cannot be reached (ENOTFOUND)"],
    [
      "its certificate has expired",
      { _tag: "Lose", code: "CERT_HAS_EXPIRED" },
      "ProviderUnreachable: TLS to AAP failed (CERT_HAS_EXPIRED): check CLOUDKIT_AAP_CA_FILE and AAP's certificate"
    ],
    [
      "connections break",
      { _tag: "Lose", code: "ECONNRESET" },
      "ProviderUnreachable: The connection to AAP was lost (ECONNRESET)"
    ],
    ["it is silent", { _tag: "Hang" }, "ProviderUnreachable: AAP did not answer in time: no answer within 30s"],
    [
      "a proxy answers for it",
      { _tag: "Answer", response: text(502, "<html><title>502 Bad Gateway</title></html>", "text/html") },
      "ProviderFailure: AAP failed (502 Bad Gateway)"
    ],
    [
      "a login page answers for it",
      { _tag: "Answer", response: text(200, "<html><title>Log in</title></html>", "text/html") },
      `ProviderMisaddressed: What answers at CLOUDKIT_AAP_URL is not AAP's API: HTML ("Log in") instead of JSON (200 OK)`
    ],
    [
      "its answers are cut off",
      { _tag: "Truncate", characters: 20 },
      "ProviderMisaddressed: AAP's answer is not the JSON it promises (200 OK)"
    ],
    [
      "it moved",
      { _tag: "Answer", response: { status: 302, headers: { location: "/login" }, body: "" } },
      "ProviderMisaddressed: AAP's address redirects to '/login' (302 Found), which is not followed: correct CLOUDKIT_AAP_URL"
    ]
  ] as const
  for (const [name, harm, words] of outages) {
    it.effect(`when ${name} changes no job and is a problem after three rounds, for everybody, once`, () =>
      Effect.gen(function* () {
        const { rig, told, problem, stateOf } = yield* watched(3)
        yield* rig.wire.order({ when: isPoll, times: 1000, harm })
        yield* TestClock.adjust(ROUND)
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(yield* problem, "")
        assert.deepStrictEqual(told, [])
        yield* TestClock.adjust("5 minutes")
        assert.strictEqual(yield* problem, words)
        assert.deepStrictEqual(told.splice(0).sort(), ["vm-1", "vm-2", "vm-3"])
        yield* TestClock.adjust("5 hours")
        assert.deepStrictEqual(told, [])
        assert.strictEqual(yield* stateOf(1), "Running")
        yield* rig.wire.heal
        yield* TestClock.adjust("10 minutes")
        assert.strictEqual(yield* problem, "")
        assert.deepStrictEqual(told.sort(), ["vm-1", "vm-2", "vm-3"])
      })
    )
  }
})

describe("a round that fails", () => {
  it.effect("is repeated less and less often, down to every five minutes", () =>
    Effect.gen(function* () {
      const { rig } = yield* watched()
      yield* rig.wire.order({ when: isPoll, times: 1000, harm: { _tag: "Lose", code: "ECONNREFUSED" } })
      yield* TestClock.adjust("10 minutes")
      yield* rig.wire.forget
      yield* TestClock.adjust("60 minutes")
      const rounds = yield* count(rig.wire, isPoll)
      assert.isAtLeast(rounds, 10)
      assert.isAtMost(rounds, 15)
    })
  )

  it.effect("gives AAP the time that it asks for, early looks included", () =>
    Effect.gen(function* () {
      const { rig } = yield* watched()
      const busy = json(429, {}, { "retry-after": "240" })
      yield* rig.wire.order({ when: isPoll, harm: { _tag: "Answer", response: busy } })
      yield* TestClock.adjust(ROUND)
      assert.strictEqual(yield* count(rig.wire, isPoll), 1)
      const newcomer = { id: "77", kind: "job", operation: "provision", launchKey: undefined } as const
      yield* rig.provider.track(objectOf(9), [newcomer])
      yield* TestClock.adjust("200 seconds")
      assert.strictEqual(yield* count(rig.wire, isPoll), 1)
      yield* TestClock.adjust("70 seconds")
      assert.isAtLeast(yield* count(rig.wire, isPoll), 2)
    })
  )

  it.effect("because the token was revoked is a problem at once, and ends with a valid token", () =>
    Effect.gen(function* () {
      const { rig, told, problem, stateOf } = yield* watched()
      yield* rig.aap.revokeToken("operator-token")
      yield* TestClock.adjust(ROUND)
      assert.strictEqual(yield* problem, "CredentialsRejected: AAP rejects the token (401 Unauthorized)")
      assert.deepStrictEqual(told.splice(0), ["vm-1"])
      yield* rig.aap.issueToken("operator", "operator-token")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* problem, "")
      assert.strictEqual(yield* stateOf(1), "Running")
    })
  )

  it.effect("stops after the first request when the next would fare no better", () =>
    Effect.gen(function* () {
      const { rig } = yield* watched(450)
      yield* rig.wire.order({ when: isPoll, times: 1000, harm: { _tag: "Lose", code: "ECONNREFUSED" } })
      yield* TestClock.adjust(ROUND)
      assert.strictEqual(yield* count(rig.wire, isPoll), 1)
    })
  )
})
