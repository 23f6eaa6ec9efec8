/** What goes over the wire, and what may never. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Logger, Redacted, Ref, References, Stream } from "effect"
import { TestClock } from "effect/testing"
import { ConnectionLost, json, text, type WireHandler, type WireRequest } from "../../support/Wire.ts"
import { AAP, clientOver } from "./Rig.ts"

const empty = json(200, { count: 0, next: null, previous: null, results: [] })

/** A wire that records what it is asked and answers always the same. */
const recording = (answer: ReturnType<typeof json> = empty) => {
  const requests: Array<WireRequest> = []
  const handler: WireHandler = (request) =>
    Effect.sync(() => {
      requests.push(request)
      return answer
    })
  return { requests, handler }
}

describe("a request to AAP", () => {
  it.effect("looks a name up exactly as it is written, among both kinds", () =>
    Effect.gen(function* () {
      const { requests, handler } = recording()
      const client = yield* clientOver(handler)
      yield* client.findTemplates("a b/ü&name=x#?+%")
      const [request] = requests
      assert.strictEqual(request?.url.origin, AAP)
      assert.strictEqual(request?.url.pathname, "/api/v2/unified_job_templates/")
      assert.deepStrictEqual(Object.fromEntries(request?.url.searchParams ?? []), {
        name: "a b/ü&name=x#?+%",
        type: "job_template,workflow_job_template",
        page_size: "200"
      })
    })
  )

  it.effect("repeats the prefix of the gateway and ends its path with a slash", () =>
    Effect.gen(function* () {
      const { requests, handler } = recording(json(202, {}))
      const client = yield* clientOver(handler, { url: `${AAP}/api/controller` })
      yield* client.cancel("workflow_job", "41")
      assert.strictEqual(requests[0]?.url.pathname, "/api/controller/v2/workflow_jobs/41/cancel/")
      assert.strictEqual(requests[0]?.method, "POST")
    })
  )

  it.effect("carries the token as it is now, so that a rotated one needs no restart", () =>
    Effect.gen(function* () {
      const token = yield* Ref.make("first-token")
      const { requests, handler } = recording()
      const client = yield* clientOver(handler, { token: Effect.map(Ref.get(token), (value) => Redacted.make(value)) })
      yield* client.findTemplates("x")
      yield* Ref.set(token, "second-token")
      yield* client.findTemplates("x")
      assert.deepStrictEqual(
        requests.map((request) => request.headers.authorization),
        ["Bearer first-token", "Bearer second-token"]
      )
      assert.strictEqual(requests[0]?.headers["user-agent"], "cloudkit-operator")
      assert.strictEqual(requests[0]?.headers.accept, "application/json")
    })
  )
})

describe("the way of a request", () => {
  it.effect("is not sent anywhere else when AAP redirects, so that the token stays here and a POST stays a POST", () =>
    Effect.gen(function* () {
      const { requests, handler } = recording({
        status: 301,
        headers: { location: "https://elsewhere.test/api/v2/jobs/7/cancel/" },
        body: ""
      })
      const client = yield* clientOver(handler)
      const error = yield* Effect.flip(client.cancel("job", "7"))
      assert.strictEqual(error._tag, "Redirected")
      assert.strictEqual(requests.length, 1)
    })
  )

  it.effect("never follows a link to another host", () =>
    Effect.gen(function* () {
      const { requests, handler } = recording(
        json(200, {
          results: [{ id: 3, type: "job", status: "running" }],
          next: "https://elsewhere.test/api/v2/unified_jobs/?page=2"
        })
      )
      const client = yield* clientOver(handler)
      const first = yield* client.jobsById(["3"])
      assert.isTrue(first.more)
      yield* client.jobsById(["3"], 3)
      assert.deepStrictEqual(
        requests.map(({ url }) => [url.origin, url.searchParams.get("id__gt")]),
        [
          [AAP, null],
          [AAP, "3"]
        ]
      )
    })
  )
})

