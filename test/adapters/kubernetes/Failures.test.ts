import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Option, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { KubernetesReason } from "../../../src/ports/KubernetesClient.ts"
import { ConnectionLost, json, text, type WireHandler, type WireResponse } from "../../support/Wire.ts"
import { SERVER, type Setting, script, scriptedClient, status, TOKEN } from "./scripted.ts"

const name = { namespace: "default", name: "vm-1" }

const reasonOf = (answer: WireHandler | WireResponse, setting: Setting = {}) =>
  Effect.gen(function* () {
    const client = yield* scriptedClient(script(answer), setting)
    const error = yield* Effect.flip(client.get(name))
    assert.strictEqual(error.operation, "get default/vm-1")
    assert.include(error.message, error.reason.message)
    return error.reason
  })

const retryAfterOf = (reason: KubernetesReason) =>
  "retryAfter" in reason ? reason.retryAfter : Option.some("no retryAfter at all")

const cases: ReadonlyArray<readonly [code: number, reason: string, tag: KubernetesReason["_tag"]]> = [
  [400, "BadRequest", "Invalid"],
  [401, "Unauthorized", "Unauthorized"],
  [403, "Forbidden", "Forbidden"],
  [404, "NotFound", "NotFound"],
  [405, "MethodNotAllowed", "Invalid"],
  [408, "Timeout", "ServerFailure"],
  [409, "Conflict", "Conflict"],
  [410, "Expired", "Expired"],
  [413, "RequestEntityTooLarge", "Invalid"],
  [415, "UnsupportedMediaType", "Invalid"],
  [422, "Invalid", "Invalid"],
  [429, "TooManyRequests", "TooManyRequests"],
  [500, "InternalError", "ServerFailure"],
  [503, "ServiceUnavailable", "ServerFailure"],
  [504, "Timeout", "ServerFailure"]
]
for (const [code, reason, tag] of cases) {
  it.effect(`${code} ${reason} is ${tag}, in the server's own words`, () =>
    Effect.gen(function* () {
      const found = yield* reasonOf(json(code, status(code, reason, "the server's own words")))
      assert.strictEqual(found._tag, tag)
      assert.include(found.message, "the server's own words")
      if ("status" in found) assert.strictEqual(found.status, code)
    })
  )
}

for (const code of [404, 409, 410]) {
  it.effect(`${code} as a proxy's page is no word of the API server, so nothing follows from it`, () =>
    Effect.gen(function* () {
      const page = text(code, "<!DOCTYPE html><html><title>Bad\ngateway</title></html>", "text/html")
      const found = yield* reasonOf(page)
      assert.strictEqual(found._tag, "ServerFailure")
      assert.include(found.message, 'an HTML page titled "Bad gateway"')
    })
  )
}

it.effect("the plain 404 of a group that is not served asks for the CustomResourceDefinition", () =>
  Effect.gen(function* () {
    const found = yield* reasonOf(text(404, "404 page not found\n"))
    assert.strictEqual(found._tag, "ServerFailure")
    assert.include(found.message, "CustomResourceDefinition")
  })
)

it.effect("a redirect is a failure that names where it led, without its query", () =>
  Effect.gen(function* () {
    const location = "https://login.example.com/start?state=confidential"
    const found = yield* reasonOf({ status: 302, headers: { location }, body: "" })
    assert.strictEqual(found._tag, "ServerFailure")
    assert.include(found.message, "https://login.example.com")
    assert.notInclude(found.message, "confidential")
  })
)

it.effect("HTML with status 200 is a failure that says what was found and where", () =>
  Effect.gen(function* () {
    const found = yield* reasonOf(text(200, "<html><head><title>Sign in</title></head></html>", "text/html"))
    assert.strictEqual(found._tag, "ServerFailure")
    assert.include(found.message, 'an HTML page titled "Sign in"')
    assert.include(found.message, SERVER)
  })
)

it.effect("JSON that does not parse is a failure that does not quote the body", () =>
  Effect.gen(function* () {
    const found = yield* reasonOf({ ...json(200, {}), body: '{"a":hunter2}' })
    assert.strictEqual(found._tag, "ServerFailure")
    assert.notInclude(found.message, "hunter2")
  })
)

it.effect("a JSON answer that is no object of Kubernetes is a failure", () =>
  Effect.gen(function* () {
    assert.strictEqual((yield* reasonOf(json(200, { hello: "world" })))._tag, "ServerFailure")
  })
)

it.effect("an object larger than 4 MiB is a failure that names the limit, and the rest of it is not read", () =>
  Effect.gen(function* () {
    let sent = 0
    const piece = Stream.sync(() => {
      sent += 1
      return "x".repeat(1024 * 1024)
    })
    const body = Stream.take(Stream.forever(piece), 64)
    const found = yield* reasonOf({ status: 200, headers: { "content-type": "application/json" }, body })
    assert.strictEqual(found._tag, "ServerFailure")
    assert.include(found.message, "4194304 bytes")
    assert.isAtMost(sent, 6)
  })
)

