/** What the object says while it cannot be launched, whatever the cause, and that it recovers by itself. */
import { assert, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { assertNoOverlap, at, condition, isLaunch, jobsOf, stored, verdict } from "../support/expectations.ts"
import type { Harm } from "../support/Faults.ts"
import { json, text, type WireRequest } from "../support/Wire.ts"
import { makeWorld, PROVISION_TEMPLATE, type World } from "../support/World.ts"

const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }
const quick = { pendingFor: Duration.seconds(2), runningFor: Duration.seconds(10), ends: "successful" } as const

const answer = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Harm => ({
  _tag: "Answer",
  response: json(status, body, headers)
})
const lose = (code: string): Harm => ({ _tag: "Lose", code })
const page = (status: number): Harm => ({
  _tag: "Answer",
  response: text(status, "<!doctype html><html><head><title>Log in</title></head></html>", "text/html")
})

const everything = (): boolean => true
const launches = (request: WireRequest): boolean =>
  request.method === "POST" && request.url.pathname.endsWith("/launch/")

const assertSays = Effect.fnUntraced(function* (world: World, reason: string, words: ReadonlyArray<string>) {
  const object = yield* stored(world, "vm-1")
  const message = String(condition(object, "Ready")?.message)
  assert.strictEqual(verdict(object, "Ready"), `False ${reason}`, message)
  assert.strictEqual(verdict(object, "Reconciling"), `True ${reason}`)
  assert.strictEqual(verdict(object, "Stalled"), "absent")
  for (const word of words) assert.include(message, word)
  assert.strictEqual(at(object, "status", "phase"), "Progressing")
  assert.strictEqual(at(object, "status", "jobs"), undefined, "no job is recorded where nothing was launched")
})

const assertRecovers = Effect.fnUntraced(function* (world: World) {
  yield* world.aapWire.heal
  yield* TestClock.adjust("12 minutes")
  const object = yield* stored(world, "vm-1")
  assert.strictEqual(at(object, "status", "phase"), "Ready", JSON.stringify(at(object, "status")))
  assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 1)
  yield* assertNoOverlap(world)
})

const begun = Effect.fnUntraced(function* (when: (request: WireRequest) => boolean, harm: Harm) {
  const world = yield* makeWorld()
  yield* world.aap.play(() => quick)
  yield* world.aapWire.order({ when, harm, times: 10_000 })
  yield* world.start
  yield* world.user.create("vm-1", spec)
  return world
})

type Case = readonly [name: string, harm: Harm, reason: string, words: ReadonlyArray<string>]

const causes: ReadonlyArray<Case> = [
  ["401", answer(401, { detail: "Invalid token." }), "CredentialsRejected", ["401 Unauthorized"]],
  ["403", answer(403, { detail: "No." }), "PermissionDenied", ["403 Forbidden"]],
  ["404 in JSON", answer(404, { detail: "Not found." }), "ProviderRefused", ["404 Not Found"]],
  ["404 as a page", page(404), "ProviderMisaddressed", ["404 Not Found", "HTML", "CLOUDKIT_AAP_URL"]],
  ["405", answer(405, { detail: "No." }), "ProviderRefused", ["405 Method Not Allowed"]],
  ["409", answer(409, { detail: "No." }), "ProviderRefused", ["409 Conflict"]],
  ["410", answer(410, { detail: "No." }), "ProviderRefused", ["410 Gone"]],
  ["429", answer(429, { detail: "No." }, { "retry-after": "30" }), "ProviderOverloaded", ["429 Too Many Requests"]],
  ["500", answer(500, { detail: "A server error" }), "ProviderFailure", ["500 Internal Server Error"]],
  ["502", page(502), "ProviderFailure", ["502 Bad Gateway"]],
  ["503", page(503), "ProviderFailure", ["503 Service Unavailable"]],
  ["503 with Retry-After", answer(503, {}, { "retry-after": "9" }), "ProviderOverloaded", ["503 Service Unavailable"]],
  ["a timeout", { _tag: "Hang" }, "ProviderUnreachable", ["did not answer in time"]],
  ["a reset", lose("ECONNRESET"), "ProviderUnreachable", ["ECONNRESET"]],
  ["a refused connection", lose("ECONNREFUSED"), "ProviderUnreachable", ["ECONNREFUSED"]],
  ["an unknown host", lose("ENOTFOUND"), "ProviderUnreachable", ["ENOTFOUND"]],
  ["an expired certificate", lose("CERT_HAS_EXPIRED"), "ProviderUnreachable", ["TLS", "CERT_HAS_EXPIRED"]],
  [
    "a self-signed certificate",
    lose("DEPTH_ZERO_SELF_SIGNED_CERT"),
    "ProviderUnreachable",
    ["TLS", "DEPTH_ZERO_SELF_SIGNED_CERT"]
  ],
  [
    "a redirect",
    { _tag: "Answer", response: { status: 302, headers: { location: "https://sso.test/login?next=x" }, body: "" } },
    "ProviderMisaddressed",
    ["https://sso.test/login", "302 Found", "CLOUDKIT_AAP_URL"]
  ],
  ["a page instead of JSON", page(200), "ProviderMisaddressed", ["HTML", "Log in", "CLOUDKIT_AAP_URL"]],
  [
    "malformed JSON",
    { _tag: "Answer", response: { ...json(200, {}), body: '{"count": 1, "resul' } },
    "ProviderMisaddressed",
    ["not the JSON it promises"]
  ]
]

