/** What becomes of recorded jobs: purged, taken over by other jobs' ids, cancelled by people, never ending, trimmed. */
import { assert, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { assertNoOverlap, at, condition, isLaunch, jobsOf, stored, verdict } from "../support/expectations.ts"
import { makeWorld, PROVISION_TEMPLATE, settled, type World, type WorldOptions } from "../support/World.ts"
import { launchByHand } from "./person.ts"

const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }
const quick = { pendingFor: "2 seconds", runningFor: "10 seconds", ends: "successful" } as const
const long = { pendingFor: "2 seconds", runningFor: "3 hours", ends: "successful" } as const

const RETRY = "cloudkit.openshift.io/retry-requested-at"

const begun = Effect.fnUntraced(function* (play: typeof quick | typeof long = quick, options: WorldOptions = {}) {
  const world = yield* makeWorld(options)
  yield* world.aap.play((launch) => (launch.template === PROVISION_TEMPLATE ? play : quick))
  yield* world.start
  yield* world.user.create("vm-1", spec)
  yield* TestClock.adjust("1 minute")
  return world
})

const phase = (world: World, name = "vm-1") =>
  Effect.map(stored(world, name), (object) => at(object, "status", "phase"))

// ── purged ───────────────────────────────────────────────────────────────────────────────────────────────────────────

it.effect("a Ready object stays Ready when AAP drops its job", () =>
  Effect.gen(function* () {
    const world = yield* begun()
    const version = at(yield* stored(world, "vm-1"), "metadata", "resourceVersion")
    yield* world.aap.purge(1)
    yield* TestClock.adjust("30 hours")
    assert.strictEqual(yield* phase(world), "Ready")
    assert.strictEqual(at(yield* stored(world, "vm-1"), "metadata", "resourceVersion"), version)
  })
)

/** The row goes while the job is still thought to run. */
const dropped = Effect.gen(function* () {
  const world = yield* begun(long)
  yield* settled(world.aap.setStatus(1, "successful"))
  yield* world.aap.purge(1)
  yield* TestClock.adjust("2 minutes")
  return world
})

it.effect("a job that AAP drops before its end was seen is of unknown outcome, which a person decides", () =>
  Effect.gen(function* () {
    const world = yield* dropped
    const object = yield* stored(world, "vm-1")
    assert.strictEqual(at(object, "status", "phase"), "Failed")
    assert.strictEqual(at(object, "status", "provisionJob", "state"), "Unknown")
    assert.strictEqual(at(object, "status", "provisionJob", "message"), "no longer in AAP (404 Not Found)")
    assert.strictEqual(verdict(object, "Stalled"), "True JobOutcomeUnknown")
    yield* TestClock.adjust("5 hours")
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 1)
    yield* world.aap.play(() => quick)
    yield* world.user.annotate("vm-1", { [RETRY]: "yes" })
    yield* TestClock.adjust("2 minutes")
    assert.strictEqual(yield* phase(world), "Ready")
  })
)

it.effect("what a dropped job may have built is deprovisioned", () =>
  Effect.gen(function* () {
    const world = yield* dropped
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("2 minutes")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 2)
  })
)

// ── ids that come again ──────────────────────────────────────────────────────────────────────────────────────────────

it.effect("after AAP was rebuilt, a job that took over our id is neither believed nor cancelled", () =>
  Effect.gen(function* () {
    const world = yield* begun(long)
    yield* world.aap.rebuild
    yield* world.aap.play((launch) => (launch.template === PROVISION_TEMPLATE ? long : quick))
    const stranger = yield* launchByHand(world, 7, {
      ansible_eda: { event: { meta: { uuid: "stranger/provision/0/1" } } }
    })
    assert.strictEqual(stranger.id, 1)
    yield* settled(world.aap.setStatus(1, "running"))
    yield* TestClock.adjust("2 minutes")
    const object = yield* stored(world, "vm-1")
    assert.strictEqual(verdict(object, "Stalled"), "True JobOutcomeUnknown")
    yield* settled(world.aap.setStatus(1, "successful"))
    yield* TestClock.adjust("2 minutes")
    assert.strictEqual(yield* phase(world), "Failed", "the stranger's success is not ours")
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("3 minutes")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    const ledger = yield* world.aap.ledger
    assert.deepStrictEqual(
      ledger.filter(({ id }) => id === 1).map(({ cancelRequests }) => cancelRequests.length),
      [0, 0]
    )
  })
)

it.effect("an object deleted right after AAP was rebuilt does not cancel whoever has its job's id now", () =>
  Effect.gen(function* () {
    const world = yield* begun(long)
    yield* world.aap.rebuild
    yield* launchByHand(world, 7, { ansible_eda: { event: { meta: { uuid: "stranger/provision/0/1" } } } })
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("5 minutes")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    const stranger = (yield* world.aap.ledger).find(({ launchKey }) => launchKey?.startsWith("stranger"))
    assert.strictEqual(stranger?.status, "running")
  })
)

