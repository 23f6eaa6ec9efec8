/** What went wrong in the earlier operator around EDA, by name: none of it comes back. */
import { assert, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { at, stored, verdict } from "../support/expectations.ts"
import { makeWorld, type World } from "../support/World.ts"
import { assertClean, courseOf, PLAYBOOK, phaseOf, RETRY, spec, webhooksOf } from "./courses.ts"

const INTERVAL = Duration.minutes(30)

const idsOf = (world: World) =>
  Effect.map(stored(world, "vm-1"), (object) => {
    const jobs = at(object, "status", "jobs")
    return Array.isArray(jobs) ? jobs.map((job) => at(job, "jobID")) : []
  })

/** Milliseconds between the last two requests of an operation. */
const distanceOf = (world: World, operation: string) =>
  Effect.map(world.eda.webhooks, (webhooks) => {
    const [last, before] = webhooks.filter(({ event }) => event?.operation === operation).toReversed()
    return (last?.at ?? 0) - (before?.at ?? 0)
  })

it.effect("interval waits elapsed instead of remaining time: only what is left of the interval is waited for", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld({ providers: ["eda"], eda: { minimumRequestInterval: INTERVAL } })
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("29 minutes")
    yield* world.user.patch("vm-1", { spec: { vcpu: 4 } })
    yield* TestClock.adjust("30 seconds")
    assert.strictEqual(verdict(yield* stored(world, "vm-1"), "Reconciling"), "True LaunchPending")
    yield* TestClock.adjust("1 minute")
    assert.strictEqual((yield* world.eda.webhooks).length, 2)
    assert.isAtLeast(yield* distanceOf(world, "provision"), Duration.toMillis(INTERVAL))
    assert.isAtMost(yield* distanceOf(world, "provision"), Duration.toMillis(INTERVAL) + 1_000)
  })
)

it.effect(
  "the interval holds through a crash, a retry that a person asks for, and a spell under another provider",
  () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ providers: ["eda"], eda: { minimumRequestInterval: INTERVAL } })
      yield* world.eda.play(() => ({ ends: "never" }))
      const first = yield* world.start
      yield* world.user.create("vm-1", spec)
      yield* TestClock.adjust("15 minutes")
      yield* world.user.annotate("vm-1", { [RETRY]: "1" })
      yield* first.kill
      const second = yield* world.start
      yield* TestClock.adjust("14 minutes")
      assert.deepStrictEqual(yield* webhooksOf(world), ["provision"])
      yield* TestClock.adjust("2 minutes")
      assert.isAtLeast(yield* distanceOf(world, "provision"), Duration.toMillis(INTERVAL))
      yield* TestClock.adjust("10 minutes")
      yield* second.stop
      const other = yield* world.startAs("aap", "eda")
      yield* TestClock.adjust("1 minute")
      yield* other.stop
      yield* world.user.patch("vm-1", { spec: { vcpu: 4 } })
      yield* world.start
      yield* TestClock.adjust("17 minutes")
      assert.strictEqual((yield* world.eda.webhooks).length, 2)
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual((yield* world.eda.webhooks).length, 3)
      assert.isAtLeast(yield* distanceOf(world, "provision"), Duration.toMillis(INTERVAL))
      assert.isAtMost(yield* distanceOf(world, "provision"), Duration.toMillis(INTERVAL) + 2_000)
    })
)

it.effect("the interval is one webhook's own: a deletion right after a provision is not held back by it", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld({ providers: ["eda"], eda: { minimumRequestInterval: Duration.hours(10) } })
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("1 minute")
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("1 minute")
    yield* assertClean(world, "vm-1")
  })
)

for (const finalizer of ["atStart", "atEnd"] as const) {
  it.effect(
    `deletion skipped before the finalizer arrived (${finalizer}): what was requested is waited for and torn down`,
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld({ providers: ["eda"] })
        yield* world.eda.play(({ operation }) =>
          operation === "provision"
            ? { startsAfter: "2 minutes", worksFor: "3 minutes", finalizer }
            : { marksDeprovisioned: true }
        )
        yield* world.start
        yield* world.user.create("vm-1", spec)
        yield* world.user.remove("vm-1")
        const deleting = yield* stored(world, "vm-1")
        assert.notInclude(JSON.stringify(at(deleting, "metadata", "finalizers")), PLAYBOOK)
        assert.strictEqual(verdict(deleting, "Reconciling"), "True WaitingForPlaybook")
        yield* TestClock.adjust("8 minutes")
        yield* assertClean(world, "vm-1")
        assert.deepStrictEqual(yield* courseOf(world, "vm-1"), [
          "eda provision successful",
          "eda deprovision successful"
        ])
        const [provision] = yield* world.eda.runs
        assert.isNotEmpty(provision?.refusals, "the API server refuses new finalizers on what is being deleted")
      })
  )
}

