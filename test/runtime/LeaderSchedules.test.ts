/**
 * Random courses of events for the leader election: cuts, slow and lost answers, crashes, stops and starts, people who edit.
 * At no moment may two replicas have clearance, and once everything is well one leads within the lease and two seconds.
 */

import { assert } from "@effect/vitest"
import { Effect, Logger, Random } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import { it as test } from "vitest"
import * as PatientClock from "../support/PatientClock.ts"
import { type MemoryLock, makeLock, type Replica, soundWire, startReplica } from "./memoryLock.ts"

const { LEADER_SCHEDULES = "40" } = process.env
const LEASE = 15_000

type Event =
  | { readonly do: "wait"; readonly millis: number }
  | { readonly do: "slow"; readonly who: number; readonly before: number; readonly after: number }
  | { readonly do: "cut" | "refuse" | "heal" | "kill" | "stop"; readonly who: number }
  | { readonly do: "start"; readonly skew: number; readonly drain: number }
  | { readonly do: "touch" }

const who = fc.nat(2)
const events: fc.Arbitrary<ReadonlyArray<Event>> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constant("wait" as const), millis: fc.integer({ min: 100, max: 20_000 }) })
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant("slow" as const),
        who,
        before: fc.constantFrom(0, 500, 2_500, 4_000, 12_000, 30_000),
        after: fc.constantFrom(0, 500, 2_500, 9_000)
      })
    },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constantFrom("cut" as const, "refuse" as const, "heal" as const), who })
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("kill" as const, "stop" as const), who }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant("start" as const),
        skew: fc.constantFrom(-600_000, 0, 600_000),
        drain: fc.constantFrom(0, 3_000, 40_000)
      })
    },
    { weight: 1, arbitrary: fc.constant({ do: "touch" as const }) }
  ),
  { minLength: 5, maxLength: 40 }
)

interface Site {
  readonly lock: MemoryLock
  readonly alive: Array<Replica>
  /** Everybody who ever was, for those that are told to stop go on for a while. */
  readonly all: Array<Replica>
}

const pass = Effect.fnUntraced(function* ({ all }: Site, millis: number, holds: () => boolean = () => false) {
  for (let passed = 0; passed < millis && !holds(); passed += 100) {
    yield* TestClock.adjust(100)
    const clear = all.filter((one) => one.isClear()).length
    if (clear > 1) return assert.fail(`${clear} replicas have clearance`)
  }
})

const start = Effect.fnUntraced(function* (site: Site, options: { readonly skew: number; readonly drain: number }) {
  if (site.alive.length > 2) return
  const replica = yield* startReplica(site.lock, `replica-${site.all.length}`, options)
  site.alive.push(replica)
  site.all.push(replica)
})

const perform = Effect.fnUntraced(function* (site: Site, event: Event) {
  if (event.do === "wait") return yield* pass(site, event.millis)
  if (event.do === "start") return yield* start(site, event)
  if (event.do === "touch") return site.lock.edit((claim) => claim)
  const index = event.who % Math.max(1, site.alive.length)
  const replica = site.alive[index]
  if (replica === undefined) return
  switch (event.do) {
    case "slow":
      return void Object.assign(replica.wire, { before: event.before, after: event.after })
    case "cut":
      replica.wire.cut = true
      return
    case "refuse":
      replica.wire.refused = true
      return
    case "heal":
      return void Object.assign(replica.wire, soundWire())
    case "kill":
      site.alive.splice(index, 1)
      return yield* replica.kill
    case "stop":
      site.alive.splice(index, 1)
      return yield* Effect.asVoid(Effect.forkChild(replica.stop, { startImmediately: true }))
  }
})

const play = (course: ReadonlyArray<Event>) =>
  Effect.gen(function* () {
    const site: Site = { lock: makeLock(), alive: [], all: [] }
    yield* start(site, { skew: 0, drain: 0 })
    yield* start(site, { skew: 0, drain: 0 })
    for (const event of course) yield* perform(site, event)
    for (const { wire } of site.all) Object.assign(wire, soundWire())
    yield* start(site, { skew: 0, drain: 0 })
    // what was slow comes late, and what drains ends
    yield* pass(site, 45_000)
    yield* pass(site, LEASE + 2_000, () => site.alive.some((one) => one.isClear()))
    assert.isTrue(
      site.alive.some((one) => one.isClear()),
      "nobody leads although everything is well"
    )
  }).pipe(
    Effect.scoped,
    Random.withSeed(JSON.stringify(course)),
    Effect.provide([PatientClock.layer(), Logger.layer([])])
  )

test("at most one replica has clearance, whatever happens, and soon exactly one once everything is well", async () => {
  await fc.assert(
    fc.asyncProperty(events, (course) => Effect.runPromise(play(course))),
    {
      numRuns: Number(LEADER_SCHEDULES),
      seed: 20_261_121,
      interruptAfterTimeLimit: 60_000,
      markInterruptAsFailure: true
    }
  )
}, 600_000)
