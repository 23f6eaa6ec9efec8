/** Jobs that carry our key and are one too many: recorded, cancelled until they end, and in nobody's way afterwards. */
import { assert, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { at, jobsOf, stored, verdict } from "../support/expectations.ts"
import type { Harm } from "../support/Faults.ts"
import { lifetime, overlaps } from "../support/SimulatedAap.ts"
import { ConnectionLost, type WireRequest } from "../support/Wire.ts"
import { makeWorld, PROVISION_TEMPLATE, type World } from "../support/World.ts"
import { launchAgain, relaunch } from "./person.ts"

const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }
const quick = { pendingFor: Duration.seconds(2), runningFor: Duration.seconds(10), ends: "successful" } as const
const long = { pendingFor: Duration.seconds(2), runningFor: Duration.minutes(90), ends: "successful" } as const

const launches = (request: WireRequest): boolean =>
  request.method === "POST" && request.url.pathname.endsWith("/launch/")
const searches = (request: WireRequest): boolean => request.url.search.includes("created__gte")

const begun = Effect.fnUntraced(function* (harm: Harm, provision: typeof long | typeof quick = long) {
  const world = yield* makeWorld()
  yield* world.aap.play((launch) => (launch.template === PROVISION_TEMPLATE ? provision : quick))
  yield* world.aapWire.order({ when: launches, harm })
  yield* world.start
  return world
})

const events = (world: World, reason: string) =>
  Effect.map(world.kubernetes.stored("events"), (all) => all.filter((event) => event.reason === reason))

const records = Effect.fnUntraced(function* (world: World) {
  const jobs = at(yield* stored(world, "vm-1"), "status", "jobs")
  return (Array.isArray(jobs) ? jobs : []).map(
    (job) =>
      `${String(at(job, "jobID"))} ${String(at(job, "state"))}${at(job, "duplicate") === true ? " duplicate" : ""}`
  )
})

/** A launch whose answer was lost, and two more jobs under its key before anybody could look. */
const threeJobs = Effect.gen(function* () {
  const world = yield* begun({ _tag: "Lose", code: "ECONNRESET", after: true })
  yield* world.aapWire.order({ when: searches, harm: { _tag: "Lose", code: "ECONNRESET" }, times: 8 })
  yield* world.user.create("vm-1", spec)
  const [first] = yield* jobsOf(world, "vm-1")
  assert.isDefined(first)
  if (first === undefined) return world
  yield* launchAgain(world, first)
  yield* launchAgain(world, first)
  return world
})

it.effect("of several jobs under one key the oldest is adopted, and all others are recorded and cancelled", () =>
  Effect.gen(function* () {
    const world = yield* threeJobs
    yield* TestClock.adjust("3 minutes")
    const jobs = yield* jobsOf(world, "vm-1")
    assert.deepStrictEqual(
      jobs.map(({ status }) => status),
      ["running", "canceled", "canceled"]
    )
    assert.deepStrictEqual((yield* records(world)).toSorted(), [
      "1 Running",
      "2 Canceled duplicate",
      "3 Canceled duplicate"
    ])
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "provisionJob", "id"), "1")
    assert.strictEqual((yield* events(world, "DuplicateJobFound")).length, 2)
    assert.strictEqual((yield* events(world, "JobAdopted")).length, 1)
    yield* TestClock.adjust("2 hours")
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "phase"), "Ready")
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 3)
  })
)

it.effect("an ended job is adopted as well, and is not run again", () =>
  Effect.gen(function* () {
    const world = yield* begun({ _tag: "Lose", code: "ECONNRESET", after: true }, quick)
    yield* world.aapWire.order({ when: searches, harm: { _tag: "Lose", code: "ECONNRESET" }, times: 12 })
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("10 minutes")
    assert.deepStrictEqual(yield* records(world), ["1 Succeeded"])
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 1)
  })
)

it.effect("nothing new starts while a duplicate lives, whatever the spec says meanwhile", () =>
  Effect.gen(function* () {
    const world = yield* threeJobs
    yield* world.aapWire.order({
      when: (request) => request.url.pathname.endsWith("/cancel/"),
      harm: { _tag: "Lose", code: "ECONNRESET" },
      times: 1_000
    })
    yield* TestClock.adjust("1 minute")
    yield* world.user.patch("vm-1", { spec: { vcpu: 8 } })
    yield* world.aap.setStatus(1, "successful")
    yield* TestClock.adjust("20 minutes")
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 3, "the new spec waits")
    assert.strictEqual(verdict(yield* stored(world, "vm-1"), "Ready"), "False ProviderUnreachable")
    yield* world.aapWire.heal
    yield* TestClock.adjust("10 minutes")
    const [, second, third, fourth] = yield* jobsOf(world, "vm-1")
    assert.isDefined(fourth)
    for (const duplicate of [second, third]) {
      assert.strictEqual(duplicate?.status, "canceled")
      assert.isAtMost(duplicate === undefined ? 0 : lifetime(duplicate).to, fourth?.created ?? 0)
    }
  })
)