it.effect("deletion of what was never requested is not sent to anybody", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld({ providers: ["eda"] })
    yield* world.edaWire.order({ when: () => true, times: 100, harm: { _tag: "Lose", code: "ECONNREFUSED" } })
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("10 minutes")
    assert.strictEqual(verdict(yield* stored(world, "vm-1"), "Reconciling"), "True ProviderUnreachable")
    yield* world.user.remove("vm-1")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    assert.isEmpty(yield* world.eda.webhooks)
  })
)

it.effect("phase not Deleting while no deprovision job exists: it is Deleting from the first pass on", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld({ providers: ["eda"] })
    yield* world.eda.playNext({ ends: "never" })
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* world.user.remove("vm-1")
    const deleting = yield* stored(world, "vm-1")
    assert.strictEqual(at(deleting, "status", "phase"), "Deleting")
    assert.strictEqual(at(deleting, "status", "deprovisionJob"), undefined)
  })
)

it.effect("local-time timestamps: every time in the record is UTC, wherever the process runs", () =>
  Effect.gen(function* () {
    const zone = process.env.TZ
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        if (zone === undefined) delete process.env.TZ
        else process.env.TZ = zone
      })
    )
    process.env.TZ = "America/St_Johns"
    assert.notStrictEqual(new Date(0).getTimezoneOffset(), 0)
    yield* TestClock.setTime(Date.parse("2026-11-21T12:00:00Z"))
    const world = yield* makeWorld({ providers: ["eda"] })
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("5 minutes")
    const ready = yield* stored(world, "vm-1")
    assert.strictEqual(at(ready, "status", "phase"), "Ready")
    assert.strictEqual(at(ready, "status", "jobs", 0, "timestamp"), "2026-11-21T12:00:00Z")
    const times = JSON.stringify(at(ready, "status")).match(/\d{4}-\d\d-\d\dT[^"]*/gu) ?? []
    assert.isAbove(times.length, 3)
    for (const time of times) assert.match(time, /^2026-11-21T12:0[0-5]:\d\d(?:\.\d{3})?Z$/u)
  })
)

it.effect("Running lost after a switch: Ready stays Ready through every change of the provider", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld({ providers: ["eda"] })
    let process = yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("5 minutes")
    const starts = [world.startAs("aap", "eda"), world.startAs("eda"), world.startAs("aap", "eda"), world.start]
    for (const start of starts) {
      yield* process.stop
      process = yield* start
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* phaseOf(world, "vm-1"), "Ready")
    }
    assert.deepStrictEqual(yield* courseOf(world, "vm-1"), ["eda provision successful"])
  })
)

it.effect(
  "ids constant: each request has an id of its own, also after a restart and when old records were dropped",
  () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ providers: ["eda"], settings: { maxJobHistory: 2 } })
      let process = yield* world.start
      yield* world.user.create("vm-1", spec)
      yield* TestClock.adjust("5 minutes")
      for (const vcpu of [4, 8, 16]) {
        yield* process.stop
        process = yield* world.start
        yield* world.user.patch("vm-1", { spec: { vcpu } })
        yield* TestClock.adjust("5 minutes")
      }
      assert.deepStrictEqual(yield* idsOf(world), ["eda-webhook-3", "eda-webhook-4"])
      assert.strictEqual(yield* phaseOf(world, "vm-1"), "Ready")
    })
)

it.effect("EDA job stuck Unknown blocked later spec changes: after the settle period the new spec is requested", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld({ providers: ["eda"] })
    yield* world.eda.playNext({ ends: "never" })
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("2 minutes")
    yield* world.user.patch("vm-1", { spec: { vcpu: 4 } })
    yield* TestClock.adjust("7 minutes")
    assert.deepStrictEqual(yield* webhooksOf(world), ["provision"])
    yield* TestClock.adjust("3 minutes")
    const ready = yield* stored(world, "vm-1")
    assert.strictEqual(at(ready, "status", "phase"), "Ready")
    assert.deepStrictEqual([...(yield* world.eda.machines).values()], [at(ready, "status", "desiredConfigVersion")])
    assert.deepStrictEqual(yield* webhooksOf(world), ["provision", "provision"])
    assert.strictEqual(at(ready, "status", "jobs", 0, "state"), "Unknown")
    yield* TestClock.adjust("12 hours")
    assert.strictEqual(yield* phaseOf(world, "vm-1"), "Ready")
  })
)
