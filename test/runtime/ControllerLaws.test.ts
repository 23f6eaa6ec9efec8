import { assert, it } from "@effect/vitest"
import { Clock, Duration, Effect, Metric, Random } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import * as Action from "../../src/runtime/Action.ts"
import * as PatientClock from "../support/PatientClock.ts"
import { observed, settled } from "./world.ts"

const wake = fc.record({
  key: fc.integer({ min: 0, max: 4 }).map((index) => `key-${index}`),
  at: fc.nat(300),
  after: fc.option(fc.nat(50), { nil: 0 }),
  priority: fc.constantFrom("high" as const, "normal" as const, "low" as const)
})

/** How a pass goes, chosen by the number of passes before it. */
const pass = fc.record({
  lasts: fc.nat(40),
  ends: fc.oneof(
    fc.constant("await" as const),
    fc.constant("gone" as const),
    fc.constant("fail" as const),
    fc.constant("die" as const),
    fc.nat(60)
  )
})

const calmPass = fc.record({ lasts: fc.nat(40), ends: fc.constantFrom("await" as const, "gone" as const) })

const scenario = fc.record({
  wakes: fc.array(wake, { minLength: 1, maxLength: 40 }),
  passes: fc.oneof(
    fc.array(pass, { minLength: 1, maxLength: 10 }),
    fc.array(calmPass, { minLength: 1, maxLength: 10 })
  ),
  concurrency: fc.integer({ min: 1, max: 3 })
})

interface Run {
  readonly key: string
  readonly from: number
  to: number
}

/** Plays a scenario to its end in virtual time and answers every pass with its beginning and end. */
const play = ({ wakes, passes, concurrency }: typeof scenario extends fc.Arbitrary<infer S> ? S : never) =>
  Effect.gen(function* () {
    const runs: Array<Run> = []
    const origin = yield* Clock.currentTimeMillis
    const now = Effect.map(Clock.currentTimeMillis, (millis) => millis - origin)
    const { controller } = yield* observed(
      (key) =>
        Effect.gen(function* () {
          const { lasts, ends } = passes[runs.length % passes.length] ?? { lasts: 0, ends: "await" }
          const run: Run = { key, from: yield* now, to: Number.POSITIVE_INFINITY }
          runs.push(run)
          yield* Effect.sleep(lasts)
          run.to = yield* now
          if (ends === "fail") return yield* Effect.fail("down")
          if (ends === "die") return yield* Effect.die("a bug")
          if (ends === "gone") return Action.gone
          // Polls end when the scenario ends, so that it can become quiet.
          return ends === "await" || run.to > 500 ? Action.awaitChange : Action.after(ends)
        }),
      { concurrency }
    )
    yield* Effect.forEach(
      wakes,
      ({ key, at, after, priority }) => Effect.delay(controller.wake(key, { after, priority }), at),
      { concurrency: "unbounded", discard: true }
    ).pipe(Effect.forkChild)
    yield* TestClock.adjust("1 hour")
    return runs
  })

const holds = (law: (runs: ReadonlyArray<Run>, input: Parameters<typeof play>[0]) => void) =>
  fc.assert(
    fc.asyncProperty(scenario, (input) =>
      Effect.runPromise(
        play(input).pipe(
          Effect.map((runs) => law(runs, input)),
          Effect.scoped,
          Effect.provide(PatientClock.layer())
        )
      )
    ),
    { numRuns: 150 }
  )

const overlap = (a: Run, b: Run) => a.from < b.to && b.from < a.to

it("passes of one key never overlap, whatever is woken when and however passes end", () =>
  holds((runs) => {
    for (const [index, run] of runs.entries()) {
      for (const other of runs.slice(index + 1)) assert.isFalse(run.key === other.key && overlap(run, other))
    }
  }))

it("never more passes run at the same time than the concurrency allows", () =>
  holds((runs, { concurrency }) => {
    for (const run of runs) {
      const during = runs.filter((other) => other.from <= run.from && run.from < other.to)
      assert.isAtMost(during.length, concurrency)
    }
  }))

it("every wake is followed by a pass that began at or after it", () =>
  holds((runs, { wakes }) => {
    for (const { key, at } of wakes) {
      assert.isTrue(
        runs.some((run) => run.key === key && run.from >= at),
        `${key} woken at ${at} was never looked at again`
      )
    }
  }))

it("wakes alone lead to no pass but the ones they ask for: each pass answers a wake that came after the one before began", () =>
  holds((runs, { wakes, passes }) => {
    if (passes.some(({ ends }) => ends !== "gone" && ends !== "await")) return
    for (const { key } of wakes) {
      const asked = wakes.filter((wake) => wake.key === key)
      const mine = runs.filter((run) => run.key === key)
      for (const [index, run] of mine.entries()) {
        const since = mine[index - 1]?.from ?? 0
        assert.isTrue(
          asked.some(({ at }) => at >= since && at <= run.from),
          `nobody asked for ${key} at ${run.from}`
        )
      }
    }
  }))

it.effect("a hundred thousand idle keys cost one sleep and one fiber in all", () =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    let sleeps = 0
    const counting: Clock.Clock = {
      currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe(),
      currentTimeMillis: clock.currentTimeMillis,
      currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
      currentTimeNanos: clock.currentTimeNanos,
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      monotonicTimeNanos: clock.monotonicTimeNanos,
      sleep: (duration) =>
        Effect.suspend(() => {
          sleeps++
          return Effect.ensuring(
            clock.sleep(duration),
            Effect.sync(() => sleeps--)
          )
        })
    }
    let fibers = 0
    const census: Metric.FiberRuntimeMetricsService = {
      recordFiberStart: () => {
        fibers++
      },
      recordFiberEnd: () => {
        fibers--
      }
    }
    const { controller, started } = yield* observed(
      (key) => Effect.succeed(key.endsWith("7") ? Action.after("1 hour") : Action.awaitChange),
      { concurrency: 16 }
    ).pipe(Effect.provideService(Clock.Clock, counting), Effect.provideService(Metric.FiberRuntimeMetrics, census))
    const quietFibers = fibers
    for (let index = 0; index < 100_000; index++) yield* controller.wake(`key-${index}`)
    yield* controller.quiet
    assert.strictEqual(started.length, 100_000)
    assert.deepStrictEqual(yield* controller.stats, { known: 100_000, active: 0, queued: 0 })
    yield* settled
    assert.strictEqual(sleeps, 1)
    // The scheduler, and what its one wait consists of.
    assert.isAtMost(fibers - quietFibers, 3)
  })
)

it.effect("resyncs spread evenly over the last fifth of the resync time", () =>
  Effect.gen(function* () {
    const { controller, started } = yield* observed(undefined, { resync: Duration.millis(1000) })
    for (let index = 0; index < 500; index++) yield* controller.wake(`key-${index}`)
    yield* controller.quiet
    yield* TestClock.adjust(1000)
    const again = started.slice(500).map(({ at }) => at)
    assert.strictEqual(again.length, 500)
    for (const from of [800, 850, 900, 950]) {
      assert.isAtLeast(again.filter((at) => at >= from && at <= from + 50).length, 60)
    }
  }).pipe(Random.withSeed("resync"))
)