const busy = (headers: Readonly<Record<string, string>>, more: Readonly<Record<string, unknown>> = {}) =>
  json(429, status(429, "TooManyRequests", "slow down", more), headers)

it.effect("Retry-After is understood in seconds", () =>
  Effect.gen(function* () {
    assert.deepStrictEqual(retryAfterOf(yield* reasonOf(busy({ "retry-after": "7" }))), Option.some(7000))
  })
)

it.effect("Retry-After is understood as an HTTP date, by the clock of the operator", () =>
  Effect.gen(function* () {
    yield* TestClock.setTime(Date.parse("2026-11-21T10:00:00Z"))
    const reason = yield* reasonOf(busy({ "retry-after": "Sat, 21 Nov 2026 10:01:30 GMT" }))
    assert.deepStrictEqual(retryAfterOf(reason), Option.some(90_000))
  })
)

it.effect("Retry-After in the past means now", () =>
  Effect.gen(function* () {
    yield* TestClock.setTime(Date.parse("2026-11-21T10:00:00Z"))
    const reason = yield* reasonOf(busy({ "retry-after": "Sat, 21 Nov 2026 09:00:00 GMT" }))
    assert.deepStrictEqual(retryAfterOf(reason), Option.some(0))
  })
)

it.effect("Retry-After that cannot be understood is as if absent", () =>
  Effect.gen(function* () {
    for (const value of ["soon", "-1", "1e3", ""]) {
      assert.deepStrictEqual(retryAfterOf(yield* reasonOf(busy({ "retry-after": value }))), Option.none())
    }
  })
)

it.effect("Retry-After is taken from the Status where the header is missing", () =>
  Effect.gen(function* () {
    const reason = yield* reasonOf(busy({}, { details: { retryAfterSeconds: 3 } }))
    assert.deepStrictEqual(retryAfterOf(reason), Option.some(3000))
  })
)

it.effect("Retry-After comes with a 503 as well, and on the error itself", () =>
  Effect.gen(function* () {
    const answer = json(503, status(503, "ServiceUnavailable", "starting"), { "retry-after": "2" })
    const client = yield* scriptedClient(script(answer))
    const error = yield* Effect.flip(client.get(name))
    assert.strictEqual(error.reason._tag, "ServerFailure")
    assert.deepStrictEqual(error.retryAfter, Option.some(2000))
  })
)

describe("no answer at all", () => {
  const codes = ["ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "CERT_HAS_EXPIRED", "DEPTH_ZERO_SELF_SIGNED_CERT"]
  for (const code of codes) {
    it.effect(`${code} is Unreachable with this very code, and names the server`, () =>
      Effect.gen(function* () {
        const found = yield* reasonOf(() => Effect.fail(new ConnectionLost({ code })))
        assert.strictEqual(found._tag, "Unreachable")
        assert.strictEqual("code" in found ? found.code : "", code)
        assert.include(found.message, code)
        assert.include(found.message, SERVER)
      })
    )
  }

  it.effect("a server that stays silent is Unreachable with code TIMEOUT when the time is up, not before", () =>
    Effect.gen(function* () {
      const asked = yield* Effect.forkChild(
        reasonOf(() => Effect.never, { requestTimeout: "30 seconds" }),
        { startImmediately: true }
      )
      yield* TestClock.adjust("29 seconds")
      assert.isUndefined(asked.pollUnsafe())
      yield* TestClock.adjust("1 second")
      const found = yield* Fiber.join(asked)
      assert.strictEqual("code" in found ? found.code : "", "TIMEOUT")
      assert.include(found.message, "30000 ms")
    })
  )
})

describe("messages", () => {
  it.effect("never show the credential, even when the server repeats it", () =>
    Effect.gen(function* () {
      for (const said of [`bad token ${TOKEN}`, `bad header "Bearer ${TOKEN}"`]) {
        for (const code of [400, 401, 403, 500]) {
          const found = yield* reasonOf(json(code, status(code, "Whatever", said)))
          assert.notInclude(found.message, TOKEN)
          assert.include(found.message, "<redacted>")
        }
      }
      assert.notInclude((yield* reasonOf(text(502, `upstream got ${TOKEN}`))).message, TOKEN)
    })
  )

  it.effect("are one line of at most 1,024 bytes without control characters", () =>
    Effect.gen(function* () {
      const long = `line\u0000one\r\nline\u001b[31mtwo ${"é".repeat(4000)}`
      const { message } = yield* reasonOf(json(500, status(500, "InternalError", long)))
      assert.include(message, "line one line [31mtwo é")
      assert.isAtMost(Buffer.byteLength(message), 1024)
      assert.notMatch(message, /[\p{Cc}\uFFFD]/u)
    })
  )
})