// ── people at AAP ────────────────────────────────────────────────────────────────────────────────────────────────────

it.effect("a job that a person cancels in AAP is a failure that is not repaired silently", () =>
  Effect.gen(function* () {
    const world = yield* begun(long)
    yield* settled(world.aap.setStatus(1, "canceled"))
    yield* TestClock.adjust("1 minute")
    const object = yield* stored(world, "vm-1")
    assert.strictEqual(at(object, "status", "phase"), "Failed")
    assert.strictEqual(at(object, "status", "provisionJob", "message"), "Job canceled")
    assert.strictEqual(verdict(object, "Stalled"), "True JobCanceled")
    yield* TestClock.adjust("5 hours")
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 1)
    yield* world.aap.play(() => quick)
    yield* world.user.annotate("vm-1", { [RETRY]: "yes" })
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(yield* phase(world), "Ready")
  })
)

it.effect("a deprovision that a person cancels in AAP blocks the deletion until it is asked for again", () =>
  Effect.gen(function* () {
    const world = yield* begun()
    yield* world.aap.play(() => long)
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("10 seconds")
    yield* settled(world.aap.setStatus(2, "canceled"))
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(verdict(yield* stored(world, "vm-1"), "DeletionBlocked"), "True DeprovisionFailed")
    yield* world.aap.play(() => quick)
    yield* world.user.annotate("vm-1", { [RETRY]: "yes" })
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 3)
  })
)

it.effect("a value of retry-requested-at is answered by one launch, and none by an object that needs none", () =>
  Effect.gen(function* () {
    const world = yield* begun()
    yield* world.user.annotate("vm-1", { [RETRY]: "while ready" })
    yield* TestClock.adjust("10 minutes")
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 1)
    yield* world.aap.play(() => ({ ...quick, ends: "failed" }))
    yield* world.user.patch("vm-1", { spec: { vcpu: 8 } })
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(yield* phase(world), "Failed")
    yield* TestClock.adjust("1 hour")
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 2, "the launch after it answered the value")
    for (const value of ["first", "second"]) {
      yield* world.user.annotate("vm-1", { [RETRY]: value })
      yield* TestClock.adjust("1 hour")
    }
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 4)
  })
)

// ── the record ───────────────────────────────────────────────────────────────────────────────────────────────────────

it.effect("a job alive for longer than the deadline calls a person, and is followed to its end all the same", () =>
  Effect.gen(function* () {
    const world = yield* begun(long, { settings: { jobDeadline: Duration.toMillis("1 hour") } })
    yield* TestClock.adjust("65 minutes")
    const object = yield* stored(world, "vm-1")
    assert.strictEqual(verdict(object, "Stalled"), "True JobDeadlineExceeded")
    assert.strictEqual(at(object, "status", "phase"), "Progressing")
    assert.strictEqual(at(object, "status", "provisionJob", "state"), "Running")
    yield* TestClock.adjust("2 hours")
    assert.strictEqual(yield* phase(world), "Ready")
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 1)
  })
)

it.effect("the history is bounded, keeps the newest of each operation, and never uses an attempt twice", () =>
  Effect.gen(function* () {
    const world = yield* begun(quick, { settings: { maxJobHistory: 3 } })
    for (const vcpu of [3, 4, 5, 6, 2]) {
      yield* world.user.patch("vm-1", { spec: { vcpu } })
      yield* TestClock.adjust("1 minute")
    }
    const jobs = at(yield* stored(world, "vm-1"), "status", "jobs")
    assert.deepStrictEqual(
      (Array.isArray(jobs) ? jobs : []).map((job) => [at(job, "jobID"), at(job, "attempt")]),
      [
        ["4", 4],
        ["5", 5],
        ["6", 6]
      ]
    )
    assert.strictEqual(yield* phase(world), "Ready")
    const keys = (yield* jobsOf(world, "vm-1")).map(({ launchKey }) => launchKey)
    assert.strictEqual(new Set(keys).size, 6)
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("2 minutes")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    yield* assertNoOverlap(world)
  })
)

it.effect("a state that AAP invents is Unknown with AAP's own word, and is followed on", () =>
  Effect.gen(function* () {
    const world = yield* begun(long)
    yield* settled(world.aap.setStatus(1, "hibernating"))
    yield* TestClock.adjust("1 minute")
    const object = yield* stored(world, "vm-1")
    assert.strictEqual(at(object, "status", "provisionJob", "state"), "Unknown")
    assert.strictEqual(at(object, "status", "provisionJob", "message"), "hibernating")
    assert.strictEqual(at(object, "status", "phase"), "Progressing")
    assert.include(String(condition(object, "Ready")?.message), "hibernating")
    yield* settled(world.aap.setStatus(1, "successful"))
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(yield* phase(world), "Ready")
  })
)
