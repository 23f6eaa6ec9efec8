/** What an outage costs: requests to AAP and writes to the cluster stay few, whatever the number of objects. */
import { assert } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { assertNoOverlap, at, isLaunch, isWrite } from "../support/expectations.ts"
import type { Harm } from "../support/Faults.ts"
import { life } from "../support/life.ts"
import { json, text, type WireRequest } from "../support/Wire.ts"
import { makeWorld, type World } from "../support/World.ts"

const MANY = 200
const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }
const quick = { pendingFor: Duration.seconds(2), runningFor: Duration.seconds(10), ends: "successful" } as const
const long = { pendingFor: Duration.seconds(2), runningFor: Duration.minutes(90), ends: "successful" } as const

/** 5 s doubling to 5 min, a fifth either way: at most this many steps in an hour. */
const STEPS = 24

const createMany = (world: World) =>
  Effect.forEach(Array.from({ length: MANY }), (_, n) => world.user.create(`vm-${n}`, spec), { discard: true })

const phases = (world: World) =>
  Effect.map(world.kubernetes.objects, (objects) => {
    const counts = new Map<unknown, number>()
    for (const object of objects) {
      const phase = at(object, "status", "phase")
      counts.set(phase, (counts.get(phase) ?? 0) + 1)
    }
    return Object.fromEntries(counts)
  })

/** These look at many objects many times, which takes its time on a busy machine. */
const BUSY = 180_000

const everything = (): boolean => true
const launches = (request: WireRequest): boolean =>
  request.method === "POST" && request.url.pathname.endsWith("/launch/")

const outages: ReadonlyArray<readonly [string, Harm]> = [
  ["refused connections", { _tag: "Lose", code: "ECONNREFUSED" }],
  ["401", { _tag: "Answer", response: json(401, { detail: "Invalid token." }) }],
  ["500", { _tag: "Answer", response: json(500, { detail: "A server error has occurred." }) }],
  ["502 pages", { _tag: "Answer", response: text(502, "<html>Bad Gateway</html>", "text/html") }]
]

for (const [name, harm] of outages.filter(([title]) => title !== "500")) {
  life(
    `an hour of ${name} with ${MANY} pending objects costs one probe a backoff step`,
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* world.aap.play(() => quick)
        yield* world.aapWire.order({ when: everything, harm, times: 1_000_000 })
        yield* world.start
        yield* createMany(world)
        yield* TestClock.adjust("1 hour")
        assert.isAtMost((yield* world.aapWire.exchanges).length, STEPS)
        assert.deepStrictEqual(yield* phases(world), { Progressing: MANY })
        assert.isAtMost(yield* world.kubernetesWire.count(isWrite), 2 * MANY, "the reason is written, not rewritten")
        yield* world.aapWire.heal
        yield* TestClock.adjust("20 minutes")
        assert.deepStrictEqual(yield* phases(world), { Ready: MANY })
        assert.strictEqual((yield* world.aap.ledger).length, MANY)
        yield* assertNoOverlap(world)
      }),
    BUSY
  )
}

for (const [name, harm] of outages) {
  life(`an hour of ${name} with ${MANY} live jobs costs one attempt a backoff step, and fails none`, () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.aap.play(() => long)
      yield* world.start
      yield* createMany(world)
      yield* TestClock.adjust("1 minute")
      yield* world.aapWire.order({ when: everything, harm, times: 1_000_000 })
      yield* world.aapWire.forget
      yield* world.kubernetesWire.forget
      yield* TestClock.adjust("1 hour")
      // the first round that fails looks for a row at fault before it believes in an outage
      assert.isAtMost((yield* world.aapWire.exchanges).length, STEPS + 3)
      assert.deepStrictEqual(yield* phases(world), { Progressing: MANY })
      assert.isAtMost(yield* world.kubernetesWire.count(isWrite), MANY, "each object is told once")
      yield* world.aapWire.heal
      yield* TestClock.adjust("40 minutes")
      assert.deepStrictEqual(yield* phases(world), { Ready: MANY })
      assert.strictEqual((yield* world.aap.ledger).length, MANY)
    })
  )
}

for (const [name, harm] of [
  ...outages,
  ["400", { _tag: "Answer", response: json(400, { detail: "Bad request." }) }],
  ["silence", { _tag: "Hang" }]
] as const) {
  life(`an hour of ${name} with one live job costs one attempt a backoff step`, () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.aap.play(() => long)
      yield* world.start
      yield* world.user.create("vm-1", spec)
      yield* TestClock.adjust("1 minute")
      yield* world.aapWire.order({ when: everything, harm, times: 1_000_000 })
      yield* world.aapWire.forget
      yield* TestClock.adjust("1 hour")
      // a list, and where AAP refuses the id, the job by itself
      const each = name === "400" ? 2 : 1
      assert.isAtMost((yield* world.aapWire.exchanges).length, each * 25)
      assert.deepStrictEqual(yield* phases(world), { Progressing: 1 })
      yield* world.aapWire.heal
      yield* TestClock.adjust("40 minutes")
      assert.deepStrictEqual(yield* phases(world), { Ready: 1 })
    })
  )
}

life(
  `an hour of 401 to launches alone, with ${MANY} pending objects, costs few launches`,
  () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.aap.play(() => quick)
      yield* world.aapWire.order({
        when: launches,
        harm: { _tag: "Answer", response: json(401, { detail: "Invalid token." }) },
        times: 1_000_000
      })
      yield* world.start
      yield* createMany(world)
      yield* TestClock.adjust("1 hour")
      // at most as many at a time as there are permits, before the first answer shuts the gate
      assert.isAtMost(yield* world.aapWire.count(isLaunch), 10 * STEPS)
      assert.deepStrictEqual(yield* phases(world), { Progressing: MANY })
      assert.strictEqual((yield* world.aap.ledger).length, 0)
      yield* world.aapWire.heal
      yield* TestClock.adjust("20 minutes")
      assert.deepStrictEqual(yield* phases(world), { Ready: MANY })
      assert.strictEqual((yield* world.aap.ledger).length, MANY)
    }),
  BUSY
)
