/** What the object says while its job cannot be cancelled, and that deletion goes on by itself once it can. */
import { assert, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { assertNoOverlap, at, condition, jobsOf, stored, verdict } from "../support/expectations.ts"
import type { Harm } from "../support/Faults.ts"
import type { Playbook } from "../support/SimulatedAap.ts"
import { json, text, type WireRequest } from "../support/Wire.ts"
import { makeWorld, PROVISION_TEMPLATE, type World } from "../support/World.ts"

const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }
const long = { pendingFor: Duration.seconds(1), runningFor: Duration.hours(5), ends: "successful" } as const
const quick = { pendingFor: Duration.seconds(2), runningFor: Duration.seconds(10), ends: "successful" } as const

const answer = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Harm => ({
  _tag: "Answer",
  response: json(status, body, headers)
})
const lose = (code: string): Harm => ({ _tag: "Lose", code })
const cancels = (request: WireRequest): boolean =>
  request.method === "POST" && request.url.pathname.endsWith("/cancel/")

/** An object whose live provision job is in the way of its deletion. */
const deleting = Effect.fnUntraced(function* (harm: Harm | undefined, provision: Playbook = long) {
  const world = yield* makeWorld()
  yield* world.aap.play((launch) => (launch.template === PROVISION_TEMPLATE ? provision : quick))
  yield* world.start
  yield* world.user.create("vm-1", spec)
  yield* TestClock.adjust("1 minute")
  if (harm !== undefined) yield* world.aapWire.order({ when: cancels, harm, times: 10_000 })
  yield* world.aapWire.forget
  yield* world.user.remove("vm-1")
  return world
})

const cancelCount = (world: World) =>
  world.aapWire.count((exchange) => exchange.method === "POST" && exchange.path.endsWith("/cancel/"))

const assertGoneAndClean = Effect.fnUntraced(function* (world: World) {
  assert.strictEqual(yield* stored(world, "vm-1"), undefined)
  const jobs = yield* jobsOf(world, "vm-1")
  assert.deepStrictEqual(
    jobs.map(({ status }) => status),
    ["canceled", "successful"]
  )
  yield* assertNoOverlap(world)
})

type Case = readonly [name: string, harm: Harm, reason: string, words: ReadonlyArray<string>]

const causes: ReadonlyArray<Case> = [
  ["401", answer(401, { detail: "Invalid token." }), "CredentialsRejected", ["401 Unauthorized"]],
  ["409", answer(409, { detail: "Busy." }), "ProviderRefused", ["409 Conflict", "Busy."]],
  ["410", answer(410, { detail: "No." }), "ProviderRefused", ["410 Gone"]],
  ["429", answer(429, { detail: "No." }, { "retry-after": "30" }), "ProviderOverloaded", ["429 Too Many Requests"]],
  ["500", answer(500, { detail: "A server error" }), "ProviderFailure", ["500 Internal Server Error"]],
  [
    "a 502 page",
    { _tag: "Answer", response: text(502, "<html>Bad Gateway</html>", "text/html") },
    "ProviderFailure",
    ["502 Bad Gateway"]
  ],
  ["a timeout", { _tag: "Hang" }, "ProviderUnreachable", ["did not answer in time"]],
  ["a reset", lose("ECONNRESET"), "ProviderUnreachable", ["ECONNRESET"]],
  ["a refused connection", lose("ECONNREFUSED"), "ProviderUnreachable", ["ECONNREFUSED"]],
  ["an expired certificate", lose("CERT_HAS_EXPIRED"), "ProviderUnreachable", ["CERT_HAS_EXPIRED"]],
  [
    "a redirect",
    { _tag: "Answer", response: { status: 307, headers: { location: "/elsewhere/" }, body: "" } },
    "ProviderMisaddressed",
    ["/elsewhere/"]
  ]
]

