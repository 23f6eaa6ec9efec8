/**
 * Many machines are ordered at once from an AAP that takes a second for every launch: they wait for their turn, and nobody
 * else waits with them. Whatever becomes of those who wait, everybody who wants a launch gets it, once.
 */
import { assert } from "@effect/vitest"
import { Clock, Duration, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import {
  assertNoOverlap,
  at,
  condition,
  isLaunch,
  isPoll,
  isWrite,
  jobsOf,
  stored,
  verdict
} from "../support/expectations.ts"
import type { Exchange } from "../support/Faults.ts"
import { life } from "../support/life.ts"
import { makeUser } from "../support/User.ts"
import { json, type WireRequest } from "../support/Wire.ts"
import { DEPROVISION_TEMPLATE, makeWorld, PROVISION_TEMPLATE, settled, type World } from "../support/World.ts"

const POLL = 5_000
/** These look at many objects many times, which takes its time on a busy machine. */
const BUSY = 180_000

const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }
const quick = { runningFor: Duration.seconds(5), ends: "successful" } as const
const namesOf = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix}-${n}`)

const everything = (): boolean => true
const launches = (request: WireRequest): boolean =>
  request.method === "POST" && request.url.pathname.endsWith("/launch/")
const lookUps = (request: WireRequest): boolean => request.url.pathname.endsWith("job_templates/")

/** As the operator is set up unless told otherwise, but for the poll interval; a launch takes a second. */
const makeBusyWorld = Effect.gen(function* () {
  const world = yield* makeWorld({ concurrency: 64, maxConcurrentRequests: 64, settings: { pollInterval: POLL } })
  yield* world.aapWire.order({ when: launches, harm: { _tag: "Delay", by: "1 second" }, times: 1_000_000 })
  yield* world.aap.play(() => quick)
  return world
})

const createAll = (world: World, names: ReadonlyArray<string>) => {
  const user = makeUser(world.kubernetes.handler, "https://kubernetes.test")
  return settled(Effect.forEach(names, (name) => user.create(name, spec), { discard: true }))
}

/** In milliseconds; the condition is exact to a second. */
const becameReady = (object: unknown): number => Date.parse(String(condition(object, "Ready")?.lastTransitionTime))

/** Names in the order in which AAP ran a job of this template for them. */
const launched = (world: World, template = PROVISION_TEMPLATE) =>
  Effect.map(world.aap.ledger, (ledger) =>
    ledger.filter((job) => job.template === template).map((job) => job.object?.name ?? "")
  )

const verdicts = (world: World) =>
  Effect.map(world.kubernetes.objects, (objects) => [...new Set(objects.map((object) => verdict(object, "Ready")))])

const MANY = 1_000

life(
  `${MANY} creates delay neither the news of finished jobs nor deletions, and are launched once each, in order`,
  () =>
    Effect.gen(function* () {
      const world = yield* makeBusyWorld
      yield* world.aap.play(({ payload }) => {
        const [kind, n] = String(at(payload, "metadata", "name")).split("-")
        return { runningFor: Duration.seconds(kind === "old" ? 60 + Number(n) : 5), ends: "successful" }
      })
      yield* world.start
      const [old, doomed, fresh] = [namesOf("old", 50), namesOf("doomed", 20), namesOf("fresh", MANY)]
      yield* createAll(world, [...old, ...doomed])
      yield* TestClock.adjust("55 seconds")
      for (const wire of [world.kubernetesWire, world.aapWire]) yield* wire.forget
      yield* createAll(world, fresh)
      yield* TestClock.adjust("10 seconds")
      const removed = yield* Clock.currentTimeMillis
      yield* Effect.forEach(doomed, (name) => world.user.remove(name), { discard: true })
      yield* TestClock.adjust("2 minutes")

      const ledger = yield* world.aap.ledger
      const finished = new Map(ledger.map((job) => [job.object?.name, job.finished ?? Number.NaN]))
      for (const name of old) {
        const late = becameReady(yield* stored(world, name)) - (finished.get(name) ?? Number.NaN)
        assert.isAtMost(late, POLL + 1_000, name)
      }
      const torn = ledger.filter((job) => job.template === DEPROVISION_TEMPLATE)
      assert.strictEqual(torn.length, doomed.length)
      // one for every provision: a deletion goes before a thousand that came earlier
      assert.isAtMost(Math.max(...torn.map(({ created }) => created - removed)), 5_000)

      assert.deepStrictEqual((yield* launched(world)).slice(old.length + doomed.length), fresh)
      yield* assertNoOverlap(world)
      assert.deepStrictEqual(yield* verdicts(world), ["True Provisioned"])
      const perFresh = (path: string) => path.includes("/fresh-")
      const writes = yield* world.kubernetesWire.count((exchange) => isWrite(exchange) && perFresh(exchange.path))
      assert.isAtMost(writes / MANY, 4, "waiting is not written down")
      const others = yield* world.aapWire.count((exchange) => !isLaunch(exchange) && !isPoll(exchange))
      assert.isAtMost(others, 2, "the deprovision template, looked up and checked")
    }),
  BUSY
)

life(
  "all 300 objects hear within seconds of a template that is missing, however long AAP takes to say so",
  () =>
    Effect.gen(function* () {
      const world = yield* makeBusyWorld
      yield* world.aap.removeTemplate(PROVISION_TEMPLATE)
      yield* world.aapWire.order({ when: lookUps, harm: { _tag: "Delay", by: "5 seconds" }, times: 1_000_000 })
      yield* world.start
      yield* createAll(world, namesOf("vm", 300))
      yield* TestClock.adjust("12 seconds")
      assert.deepStrictEqual(yield* verdicts(world), ["False TemplateNotFound"])
    }),
  BUSY
)

life(
  "an outage reaches the status of all who wait in line within seconds, and its end launches each of them once",
  () =>
    Effect.gen(function* () {
      const world = yield* makeBusyWorld
      const names = namesOf("vm", 300)
      yield* world.start
      yield* createAll(world, names)
      yield* TestClock.adjust("4 seconds")
      const before = (yield* launched(world)).length
      assert.isBelow(before, 150)
      yield* world.aapWire.heal
      const harm = { _tag: "Lose", code: "ECONNREFUSED" } as const
      yield* world.aapWire.order({ when: everything, harm, times: 1_000_000 })
      yield* TestClock.adjust("10 seconds")
      const objects = yield* world.kubernetes.objects
      const silent = objects.filter((object) => verdict(object, "Ready") === "absent")
      assert.deepStrictEqual(silent, [])
      const told = objects.filter((object) => verdict(object, "Ready") === "False ProviderUnreachable")
      assert.isAtLeast(told.length, names.length - before - 32)
      yield* world.aapWire.heal
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual((yield* launched(world)).sort(), names.sort())
      assert.deepStrictEqual(yield* verdicts(world), ["True Provisioned"])
    }),
  BUSY
)

life(
  "who is deleted, paused or changed while it waits takes no place from anybody, and is treated as it is by then",
  () =>
    Effect.gen(function* () {
      const world = yield* makeBusyWorld
      const kinds = ["stays", "deleted", "paused", "changed"]
      const names = Array.from({ length: 320 }, (_, n) => `${kinds[n % kinds.length]}-${n}`)
      yield* world.start
      yield* createAll(world, names)
      yield* TestClock.adjust("4 seconds")
      const before = new Set(yield* launched(world))
      assert.isBelow(before.size, 150)
      const user = makeUser(world.kubernetes.handler, "https://kubernetes.test")
      // some of them have been called by the time, and none has been told of its launch
      const waiting = names.slice(before.size + 32)
      const those = (kind: string) => waiting.filter((name) => name.startsWith(kind))
      const pause = { "cloudkit.openshift.io/management-state": "unmanaged" }
      yield* settled(
        Effect.all([
          Effect.forEach(those("deleted"), (name) => user.remove(name)),
          Effect.forEach(those("paused"), (name) => user.annotate(name, pause)),
          Effect.forEach(those("changed"), (name) => user.patch(name, { spec: { ...spec, memory: 8192 } }))
        ])
      )
      yield* TestClock.adjust("1 minute")
      const ran = yield* launched(world)
      const unwanted = new Set([...those("deleted"), ...those("paused")])
      assert.deepStrictEqual(ran.toSorted(), names.filter((name) => !unwanted.has(name)).sort())
      assert.deepStrictEqual(yield* launched(world, DEPROVISION_TEMPLATE), [])
      const memories = new Map(
        (yield* world.aap.ledger).map((job) => [job.object?.name ?? "", at(job.payload, "spec", "memory")])
      )
      for (const name of those("changed")) assert.strictEqual(memories.get(name), 8192, name)

      yield* createAll(world, namesOf("later", 100))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* launched(world)).length, ran.length + 100)
    }),
  BUSY
)

life(
  "an object that is deleted while others launch says so after a moment, by one write more, and keeps its turn",
  () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ concurrency: 16 })
      yield* world.aap.play(() => quick)
      yield* world.start
      const names = [...namesOf("first", 20), "last"]
      yield* createAll(world, names)
      yield* TestClock.adjust("2 minutes")
      yield* world.aapWire.order({ when: launches, harm: { _tag: "Delay", by: "8 seconds" }, times: 100 })
      const ofLast = (exchange: Exchange) => isWrite(exchange) && exchange.path.includes("/last")
      yield* world.kubernetesWire.forget
      yield* Effect.forEach(names, (name) => world.user.remove(name), { discard: true })
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* world.kubernetesWire.count(ofLast), 0, "who waits for a moment only says nothing of it")
      yield* TestClock.adjust("4 seconds")
      const waiting = yield* stored(world, "last")
      const jobs = yield* jobsOf(world, "last")
      const writes = yield* world.kubernetesWire.count(ofLast)
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(yield* world.kubernetes.objects, [])
      assert.deepStrictEqual([jobs.length, writes], [1, 1], "nothing but the word")
      assert.strictEqual(at(waiting, "status", "phase"), "Deleting")
      assert.strictEqual(verdict(waiting, "Ready"), "False LaunchPending")
      // four as ever
      assert.isAtMost(yield* world.kubernetesWire.count(ofLast), 5)
      assert.strictEqual((yield* launched(world, DEPROVISION_TEMPLATE)).at(-1), "last")
    }),
  BUSY
)

life(
  "a process that is stopped while many wait leaves them to the next one, which launches each of them once",
  () =>
    Effect.gen(function* () {
      const world = yield* makeBusyWorld
      const names = namesOf("vm", 300)
      const first = yield* world.start
      yield* createAll(world, names)
      yield* TestClock.adjust("4500 millis")
      const stopping = yield* Effect.forkChild(first.stop, { startImmediately: true })
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(stopping)
      assert.isBelow((yield* launched(world)).length, 200)
      yield* world.start
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual((yield* launched(world)).sort(), names.sort())
      assert.deepStrictEqual(yield* verdicts(world), ["True Provisioned"])
    }),
  BUSY
)

life(
  "who fails and has to wait in line again and again tries less and less often all the same",
  () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ concurrency: 2 })
      yield* world.aapWire.order({ when: launches, harm: { _tag: "Delay", by: "20 seconds" }, times: 1_000_000 })
      const ofVictim = ({ method, url }: WireRequest) => method === "PATCH" && url.pathname.endsWith("/victim")
      const harm = { _tag: "Answer", response: json(500, { kind: "Status", status: "Failure", code: 500 }) } as const
      yield* world.kubernetesWire.order({ when: ofVictim, harm, times: 1_000_000 })
      yield* world.start
      for (const name of [...namesOf("first", 2), "victim", ...namesOf("then", 30)]) {
        yield* createAll(world, [name])
        yield* TestClock.adjust("19 seconds")
      }
      const isTry = ({ method, path }: Exchange) => method === "PATCH" && path.endsWith("/victim")
      const tries = yield* world.kubernetesWire.count(isTry)
      yield* world.kubernetesWire.heal
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual((yield* launched(world)).length, 33)
      // 1 s doubling, a fifth either way, and the waits in line; without the doubling there are 28
      assert.isAtMost(tries, 12)
      assert.isAtLeast(tries, 5)
    }),
  BUSY
)

life(
  "whoever waits to launch does not wait until the launch before is recorded",
  () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ concurrency: 2 })
      const ofFirst = ({ method, url }: WireRequest) => method === "PATCH" && url.pathname.endsWith("/first/status")
      yield* world.kubernetesWire.order({ when: ofFirst, harm: { _tag: "Delay", by: "10 seconds" } })
      yield* world.start
      yield* createAll(world, ["first", "second"])
      yield* TestClock.adjust("1 second")
      const early = yield* launched(world)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(early, ["first", "second"])
    }),
  BUSY
)

life(
  "with one pass at a time every launch is sent as well",
  () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ concurrency: 1 })
      const names = namesOf("vm", 5)
      yield* world.start
      yield* createAll(world, names)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* launched(world), names)
    }),
  BUSY
)
