import { assert, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Fiber, Ref } from "effect"
import { TestClock } from "effect/testing"
import * as Action from "../../src/runtime/Action.ts"
import { observed, settled } from "./world.ts"

const minutes = (count: number) => count * 60_000

it.effect("a key is reconciled when it is woken, and not before", () =>
  Effect.gen(function* () {
    const { controller, keys } = yield* observed()
    yield* settled
    assert.deepStrictEqual(keys(), [])
    yield* controller.wake("a")
    yield* controller.quiet
    assert.deepStrictEqual(keys(), ["a"])
    assert.deepStrictEqual(yield* controller.stats, { known: 1, active: 0, queued: 0 })
  })
)

it.effect("wakes of a key that is queued merge into one pass", () =>
  Effect.gen(function* () {
    const release = yield* Deferred.make<void>()
    const { controller, keys } = yield* observed(
      (key) => Effect.as(key === "blocker" ? Deferred.await(release) : Effect.void, Action.awaitChange),
      { concurrency: 1 }
    )
    yield* controller.wake("blocker")
    yield* settled
    for (let count = 0; count < 5; count++) yield* Effect.andThen(controller.wake("a"), settled)
    assert.deepStrictEqual(yield* controller.stats, { known: 2, active: 1, queued: 1 })
    yield* Deferred.succeed(release, undefined)
    yield* controller.quiet
    assert.deepStrictEqual(keys(), ["blocker", "a"])
  })
)

it.effect("wakes during a pass lead to exactly one further pass, and it begins after the first has ended", () =>
  Effect.gen(function* () {
    const release = yield* Deferred.make<void>()
    const running = yield* Ref.make(0)
    const overlaps = yield* Ref.make(0)
    const { controller, keys } = yield* observed(() =>
      Effect.gen(function* () {
        if ((yield* Ref.updateAndGet(running, (n) => n + 1)) > 1) yield* Ref.update(overlaps, (n) => n + 1)
        yield* Deferred.await(release)
        yield* Ref.update(running, (n) => n - 1)
        return Action.awaitChange
      })
    )
    yield* controller.wake("a")
    yield* settled
    for (let count = 0; count < 5; count++) yield* controller.wake("a")
    yield* settled
    assert.deepStrictEqual(keys(), ["a"])
    yield* Deferred.succeed(release, undefined)
    yield* controller.quiet
    assert.deepStrictEqual(keys(), ["a", "a"])
    assert.strictEqual(yield* Ref.get(overlaps), 0)
  })
)

it.effect("After looks again when the delay has passed", () =>
  Effect.gen(function* () {
    const { controller, started } = yield* observed(() => Effect.succeed(Action.after("10 minutes")))
    yield* controller.wake("a")
    yield* TestClock.adjust("25 minutes")
    assert.deepStrictEqual(
      started.map(({ at }) => at),
      [0, minutes(10), minutes(20)]
    )
  })
)

it.effect("the earliest wake wins: a wake now replaces a pass due later, which does not run in addition", () =>
  Effect.gen(function* () {
    const { controller, started } = yield* observed((key, nth) =>
      Effect.succeed(key === "a" && nth === 1 ? Action.after("10 minutes") : Action.awaitChange)
    )
    yield* controller.wake("a")
    yield* TestClock.adjust("3 minutes")
    yield* controller.wake("a")
    yield* controller.wake("b", { after: "5 minutes" })
    yield* controller.wake("b", { after: "1 minute" })
    yield* controller.wake("b", { after: "1 hour" })
    yield* TestClock.adjust("2 hours")
    assert.deepStrictEqual(started, [
      { key: "a", at: 0 },
      { key: "a", at: minutes(3) },
      { key: "b", at: minutes(4) }
    ])
  })
)

it.effect("the earliest wake wins during a pass too: the action and the wakes lead to one further pass", () =>
  Effect.gen(function* () {
    const { controller, started } = yield* observed((_, nth) =>
      Effect.as(Effect.sleep("1 minute"), nth === 1 ? Action.after("10 minutes") : Action.gone)
    )
    yield* controller.wake("soon")
    yield* controller.wake("late")
    yield* settled
    yield* controller.wake("soon", { after: "5 minutes" })
    yield* controller.wake("late", { after: "1 hour" })
    yield* TestClock.adjust("2 hours")
    assert.deepStrictEqual(started, [
      { key: "soon", at: 0 },
      { key: "late", at: 0 },
      { key: "soon", at: minutes(5) },
      { key: "late", at: minutes(11) }
    ])
  })
)

