/** What the search for a launch in doubt costs, and whom it finds, however long ago the launch was. */
import { assert, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { assertNoOverlap, at, stored } from "../support/expectations.ts"
import { aapRequests } from "../support/schedulesHarms.ts"
import { ConnectionLost } from "../support/Wire.ts"
import { DEPROVISION_TEMPLATE, makeWorld, PROVISION_TEMPLATE, type World } from "../support/World.ts"

const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }
const quick = { pendingFor: Duration.seconds(2), runningFor: Duration.seconds(10), ends: "successful" } as const

const FINALIZER = "cloudkit.openshift.io/computeinstance"
const INTENT = "cloudkit.openshift.io/launch-intent"

/** Two jobs are a page, so that what is looked through can be counted. */
const begun = Effect.gen(function* () {
  const world = yield* makeWorld({ aap: { maxPageSize: 2 } })
  yield* world.aap.play(() => quick)
  yield* world.start
  return world
})

const pages = (world: World) => world.aapWire.count(({ query }) => query.includes("created__gte"))

/** Others are provisioned, hours later and a day long. */
const others = Effect.fnUntraced(function* (world: World) {
  yield* TestClock.adjust("2 hours")
  for (let n = 2; n <= 7; n++) {
    yield* world.user.create(`vm-${n}`, { ...spec, name: `vm-${n}` })
    yield* TestClock.adjust("5 hours")
  }
})

/** Takes the object away as if it had never been here, and answers what a backup without its status holds of it. */
const lost = Effect.fnUntraced(function* (world: World) {
  const intent = String(at(yield* stored(world, "vm-1"), "metadata", "annotations", INTENT))
  yield* world.user.patch("vm-1", { metadata: { finalizers: [] } })
  yield* world.user.remove("vm-1")
  return { annotations: { [INTENT]: intent }, finalizers: [FINALIZER] }
})

it.effect(
  "an intent that is a day old costs one page of jobs, whatever was launched since, and its job is adopted",
  () =>
    Effect.gen(function* () {
      const world = yield* begun
      yield* world.user.create("vm-1", spec)
      yield* TestClock.adjust("1 minute")
      const backup = yield* lost(world)
      yield* others(world)
      yield* world.aapWire.forget
      yield* world.user.create("vm-1", spec, backup)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "provisionJob", "id"), "1")
      assert.strictEqual(yield* pages(world), 1)
    })
)

it.effect("a launch that was given up a day ago costs one page of jobs before its object goes, and one after", () =>
  Effect.gen(function* () {
    const world = yield* begun
    yield* world.aapWire.order({ when: aapRequests.launch, harm: { _tag: "Lose", code: "ECONNRESET" } })
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("10 minutes")
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "phase"), "Ready")
    yield* others(world)
    yield* world.aapWire.forget
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("5 minutes")
    assert.isUndefined(yield* stored(world, "vm-1"))
    assert.strictEqual(yield* pages(world), 2)
  })
)

it.effect("a launch that was given up before its object was restored is looked for under the uid of the time", () =>
  Effect.gen(function* () {
    const world = yield* begun
    yield* world.aap.play(({ template }) =>
      template === PROVISION_TEMPLATE ? { ...quick, runningFor: Duration.hours(3) } : quick
    )
    const late = { _tag: "CommitLate", by: "20 minutes", answer: new ConnectionLost({ code: "ECONNRESET" }) } as const
    yield* world.aapWire.order({ when: aapRequests.launch, harm: late })
    yield* world.user.create("vm-1", spec)
    const old = String(at(yield* stored(world, "vm-1"), "metadata", "uid"))
    yield* world.user.create("vm-1", spec, yield* lost(world))
    assert.notStrictEqual(at(yield* stored(world, "vm-1"), "metadata", "uid"), old)
    yield* TestClock.adjust("1 minute")
    // nobody wants that launch any more: it is given up, and another one is made under the new uid
    yield* world.user.patch("vm-1", { spec: { vcpu: 4 } })
    yield* TestClock.adjust("30 minutes")
    assert.deepStrictEqual(
      (yield* world.aap.ledger).map(({ launchKey = "" }) => launchKey.startsWith(old)),
      [false, true]
    )
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("10 minutes")
    assert.isUndefined(yield* stored(world, "vm-1"))
    const ledger = yield* world.aap.ledger
    assert.deepStrictEqual(
      ledger.map(({ template, status }) => [template, status]),
      [
        [PROVISION_TEMPLATE, "canceled"],
        [PROVISION_TEMPLATE, "canceled"],
        [DEPROVISION_TEMPLATE, "successful"]
      ]
    )
    yield* assertNoOverlap(world)
  })
)
