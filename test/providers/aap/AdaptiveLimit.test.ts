import { assert, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Semaphore } from "effect"
import { TestClock } from "effect/testing"
import * as AdaptiveLimit from "../../../src/providers/aap/AdaptiveLimit.ts"
import { json } from "../../support/Wire.ts"
import { clientOver } from "./Rig.ts"

const request = { operation: "look_up", struggles: () => true }

/** Requests of this length, one after the other through each of many hands, for a while. Answers the most under way at once. */
const busy = Effect.fnUntraced(function* (
  limit: AdaptiveLimit.AdaptiveLimit,
  takes: (underWay: number) => Duration.Input,
  hands: number,
  what: Partial<AdaptiveLimit.Sort<number, never>> = {}
) {
  let underWay = 0
  let most = 0
  const asked = Effect.suspend(() => {
    underWay += 1
    most = Math.max(most, underWay)
    return Effect.delay(
      Effect.sync(() => underWay--),
      takes(underWay)
    )
  })
  const one = Effect.scoped(Effect.andThen(limit.enter, limit.observe(asked, { ...request, ...what })))
  const fibers = yield* Effect.forEach(Array.from({ length: hands }), () => Effect.forkChild(Effect.forever(one)))
  yield* TestClock.adjust("10 seconds")
  yield* Fiber.interruptAll(fibers)
  return most
})

it.effect("grows to its bound while AAP answers as quickly as ever, and never beyond", () =>
  Effect.gen(function* () {
    const limit = AdaptiveLimit.make(4, 25)
    assert.strictEqual(yield* busy(limit, () => "30 millis", 100), 25)
    assert.strictEqual(limit.current(), 25)
  })
)

it.effect("does not grow while nobody waits", () =>
  Effect.gen(function* () {
    const limit = AdaptiveLimit.make(4, 25)
    yield* busy(limit, () => "30 millis", 4)
    assert.strictEqual(limit.current(), 4)
  })
)

it.effect("stops growing where AAP begins to queue", () =>
  Effect.gen(function* () {
    const limit = AdaptiveLimit.make(4, 100)
    // eight at a time; whoever comes on top waits
    yield* busy(limit, (underWay) => Duration.millis(Math.max(1, underWay / 8) * 200), 200)
    assert.isAtLeast(limit.current(), 8)
    // what is under way when the first slow answer comes may be twice of what AAP bears
    assert.isAtMost(limit.current(), 40)
  })
)

it.effect("halves once for all requests that were under way when AAP struggled, and recovers slowly", () =>
  Effect.gen(function* () {
    const limit = AdaptiveLimit.make(16, 16)
    const struggle = Effect.exit(limit.observe(Effect.delay(Effect.fail("503"), "1 second"), request))
    const fibers = yield* Effect.forEach(Array.from({ length: 10 }), () => Effect.forkChild(struggle))
    yield* TestClock.adjust("1 second")
    yield* Fiber.joinAll(fibers)
    assert.strictEqual(limit.current(), 8)
    yield* Effect.andThen(Effect.forkChild(struggle), TestClock.adjust("2 seconds"))
    assert.strictEqual(limit.current(), 4)
    yield* busy(limit, () => "1 second", 100)
    // one more for every round of answers
    assert.isAbove(limit.current(), 4)
    assert.isAtMost(limit.current(), 14)
  })
)

it.effect("never falls below one, and a refusal that is no struggle changes nothing", () =>
  Effect.gen(function* () {
    const limit = AdaptiveLimit.make(2, 16)
    const failing = (struggles: boolean) =>
      Effect.exit(limit.observe(Effect.fail("no"), { ...request, struggles: () => struggles }))
    yield* failing(false)
    assert.strictEqual(limit.current(), 2)
    for (let turn = 0; turn < 5; turn++) yield* Effect.andThen(TestClock.adjust("1 second"), failing(true))
    assert.strictEqual(limit.current(), 1)
  })
)

it.effect("an interrupted waiter takes no place", () =>
  Effect.gen(function* () {
    const limit = AdaptiveLimit.make(1, 1)
    const hold = Effect.scoped(Effect.andThen(limit.enter, Effect.sleep("1 second")))
    const holder = yield* Effect.forkChild(hold)
    const waiter = yield* Effect.forkChild(hold)
    yield* TestClock.adjust("500 millis")
    yield* Fiber.interrupt(waiter)
    yield* TestClock.adjust("500 millis")
    yield* Fiber.join(holder)
    yield* Effect.andThen(Effect.forkChild(hold), TestClock.adjust("1 second"))
    assert.strictEqual(limit.current(), 1)
  })
)

it.effect("compares every operation with its own: one that is slow by nature is no sign of a queue", () =>
  Effect.gen(function* () {
    const limit = AdaptiveLimit.make(4, 25)
    yield* busy(limit, () => "20 millis", 1)
    assert.strictEqual(yield* busy(limit, () => "400 millis", 100, { operation: "list" }), 25)
  })
)

