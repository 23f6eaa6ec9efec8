/** Several replicas in one world: who works, who takes over, and what neither of them ever does. */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { at, isLaunch, jobsOf, stored, verdict } from "../support/expectations.ts"
import type { Exchange } from "../support/Faults.ts"
import { overlaps } from "../support/SimulatedAap.ts"
import type { WireHandler, WireRequest } from "../support/Wire.ts"
import { makeWorld, type Process, type World, type WorldOptions } from "../support/World.ts"

const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }
const elected: WorldOptions = { leader: "15 seconds" }

const isLease = ({ path }: Exchange): boolean => path.includes("/leases")
const isOfAap = ({ path }: Exchange): boolean => path.startsWith("/api/")
const writesIntent = ({ body, method }: WireRequest): boolean => method === "PATCH" && body.includes("launch-intent")

/** How long it takes until the process leads, in milliseconds. */
const untilLeading = Effect.fnUntraced(function* ({ standing }: Process, limit: number) {
  for (let passed = 0; passed <= limit; passed += 100) {
    if ((yield* standing).leads) return passed
    yield* TestClock.adjust(100)
  }
  return assert.fail(`it does not lead within ${limit} ms`)
})

const launchedOnce = Effect.fnUntraced(function* (world: World, name: string) {
  assert.strictEqual((yield* jobsOf(world, name)).length, 1, `launches of ${name}`)
  assert.deepStrictEqual(overlaps(yield* world.aap.ledger), [])
})

/** A wire from one process to everything, which can be cut, for some requests or for all to the API server. */
const makeCable = () => {
  let isCut = (_: WireRequest): boolean => false
  const unlessCut = <A>(request: WireRequest, answer: A) =>
    Effect.suspend(() =>
      isCut(request) && request.url.hostname === "kubernetes.test" ? Effect.never : Effect.succeed(answer)
    )
  return {
    cut: (when: (request: WireRequest) => boolean = () => true) => {
      isCut = when
    },
    heal: () => {
      isCut = () => false
    },
    wire:
      (inner: WireHandler): WireHandler =>
      (request) =>
        unlessCut(request, request).pipe(
          Effect.flatMap(inner),
          Effect.flatMap((answer) => unlessCut(request, answer))
        )
  }
}

it.effect("without an election nobody asks for a Lease", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("5 minutes")
    assert.strictEqual(yield* world.kubernetesWire.count(isLease), 0)
  }).pipe(Effect.scoped)
)

it.effect("a standby watches, and asks nothing of AAP and writes nothing", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld(elected)
    const first = yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("5 minutes")
    yield* first.kill
    yield* world.aapWire.forget
    yield* world.kubernetesWire.forget
    // the lease of the dead one has still a while to go
    yield* world.start
    yield* world.user.create("vm-2", { ...spec, name: "vm-2" })
    yield* TestClock.adjust("10 seconds")
    assert.strictEqual(yield* world.aapWire.count(isOfAap), 0)
    assert.deepStrictEqual(
      (yield* world.kubernetesWire.exchanges).filter(({ method }) => method !== "GET"),
      []
    )
    assert.strictEqual(yield* world.kubernetesWire.count(({ path }) => path.endsWith("/computeinstances")), 2)
    yield* TestClock.adjust("5 minutes")
    assert.strictEqual(verdict(yield* stored(world, "vm-2"), "Ready"), "True Provisioned")
  }).pipe(Effect.scoped)
)

it.effect("a crash costs the lease and two seconds, and the job that ran goes on under the next one's eyes", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld(elected)
    yield* world.aap.play(() => ({ runningFor: "1 minute", ends: "successful" }))
    const first = yield* world.start
    yield* TestClock.adjust("1 second")
    const second = yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("20 seconds")
    yield* first.kill
    assert.isAtMost(yield* untilLeading(second, 60_000), 17_000)
    yield* TestClock.adjust("5 minutes")
    assert.strictEqual(verdict(yield* stored(world, "vm-1"), "Ready"), "True Provisioned")
    yield* launchedOnce(world, "vm-1")
  }).pipe(Effect.scoped)
)

it.effect("a standby whose watch died without a word knows the world when it takes over", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld(elected)
    const first = yield* world.start
    yield* TestClock.adjust("1 second")
    const second = yield* world.start
    yield* TestClock.adjust("40 seconds")
    yield* first.stop
    yield* world.kubernetes.stallWatches
    yield* world.user.create("vm-1", spec)
    yield* untilLeading(second, 2_000)
    yield* TestClock.adjust("1 second")
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 1)
  }).pipe(Effect.scoped)
)

