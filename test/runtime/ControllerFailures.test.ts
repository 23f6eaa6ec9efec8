import { assert, it } from "@effect/vitest"
import { Cause, Clock, Deferred, Duration, Effect, Exit, Fiber, Metric, Option, Ref, Schedule, Scope } from "effect"
import { TestClock } from "effect/testing"
import * as Action from "../../src/runtime/Action.ts"
import { exponential } from "../../src/runtime/Backoff.ts"
import { observed, settled } from "./world.ts"

it.effect("a failed pass is tried again after a growing delay, up to the cap", () =>
  Effect.gen(function* () {
    const { controller, started, failures } = yield* observed(() => Effect.fail("down"), {
      backoff: exponential("1 second", "30 seconds")
    })
    yield* controller.wake("a")
    yield* TestClock.adjust("1 hour")
    const gaps = started.slice(1).map(({ at }, index) => at - (started[index]?.at ?? 0))
    for (const [index, gap] of gaps.entries()) {
      const unspread = Math.min(2 ** index, 30) * 1000
      assert.isAtLeast(gap, Math.floor(unspread * 0.8))
      assert.isAtMost(gap, Math.ceil(unspread * 1.2))
    }
    assert.isAtLeast(gaps.length, 100)
    assert.isAbove(new Set(gaps.slice(10)).size, 50)
    assert.deepStrictEqual(
      failures.slice(0, 3).map(({ key, attempt }) => [key, attempt]),
      [
        ["a", 1],
        ["a", 2],
        ["a", 3]
      ]
    )
  })
)

it.effect("a success resets the backoff; a wake does not", () =>
  Effect.gen(function* () {
    const healthy = yield* Ref.make(false)
    const { controller, failures } = yield* observed(
      () => Effect.flatMap(Ref.get(healthy), (ok) => (ok ? Effect.succeed(Action.awaitChange) : Effect.fail("down"))),
      { backoff: Schedule.exponential("1 minute") }
    )
    const delays = () => failures.map(({ delay, attempt }) => [attempt, Duration.toMinutes(delay)])
    yield* controller.wake("a")
    yield* TestClock.adjust("1 minute")
    yield* controller.wake("a")
    yield* controller.quiet
    assert.deepStrictEqual(delays(), [
      [1, 1],
      [2, 2],
      [3, 4]
    ])
    yield* Ref.set(healthy, true)
    yield* TestClock.adjust("4 minutes")
    yield* Ref.set(healthy, false)
    yield* controller.wake("a")
    yield* controller.quiet
    assert.deepStrictEqual(delays().slice(3), [[1, 1]])
  })
)

it.effect("a pass that did not get to its work neither resets the backoff nor adds to it", () =>
  Effect.gen(function* () {
    const { controller, failures } = yield* observed(
      (_, nth) => (nth % 2 === 0 ? Effect.succeed(Action.untried("1 minute")) : Effect.fail("down")),
      { backoff: Schedule.exponential("1 minute") }
    )
    yield* controller.wake("a")
    yield* TestClock.adjust("30 minutes")
    assert.deepStrictEqual(
      failures.map(({ delay, attempt }) => [attempt, Duration.toMinutes(delay)]),
      [
        [1, 1],
        [2, 2],
        [3, 4],
        [4, 8],
        [5, 16]
      ]
    )
  })
)

it.effect("a wake during the backoff leads to a pass now, and the backoff's own pass does not run in addition", () =>
  Effect.gen(function* () {
    const { controller, started } = yield* observed((_, nth) =>
      nth === 1 ? Effect.fail("down") : Effect.succeed(Action.awaitChange)
    )
    yield* controller.wake("a")
    yield* TestClock.adjust("20 seconds")
    yield* controller.wake("a")
    yield* TestClock.adjust("10 minutes")
    assert.deepStrictEqual(
      started.map(({ at }) => at),
      [0, 20_000]
    )
  })
)

it.effect("the delay is at least what the error asks for", () =>
  Effect.gen(function* () {
    const { controller, started } = yield* observed(() => Effect.fail({ seconds: 90 }), {
      retryAfter: ({ seconds }) => Option.some(Duration.seconds(seconds))
    })
    yield* controller.wake("a")
    yield* TestClock.adjust("3 minutes")
    assert.deepStrictEqual(
      started.map(({ at }) => at),
      [0, 90_000, 180_000]
    )
  })
)

const troubles: ReadonlyArray<
  readonly [string, Effect.Effect<never, string>, (cause: Cause.Cause<string>) => boolean]
