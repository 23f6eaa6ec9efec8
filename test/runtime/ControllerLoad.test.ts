/** What a controller tells of its work: how long a key waited, how long a pass took, what is under way. */
import { assert, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import * as Action from "../../src/runtime/Action.ts"
import * as Backoff from "../../src/runtime/Backoff.ts"
import * as Controller from "../../src/runtime/Controller.ts"

/** Every pass takes ten seconds; one at a time. */
const working = Effect.fnUntraced(function* (fails: boolean, onPass?: Controller.Options<string>["onPass"]) {
  const measured: Array<Controller.Measured> = []
  const controller = yield* Controller.make<string>({
    name: "test",
    reconcile: () =>
      Effect.andThen(Effect.sleep("10 seconds"), fails ? Effect.fail("no") : Effect.succeed(Action.awaitChange)),
    backoff: Backoff.exponential("1 minute", "1 hour"),
    retryAfter: () => Option.none(),
    onFailure: () => Effect.void,
    onPass: onPass ?? ((one) => Effect.sync(() => void measured.push(one))),
    concurrency: 1,
    resync: "10 hours"
  })
  return { controller, measured }
})

it.effect("a key that waits for another one's pass waited as long, and a pass took what it took", () =>
  Effect.gen(function* () {
    const { controller, measured } = yield* working(false)
    yield* controller.wake("a")
    yield* controller.wake("b")
    yield* TestClock.adjust("30 seconds")
    assert.deepStrictEqual(
      measured.map(({ action, took, waited }) => ({ waited, took, action: Option.map(action, ({ _tag }) => _tag) })),
      [
        { waited: 0, took: 10_000, action: Option.some("AwaitChange") },
        { waited: 10_000, took: 10_000, action: Option.some("AwaitChange") }
      ]
    )
    assert.strictEqual(controller.load().added, 2)
  })
)

it.effect("a key that sleeps does not wait: it is due when its time has come", () =>
  Effect.gen(function* () {
    const { controller, measured } = yield* working(false)
    yield* controller.wake("a", { after: "5 minutes" })
    yield* TestClock.adjust("6 minutes")
    assert.deepStrictEqual(
      measured.map(({ waited }) => waited),
      [0]
    )
  })
)

it.effect("while a pass is under way it counts as unfinished, and others as queued", () =>
  Effect.gen(function* () {
    const { controller } = yield* working(false)
    for (const key of ["a", "b", "c"]) yield* controller.wake(key)
    yield* TestClock.adjust("4 seconds")
    assert.deepStrictEqual(controller.load(), {
      known: 3,
      active: 1,
      queued: 2,
      added: 3,
      unfinished: 4_000,
      longest: 4_000
    })
    yield* TestClock.adjust("30 seconds")
    assert.deepStrictEqual(controller.load(), {
      known: 3,
      active: 0,
      queued: 0,
      added: 3,
      unfinished: 0,
      longest: 0
    })
  })
)

it.effect("a failed pass has no answer, and one that cannot be measured goes on as ever", () =>
  Effect.gen(function* () {
    const { measured } = yield* Effect.tap(working(true), ({ controller }) => controller.wake("a"))
    yield* TestClock.adjust("15 seconds")
    assert.deepStrictEqual(
      measured.map(({ action }) => action),
      [Option.none()]
    )
    const unmeasured = yield* working(true, () => Effect.die("no metrics"))
    yield* unmeasured.controller.wake("a")
    yield* TestClock.adjust("3 minutes")
    assert.isAtLeast(unmeasured.controller.load().added, 2, "it is tried again after the backoff")
  })
)
