/** Rules of a launch that nobody confirmed: what it holds back, when a search counts, and what it costs. */
import { assert, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { TestClock } from "effect/testing"
import { assertNoOverlap, at, isLaunch, jobsOf, stored, verdict } from "../support/expectations.ts"
import { aapRequests } from "../support/schedulesHarms.ts"
import { ConnectionLost } from "../support/Wire.ts"
import { makeWorld, PROVISION_TEMPLATE, type World } from "../support/World.ts"

const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }
const quick = { pendingFor: "2 seconds", runningFor: "10 seconds", ends: "successful" } as const

const INTENT = "cloudkit.openshift.io/launch-intent"

const lost = new ConnectionLost({ code: "ECONNRESET" })

const phase = (world: World) => Effect.map(stored(world, "vm-1"), (object) => at(object, "status", "phase"))

it.effect("a machine whose next provision is in doubt is not deprovisioned before it is known what came of it", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("2 minutes")
    yield* world.aap.play(({ template }) =>
      template === PROVISION_TEMPLATE ? { ...quick, runningFor: "1 hour" } : { ...quick, runningFor: "5 minutes" }
    )
    yield* world.aapWire.order({
      when: aapRequests.launch,
      harm: { _tag: "CommitLate", by: "100 seconds", answer: lost }
    })
    yield* world.user.patch("vm-1", { spec: { vcpu: 8 } })
    yield* TestClock.adjust("5 seconds")
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("95 seconds")
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 2, "the late one came, and nothing before it")
    yield* TestClock.adjust("30 minutes")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    assert.deepStrictEqual(
      (yield* jobsOf(world, "vm-1")).map(({ status }) => status),
      ["successful", "canceled", "successful"]
    )
    yield* assertNoOverlap(world)
  })
)

it.effect("a search counts when it began after the quiet period, not when it ended after it", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld({ settings: { quietPeriod: 60_000, pollInterval: 20_000 } })
    yield* world.aap.play(() => quick)
    yield* world.aapWire.order({
      when: aapRequests.launch,
      harm: { _tag: "CommitLate", by: "55 seconds", answer: lost }
    })
    // at once, after 20 s, and after 40 s: this one knows nothing of the job, and is heard when the period is over
    yield* world.aapWire.order({ when: aapRequests.search, harm: { _tag: "Delay", by: "1 millis" }, times: 2 })
    yield* world.aapWire.order({ when: aapRequests.search, harm: { _tag: "Delay", by: "25 seconds", after: true } })
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("10 minutes")
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 1)
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 1)
    assert.strictEqual(yield* phase(world), "Ready")
  })
)

it.effect("two processes that renew one launch send it once", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    yield* world.aapWire.order({ when: aapRequests.launch, harm: { _tag: "Lose", code: "ECONNRESET" } })
    yield* world.aapWire.order({ when: aapRequests.launch, harm: { _tag: "Delay", by: "3 seconds" }, times: 2 })
    yield* world.start
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("10 minutes")
    assert.strictEqual(yield* phase(world), "Ready")
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 1)
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 2, "the lost one, and one renewal")
  })
)

it.effect("a start with many launches in doubt searches once a template and page, and launches nothing", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld({ concurrency: 4 })
    yield* world.aap.play(() => quick)
    const names = Array.from({ length: 50 }, (_, index) => `vm-${index}`)
    for (const name of names) {
      const intent = {
        key: `restored-${name}/provision/aa32274dc7191c79/1`,
        object: `default/${name}`,
        operation: "provision",
        attempt: 1,
        provider: "aap",
        template: `job_template/7/${PROVISION_TEMPLATE}`,
        configVersion: "aa32274dc7191c79",
        stamp: new Date(yield* Clock.currentTimeMillis).toISOString()
      }
      yield* world.user.create(name, { ...spec, name }, { annotations: { [INTENT]: JSON.stringify(intent) } })
    }
    yield* world.start
    yield* TestClock.adjust("20 seconds")
    for (const name of names) {
      assert.strictEqual(verdict(yield* stored(world, name), "Ready"), "False LaunchAmbiguous")
    }
    // one for whoever comes first, and one for all who came while it was under way, however few pass at a time
    assert.isAtMost(yield* world.aapWire.count(({ query }) => query.includes("created__gte")), 2)
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 0)
    for (let second = 0; second < 360; second++) yield* TestClock.adjust("1 second")
    // one a poll interval, and one or two when the quiet period is over
    assert.isAtMost(yield* world.aapWire.count(({ query }) => query.includes("created__gte")), 12)
    assert.strictEqual(yield* world.aapWire.count(isLaunch), names.length)
  })
)
