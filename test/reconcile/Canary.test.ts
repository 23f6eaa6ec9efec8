/**
 * Every secret has a value that is found nowhere else, and whoever is shown it repeats it wherever it can: it must not come
 * up in anything that people read.
 */
import { inspect } from "node:util"
import { assert, it } from "@effect/vitest"
import { Cause, Effect, Exit, Layer, Logger, Redacted, References, Tracer } from "effect"
import { TestClock } from "effect/testing"
import { at, jobsOf, stored } from "../support/expectations.ts"
import { aapRequests } from "../support/schedulesHarms.ts"
import { json, text, type WireHandler, type WireRequest, type WireResponse } from "../support/Wire.ts"
import { makeWorld, settled, type World } from "../support/World.ts"
import { isolated, scrape } from "../telemetry/scraped.ts"
import { spec } from "./courses.ts"

const quick = { pendingFor: "2 seconds", runningFor: "10 seconds", ends: "successful" } as const

/** With what JSON and URLs may write differently. */
const canaries = { aap: "canary/aap+4711==", eda: "canary-eda-0815", kubernetes: "canary.kubernetes.1234" }
/** However it is written. */
const isLeak = (line: string): boolean => /canary/iu.test(line)

/** Everything that people may read of an operator, as text. */
const ears = () => {
  const heard: Array<string> = []
  const spans: Array<Tracer.NativeSpan> = []
  const logger = Logger.make<unknown, void>(({ cause, fiber, message }) => {
    const parts = Array.isArray(message) ? message : [message]
    const words = parts.map((part) => (Cause.isCause(part) ? Cause.pretty(part) : JSON.stringify(part)))
    const fields = JSON.stringify(fiber.getRef(References.CurrentLogAnnotations))
    heard.push([...words, fields, cause.reasons.length > 0 ? Cause.pretty(cause) : ""].join(" "))
  })
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  const layer = Layer.mergeAll(
    Logger.layer([logger]),
    Layer.succeed(References.MinimumLogLevel, "Trace"),
    Layer.succeed(Tracer.Tracer, tracer)
  )
  // what exporters send of a span
  const traced = () =>
    spans.map(({ attributes, events, name, status }) => {
      const failure = status._tag === "Ended" && Exit.isFailure(status.exit) ? Cause.pretty(status.exit.cause) : ""
      return inspect([name, attributes, events, failure], { depth: 8 })
    })
  return { layer, heard: () => [...heard, ...traced()] }
}

type Echo = (said: string, request: WireRequest) => WireResponse | undefined

/** Answers with what it was shown, as long as it is told to. */
const echoing = (echo: () => Echo | undefined) => (inner: WireHandler) => (request: WireRequest) => {
  const answer = echo()?.(request.headers.authorization ?? "", request)
  return answer === undefined ? inner(request) : Effect.succeed(answer)
}

const status = (code: number, said: string): WireResponse =>
  json(code, { kind: "Status", apiVersion: "v1", status: "Failure", message: `no: ${said}`, reason: said, code })

const html = (code: number, said: string): WireResponse =>
  text(code, `<html><title>${said}</title><pre>Authorization: ${said}</pre></html>`, "text/html")

const word = (said: string): string => said.replace(/^Bearer /u, "")

const ways: ReadonlyArray<readonly [string, (said: string) => WireResponse]> = [
  ["401 in JSON", (said) => json(401, { detail: `Invalid token: ${said}` })],
  ["403 under an odd key", (said) => json(403, { [word(said)]: [`${said} may not`] })],
  ["404 in JSON", (said) => json(404, { detail: word(said) })],
  ["400 with a list", (said) => json(400, { extra_vars: [word(said), { token: word(said) }] })],
  ["429", (said) => json(429, { detail: said }, { "retry-after": "5" })],
  ["500 in JSON", (said) => json(500, { detail: said, request: { headers: { Authorization: said } } })],
  ["502 in HTML", (said) => html(502, said)],
  ["a login page", (said) => html(200, said)],
  [
    "a redirect",
    (said) => ({ status: 302, headers: { location: `https://sso.test/${word(said)}?t=${word(said)}` }, body: "" })
  ],
  [
    "a redirect, encoded",
    (said) => ({ status: 307, headers: { location: `/login/${encodeURIComponent(word(said))}/` }, body: "" })
  ],
  ["a request id", (said) => json(500, { detail: "No." }, { "x-api-request-id": word(said) })],
  ["text", (said) => text(418, `${said} ${said}`)],
  ["broken JSON", (said) => text(200, `{"results": [{"token": "${word(said)}"`, "application/json")],
  [
    "rows of another kind",
    (said) => json(200, { count: 1, next: word(said), results: [{ id: word(said), name: said }] })
  ]
]

