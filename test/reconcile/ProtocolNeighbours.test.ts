/** What one launch may not do to others, and what is owed to a job that nobody records. */
import { assert, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { at, condition, isLaunch, jobsOf, stored } from "../support/expectations.ts"
import { aapRequests, kubernetesRequests } from "../support/schedulesHarms.ts"
import { json } from "../support/Wire.ts"
import { makeWorld, type World } from "../support/World.ts"

const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }
const quick = { pendingFor: "2 seconds", runningFor: "10 seconds", ends: "successful" } as const
const INTENT = "cloudkit.openshift.io/launch-intent"

const launchesSent = (world: World) => world.aapWire.count(isLaunch)

// ── a launch that is held back ───────────────────────────────────────────────────────────────────────────────────────

it.effect("a launch whose send window ends while it waits to leave is not sent, and keeps nobody else waiting", () =>
  Effect.gen(function* () {
    let hold = false
    const token = Effect.suspend(() => {
      const held = hold
      hold = false
      return Effect.delay(Effect.succeed(Redacted.make("operator-token")), held ? "12 seconds" : 0)
    })
    const world = yield* makeWorld({ tokens: { aap: token } })
    yield* world.aap.play(() => quick)
    yield* world.start
    yield* world.user.create("vm-0", spec)
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(yield* launchesSent(world), 1)
    // the next request to AAP is the launch, as its template is known
    hold = true
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("13 seconds")
    assert.strictEqual(yield* launchesSent(world), 1)
    assert.include(String(condition(yield* stored(world, "vm-1"), "Ready")?.message), "send window")
    yield* world.user.create("vm-2", spec)
    yield* TestClock.adjust("1 second")
    assert.lengthOf(yield* jobsOf(world, "vm-2"), 1)
  })
)

// ── a launch that searches first ─────────────────────────────────────────────────────────────────────────────────────

it.effect("a search before a launch takes no place from another launch, however long it is", () =>
  Effect.gen(function* () {
    // one launch at a time, at AAP and among the passes
    const world = yield* makeWorld({ maxConcurrentRequests: 3, concurrency: 2 })
    yield* world.aap.play(() => quick)
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("1 minute")
    yield* world.aapWire.order({ when: aapRequests.search, harm: { _tag: "Delay", by: "25 seconds" } })
    yield* world.user.patch("vm-1", { metadata: { annotations: { [INTENT]: null } }, spec: { vcpu: 8 } })
    yield* TestClock.adjust("1 second")
    yield* world.user.create("vm-2", spec)
    yield* TestClock.adjust("2 seconds")
    assert.lengthOf(yield* jobsOf(world, "vm-2"), 1)
    assert.lengthOf(yield* jobsOf(world, "vm-1"), 1, "it is still being searched for")
    yield* TestClock.adjust("1 minute")
    assert.lengthOf(yield* jobsOf(world, "vm-1"), 2)
  })
)

it.effect("as many searches before launches as there are places for launches take none from another launch", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld({ concurrency: 16 })
    yield* world.aap.play(() => quick)
    yield* world.start
    const searching = Array.from({ length: 8 }, (_, n) => `old-${n}`)
    for (const name of searching) yield* world.user.create(name, spec)
    yield* TestClock.adjust("2 minutes")
    yield* world.aapWire.order({ when: aapRequests.search, times: 100, harm: { _tag: "Delay", by: "25 seconds" } })
    const taken = { metadata: { annotations: { [INTENT]: null } }, spec: { vcpu: 8 } }
    for (const name of searching) yield* world.user.patch(name, taken)
    yield* TestClock.adjust("1 second")
    yield* world.user.create("vm-2", spec)
    yield* TestClock.adjust("5 seconds")
    assert.lengthOf(yield* jobsOf(world, "vm-2"), 1)
    for (const name of searching) assert.lengthOf(yield* jobsOf(world, name), 1, "it is still being searched for")
    yield* TestClock.adjust("2 minutes")
    for (const name of searching) assert.lengthOf(yield* jobsOf(world, name), 2)
  })
)

// ── a request that is presumed ───────────────────────────────────────────────────────────────────────────────────────

it.effect(
  "a request that may have been accepted is not recorded by who lost the lease, as its successor presumes it too",
  () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ providers: ["eda"], leader: "15 seconds" })
      let isLost = false
      yield* world.edaWire.order({ when: () => true, harm: { _tag: "Lose", code: "ECONNRESET", after: true } })
      const broken = json(503, { kind: "Status", code: 503 })
      yield* world.kubernetesWire.order({
        when: (request) =>
          request.method === "PATCH" &&
          (request.url.pathname.includes("/leases/") ||
            (!isLost && kubernetesRequests.status(request) && request.body.includes("eda-webhook"))),
        times: 1_000,
        harm: { _tag: "Answer", response: broken }
      })
      const leader = yield* world.start
      yield* world.user.create("vm-1", spec)
      yield* TestClock.adjust("5 seconds")
      const refused = yield* world.kubernetesWire.count(
        ({ path, status }) => path.endsWith("/status") && status === 503
      )
      assert.isAbove(refused, 1, "it tries to record the request")
      while ((yield* leader.standing).leads) yield* TestClock.adjust("100 millis")
      isLost = true
      yield* world.kubernetesWire.forget
      yield* TestClock.adjust("30 seconds")
      const writes = (yield* world.kubernetesWire.exchanges).filter(
        ({ method, path }) => method !== "GET" && !path.includes("/leases")
      )
      assert.deepStrictEqual(writes, [])
      assert.isUndefined(at(yield* stored(world, "vm-1"), "status", "jobs", 0))
    }).pipe(Effect.scoped)
)

// ── a job without an object ──────────────────────────────────────────────────────────────────────────────────────────

/** The object goes while its launch is under way, and AAP fails so many of the cancels of the job that it leaves. */
const orphaned = Effect.fnUntraced(function* (failures: number) {
  const world = yield* makeWorld()
  yield* world.aap.play(() => ({ ...quick, runningFor: "1 hour" }))
  yield* world.aapWire.order({ when: aapRequests.launch, harm: { _tag: "Delay", by: "5 seconds", after: true } })
  yield* world.aapWire.order({
    when: aapRequests.cancel,
    times: failures,
    harm: { _tag: "Answer", response: json(503, { detail: "no" }) }
  })
  yield* world.start
  yield* world.user.create("vm-1", spec)
  yield* TestClock.adjust("2 seconds")
  yield* world.user.remove("vm-1")
  yield* world.user.patch("vm-1", { metadata: { finalizers: [] } })
  yield* TestClock.adjust("5 seconds")
  return { world, cancels: world.aapWire.count(({ path }) => path.endsWith("/cancel/")) }
})

it.effect("a job whose object is gone is cancelled, although AAP fails to three times", () =>
  Effect.gen(function* () {
    const { world } = yield* orphaned(3)
    yield* TestClock.adjust("30 seconds")
    const [job] = yield* world.aap.ledger
    assert.strictEqual(job?.status, "canceled")
  })
)

it.effect("a job whose object is gone is given up after half a minute of failed cancels, and its name is free", () =>
  Effect.gen(function* () {
    const { world, cancels } = yield* orphaned(1_000)
    // a new object of that name waits for nothing but that
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("30 seconds")
    const tried = yield* cancels
    assert.isAtLeast(tried, 4)
    assert.isAtMost(tried, 6)
    assert.lengthOf(yield* jobsOf(world, "vm-1"), 2)
    yield* TestClock.adjust("10 minutes")
    assert.strictEqual(yield* cancels, tried)
  })
)
