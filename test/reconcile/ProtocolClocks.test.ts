/** The job of a launch whose answer was lost is found although AAP's clock is far ahead of the operator's. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { at, jobsOf, stored, verdict } from "../support/expectations.ts"
import type { Harm } from "../support/Faults.ts"
import { aapRequests } from "../support/schedulesHarms.ts"
import type { WireRequest } from "../support/Wire.ts"
import { makeWorld } from "../support/World.ts"

const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }
const quick = { pendingFor: "2 seconds", runningFor: "10 seconds", ends: "successful" } as const
const MINUTE = 60_000

/** A machine is ordered from an operator with this clock, and the answer of the launch is lost. So may be searches. */
const begun = Effect.fnUntraced(function* (place: { readonly skew: number }, ofSearches?: Harm) {
  const world = yield* makeWorld()
  yield* world.aap.play(() => quick)
  yield* world.startAt(place)
  const harm = { _tag: "Lose", code: "ECONNRESET", after: true } as const
  yield* world.aapWire.order({ when: aapRequests.launch, harm })
  if (ofSearches !== undefined) {
    yield* world.aapWire.order({ when: aapRequests.search, harm: ofSearches, times: 1_000 })
  }
  yield* world.user.create("vm-1", spec)
  yield* TestClock.adjust("5 seconds")
  return world
})

const assertAdopted = Effect.fnUntraced(function* (world: Effect.Success<ReturnType<typeof begun>>) {
  yield* TestClock.adjust("15 minutes")
  assert.lengthOf(yield* jobsOf(world, "vm-1"), 1)
  assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "provisionJob", "id"), "1")
})

for (const minutes of [0, 60, 80, 120, 3_000]) {
  it.effect(`a launch whose answer was lost is adopted by an operator whose clock is ${minutes} minutes behind`, () =>
    Effect.flatMap(begun({ skew: -minutes * MINUTE }), assertAdopted)
  )
}

it.effect(
  "a launch whose answer was lost is adopted although the operator's clock is then put forward by two hours",
  () =>
    Effect.gen(function* () {
      const place = { skew: -120 * MINUTE }
      const world = yield* begun(place)
      place.skew = 0
      yield* assertAdopted(world)
    })
)

it.effect(
  "a launch is not sent again by who looked for it with a clock two days ahead that was put back meanwhile",
  () =>
    Effect.gen(function* () {
      const place = { skew: -120 * MINUTE }
      const world = yield* begun(place, { _tag: "Lose", code: "ECONNRESET" })
      yield* TestClock.adjust("5 minutes")
      yield* world.aapWire.heal
      place.skew = 2_880 * MINUTE
      let isLooking = false
      const when = (request: WireRequest) => {
        isLooking ||= aapRequests.search(request)
        return aapRequests.search(request)
      }
      yield* world.aapWire.order({ when, harm: { _tag: "Delay", by: "10 seconds", after: true } })
      while (!isLooking) yield* TestClock.adjust("1 second")
      place.skew = -120 * MINUTE
      yield* TestClock.adjust("15 minutes")
      assert.lengthOf(yield* jobsOf(world, "vm-1"), 1)
    })
)

it.effect("a launch is not sent again by who finds it stamped by a clock half an hour ahead that was put back", () =>
  Effect.gen(function* () {
    const place = { skew: 30 * MINUTE }
    const world = yield* begun(place)
    place.skew = 0
    yield* TestClock.adjust("15 minutes")
    assert.lengthOf(yield* jobsOf(world, "vm-1"), 1)
    assert.strictEqual(verdict(yield* stored(world, "vm-1"), "Ready"), "False LaunchOutcomeUnknown")
  })
)
