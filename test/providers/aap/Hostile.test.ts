/** Answers that no sane AAP gives: each is refused in clear words, costs no more than its share, and leads nowhere else. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { ProviderError } from "../../../src/ports/ProviderError.ts"
import { belongsTo, keyIn, ownerOf } from "../../../src/providers/aap/Ownership.ts"
import { json, text, type WireResponse } from "../../support/Wire.ts"
import { follow, isLaunch, isPoll, launch, makeRig, orderOf, providerOver, uidOf } from "./Rig.ts"

const body = (content: WireResponse["body"]): WireResponse => ({
  status: 200,
  headers: { "content-type": "application/json" },
  body: content
})

/** What looking up the template says when AAP answers everything like this. */
const complaint = (response: WireResponse): Effect.Effect<ProviderError> =>
  Effect.gen(function* () {
    const provider = yield* providerOver(() => Effect.succeed(response))
    return yield* Effect.flip(Effect.scoped(provider.prepare("provision")))
  }).pipe(Effect.scoped, Effect.orDie)

const assertPresentable = (message: string) => {
  assert.isAtMost(Buffer.byteLength(message), 1_100)
  assert.notMatch(message, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
}

/** `[[[…]]]` and `{"a":{"a":…}}`, as text: to write them any other way takes as deep a stack. */
const deepList = (levels: number, core = '"x"') => `${"[".repeat(levels)}${core}${"]".repeat(levels)}`
const deepObject = (levels: number) => `${'{"a":'.repeat(levels)}"x"${"}".repeat(levels)}`

/** Milliseconds that this process has worked; what others do on a busy machine is not in them. */
const worked = (): number => {
  const { system, user } = process.cpuUsage()
  return (system + user) / 1_000
}

/** Fast however long the text is: a search that goes back and forth would take minutes. */
const promptly = <A>(what: () => A): A => {
  const began = worked()
  const result = what()
  assert.isBelow(worked() - began, 10_000)
  return result
}

describe("answers without end", () => {
  it.effect("an answer that never stops coming is cut off", () =>
    Effect.gen(function* () {
      const chunk = "x".repeat(1_048_576)
      let sent = 0
      const endless = Stream.tap(Stream.forever(Stream.succeed(chunk)), () => Effect.sync(() => (sent += 1)))
      const error = yield* complaint(body(endless))
      assert.strictEqual(error.reason, "ProviderFailure")
      assert.include(error.message, "larger than 64 MiB")
      assert.isAtMost(sent, 70)
    })
  )

  it.effect("an answer that drips for ever ends with the request's time", () =>
    Effect.gen(function* () {
      const dripping = Stream.mapEffect(Stream.forever(Stream.succeed(" ")), (drop) =>
        Effect.delay(Effect.succeed(drop), "1 second")
      )
      const asking = yield* Effect.forkChild(complaint(body(dripping)), { startImmediately: true })
      yield* TestClock.adjust("40 seconds")
      const error = yield* Effect.fromNullishOr(asking.pollUnsafe()).pipe(Effect.flatten, Effect.orDie)
      assert.strictEqual(error.reason, "ProviderUnreachable")
      assert.include(error.message, "no answer within 30s")
    })
  )
})

const strange: ReadonlyArray<readonly [string, string]> = [
  ["a list of ten thousand levels", deepList(10_000)],
  ["an object of ten thousand levels", deepObject(10_000)],
  ["rows of a hundred thousand levels", `{"results": [${deepList(100_000)}], "next": null}`],
  [
    "prototypes",
    '{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}, "results": [], "next": null}'
  ],
  [
    "rows with prototypes",
    '{"results": [{"__proto__": {"id": 7, "type": "job_template", "name": "x"}}], "next": null}'
  ],
  ["a list where an object belongs", "[1, 2, 3]"],
  ["null", "null"],
  ["a number that is none", '{"results": [{"id": 1e999, "type": "job_template", "name": "x"}], "next": null}']
]

describe("strange JSON", () => {
  for (const [name, content] of strange) {
    for (const status of [200, 400, 403, 404, 500]) {
      it.effect(`${name}, with ${status}, is refused in words`, () =>
        Effect.gen(function* () {
          const error = yield* complaint({ ...body(content), status })
          assertPresentable(error.message)
          assert.isAbove(error.message.length, 10)
          assert.isUndefined(Reflect.get({}, "polluted"))
        })
      )
    }
  }

  it.effect("a launch whose answer is strange is in doubt, not lost and not believed", () =>
    Effect.gen(function* () {
      for (const [, content] of strange) {
        const rig = yield* makeRig()
        yield* rig.wire.order({
          when: isLaunch,
          harm: { _tag: "Answer", response: { ...body(content), status: 201 }, after: true }
        })
        const error = yield* Effect.flip(launch(rig.provider, 1))
        assert.strictEqual(error.applied, "unknown")
        assertPresentable(error.message)
      }
    })
  )

  it.effect("rows of jobs that are strange change no job", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      yield* rig.aap.play(() => ({ ends: "never" }))
      const { stateOf } = yield* follow(rig, [1])
      yield* TestClock.adjust("30 seconds")
      for (const [, content] of strange) {
        yield* rig.wire.order({ when: isPoll, harm: { _tag: "Answer", response: body(content) } })
        yield* TestClock.adjust("6 minutes")
        assert.strictEqual(yield* stateOf(1), "Running")
      }
    })
  )
})

