/** Looks at the processes of a benchmark while it runs: what each used, and what everybody else did. */
import { Effect, Schedule, type Scope } from "effect"
import { timeNow } from "../processes/Recorder.ts"
import type { Beside } from "./Outcome.ts"
import { cpuSeconds, machine, machineSeconds, rss } from "./Proc.ts"

interface Look {
  readonly at: number
  readonly cpu: number
}

export interface Watcher {
  readonly looks: ReadonlyArray<Look>
  /** Since it began. */
  readonly beside: () => Beside
  /** Share of a core that the operator used between two times. */
  readonly share: (from: number, to: number) => number
  /** When the operator began to use less than a twentieth of a core for this many seconds; undefined if it has not. */
  readonly quietSince: (seconds: number, from: number) => number | undefined
  /** Seconds of CPU that the operator used since this began. */
  readonly used: () => number
  readonly maxRss: () => number
}

const EVERY = "100 millis"

export const watchProcesses = (
  operator: number,
  simulators: ReadonlyArray<number>
): Effect.Effect<Watcher, never, Scope.Scope> =>
  Effect.gen(function* () {
    const looks: Array<Look> = []
    let most = 0
    const begun = { at: timeNow(), machine: machineSeconds() }
    const before = [operator, process.pid, ...simulators].map(cpuSeconds)
    const look = Effect.sync(() => {
      const cpu = cpuSeconds(operator)
      if (cpu > 0) looks.push({ at: timeNow(), cpu })
      most = Math.max(most, rss(operator))
    })
    yield* Effect.forkScoped(Effect.repeat(look, Schedule.spaced(EVERY)))
    const cpuAt = (time: number) => (looks.find(({ at }) => at >= time) ?? looks.at(-1))?.cpu ?? 0
    const share = (from: number, to: number) => (1000 * (cpuAt(to) - cpuAt(from))) / Math.max(1, to - from)
    return {
      looks,
      share,
      maxRss: () => most,
      used: () => (looks.at(-1)?.cpu ?? 0) - (before[0] ?? 0),
      beside: () => {
        const elapsed = (timeNow() - begun.at) / 1000
        const [own = 0, bench = 0, ...others] = [operator, process.pid, ...simulators].map((pid, index) => {
          const first = before[index] ?? 0
          return pid === operator ? (looks.at(-1)?.cpu ?? first) - first : cpuSeconds(pid) - first
        })
        const known = own + bench + others.reduce((sum, one) => sum + one, 0)
        return {
          simulator: Math.max(0, ...others) / elapsed,
          others: Math.max(0, machineSeconds() - begun.machine - known) / elapsed / machine().cores
        }
      },
      quietSince: (seconds, from) => {
        const last = looks.at(-1)?.at ?? 0
        if (last - from < seconds * 1000) return undefined
        // walks back from the end while each second before was quiet
        const busy = looks.findLast(({ at }) => at - 500 > from && share(at - 500, at) > 0.05)
        const since = busy?.at ?? from
        return last - since >= seconds * 1000 ? since : undefined
      }
    }
  })