it.effect("told to stop in the middle of a launch, a leader records the job, then hands over within two seconds", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld(elected)
    yield* world.aapWire.order({
      when: ({ method, url }) => method === "POST" && url.pathname.endsWith("/launch/"),
      harm: { _tag: "Delay", by: "20 seconds", after: true }
    })
    const first = yield* world.start
    yield* TestClock.adjust("1 second")
    const second = yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("2 seconds")
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 0)
    const stopping = yield* Effect.forkChild(first.stop, { startImmediately: true })
    yield* TestClock.adjust("17 seconds")
    // longer than the lease: it is renewed until the answer is there
    assert.isFalse((yield* second.standing).leads)
    yield* TestClock.adjust("1 second")
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "jobs", 0, "type"), "provision")
    assert.isAtMost(yield* untilLeading(second, 10_000), 2_000)
    yield* Fiber.join(stopping)
    yield* TestClock.adjust("5 minutes")
    assert.strictEqual(verdict(yield* stored(world, "vm-1"), "Ready"), "True Provisioned")
    yield* launchedOnce(world, "vm-1")
  }).pipe(Effect.scoped)
)

it.effect("cut off between its intent and its launch, a leader sends nothing; the next one resolves the intent", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld({ ...elected, settings: { quietPeriod: 1_000, sendWindow: 3_600_000 } })
    const cable = makeCable()
    const first = yield* world.startAt(cable)
    yield* TestClock.adjust("1 second")
    const second = yield* world.start
    // the answer to the intent comes when the lease is long gone
    yield* world.kubernetesWire.order({ when: writesIntent, harm: { _tag: "Delay", by: "25 seconds", after: true } })
    cable.cut(({ url }) => url.pathname.includes("/leases"))
    yield* world.user.create("vm-1", spec)
    yield* untilLeading(second, 20_000)
    yield* TestClock.adjust("10 seconds")
    cable.heal()
    yield* TestClock.adjust("10 minutes")
    assert.isFalse((yield* first.standing).leads)
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 1)
    yield* launchedOnce(world, "vm-1")
    assert.strictEqual(verdict(yield* stored(world, "vm-1"), "Ready"), "True Provisioned")
  }).pipe(Effect.scoped)
)

it.effect("an id that was received is recorded even by who lost the lease meanwhile, and nothing else is written", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld(elected)
    yield* world.aapWire.order({
      when: ({ method, url }) => method === "POST" && url.pathname.endsWith("/launch/"),
      harm: { _tag: "Delay", by: "12 seconds", after: true }
    })
    yield* world.kubernetesWire.order({
      when: ({ method, url }) => method === "PATCH" && url.pathname.includes("/leases/"),
      times: 1_000,
      harm: { _tag: "Answer", response: { status: 503, headers: {}, body: "" } }
    })
    const first = yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("11 seconds")
    assert.isUndefined(at(yield* stored(world, "vm-1"), "status", "jobs", 0))
    yield* world.kubernetesWire.forget
    yield* TestClock.adjust("3 seconds")
    assert.isFalse((yield* first.standing).leads)
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "jobs", 0, "state"), "Pending")
    const writes = (yield* world.kubernetesWire.exchanges).filter((one) => one.method !== "GET" && !isLease(one))
    assert.deepStrictEqual(
      writes.map(({ path }) => path),
      ["/apis/cloudkit.openshift.io/v1alpha1/namespaces/default/computeinstances/vm-1/status"]
    )
  }).pipe(Effect.scoped)
)

it.effect.each([-600_000, 600_000])("replicas whose clocks differ by %d ms hand over, and launch once", (skew) =>
  Effect.gen(function* () {
    const world = yield* makeWorld(elected)
    const first = yield* world.startAt({ skew })
    yield* TestClock.adjust("1 second")
    const second = yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("3 minutes")
    assert.deepStrictEqual([(yield* first.standing).leads, (yield* second.standing).leads], [true, false])
    yield* first.kill
    yield* untilLeading(second, 17_000)
    yield* world.user.create("vm-2", { ...spec, name: "vm-2" })
    yield* TestClock.adjust("5 minutes")
    for (const name of ["vm-1", "vm-2"]) {
      yield* launchedOnce(world, name)
      assert.strictEqual(verdict(yield* stored(world, name), "Ready"), "True Provisioned")
    }
  }).pipe(Effect.scoped)
)

it.effect("leadership that goes back and forth leaves nothing over from the term before", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld(elected)
    yield* world.aap.play(() => ({ runningFor: "10 minutes", ends: "successful" }))
    const [left, right] = [makeCable(), makeCable()]
    const first = yield* world.startAt(left)
    yield* TestClock.adjust("1 second")
    const second = yield* world.startAt(right)
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("10 seconds")
    left.cut()
    yield* untilLeading(second, 17_000)
    assert.isFalse((yield* first.standing).leads)
    left.heal()
    right.cut()
    yield* untilLeading(first, 20_000)
    right.heal()
    yield* TestClock.adjust("1 minute")
    // one of them polls, not both
    yield* world.aapWire.forget
    yield* TestClock.adjust("5 minutes")
    const polls = yield* world.aapWire.count(({ query }) => query.includes("id__in"))
    assert.isAtLeast(polls, 9)
    assert.isAtMost(polls, 11)
    yield* TestClock.adjust("20 minutes")
    assert.strictEqual(verdict(yield* stored(world, "vm-1"), "Ready"), "True Provisioned")
    yield* launchedOnce(world, "vm-1")
  }).pipe(Effect.scoped)
)
