/** The whole operator while watches hang, break and expire, in virtual time: how soon it is noticed, and what it costs. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { at, jobsOf, stored } from "../support/expectations.ts"
import type { Exchange } from "../support/Faults.ts"
import type { WireRequest } from "../support/Wire.ts"
import { makeWorld, settled, type World } from "../support/World.ts"

const spec = { name: "vm", vcpu: 1, memory: 1024, disk: 10 }
const quick = { pendingFor: "1 second", runningFor: "1 second", ends: "successful" } as const

const ofTheCollection = ({ method, path }: Exchange): boolean => method === "GET" && path.endsWith("/computeinstances")
const isWatch = (one: Exchange): boolean => ofTheCollection(one) && one.query.includes("watch=true")
const isList = (one: Exchange): boolean => ofTheCollection(one) && !isWatch(one)

const started = Effect.gen(function* () {
  const world = yield* makeWorld()
  yield* world.aap.play(() => quick)
  yield* world.start
  yield* world.user.create("first", spec)
  yield* TestClock.adjust("10 minutes")
  assert.strictEqual(yield* world.kubernetesWire.count(isList), 1)
  yield* world.kubernetesWire.forget
  return world
})

/** What it cost since it was last asked. */
const cost = Effect.fnUntraced(function* ({ kubernetesWire }: World) {
  const [lists, watches] = [yield* kubernetesWire.count(isList), yield* kubernetesWire.count(isWatch)]
  yield* kubernetesWire.forget
  return { lists, watches }
})

const assertLaunched = Effect.fnUntraced(function* (world: World, ...names: ReadonlyArray<string>) {
  for (const name of names) assert.strictEqual((yield* jobsOf(world, name)).length, 1, name)
})

it.effect(
  "a watch that hangs silently is noticed within a minute, however old it is, and nothing is listed again",
  () =>
    Effect.gen(function* () {
      const world = yield* started
      for (let round = 0; round < 12; round++) {
        yield* world.kubernetes.stallWatches
        yield* world.user.create(`unseen-${round}`, spec)
        yield* TestClock.adjust("59 seconds")
        yield* assertLaunched(world, `unseen-${round}`)
        const { lists, watches } = yield* cost(world)
        assert.strictEqual(lists, 0)
        assert.isAtMost(watches, 2)
        yield* TestClock.adjust(`${round * 4} seconds`)
        yield* cost(world)
      }
    })
)

it.effect("a connection that is killed every second for five minutes loses nothing, and is no storm", () =>
  Effect.gen(function* () {
    const world = yield* started
    for (let second = 0; second < 300; second++) {
      yield* settled(world.kubernetes.disconnectWatches)
      if (second % 60 === 0) yield* world.user.create(`killed-${second / 60}`, spec)
      yield* TestClock.adjust("1 second")
    }
    yield* TestClock.adjust("30 seconds")
    yield* assertLaunched(world, "killed-0", "killed-1", "killed-2", "killed-3", "killed-4")
    const { lists, watches } = yield* cost(world)
    assert.isAtMost(lists, 12)
    assert.isAtMost(watches, 60)
  })
)

it.effect(
  "a compaction of what was not seen costs one list; deletions and orders that were not seen are carried out",
  () =>
    Effect.gen(function* () {
      const world = yield* started
      yield* world.kubernetes.stallWatches
      yield* world.user.remove("first")
      yield* world.user.create("unseen", spec)
      yield* settled(world.kubernetes.compact)
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual((yield* cost(world)).lists, 1)
      yield* assertLaunched(world, "unseen")
      assert.isUndefined(yield* stored(world, "first"))
    })
)

it.effect(
  "an API server that is away for an hour is asked at a capped rate, and costs at most one list when it is back",
  () =>
    Effect.gen(function* () {
      const world = yield* started
      yield* settled(world.kubernetes.disconnectWatches)
      const away = { _tag: "Lose", code: "ECONNREFUSED" } as const
      yield* world.kubernetesWire.order({ when: () => true, harm: away, times: 1_000_000 })
      yield* world.user.create("unseen", spec)
      yield* TestClock.adjust("1 hour")
      assert.isAtMost((yield* world.kubernetesWire.exchanges).length, 180)
      yield* world.kubernetesWire.heal
      yield* world.kubernetesWire.forget
      yield* TestClock.adjust("1 minute")
      yield* assertLaunched(world, "unseen")
      assert.isAtMost((yield* cost(world)).lists, 1)
    })
)

it.effect("the answer of a launch is recorded at once while somebody writes to the object twenty times a second", () =>
  Effect.gen(function* () {
    const world = yield* started
    const isLaunch = ({ method, url }: WireRequest) => method === "POST" && url.pathname.endsWith("/launch/")
    yield* world.aapWire.order({ when: isLaunch, harm: { _tag: "Delay", by: "300 millis", after: true } })
    yield* world.user.create("pestered", spec)
    for (let beat = 0; beat < 20; beat++) {
      yield* world.user.annotate("pestered", { "example.com/heartbeat": String(beat) })
      yield* TestClock.adjust("50 millis")
    }
    assert.isDefined(at(yield* stored(world, "pestered"), "status", "provisionJob", "id"))
    assert.isAtMost(yield* world.kubernetesWire.count(({ status }) => status === 409), 2)
  })
)
