/**
 * Waiting for what other processes do: until it is so, and never for a time of the test's own.
 *
 * What comes, comes at once on an idle machine; the limit is only there so that what never comes is said in words.
 */
import { readFileSync } from "node:fs"
import { cpus } from "node:os"
import { Clock, Duration, Effect } from "effect"

/** Longer than anything takes on a machine that is several times slower, and is busy besides. */
export const PATIENCE = Duration.seconds(120)

/** For a test that waits several times. */
export const LONG_TEST = 400_000

/** Looks until it holds; the last thing seen is in the complaint when it does not come. */
export const eventually = <A>(what: string, look: Effect.Effect<A>, holds: (seen: A) => boolean): Effect.Effect<A> =>
  Effect.gen(function* () {
    const deadline = (yield* Clock.currentTimeMillis) + Duration.toMillis(PATIENCE)
    for (;;) {
      const seen = yield* look
      if (holds(seen)) return seen
      if ((yield* Clock.currentTimeMillis) > deadline) {
        return yield* Effect.die(new Error(`waited in vain for ${what}; the last was ${JSON.stringify(seen)}`))
      }
      yield* Effect.sleep("100 millis")
    }
  })

/** Linux says for how long (microseconds) anybody who could have worked had to wait for a processor. */
const pressure = (): number => {
  const [, total = ""] = /^some .*total=(\d+)$/mu.exec(readFileSync("/proc/pressure/cpu", "utf8")) ?? []
  return Number(total) / 1_000
}

/** Elsewhere every moment counts in which a processor worked. */
const worked = (): number =>
  cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0) / cpus().length

/** How long processes of this machine have waited for a processor, in milliseconds since some moment. */
export const waitedForProcessor = (): number => {
  try {
    return pressure()
  } catch {
    return worked()
  }
}

/**
 * What a promise about time is held to, in milliseconds: the time that passed, without what a busy machine added to it. That
 * is two thirds of it at most, so that three times as long as promised is too long on any machine.
 */
export const withoutWaiting = (passed: number, waited: number): number => Math.max(passed - waited, passed / 3)