it.effect("has one limit for all operations: where one begins to queue, the others do not add to it", () =>
  Effect.gen(function* () {
    const limit = AdaptiveLimit.make(8, 25)
    yield* busy(limit, () => "20 millis", 1)
    yield* busy(limit, () => "400 millis", 1, { operation: "list" })
    yield* busy(limit, () => "400 millis", 100)
    assert.strictEqual(limit.current(), 8)
    yield* busy(limit, () => "2 seconds", 100, { operation: "list" })
    assert.strictEqual(limit.current(), 8)
  })
)

it.effect("believes AAP's own time: what else an answer takes is no queue, unless it is long", () =>
  Effect.gen(function* () {
    const timed = (milliseconds: number) => ({ worked: () => milliseconds })
    const after = Effect.fnUntraced(function* (takes: Duration.Input, worked: number) {
      const limit = AdaptiveLimit.make(4, 25)
      yield* busy(limit, () => "300 millis", 1, timed(300))
      yield* busy(limit, () => takes, 100, timed(worked))
      return limit.current()
    })
    // the wire, or this process, takes its time
    assert.strictEqual(yield* after("500 millis", 300), 25)
    // something stands before AAP
    assert.strictEqual(yield* after("600 millis", 300), 4)
    // AAP itself has become slow
    assert.strictEqual(yield* after("1 second", 1_000), 4)
  })
)

it.effect("lets no queue of more than a second grow for AAP's workers, although AAP's own time does not show it", () =>
  Effect.gen(function* () {
    const WORKERS = 5
    for (const service of [100, 200, 500]) {
      const limit = AdaptiveLimit.make(6, 39)
      const workers = Semaphore.makeUnsafe(WORKERS)
      const work = workers.withPermits(1)(Effect.as(Effect.sleep(service), service))
      const sort = { ...request, struggles: () => false, worked: (took: number) => took }
      const one = Effect.scoped(Effect.andThen(limit.enter, limit.observe(Effect.delay(work, "5 millis"), sort)))
      const fibers = yield* Effect.forEach(Array.from({ length: 80 }), () => Effect.forkChild(Effect.forever(one)))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.interruptAll(fibers)
      assert.isAtLeast(limit.current(), WORKERS)
      // who comes last waits for those before it, also for those under way when the first slow answer came
      assert.isAtMost((limit.current() / WORKERS - 1) * service, 1_000, `${limit.current()} at ${service} ms`)
    }
  })
)

it.effect("forgets an answer that took AAP no time at all, like any other", () =>
  Effect.gen(function* () {
    const limit = AdaptiveLimit.make(4, 25)
    yield* busy(limit, () => "20 millis", 1, { worked: () => 0 })
    yield* busy(limit, () => "200 millis", 100, { worked: () => 200 })
    assert.strictEqual(limit.current(), 4)
    yield* TestClock.adjust("1 day")
    yield* busy(limit, () => "200 millis", 100, { worked: () => 200 })
    assert.strictEqual(limit.current(), 25)
  })
)

it.effect("goes by its own clock where AAP does not tell its time", () =>
  Effect.gen(function* () {
    const limit = AdaptiveLimit.make(4, 25)
    yield* busy(limit, () => "300 millis", 1, { worked: () => 300 })
    yield* busy(limit, () => "1400 millis", 100, { worked: () => undefined })
    yield* busy(limit, () => "600 millis", 1, { worked: () => undefined })
    const grown = limit.current()
    assert.isAbove(grown, 4)
    yield* busy(limit, () => "1400 millis", 100, { worked: () => undefined })
    assert.strictEqual(limit.current(), grown)
  })
)

it.effect("reads the time that AAP worked from its answers, and nothing from what is no time", () =>
  Effect.gen(function* () {
    const most = Effect.fnUntraced(function* (told: string) {
      let takes: Duration.Input = "100 millis"
      let underWay = 0
      const counts: Array<number> = []
      const client = yield* clientOver(
        () =>
          Effect.suspend(() => {
            counts.push(++underWay)
            const answer = json(200, { results: [], next: null }, { "x-api-time": told })
            return Effect.delay(
              Effect.sync(() => {
                underWay -= 1
                return answer
              }),
              takes
            )
          }),
        { maxConcurrentRequests: 25 }
      )
      const one = yield* Effect.forkChild(client.findTemplates("x"))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(one)
      takes = "300 millis"
      const fibers = yield* Effect.forEach(Array.from({ length: 100 }), () =>
        Effect.forkChild(Effect.forever(client.findTemplates("x")))
      )
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.interruptAll(fibers)
      return Math.max(...counts)
    })
    assert.strictEqual(yield* most("0.100s"), 15)
    for (const told of ["", "fast", "-1s", "100", "1e3s"]) assert.strictEqual(yield* most(told), 6)
  })
)
