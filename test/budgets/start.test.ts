/** What a start costs where many objects are already, and what they cost afterwards, counted in virtual time. */
import { assert, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { captureSamples, PENDING, type Samples } from "../../scripts/bench/sample.ts"
import { LeanKubernetes } from "../../scripts/processes/LeanKubernetes.ts"
import { makeStock, nameOf } from "../../scripts/processes/Stock.ts"
import { GROUP, KIND, VERSION } from "../../src/domain/ComputeInstance.ts"
import { isPoll, isWrite } from "../support/expectations.ts"
import type { Exchange } from "../support/Faults.ts"
import { makeWorld } from "../support/World.ts"

/** The first `live` of `count` objects have a job that runs, the others are Ready; nobody works on them yet. */
const stocked = Effect.fnUntraced(function* (samples: Samples, count: number, live: number) {
  const cluster = new LeanKubernetes(`${GROUP}/${VERSION}`, KIND)
  const running = makeStock(samples.running)
  const ready = makeStock(samples.ready)
  for (let n = 0; n < count; n++) {
    cluster.stock(`default/${nameOf(n)}`, (revision) => (n < live ? running : ready).object(n, revision))
  }
  yield* TestClock.setTime(samples.running.launchedAt)
  const world = yield* makeWorld({ concurrency: 64, preflight: true, around: { kubernetes: () => cluster.handler } })
  yield* world.aap.play(() => ({ pendingFor: PENDING, ends: "never" }))
  for (let n = 0; n < live; n++) {
    yield* world.aap.handler({
      method: "POST",
      url: new URL("https://aap.test/api/v2/job_templates/7/launch/"),
      headers: { authorization: "Bearer operator-token", "content-type": "application/json" },
      body: JSON.stringify({ extra_vars: running.extraVars(n) })
    })
  }
  yield* TestClock.adjust("30 minutes")
  return world
})

/** Passes are started one at a time. */
const breath = Effect.forEach(Array.from({ length: 100 }), () => Effect.yieldNow, { discard: true })

/** In small steps: the test clock does not wait for whoever works long without a pause, as a start does. */
const passing = (seconds: number) =>
  Effect.forEach(Array.from({ length: seconds }), () => Effect.andThen(breath, TestClock.adjust("1 second")), {
    discard: true
  })

/** Of templates: what the check at the start asks. */
const isLookUp = ({ method, path }: Exchange): boolean => method === "GET" && path.endsWith("/unified_job_templates/")

const COUNT = 1000
const LIVE = 400

it.effect("a thousand live jobs are followed for ten minutes with 110 requests, and without a write", () =>
  Effect.gen(function* () {
    const world = yield* stocked(yield* captureSamples, 1000, 1000)
    yield* world.start
    yield* passing(60)
    yield* world.aapWire.forget
    yield* TestClock.adjust("10 minutes")
    const calls = (yield* world.aapWire.exchanges).length
    assert.isAtMost(calls, 110)
    assert.isAtLeast(calls, 95)
    assert.strictEqual(yield* world.kubernetesWire.count(isWrite), 0)
    assert.strictEqual((yield* world.aap.ledger).length, 1000)
  })
)

it.effect(
  "a start where there are 1,000 objects costs one request, one more for every 200 live jobs, and no write",
  () =>
    Effect.gen(function* () {
      const world = yield* stocked(yield* captureSamples, COUNT, LIVE)
      yield* world.start
      yield* passing(20)
      assert.strictEqual(yield* world.aapWire.count(isPoll), LIVE / 200)
      assert.strictEqual(yield* world.aapWire.count(isLookUp), 1)
      assert.strictEqual((yield* world.aapWire.exchanges).length, 1 + LIVE / 200)
      assert.strictEqual(yield* world.kubernetesWire.count(isWrite), 0)
      assert.strictEqual((yield* world.aap.ledger).length, LIVE)
    })
)

it.effect("1,000 Ready objects cost AAP no request and the API server no write, in six hours", () =>
  Effect.gen(function* () {
    const world = yield* stocked(yield* captureSamples, COUNT, 0)
    yield* world.start
    yield* passing(20)
    assert.strictEqual((yield* world.aapWire.exchanges).length, 1, "the check at the start")
    yield* world.aapWire.forget
    yield* TestClock.adjust(Duration.hours(6))
    assert.deepStrictEqual(yield* world.aapWire.exchanges, [])
    assert.strictEqual(yield* world.kubernetesWire.count(isWrite), 0)
    // they were seen: one that is deleted is deprovisioned
    yield* world.user.remove(nameOf(7))
    yield* passing(20)
    assert.deepStrictEqual(
      (yield* world.aap.ledger).map(({ object }) => object?.name),
      [nameOf(7)]
    )
  })
)
