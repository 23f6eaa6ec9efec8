import { assert, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Option } from "effect"
import { TestClock } from "effect/testing"
import { makeLock, type Replica, startReplica } from "./memoryLock.ts"

/** Passes time in small steps until it holds; answers how long that took. No two replicas may be clear at any of them. */
const until = Effect.fnUntraced(function* (
  replicas: ReadonlyArray<Replica>,
  holds: () => boolean,
  within: Duration.Input
) {
  const limit = Duration.toMillis(Duration.fromInputUnsafe(within))
  for (let passed = 0; passed <= limit; passed += 50) {
    assert.isAtMost(replicas.filter((one) => one.isClear()).length, 1, "two replicas lead")
    if (holds()) return passed
    yield* TestClock.adjust(50)
  }
  return assert.fail(`it did not happen within ${limit} ms`)
})

const elected = Effect.gen(function* () {
  const lock = makeLock()
  const first = yield* startReplica(lock, "first")
  yield* TestClock.adjust("1 second")
  const second = yield* startReplica(lock, "second")
  yield* TestClock.adjust("20 seconds")
  assert.deepStrictEqual([first.isClear(), second.isClear()], [true, false])
  return { lock, first, second, both: [first, second] }
})

it.effect("the first to come leads at once, and goes on; whoever comes later stands by and says for whom", () =>
  Effect.gen(function* () {
    const { first, lock, second } = yield* elected
    yield* TestClock.adjust("1 hour")
    assert.deepStrictEqual([first.terms(), second.terms()], [1, 0])
    assert.deepStrictEqual(yield* second.leader.standing, { leads: false, holder: "first", problem: Option.none() })
    const claim = lock.current()?.claim
    assert.deepInclude(claim, { holder: "first", seconds: 15, transitions: 0 })
    // renewed every fifth of the lease, and the standby looks once a second: no more requests than that
    const before = lock.requests()
    yield* TestClock.adjust("1 minute")
    assert.isAtMost(lock.requests() - before, 20 + 76)
  })
)

it.effect("a leader that is gone without a word is replaced within the lease and two seconds", () =>
  Effect.gen(function* () {
    const { both, first, second } = yield* elected
    yield* first.kill
    assert.isAtMost(yield* until(both, second.isClear, "1 minute"), 17_000)
  })
)

it.effect("a leader that is told to stop hands over within two seconds, after its work has ended", () =>
  Effect.gen(function* () {
    const lock = makeLock()
    const first = yield* startReplica(lock, "first", { drain: "40 seconds" })
    const second = yield* startReplica(lock, "second")
    yield* TestClock.adjust("20 seconds")
    const stopping = yield* Effect.forkChild(first.stop, { startImmediately: true })
    yield* TestClock.adjust("39 seconds")
    // longer than the lease: it is renewed for as long as something of the work goes on
    assert.deepStrictEqual([first.works(), first.isClear(), second.works()], [true, true, false])
    yield* TestClock.adjust("1 second")
    assert.isFalse(first.works())
    assert.isAtMost(yield* until([first, second], second.isClear, "1 minute"), 2_000)
    yield* Fiber.join(stopping)
    assert.strictEqual(lock.current()?.claim.transitions, 1)
  })
)

it.effect("cut off from the lock, a leader's work ends before anybody else's begins, and it stands by for it", () =>
  Effect.gen(function* () {
    const { both, first, second } = yield* elected
    first.wire.cut = true
    const ended = yield* until(both, () => !first.works(), "1 minute")
    assert.isAtMost(ended, 10_000)
    assert.isFalse(second.works())
    assert.isAtMost(ended + (yield* until(both, second.isClear, "1 minute")), 17_000)
    first.wire.cut = false
    yield* TestClock.adjust("1 minute")
    assert.deepStrictEqual([first.works(), second.isClear()], [false, true])
    assert.strictEqual((yield* first.leader.standing).holder, "second")
    yield* second.kill
    yield* until(both, first.isClear, "17 seconds")
    assert.strictEqual(first.terms(), 2)
  })
)

it.effect("work that takes long to end has no clearance while it does, and no successor of its own", () =>
  Effect.gen(function* () {
    const lock = makeLock()
    const only = yield* startReplica(lock, "only", { drain: "1 minute" })
    yield* TestClock.adjust("20 seconds")
    only.wire.cut = true
    yield* TestClock.adjust("11 seconds")
    assert.deepStrictEqual([only.works(), only.isClear(), only.terms()], [true, false, 1])
    only.wire.cut = false
    yield* TestClock.adjust("30 seconds")
    assert.strictEqual(only.terms(), 1)
    yield* TestClock.adjust("32 seconds")
    assert.deepStrictEqual([only.isClear(), only.terms()], [true, 2])
  })
)