describe("an answer of AAP", () => {
  it.effect("that does not come within the request timeout is a Timeout, body included", () =>
    Effect.gen(function* () {
      const silent: WireHandler = (request) =>
        request.url.pathname.includes("jobs/1/")
          ? Effect.never
          : Effect.succeed({ status: 200, headers: {}, body: Stream.concat(Stream.make('{"res'), Stream.never) })
      const client = yield* clientOver(silent, { requestTimeout: Duration.seconds(12) })
      for (const read of [client.jobDetail("job", "1"), client.jobDetail("job", "2")]) {
        const fiber = yield* Effect.forkChild(Effect.flip(read), { startImmediately: true })
        yield* TestClock.adjust("11 seconds")
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* Fiber.join(fiber))._tag, "Timeout")
      }
    })
  )

  it.effect("that ends before its body does is a ConnectionReset", () =>
    Effect.gen(function* () {
      const body = Stream.concat(Stream.make('{"res'), Stream.fail(new ConnectionLost({ code: "ECONNRESET" })))
      const client = yield* clientOver(() => Effect.succeed({ status: 200, headers: {}, body }))
      assert.strictEqual((yield* Effect.flip(client.jobDetail("job", "1")))._tag, "ConnectionReset")
    })
  )

  it.effect("that does not end is cut off", () =>
    Effect.gen(function* () {
      const chunk = "x".repeat(1_048_576)
      const client = yield* clientOver(() =>
        Effect.succeed({ status: 200, headers: {}, body: Stream.forever(Stream.make(chunk)) })
      )
      assert.strictEqual((yield* Effect.flip(client.jobDetail("job", "1")))._tag, "TooLarge")
    })
  )
})

describe("the body of an answer", () => {
  it.effect("is read as far as it makes sense: strange fields are absent, strange rows are named", () =>
    Effect.gen(function* () {
      const rows = [
        { id: 1, type: "job", status: "exotic", extra_vars: 7, started: false, name: null },
        { id: 2, type: "job" },
        "nonsense"
      ]
      const client = yield* clientOver(recording(json(200, { results: rows, next: null })).handler)
      const page = yield* client.jobsById(["1", "2"])
      assert.deepStrictEqual(page.rows, [{ id: 1, type: "job", status: "exotic", name: null }])
      assert.deepStrictEqual(page.unreadable, [2, Number.NaN])
    })
  )

  it.effect("that is HTML is not the API, and one of another shape is malformed", () =>
    Effect.gen(function* () {
      const page = yield* clientOver(recording(text(200, "<!doctype html><title>Log in</title>", "text/html")).handler)
      assert.strictEqual((yield* Effect.flip(page.jobsById(["1"])))._tag, "NotTheApi")
      const other = yield* clientOver(recording(json(200, { items: [] })).handler)
      assert.strictEqual((yield* Effect.flip(other.jobsById(["1"])))._tag, "MalformedJson")
    })
  )
})

describe("the token", () => {
  it.effect("appears in no error and no log, even when the other side repeats it", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.make<unknown, void>(({ message }) => {
        lines.push(JSON.stringify(message))
      })
      const token = "tok-0123456789"
      const client = yield* clientOver(recording(json(418, { detail: `you sent ${token}` })).handler, {
        token: Effect.succeed(Redacted.make(token))
      })
      const error = yield* Effect.flip(
        client
          .jobDetail("job", "1")
          .pipe(Effect.provide(Logger.layer([logger])), Effect.provideService(References.MinimumLogLevel, "All"))
      )
      assert.isNotEmpty(lines)
      assert.match(lines.join("\n"), /AAP/u)
      assert.notInclude(`${JSON.stringify(error)} ${String(error)} ${lines.join("\n")}`, token)
    })
  )
})

describe("an address that cannot be AAP's", () => {
  it.effect("stops the start with words", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(Effect.scoped(clientOver(recording().handler, { url: "ftp://x" })))
      assert.match(JSON.stringify(exit), /CLOUDKIT_AAP_URL: ftp is not spoken by AAP/u)
    })
  )
})