for (const [name, harm, reason, words] of causes) {
  it.effect(`${name} to a cancel is said, the job stays what it is, and the cancel is repeated with backoff`, () =>
    Effect.gen(function* () {
      const world = yield* deleting(harm)
      yield* TestClock.adjust("1 hour")
      const object = yield* stored(world, "vm-1")
      const message = String(condition(object, "Ready")?.message)
      assert.strictEqual(verdict(object, "Reconciling"), `True ${reason}`, message)
      for (const word of words) assert.include(message, word)
      assert.strictEqual(at(object, "status", "phase"), "Deleting")
      assert.strictEqual(at(object, "status", "provisionJob", "state"), "Running")
      assert.isAtMost(yield* cancelCount(world), 25)
      assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 1, "no deprovision beside a live provision")
      yield* world.aapWire.heal
      yield* TestClock.adjust("10 minutes")
      yield* assertGoneAndClean(world)
    })
  )
}

it.effect("403 on a live job blocks deletion, names the missing role, and is got over when the role is granted", () =>
  Effect.gen(function* () {
    const world = yield* deleting(answer(403, { detail: "You do not have permission to perform this action." }))
    yield* TestClock.adjust("1 minute")
    const object = yield* stored(world, "vm-1")
    assert.strictEqual(verdict(object, "DeletionBlocked"), "True CancelForbidden")
    assert.strictEqual(verdict(object, "Stalled"), "True CancelForbidden")
    const message = String(condition(object, "DeletionBlocked")?.message)
    assert.include(message, "403 Forbidden")
    assert.include(message, "role admin")
    assert.include(message, PROVISION_TEMPLATE)
    yield* TestClock.adjust("1 hour")
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 1)
    assert.isAtMost(yield* cancelCount(world), 25)
    yield* world.aapWire.heal
    yield* TestClock.adjust("10 minutes")
    yield* assertGoneAndClean(world)
  })
)

for (const [name, harm] of [
  ["405", answer(405, { detail: "Method not allowed." })],
  ["404", answer(404, { detail: "Not found." })],
  ["a 404 page", { _tag: "Answer", response: text(404, "<html>nginx</html>", "text/html") }]
] satisfies ReadonlyArray<readonly [string, Harm]>) {
  it.effect(`${name} to a cancel proves nothing while the job still reads alive`, () =>
    Effect.gen(function* () {
      const world = yield* deleting(harm)
      yield* TestClock.adjust("30 minutes")
      const object = yield* stored(world, "vm-1")
      assert.strictEqual(at(object, "status", "phase"), "Deleting")
      assert.strictEqual(at(object, "status", "provisionJob", "state"), "Running")
      assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 1)
      yield* world.aapWire.heal
      yield* TestClock.adjust("10 minutes")
      yield* assertGoneAndClean(world)
    })
  )
}

it.effect("a job that ended by itself before the cancel answers 403 to an ordinary user, and deletion goes on", () =>
  Effect.gen(function* () {
    const world = yield* deleting(undefined, { ...long, runningFor: Duration.seconds(70) })
    // the operator's user is no superuser: AAP says 403 to a cancel of an ended job
    yield* TestClock.adjust("5 minutes")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    yield* assertNoOverlap(world)
  })
)

it.effect("a cancel that AAP takes its time to answer is one cancel, and the job is waited for", () =>
  Effect.gen(function* () {
    const world = yield* deleting(undefined, {
      ...long,
      cancelAnswerTakes: Duration.seconds(10),
      cancelTakes: Duration.seconds(25)
    })
    yield* TestClock.adjust("5 minutes")
    yield* assertGoneAndClean(world)
  })
)

it.effect(
  "a job that outlives its cancel is asked again until it ends, and a person is called after the deadline",
  () =>
    Effect.gen(function* () {
      const world = yield* deleting(undefined, { ...long, cancelTakes: Duration.minutes(40) })
      yield* TestClock.adjust("9 minutes")
      assert.strictEqual(verdict(yield* stored(world, "vm-1"), "Reconciling"), "True CancelingJob")
      yield* TestClock.adjust("10 minutes")
      const late = yield* stored(world, "vm-1")
      assert.strictEqual(verdict(late, "Stalled"), "True CancelDeadlineExceeded")
      assert.strictEqual(verdict(late, "DeletionBlocked"), "True CancelDeadlineExceeded")
      assert.isAtLeast(yield* cancelCount(world), 10, "the cancel is repeated while the job lives")
      yield* TestClock.adjust("30 minutes")
      yield* assertGoneAndClean(world)
    })
)
