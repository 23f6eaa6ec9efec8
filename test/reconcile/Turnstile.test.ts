/** Who is let in to launch, who waits, and that no place is ever lost, whatever becomes of those who had one. */
import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { endings, exits, make, passing, steppingAside } from "./turnstile.ts"

it.effect("as many are let in as there are places, and the next is called when a launch is sent", () =>
  Effect.gen(function* () {
    const { called, launch, turnstile } = yield* make(2)
    assert.isTrue(yield* turnstile.enter("a", "provision"))
    assert.isTrue(yield* turnstile.enter("b", "provision"))
    assert.isFalse(yield* launch("c"))
    assert.isFalse(yield* launch("d"))
    assert.deepStrictEqual(called, [])
    yield* turnstile.leave("b")
    yield* turnstile.leave("b")
    assert.deepStrictEqual(called, ["c"])
    assert.isFalse(yield* launch("e"), "the place is kept for the one that was called")
    assert.isTrue(yield* turnstile.enter("c", "provision"))
    assert.isTrue(yield* turnstile.enter("c", "provision"), "a place is held through a whole pass")
  })
)

it.effect("looking again while in line costs nobody the turn, and one that is asked for the other job moves over", () =>
  Effect.gen(function* () {
    const { called, launch, turnstile } = yield* make(1)
    yield* turnstile.enter("holder", "provision")
    for (const key of ["a", "b", "c"]) yield* launch(key)
    yield* launch("a")
    yield* launch("b", "deprovision")
    for (const key of ["holder", "b", "a"]) yield* turnstile.leave(key)
    assert.deepStrictEqual(called, ["b", "a", "c"])
  })
)

it.effect("provisions and deprovisions take turns, however many of one kind came first", () =>
  Effect.gen(function* () {
    const { called, launch, turnstile } = yield* make(1)
    yield* turnstile.enter("holder", "provision")
    for (const key of ["p1", "p2", "p3", "p4"]) yield* launch(key)
    for (const key of ["d1", "d2"]) yield* launch(key, "deprovision")
    for (const key of ["holder", "d1", "p1", "d2", "p2", "p3"]) yield* turnstile.leave(key)
    assert.deepStrictEqual(called, ["d1", "p1", "d2", "p2", "p3", "p4"])
  })
)

for (const how of endings) {
  it.effect(`a pass that is ${how} gives its place to the next`, () =>
    Effect.gen(function* () {
      const { called, launch, turnstile } = yield* make(1)
      const pass = yield* passing(turnstile, "a")
      yield* turnstile.enter("a", "provision")
      yield* launch("b")
      yield* pass.ends(how)
      assert.deepStrictEqual(called, ["b"])
    })
  )
}

it.effect(
  "whoever steps aside has its place back afterwards, and others go in meanwhile: half as many as there are places",
  () =>
    Effect.gen(function* () {
      const { called, launch, turnstile } = yield* make(2)
      const passes = yield* Effect.forEach(["a", "b"], (key) => passing(turnstile, key))
      for (const key of ["a", "b"]) yield* turnstile.enter(key, "provision")
      for (const key of ["c", "d", "e"]) yield* launch(key)
      const asides = yield* Effect.forEach(["a", "b"], (key) => steppingAside(turnstile, key))
      assert.deepStrictEqual(called, ["c"], "the second of them keeps its place")
      for (const { comesBack } of asides) yield* comesBack
      assert.isTrue(yield* turnstile.enter("a", "provision"))
      assert.deepStrictEqual(called, ["c"], "nobody is called for a place that is taken back")
      yield* launch("c")
      assert.deepStrictEqual(called, ["c"])
      for (const { ends } of passes) yield* ends("done")
      assert.deepStrictEqual(called, ["c", "d", "e"])
    })
)

for (const how of endings) {
  it.effect(`whoever steps aside for something that is ${how} loses no place by it`, () =>
    Effect.gen(function* () {
      const { called, launch, turnstile } = yield* make(1)
      const end = yield* Deferred.make<void, string>()
      const work = Effect.andThen(turnstile.enter("a", "provision"), turnstile.aside("a", Deferred.await(end)))
      const fiber = yield* Effect.forkChild(turnstile.around("a", work), { startImmediately: true })
      assert.isTrue(yield* launch("b"), "there is room")
      yield* how === "interrupted" ? Fiber.interrupt(fiber) : Deferred.done(end, exits[how])
      yield* Fiber.await(fiber)
      assert.isTrue(yield* launch("c"))
      yield* turnstile.enter("d", "provision")
      yield* launch("e")
      const again = yield* steppingAside(turnstile, "d")
      assert.deepStrictEqual(called, ["e"], "somebody else may step aside")
      yield* again.comesBack
    })
  )
}

it.effect("whoever was called and launches nothing after all gives the place back", () =>
  Effect.gen(function* () {
    const { called, launch, turnstile } = yield* make(1)
    yield* turnstile.enter("a", "provision")
    yield* launch("b")
    yield* launch("c")
    yield* turnstile.leave("a")
    yield* turnstile.around("b", Effect.void)
    assert.deepStrictEqual(called, ["b", "c"])
  })
)

it.effect("whoever no longer wants to launch leaves the line", () =>
  Effect.gen(function* () {
    const { called, launch, turnstile } = yield* make(1)
    yield* turnstile.enter("a", "provision")
    yield* launch("b")
    yield* launch("c")
    yield* turnstile.around("b", Effect.void)
    yield* turnstile.leave("a")
    assert.deepStrictEqual(called, ["c"])
  })
)

it.effect("whoever is called before the pass ends in which it was told to wait keeps the place for the next pass", () =>
  Effect.gen(function* () {
    const { called, launch, turnstile } = yield* make(1)
    yield* turnstile.enter("a", "provision")
    const pass = yield* passing(turnstile, "b")
    assert.isFalse(yield* turnstile.enter("b", "provision"))
    yield* turnstile.leave("a")
    yield* pass.ends("done")
    assert.deepStrictEqual(called, ["b"])
    assert.isFalse(yield* launch("c"))
    assert.isTrue(yield* launch("b"))
  })
)