it.effect("a duplicate is cancelled again and again until it has ended", () =>
  Effect.gen(function* () {
    const world = yield* begun({ _tag: "Lose", code: "ECONNRESET", after: true })
    yield* world.aapWire.order({ when: searches, harm: { _tag: "Lose", code: "ECONNRESET" }, times: 8 })
    yield* world.user.create("vm-1", spec)
    const [first] = yield* jobsOf(world, "vm-1")
    yield* world.aap.play(() => ({ ...long, cancelTakes: Duration.minutes(6) }))
    if (first !== undefined) yield* launchAgain(world, first)
    yield* TestClock.adjust("10 minutes")
    const second = (yield* jobsOf(world, "vm-1")).at(1)
    assert.strictEqual(second?.status, "canceled")
    assert.isAtLeast(second?.cancelRequests.length ?? 0, 5)
  })
)

/** The launch commits two minutes after the quiet period in which nothing came of it: the key has been sent again by then. */
const lateTwin = Effect.gen(function* () {
  const world = yield* begun({
    _tag: "CommitLate",
    by: Duration.minutes(7),
    answer: new ConnectionLost({ code: "ECONNRESET" })
  })
  yield* world.user.create("vm-1", spec)
  yield* TestClock.adjust("10 minutes")
  const jobs = yield* jobsOf(world, "vm-1")
  assert.strictEqual(jobs.length, 2, "the renewed launch and the late one")
  assert.strictEqual(jobs[0]?.launchKey, jobs[1]?.launchKey)
  return world
})

it.effect("a job that turns up after its launch was given up is found and cancelled before anything is torn down", () =>
  Effect.gen(function* () {
    const world = yield* lateTwin
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("10 minutes")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    const jobs = yield* jobsOf(world, "vm-1")
    assert.deepStrictEqual(
      jobs.map(({ status }) => status),
      ["canceled", "canceled", "successful"]
    )
    const [first, second, deprovision] = jobs
    assert.isTrue(
      [first, second].every((job) => job !== undefined && lifetime(job).to <= (deprovision?.created ?? 0)),
      "the deprovision starts when both have ended"
    )
  })
)

it.effect("a launch closed as not found that commits later all the same is deprovisioned with the object", () =>
  Effect.gen(function* () {
    const world = yield* begun(
      { _tag: "CommitLate", by: Duration.minutes(12), answer: new ConnectionLost({ code: "ECONNRESET" }) },
      long
    )
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("1 minute")
    yield* world.user.remove("vm-1")
    // the deprovision runs because a launch may have happened, and fails; meanwhile the launch commits
    yield* world.aap.play((launch) =>
      launch.template === PROVISION_TEMPLATE ? long : { ...quick, ends: launch.n === 1 ? "failed" : "successful" }
    )
    yield* TestClock.adjust("15 minutes")
    assert.strictEqual(verdict(yield* stored(world, "vm-1"), "DeletionBlocked"), "True DeprovisionFailed")
    yield* world.user.annotate("vm-1", { "cloudkit.openshift.io/retry-requested-at": "again" })
    yield* TestClock.adjust("10 minutes")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    const jobs = yield* jobsOf(world, "vm-1")
    const provision = jobs.find(({ template }) => template === PROVISION_TEMPLATE)
    const last = jobs.findLast(({ template }) => template !== PROVISION_TEMPLATE)
    assert.strictEqual(provision?.status, "canceled")
    assert.strictEqual(last?.status, "successful")
    assert.isAtLeast(last?.created ?? 0, provision?.finished ?? Number.POSITIVE_INFINITY)
    assert.deepStrictEqual(overlaps(jobs), [])
  })
)

it.effect("a person's relaunch copies our key and is neither adopted nor cancelled", () =>
  Effect.gen(function* () {
    const world = yield* begun({ _tag: "Lose", code: "ECONNRESET", after: true })
    yield* world.aapWire.order({ when: searches, harm: { _tag: "Lose", code: "ECONNRESET" }, times: 8 })
    yield* world.user.create("vm-1", spec)
    const [first] = yield* jobsOf(world, "vm-1")
    if (first !== undefined) yield* relaunch(world, first)
    yield* TestClock.adjust("10 minutes")
    const jobs = yield* jobsOf(world, "vm-1")
    assert.deepStrictEqual(
      jobs.map(({ launchType, status }) => `${launchType} ${status}`),
      ["manual running", "relaunch running"]
    )
    assert.deepStrictEqual(yield* records(world), ["1 Running"])
    assert.strictEqual((yield* events(world, "DuplicateJobFound")).length, 0)
  })
)