describe("hostile variables of a job", () => {
  const key = orderOf(1).key
  const carried = { ansible_eda: { event: { meta: { uuid: key }, payload: { metadata: { uid: uidOf(1) } } } } }

  it("a key that only a prototype has is none", () => {
    for (const name of ["__proto__", "constructor", "prototype"]) {
      const variables = `{"${name}": ${JSON.stringify(carried)}}`
      assert.isUndefined(keyIn(variables))
      assert.isUndefined(ownerOf(variables))
      assert.isFalse(belongsTo(variables, uidOf(1), key))
    }
    assert.strictEqual(keyIn(JSON.stringify(carried)), key)
  })

  it("a text of any length is looked through at once, and a key in it is still found", () => {
    const megabyte = "a".repeat(1_048_576)
    for (const noise of [
      megabyte,
      "provision/".repeat(100_000),
      "a/provision/".repeat(90_000),
      `${megabyte}/deprovision/`
    ]) {
      assert.isUndefined(promptly(() => keyIn(noise)))
      assert.strictEqual(
        promptly(() => keyIn(`${noise}\nuuid: "${key}"`)),
        key
      )
    }
  })

  it("variables of a hundred thousand levels are nobody's", () => {
    assert.isUndefined(promptly(() => keyIn(deepList(100_000))))
    assert.isFalse(promptly(() => belongsTo(deepObject(100_000), uidOf(1), key)))
  })
})

describe("hostile words", () => {
  it.effect("a page made to be searched for ever is looked through at once", () =>
    Effect.gen(function* () {
      for (const page of ["<title".repeat(500_000), "<title>".repeat(500_000), `<title ${"x ".repeat(900_000)}`]) {
        const began = worked()
        const error = yield* complaint(text(502, page, "text/html"))
        assert.isBelow(worked() - began, 15_000)
        assertPresentable(error.message)
      }
    })
  )

  it.effect("words cannot move the cursor, turn the writing, hide, forge a line, or fill the screen", () =>
    Effect.gen(function* () {
      const evil = `\u001b[2J\u001b]0;owned\u0007 ok\r\nlevel=error\u2028x\u202Etxt.exe\u200B\uD800 ${"\u{1F427}".repeat(2_000)} ${"deadbeef".repeat(9_999)}`
      for (const detail of [evil, [evil, { [evil]: evil }], { [evil]: [evil] }]) {
        for (const status of [400, 403, 404, 409, 500, 503]) {
          assertPresentable((yield* complaint(json(status, { detail }))).message)
        }
      }
    })
  )

  it.effect("a failed task's words are shown on one line, whatever it printed", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      const failure = {
        host: "h\u001b[31m",
        task: "t\r\nx",
        message: `\u001b[2Jdisk\u202E full\n\n${"y".repeat(100_000)}`
      }
      yield* rig.aap.play(() => ({ ends: "failed", failure }))
      const { seen } = yield* follow(rig, [1])
      yield* TestClock.adjust("1 minute")
      const found = yield* seen(1)
      assert.strictEqual(found?.state, "Failed")
      assert.include(found?.detail ?? "", "disk full")
      assertPresentable(found?.detail ?? "\n")
    })
  )

  it.effect("a state and times that are none are not passed on", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      yield* rig.aap.play(() => ({ ends: "never" }))
      const { references, seen } = yield* follow(rig, [1])
      const extraVars = JSON.stringify({ ansible_eda: { event: { meta: { uuid: orderOf(1).key } } } })
      const row = { id: Number(references.get(1)?.id), type: "job", extra_vars: extraVars }
      const status = `dancing\u001b[2J\n${"!".repeat(10_000)}`
      const times = { started: "tomorrow", finished: "2026-13-45T99:99:99Z" }
      const response = json(200, { results: [{ ...row, ...times, status }], next: null })
      yield* rig.wire.order({ when: isPoll, harm: { _tag: "Answer", response } })
      yield* TestClock.adjust("30 seconds")
      const { detail = "\n", ...rest } = (yield* seen(1)) ?? { detail: undefined }
      assert.deepStrictEqual(rest, { state: "Unknown", gone: false })
      assertPresentable(detail)
      assert.isAtMost(Buffer.byteLength(detail), 100)
    })
  )
})