> = [
  ["an error", Effect.fail("down"), Cause.hasFails],
  ["a defect", Effect.die(new Error("a bug")), Cause.hasDies],
  ["an interruption from inside", Effect.interrupt, Cause.hasInterruptsOnly]
]
it.effect.each(troubles)(
  "%s in one key's pass is reported with its cause, is retried, and harms no other key",
  (trouble) =>
    Effect.gen(function* () {
      const [, effect, matches] = trouble
      const { controller, keys, failures } = yield* observed((key) =>
        key === "bad" ? effect : Effect.succeed(Action.awaitChange)
      )
      yield* controller.wake("bad")
      yield* controller.wake("good")
      yield* TestClock.adjust("1 minute")
      yield* controller.wake("good")
      yield* controller.quiet
      assert.deepStrictEqual(keys(), ["bad", "good", "bad", "good"])
      assert.isTrue(failures.length === 2 && failures.every(({ key, cause }) => key === "bad" && matches(cause)))
    })
)

it.effect("a reconcile that throws before it returns an effect is a failure like any other", () =>
  Effect.gen(function* () {
    const { controller, keys, failures } = yield* observed(() => {
      throw new Error("a bug")
    })
    yield* controller.wake("a")
    yield* TestClock.adjust("1 minute")
    assert.deepStrictEqual(keys(), ["a", "a"])
    assert.strictEqual(failures.length, 2)
  })
)

it.effect("a failure while reporting a failure loses no key", () =>
  Effect.gen(function* () {
    const { controller, keys } = yield* observed(() => Effect.fail("down"), {
      onFailure: () => Effect.die("the log is full")
    })
    yield* controller.wake("a")
    yield* TestClock.adjust("2 minutes")
    assert.deepStrictEqual(keys(), ["a", "a", "a"])
  })
)

it.effect("a key that comes back after Gone has a clean slate", () =>
  Effect.gen(function* () {
    const script = ["fail", "fail", "gone", "fail"]
    const { controller, failures } = yield* observed(() =>
      script.shift() === "gone" ? Effect.succeed(Action.gone) : Effect.fail("down")
    )
    yield* controller.wake("a")
    yield* TestClock.adjust("2 minutes")
    assert.strictEqual((yield* controller.stats).known, 0)
    yield* controller.wake("a")
    yield* controller.quiet
    assert.deepStrictEqual(
      failures.map(({ attempt }) => attempt),
      [1, 2, 1]
    )
  })
)

it.effect(
  "closing the scope interrupts running passes, waits for their uninterruptible parts and starts nothing more",
  () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const log = yield* Ref.make<ReadonlyArray<string>>([])
      const note = (line: string) => Ref.update(log, (lines) => [...lines, line])
      const inside = yield* Deferred.make<void>()
      const { controller, keys, failures } = yield* observed(
        (key) =>
          key === "shielded"
            ? Deferred.succeed(inside, undefined).pipe(
                Effect.andThen(Effect.sleep("5 seconds")),
                Effect.andThen(note("written")),
                Effect.uninterruptible,
                Effect.andThen(note("never reached")),
                Effect.as(Action.awaitChange)
              )
            : Effect.never.pipe(Effect.onInterrupt(() => note("interrupted"))),
        { concurrency: 2 }
      ).pipe(Scope.provide(scope))
      for (const key of ["shielded", "waiting", "queued"]) yield* controller.wake(key)
      yield* Deferred.await(inside)
      yield* settled
      const closing = yield* Effect.forkChild(Effect.andThen(Scope.close(scope, Exit.void), note("closed")))
      yield* settled
      assert.deepStrictEqual(yield* Ref.get(log), ["interrupted"])
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(closing)
      assert.deepStrictEqual(yield* Ref.get(log), ["interrupted", "written", "closed"])
      yield* controller.wake("late")
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(keys(), ["shielded", "waiting"])
      assert.deepStrictEqual(failures, [])
    })
)

it.effect("closing the scope leaves no fiber behind", () =>
  Effect.gen(function* () {
    let fibers = 0
    const census: Metric.FiberRuntimeMetricsService = {
      recordFiberStart: () => {
        fibers++
      },
      recordFiberEnd: () => {
        fibers--
      }
    }
    yield* Effect.gen(function* () {
      const { controller } = yield* observed(() => Effect.never)
      yield* controller.wake("a")
      yield* settled
      assert.isAtLeast(fibers, 2)
    }).pipe(Effect.scoped, Effect.provideService(Metric.FiberRuntimeMetrics, census))
    assert.strictEqual(fibers, 0)
  })
)

it.effect("the death of the scheduler is not silent: whoever joins dies with it", () =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const broken: Clock.Clock = {
      currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe(),
      currentTimeMillis: clock.currentTimeMillis,
      currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
      currentTimeNanos: clock.currentTimeNanos,
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      monotonicTimeNanos: clock.monotonicTimeNanos,
      sleep: () => Effect.die("no timers left")
    }
    const { controller } = yield* Effect.provideService(observed(), Clock.Clock, broken)
    yield* controller.wake("a", { after: "1 minute" })
    const exit = yield* Effect.exit(controller.join)
    assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
  })
)
