/**
 * Virtual time without waiting: Effect's `TestClock`, two to three times as fast, for tests that play thousands of lives.
 *
 * Everything that can run does so inside of `adjust`, in one go and in one order, so the same course is taken each time.
 * Only for worlds that are wholly in process: what waits for a promise or a socket is not waited for.
 */
import { Clock, Context, Duration, Effect, Latch, Layer, Scheduler } from "effect"
import type { TestClock } from "effect/testing"

/** Work that is ready to run, in the order in which it became so. */
const makeWork = () => {
  let ready: Array<() => void> = []
  let next = 0
  let running = false

  const drain = () => {
    const outermost = !running
    running = true
    for (let run = ready[next]; run !== undefined; run = ready[next]) {
      next += 1
      run()
    }
    ready = []
    next = 0
    if (outermost) running = false
  }

  const plan = (act: () => void) => {
    let wanted = true
    ready.push(() => {
      if (wanted) act()
    })
    // outside of a drain there is nobody else to begin
    if (!running) queueMicrotask(drain)
    return () => {
      wanted = false
    }
  }

  return { drain, plan }
}

interface Sleeper {
  readonly at: number
  readonly latch: Latch.Latch
}

/** Those who sleep, who wakes last first. Of several at one instant, who lay down first wakes first. */
const makeSleepers = () => {
  const sleepers: Array<Sleeper> = []
  return {
    add: (sleeper: Sleeper) => {
      let low = 0
      let high = sleepers.length
      while (low < high) {
        const middle = (low + high) >>> 1
        if ((sleepers[middle]?.at ?? 0) > sleeper.at) low = middle + 1
        else high = middle
      }
      sleepers.splice(low, 0, sleeper)
    },
    remove: (sleeper: Sleeper) => {
      const index = sleepers.indexOf(sleeper)
      if (index !== -1) sleepers.splice(index, 1)
    },
    /** Takes whoever wakes next, if that is not after this instant. */
    due: (until: number): Sleeper | undefined =>
      (sleepers.at(-1)?.at ?? Infinity) <= until ? sleepers.pop() : undefined
  }
}

const make = () => {
  const work = makeWork()
  const sleepers = makeSleepers()
  let now = 0

  const advance = (by: number) => {
    const until = now + by
    work.drain()
    for (let sleeper = sleepers.due(until); sleeper !== undefined; sleeper = sleepers.due(until)) {
      now = Math.max(now, sleeper.at)
      sleeper.latch.openUnsafe()
      work.drain()
    }
    now = Math.max(now, until)
  }

  /** Whole milliseconds, as wall clocks count. */
  const millis = () => Math.floor(now)
  const nanos = () => BigInt(Math.round(now * 1_000_000))
  const sleep = (duration: Duration.Duration) =>
    Effect.suspend(() => {
      const wait = Duration.toMillis(duration)
      if (wait <= 0) return Effect.void
      // whole microseconds, so that adding up many waits does not miss the instant they were meant to end at
      const sleeper = { at: Math.ceil((now + wait) * 1_000) / 1_000, latch: Latch.makeUnsafe() }
      sleepers.add(sleeper)
      return Effect.onInterrupt(sleeper.latch.await, () => Effect.sync(() => sleepers.remove(sleeper)))
    })

  const clock: TestClock.TestClock = {
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: nanos,
    monotonicTimeNanos: Effect.sync(nanos),
    sleep,
    adjust: (duration) => Effect.sync(() => advance(Duration.toMillis(Duration.fromInputUnsafe(duration)))),
    setTime: (timestamp) => Effect.sync(() => advance(timestamp - now)),
    withLive: (effect) => effect
  }
  return { clock, scheduler: new Scheduler.MixedScheduler("async", work.plan) }
}

/** A clock of its own for each use; `TestClock.adjust` moves it. */
export const layer: Layer.Layer<never> = Layer.effectContext(
  Effect.sync(() => {
    const { clock, scheduler } = make()
    return Context.make(Clock.Clock, clock).pipe(Context.add(Scheduler.Scheduler, scheduler))
  })
)