const leaks = Effect.fnUntraced(function* (world: World, heard: ReadonlyArray<string>) {
  const everything = [
    ...heard,
    JSON.stringify(yield* world.kubernetes.objects),
    JSON.stringify(yield* world.kubernetes.stored("events")),
    (yield* scrape).text
  ]
  assert.isAbove(heard.length, 5, "something was said at all")
  return everything.filter(isLeak)
})

const begun = Effect.fnUntraced(function* (echoes: { aap?: Echo | undefined; kubernetes?: Echo | undefined }) {
  const world = yield* makeWorld({
    providers: ["aap", "eda"],
    around: {
      aap: echoing(() => echoes.aap),
      kubernetes: echoing(() => echoes.kubernetes)
    },
    tokens: {
      aap: Effect.succeed(Redacted.make(canaries.aap)),
      eda: Effect.succeed(Redacted.make(canaries.eda)),
      kubernetes: canaries.kubernetes
    }
  })
  yield* world.aap.issueToken("operator", canaries.aap)
  yield* world.aap.play(() => quick)
  return world
})

for (const [name, way] of ways) {
  it.effect(`AAP's token does not come up when AAP repeats it: ${name}`, () => {
    const { heard, layer } = ears()
    return Effect.gen(function* () {
      const echoes: { aap?: Echo | undefined } = {}
      const world = yield* begun(echoes)
      yield* world.start
      // a look-up and a launch, a poll, a search, and a cancel
      echoes.aap = way
      yield* world.user.create("vm-1", spec)
      yield* TestClock.adjust("1 minute")
      echoes.aap = (said, request) => (aapRequests.launch(request) ? way(said) : undefined)
      yield* TestClock.adjust("6 minutes")
      echoes.aap = undefined
      yield* world.aap.play(() => ({ ...quick, runningFor: "1 hour" }))
      yield* TestClock.adjust("10 minutes")
      echoes.aap = way
      yield* TestClock.adjust("3 minutes")
      yield* world.user.remove("vm-1")
      yield* TestClock.adjust("3 minutes")
      assert.deepStrictEqual(yield* leaks(world, heard()), [])
    }).pipe(Effect.provide(layer), isolated)
  })
}

for (const [name, way] of [
  ...ways.filter(([name]) => ["502 in HTML", "a redirect", "text", "broken JSON", "401 in JSON"].includes(name)),
  ["401 as a Status", (said: string) => status(401, said)],
  ["409 as a Status", (said: string) => status(409, said)],
  ["422 as a Status", (said: string) => status(422, said)],
  ["500 as a Status", (said: string) => status(500, said)]
] as const) {
  it.effect(`the cluster's token does not come up when the API server repeats it: ${name}`, () => {
    const { heard, layer } = ears()
    return Effect.gen(function* () {
      const echoes: { kubernetes?: Echo | undefined } = {}
      const world = yield* begun(echoes)
      const echo: Echo = (said) => (said.includes(canaries.kubernetes) ? way(said) : undefined)
      echoes.kubernetes = echo
      yield* world.start
      yield* world.user.create("vm-1", spec)
      yield* TestClock.adjust("20 seconds")
      echoes.kubernetes = (said, request) => (request.method === "GET" ? undefined : echo(said, request))
      yield* TestClock.adjust("2 minutes")
      echoes.kubernetes = undefined
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(yield* leaks(world, heard()), [])
    }).pipe(Effect.provide(layer), isolated)
  })
}