it.effect("AwaitChange looks again within the resync time, spread so that keys drift apart", () =>
  Effect.gen(function* () {
    const { controller, started } = yield* observed(undefined, { resync: "10 hours" })
    for (let index = 0; index < 100; index++) yield* controller.wake(`key-${index}`)
    yield* controller.quiet
    yield* TestClock.adjust(Duration.minutes(479))
    assert.strictEqual(started.length, 100)
    yield* TestClock.adjust(Duration.minutes(121))
    const again = started.slice(100).map(({ at }) => at)
    assert.strictEqual(again.length, 100)
    assert.isAbove(new Set(again).size, 90)
    assert.isAbove(Math.max(...again) - Math.min(...again), minutes(60))
  })
)

it.effect("Gone forgets everything about the key; a later wake knows it anew", () =>
  Effect.gen(function* () {
    const { controller, keys } = yield* observed(() => Effect.succeed(Action.gone), { resync: "1 minute" })
    yield* controller.wake("a")
    yield* TestClock.adjust("1 hour")
    assert.deepStrictEqual(keys(), ["a"])
    assert.deepStrictEqual(yield* controller.stats, { known: 0, active: 0, queued: 0 })
    yield* controller.wake("a")
    yield* controller.quiet
    assert.deepStrictEqual(keys(), ["a", "a"])
    assert.strictEqual((yield* controller.stats).known, 0)
  })
)

it.effect("a wake during a pass that ends with Gone is not lost", () =>
  Effect.gen(function* () {
    const { controller, keys } = yield* observed(() => Effect.as(Effect.sleep("1 second"), Action.gone))
    yield* controller.wake("a")
    yield* settled
    yield* controller.wake("a")
    yield* TestClock.adjust("1 minute")
    assert.deepStrictEqual(keys(), ["a", "a"])
    assert.strictEqual((yield* controller.stats).known, 0)
  })
)

it.effect("urgent keys are served first, and a wake can make a queued key urgent", () =>
  Effect.gen(function* () {
    const { controller, keys } = yield* observed(() => Effect.as(Effect.sleep("1 second"), Action.gone), {
      concurrency: 1
    })
    yield* controller.wake("first")
    yield* settled
    yield* controller.wake("low", { priority: "low" })
    yield* controller.wake("normal")
    yield* controller.wake("made urgent", { priority: "low" })
    yield* controller.wake("high", { priority: "high" })
    yield* controller.wake("made urgent", { priority: "high" })
    yield* TestClock.adjust("1 minute")
    assert.deepStrictEqual(keys(), ["first", "made urgent", "high", "low", "normal"])
  })
)

it.effect("an urgent key that comes while others are started is served before the rest of them", () =>
  Effect.gen(function* () {
    const begun = yield* Deferred.make<void>()
    const { controller, keys } = yield* observed(
      () => Effect.as(Deferred.succeed(begun, undefined), Action.awaitChange),
      {
        concurrency: 100
      }
    )
    yield* Effect.forkScoped(Effect.andThen(Deferred.await(begun), controller.wake("urgent", { priority: "high" })))
    yield* settled
    for (let n = 0; n < 50; n++) yield* controller.wake(String(n))
    yield* controller.quiet
    assert.isBelow(keys().indexOf("urgent"), 5)
    assert.strictEqual(keys().length, 51)
  })
)

it.effect("quiet waits for what is queued, active or due, and not for what is due later", () =>
  Effect.gen(function* () {
    const { controller, keys } = yield* observed(() => Effect.as(Effect.sleep("1 minute"), Action.after("1 hour")), {
      concurrency: 1
    })
    yield* controller.quiet
    yield* controller.wake("a")
    yield* controller.wake("b")
    const quiet = yield* Effect.forkChild(Effect.as(controller.quiet, "quiet"))
    yield* TestClock.adjust("90 seconds")
    assert.isUndefined(quiet.pollUnsafe())
    yield* TestClock.adjust("30 seconds")
    assert.strictEqual(yield* Fiber.join(quiet), "quiet")
    assert.deepStrictEqual(keys(), ["a", "b"])
  })
)