it.effect("a slow lock is no loss, as long as it answers within a fifth of the lease", () =>
  Effect.gen(function* () {
    const { first, second } = yield* elected
    Object.assign(first.wire, { before: "1400 millis", after: "1400 millis" })
    Object.assign(second.wire, { before: "1400 millis", after: "1400 millis" })
    yield* TestClock.adjust("10 minutes")
    assert.deepStrictEqual([first.terms(), second.terms()], [1, 0])
  })
)

// each with other spreads
it.effect.each(Array.from({ length: 30 }, (_, index) => index))(
  "two renewals in a row whose answers are lost are recognised as our own (%d)",
  () =>
    Effect.gen(function* () {
      const { first, lock } = yield* elected
      first.wire.after = "1 minute"
      yield* TestClock.adjust("4 seconds")
      first.wire.after = 0
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual([first.isClear(), first.terms()], [true, 1])
      assert.strictEqual(lock.current()?.claim.transitions, 0)
    })
)

it.effect.each([-600_000, 600_000])("a wall clock that is %d ms off changes nothing", (skew) =>
  Effect.gen(function* () {
    const lock = makeLock()
    const first = yield* startReplica(lock, "first", { skew })
    const second = yield* startReplica(lock, "second")
    yield* TestClock.adjust("5 minutes")
    assert.deepStrictEqual([first.isClear(), second.terms()], [true, 0])
    yield* first.kill
    const passed = yield* until([first, second], second.isClear, "1 minute")
    assert.isAtMost(passed, 17_000)
    assert.isAtLeast(passed, 12_000)
  })
)

it.effect("of two that take it at the same moment one leads", () =>
  Effect.gen(function* () {
    const lock = makeLock()
    const both = [yield* startReplica(lock, "first"), yield* startReplica(lock, "second")]
    for (const one of both) one.wire.before = "500 millis"
    yield* until(both, () => both.some((one) => one.isClear()), "5 seconds")
    yield* until(both, () => false, "1 minute").pipe(Effect.exit)
    assert.strictEqual(both.filter((one) => one.isClear()).length, 1)
  })
)

it.effect("a record that a person deletes is made again by its holder, and nobody steps in between", () =>
  Effect.gen(function* () {
    const { both, first, lock, second } = yield* elected
    lock.edit(() => undefined)
    yield* until(both, () => lock.current() !== undefined, "4 seconds")
    assert.deepStrictEqual([first.isClear(), first.terms(), second.terms()], [true, 1, 0])
    assert.strictEqual(lock.current()?.claim.holder, "first")
  })
)

it.effect("a record in which a person clears the holder ends the term, and the next begins when that is sure", () =>
  Effect.gen(function* () {
    const { both, first, lock } = yield* elected
    lock.edit((claim) => ({ ...claim, holder: "" }))
    yield* until(both, () => !first.works(), "4 seconds")
    yield* until(both, () => both.some((one) => one.isClear()), "17 seconds")
  })
)

it.effect("a record that names somebody who does not exist is taken over after a lease, whatever it promises", () =>
  Effect.gen(function* () {
    const { both, first, lock } = yield* elected
    lock.edit((claim) => ({ ...claim, holder: "nobody-here", seconds: 31_536_000, renewed: 4e12 }))
    yield* until(both, () => !first.works(), "4 seconds")
    yield* until(both, () => both.some((one) => one.isClear()), "302 seconds")
  })
)

it.effect("an edit of something else is no loss", () =>
  Effect.gen(function* () {
    const { both, first, lock } = yield* elected
    for (let edits = 0; edits < 20; edits++) {
      lock.edit((claim) => claim)
      yield* until(both, () => false, "1 second").pipe(Effect.exit)
    }
    assert.deepStrictEqual([first.isClear(), first.terms()], [true, 1])
  })
)

it.effect("a missing permission is said, and mended without a restart", () =>
  Effect.gen(function* () {
    const lock = makeLock()
    const only = yield* startReplica(lock, "only")
    yield* only.stop
    const second = yield* startReplica(lock, "second")
    second.wire.refused = true
    yield* TestClock.adjust("10 minutes")
    assert.deepInclude(yield* second.leader.standing, {
      leads: false,
      problem: Option.some("forbidden: cannot get leases")
    })
    second.wire.refused = false
    assert.isAtMost(yield* until([second], second.isClear, "1 minute"), 6_000)
    assert.isTrue(Option.isNone((yield* second.leader.standing).problem))
  })
)

it.effect("work that fails ends everything, and lets go of the lock", () =>
  Effect.gen(function* () {
    const lock = makeLock()
    const { leader, stop } = yield* startReplica(lock, "first")
    yield* stop
    const failing = yield* Effect.forkChild(
      Effect.flip(leader.lead(() => Effect.delay(Effect.fail("broken"), "1 second")))
    )
    yield* TestClock.adjust("20 seconds")
    assert.strictEqual(yield* Fiber.join(failing), "broken")
    assert.strictEqual(lock.current()?.claim.holder, "")
  })
)