it.effect("the webhook's token does not come up when the receiver repeats it", () => {
  const { heard, layer } = ears()
  return Effect.gen(function* () {
    const world = yield* begun({})
    yield* world.startAs("eda")
    for (const [index, [, way]] of ways.entries()) {
      const when = (request: WireRequest) => request.body.includes(`"vm-${index}"`)
      yield* world.edaWire.order({ when, harm: { _tag: "Answer", response: way(`Bearer ${canaries.eda}`) } })
      yield* world.user.create(`vm-${index}`, spec)
    }
    yield* TestClock.adjust("20 seconds")
    assert.isAtLeast(yield* world.edaWire.count(() => true), ways.length)
    assert.deepStrictEqual(yield* leaks(world, heard()), [])
  }).pipe(Effect.provide(layer), isolated)
})

it.effect("a job that prints the token fails without it", () => {
  const { heard, layer } = ears()
  return Effect.gen(function* () {
    const world = yield* begun({})
    const said = `fatal: ${canaries.aap} and Bearer ${canaries.aap}`
    yield* world.aap.play(() => ({
      ...quick,
      ends: "failed",
      failure: { host: "host-1", task: "print", message: said }
    }))
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("2 minutes")
    const object = yield* stored(world, "vm-1")
    assert.include(String(at(object, "status", "provisionJob", "message")), "fatal: <redacted> and")
    assert.deepStrictEqual(yield* leaks(world, heard()), [])
  }).pipe(Effect.provide(layer), isolated)
})

// ── rotation ─────────────────────────────────────────────────────────────────────────────────────────────────────────

it.effect("a token that is replaced is used with the next request: no lifecycle fails, and nothing starts anew", () =>
  Effect.gen(function* () {
    let token = "first-token-of-many"
    const world = yield* makeWorld({ tokens: { aap: Effect.sync(() => Redacted.make(token)) } })
    yield* world.aap.issueToken("operator", token)
    yield* world.aap.play(() => ({ ...quick, runningFor: "3 minutes" }))
    yield* world.start
    for (const n of [1, 2, 3]) yield* world.user.create(`vm-${n}`, spec)
    yield* TestClock.adjust("1 minute")
    const next = "second-token-of-many"
    yield* world.aap.issueToken("operator", next)
    yield* world.aap.revokeToken(token)
    // AAP has the new one first, the Secret a little later
    yield* TestClock.adjust("40 seconds")
    token = next
    yield* world.user.create("vm-4", spec)
    yield* TestClock.adjust("10 minutes")
    for (const n of [1, 2, 3, 4]) {
      assert.strictEqual(at(yield* stored(world, `vm-${n}`), "status", "phase"), "Ready")
      assert.strictEqual((yield* jobsOf(world, `vm-${n}`)).length, 1)
    }
  })
)

it.effect("an hour of 401 with a hundred resources costs a probe a backoff step, and a new token ends it", () =>
  Effect.gen(function* () {
    let token = "operator-token"
    const world = yield* makeWorld({ tokens: { aap: Effect.sync(() => Redacted.make(token)) } })
    yield* world.aap.play(() => ({ ...quick, runningFor: "2 hours" }))
    yield* world.start
    for (let n = 0; n < 50; n++) yield* world.user.create(`live-${n}`, spec)
    yield* TestClock.adjust("1 minute")
    yield* world.aap.revokeToken(token)
    yield* world.aapWire.forget
    for (let n = 0; n < 50; n++) yield* world.user.create(`new-${n}`, spec)
    yield* TestClock.adjust("1 hour")
    // one for the launches and one for the polls, each 5 s or 30 s doubling to 5 min
    assert.isAtMost((yield* world.aapWire.exchanges).length, 24 + 20)
    token = "another-token"
    yield* settled(world.aap.issueToken("operator", token))
    yield* TestClock.adjust("12 minutes")
    assert.strictEqual((yield* world.aap.ledger).length, 100)
  })
)
