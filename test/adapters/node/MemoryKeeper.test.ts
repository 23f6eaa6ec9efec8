import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { keep } from "../../../src/adapters/node/MemoryKeeper.ts"

/** A process whose work is told to it; a collection takes `cost` milliseconds. */
const kept = Effect.fnUntraced(function* (cost = 100) {
  let used = 0
  let collections = 0
  yield* Effect.forkScoped(
    keep({
      used: () => used,
      collect: () => {
        collections += 1
        used += cost
      }
    })
  )
  return {
    /** Works for ten seconds, using this much of the processor, in milliseconds. */
    work: (milliseconds: number) =>
      Effect.andThen(
        TestClock.adjust("1 second"),
        Effect.andThen(
          Effect.sync(() => {
            used += milliseconds
          }),
          TestClock.adjust("9 seconds")
        )
      ),
    collections: () => collections
  }
})

it.effect("memory is collected once when the process comes to rest after work, and not again", () =>
  Effect.gen(function* () {
    const { collections, work } = yield* kept()
    yield* work(9_000)
    assert.strictEqual(collections(), 0)
    yield* work(50)
    assert.strictEqual(collections(), 1)
    for (let turn = 0; turn < 20; turn++) yield* work(5)
    assert.strictEqual(collections(), 1)
  })
)

it.effect("nothing is collected while the process works, nor for little work", () =>
  Effect.gen(function* () {
    const busy = yield* kept()
    for (let turn = 0; turn < 20; turn++) yield* busy.work(2_000)
    assert.strictEqual(busy.collections(), 0)
    const lazy = yield* kept()
    for (let turn = 0; turn < 9; turn++) yield* lazy.work(100)
    assert.strictEqual(lazy.collections(), 0)
    for (let turn = 0; turn < 2; turn++) yield* lazy.work(100)
    assert.strictEqual(lazy.collections(), 1)
  })
)

it.effect("a collection that is dear is made after twenty times as much work at the soonest", () =>
  Effect.gen(function* () {
    const { collections, work } = yield* kept(1_000)
    yield* work(1_500)
    yield* work(0)
    assert.strictEqual(collections(), 1)
    yield* work(19_000)
    yield* work(0)
    assert.strictEqual(collections(), 1)
    yield* work(1_500)
    yield* work(0)
    assert.strictEqual(collections(), 2)
  })
)
