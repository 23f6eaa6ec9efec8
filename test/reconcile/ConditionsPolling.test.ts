/** What the object says while its running job cannot be looked at: an outage of AAP never ends a job. */
import { assert, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { assertNoOverlap, at, condition, isLaunch, jobsOf, stored, verdict } from "../support/expectations.ts"
import type { Harm } from "../support/Faults.ts"
import { makeHistory } from "../support/invariantsHistory.ts"
import { json, text, type WireRequest } from "../support/Wire.ts"
import { makeWorld } from "../support/World.ts"

const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }
const long = { pendingFor: Duration.seconds(1), runningFor: Duration.minutes(80), ends: "successful" } as const

const answer = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Harm => ({
  _tag: "Answer",
  response: json(status, body, headers)
})
const lose = (code: string): Harm => ({ _tag: "Lose", code })
const page = (status: number): Harm => ({
  _tag: "Answer",
  response: text(status, "<html><head><title>Log in</title></head></html>", "text/html")
})
const polls = (request: WireRequest): boolean => request.method === "GET"

/** A running job and a history of its object. */
const running = Effect.gen(function* () {
  const history = makeHistory()
  const world = yield* makeWorld({ around: { kubernetes: history.recording } })
  history.watches(world.kubernetes)
  yield* world.aap.play(() => long)
  yield* world.start
  yield* world.user.create("vm-1", spec)
  yield* TestClock.adjust("1 minute")
  assert.strictEqual(verdict(yield* stored(world, "vm-1"), "Reconciling"), "True JobRunning")
  yield* world.aapWire.forget
  return { world, history }
})

type Case = readonly [name: string, harm: Harm, reason: string, words: ReadonlyArray<string>]

const causes: ReadonlyArray<Case> = [
  ["401", answer(401, { detail: "Invalid token." }), "CredentialsRejected", ["401 Unauthorized"]],
  ["403", answer(403, { detail: "No." }), "PermissionDenied", ["403 Forbidden"]],
  ["404 in JSON", answer(404, { detail: "Not found." }), "ProviderRefused", ["404 Not Found"]],
  ["404 as a page", page(404), "ProviderMisaddressed", ["404 Not Found", "HTML"]],
  ["405", answer(405, { detail: "No." }), "ProviderRefused", ["405 Method Not Allowed"]],
  ["409", answer(409, { detail: "No." }), "ProviderRefused", ["409 Conflict"]],
  ["410", answer(410, { detail: "No." }), "ProviderRefused", ["410 Gone"]],
  ["429", answer(429, { detail: "No." }, { "retry-after": "30" }), "ProviderOverloaded", ["429 Too Many Requests"]],
  ["500", answer(500, { detail: "A server error" }), "ProviderFailure", ["500 Internal Server Error"]],
  ["502", page(502), "ProviderFailure", ["502 Bad Gateway"]],
  ["503", page(503), "ProviderFailure", ["503 Service Unavailable"]],
  ["a timeout", { _tag: "Hang" }, "ProviderUnreachable", ["did not answer in time"]],
  ["a reset", lose("ECONNRESET"), "ProviderUnreachable", ["ECONNRESET"]],
  ["a refused connection", lose("ECONNREFUSED"), "ProviderUnreachable", ["ECONNREFUSED"]],
  ["an unknown host", lose("ENOTFOUND"), "ProviderUnreachable", ["ENOTFOUND"]],
  ["an expired certificate", lose("CERT_HAS_EXPIRED"), "ProviderUnreachable", ["CERT_HAS_EXPIRED"]],
  ["a self-signed certificate", lose("DEPTH_ZERO_SELF_SIGNED_CERT"), "ProviderUnreachable", ["SELF_SIGNED"]],
  [
    "a redirect",
    { _tag: "Answer", response: { status: 302, headers: { location: "https://sso.test/login" }, body: "" } },
    "ProviderMisaddressed",
    ["https://sso.test/login"]
  ],
  ["a page instead of JSON", page(200), "ProviderMisaddressed", ["HTML"]],
  [
    "malformed JSON",
    { _tag: "Answer", response: { ...json(200, {}), body: '{"count": 1, "resul' } },
    "ProviderMisaddressed",
    ["not the JSON it promises"]
  ]
]

for (const [name, harm, reason, words] of causes) {
  it.effect(`an hour of ${name} while a job runs is said, costs one attempt a backoff step, and changes no job`, () =>
    Effect.gen(function* () {
      const { world, history } = yield* running
      const before = at(yield* stored(world, "vm-1"), "status", "jobs")
      yield* world.aapWire.order({ when: polls, harm, times: 10_000 })
      yield* TestClock.adjust("1 hour")
      const object = yield* stored(world, "vm-1")
      const message = String(condition(object, "Ready")?.message)
      assert.strictEqual(verdict(object, "Reconciling"), `True ${reason}`, message)
      for (const word of words) assert.include(message, word)
      assert.deepStrictEqual(at(object, "status", "jobs"), before)
      // a 500 may be the fault of this one job's row: it is asked for at the poll interval, as if nothing were wrong
      assert.isAtMost((yield* world.aapWire.exchanges).length, name === "500" ? 130 : 25)
      yield* world.aapWire.heal
      yield* TestClock.adjust("30 minutes")
      assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "phase"), "Ready")
      const phases = history.versions().map((version) => at(version.object, "status", "phase"))
      assert.notInclude(phases, "Failed", "an outage is never a failure of the object")
      assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 1)
      assert.strictEqual(yield* world.aapWire.count(isLaunch), 0)
    })
  )
}

it.effect("a round or two that fail are not worth a word, a problem that lasts is", () =>
  Effect.gen(function* () {
    const { world, history } = yield* running
    const versions = history.versions().length
    yield* world.aapWire.order({ when: polls, harm: lose("ECONNRESET"), times: 2 })
    yield* TestClock.adjust("10 minutes")
    assert.strictEqual(history.versions().length, versions, "nothing was written")
  })
)

it.effect("an empty answer about a job is confirmed before it is believed", () =>
  Effect.gen(function* () {
    const { world } = yield* running
    const empty = answer(200, { count: 0, next: null, previous: null, results: [] })
    const list = (request: WireRequest) => request.url.pathname.endsWith("/unified_jobs/")
    yield* world.aapWire.order({ when: list, harm: empty, times: 10 })
    yield* TestClock.adjust("20 minutes")
    const object = yield* stored(world, "vm-1")
    assert.strictEqual(at(object, "status", "provisionJob", "state"), "Running")
    assert.strictEqual(verdict(object, "Reconciling"), "True JobRunning")
    yield* TestClock.adjust("90 minutes")
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "phase"), "Ready")
    yield* assertNoOverlap(world)
  })
)