for (const [name, harm, reason, words] of causes) {
  it.effect(`${name} to every request is said in its own words, launches nothing, and is got over`, () =>
    Effect.gen(function* () {
      const world = yield* begun(everything, harm)
      yield* TestClock.adjust("35 seconds")
      yield* assertSays(world, reason, words)
      yield* TestClock.adjust("10 minutes")
      yield* assertSays(world, reason, words)
      assert.strictEqual(yield* world.aapWire.count(isLaunch), 0, "no launch is tried while a look-up fails")
      yield* assertRecovers(world)
    })
  )
}

const refusals: ReadonlyArray<Case> = [
  ["401", answer(401, { detail: "Invalid token." }), "CredentialsRejected", ["401 Unauthorized"]],
  ["403", answer(403, { detail: "No." }), "PermissionDenied", ["403 Forbidden", PROVISION_TEMPLATE, "execute"]],
  ["400", answer(400, { extra_vars: ["no good"] }), "LaunchRefused", ["400 Bad Request", "no good"]],
  [
    "404, the template being gone since it was looked up,",
    answer(404, { detail: "Not found." }),
    "TemplateNotFound",
    [`Template '${PROVISION_TEMPLATE}' not found`, "404 Not Found"]
  ],
  ["405", answer(405, { detail: "No." }), "LaunchRefused", ["405 Method Not Allowed"]],
  ["409", answer(409, { detail: "Busy." }), "LaunchRefused", ["409 Conflict", "Busy."]],
  ["410", answer(410, { detail: "No." }), "LaunchRefused", ["410 Gone"]],
  ["429", answer(429, { detail: "No." }, { "retry-after": "20" }), "ProviderOverloaded", ["429 Too Many Requests"]],
  ["503 with Retry-After", answer(503, {}, { "retry-after": "9" }), "ProviderOverloaded", ["503 Service Unavailable"]],
  ["a refused connection", lose("ECONNREFUSED"), "ProviderUnreachable", ["ECONNREFUSED"]],
  ["an unknown host", lose("ENOTFOUND"), "ProviderUnreachable", ["ENOTFOUND"]],
  ["an expired certificate", lose("CERT_HAS_EXPIRED"), "ProviderUnreachable", ["TLS", "CERT_HAS_EXPIRED"]]
]

for (const [name, harm, reason, words] of refusals) {
  it.effect(`${name} to the launch itself is a refusal: said, nothing recorded, tried again by itself`, () =>
    Effect.gen(function* () {
      const world = yield* begun(launches, harm)
      yield* TestClock.adjust("2 seconds")
      yield* assertSays(world, reason, words)
      const launch = at(yield* stored(world, "vm-1"), "status", "launch")
      assert.strictEqual(at(launch, "outcome"), "Refused", "the intent is closed")
      yield* TestClock.adjust("1 hour")
      yield* assertSays(world, reason, words)
      assert.isAtMost(yield* world.aapWire.count(isLaunch), 20, "one attempt per backoff step")
      yield* assertRecovers(world)
    })
  )
}

it.effect("Retry-After is waited for, and not longer than ten minutes", () =>
  Effect.gen(function* () {
    const world = yield* begun(launches, answer(429, { detail: "No." }, { "retry-after": "86400" }))
    yield* TestClock.adjust("9 minutes")
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 1)
    yield* TestClock.adjust("2 minutes")
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 2)
  })
)

it.effect("what AAP says is shown bounded, on one line, and without the token", () =>
  Effect.gen(function* () {
    const words = `boom\n${"x".repeat(100_000)} operator-token`
    const world = yield* begun(launches, answer(400, { detail: `operator-token ${words}` }))
    yield* TestClock.adjust("2 seconds")
    const message = String(condition(yield* stored(world, "vm-1"), "Ready")?.message)
    assert.isBelow(message.length, 4_000)
    assert.notInclude(message, "operator-token")
    assert.notInclude(message, "\n")
  })
)

it.effect("tells the user by an Event, and does not repeat it with every attempt", () =>
  Effect.gen(function* () {
    const world = yield* begun(launches, answer(409, { detail: "Busy." }))
    yield* TestClock.adjust("1 hour")
    const events = yield* world.kubernetes.stored("events")
    const about = events.filter((event) => JSON.stringify(event).includes("409 Conflict"))
    assert.isAtLeast(about.length, 1)
    assert.isAtMost(about.length, 2)
  })
)
