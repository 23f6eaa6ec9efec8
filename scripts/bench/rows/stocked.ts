/**
 * An operator that is started where many objects are already: how soon it is at rest, what that costs, and what it uses
 * while nothing happens.
 */
import { Duration, Effect } from "effect"
import { timeNow } from "../../processes/Recorder.ts"
import { type Counts, countsOf } from "../../processes/Simulators.ts"
import type { Measure } from "../Outcome.ts"
import { cpuSeconds, peakRss, rss } from "../Proc.ts"
import { makeRig, type Operator, ready, startOperator } from "../Rig.ts"
import type { Row, Setting } from "../Row.ts"
import { until } from "../Users.ts"
import { fill } from "../Warehouse.ts"
import { type Watcher, watchProcesses } from "../Watcher.ts"

const PAGE = 200
const QUIET = 3

export const writesIn = ({ counts }: Counts): number =>
  (counts["write of metadata"] ?? 0) + (counts["write of status"] ?? 0)
export const callsIn = ({ counts }: Counts): number => Object.values(counts).reduce((sum, count) => sum + count, 0)

/** Suspends until the operator is ready and has had nothing to do for a while. Answers when it began to have nothing to do. */
export const settles = (operator: Operator, watcher: Watcher, seconds: number) =>
  Effect.gen(function* () {
    yield* ready(operator)
    const from = timeNow()
    yield* until("the operator's rest", () => watcher.quietSince(QUIET, from) !== undefined, seconds)
    return watcher.quietSince(QUIET, from) ?? timeNow()
  })

const stockedRig = (setting: Setting, n: number, live: number, memory: { readonly memoryLimit?: number } = {}) =>
  Effect.gen(function* () {
    const rig = yield* makeRig({
      ...memory,
      directory: setting.directory,
      operator: setting.operator,
      kubernetes: "lean-kubernetes",
      pollInterval: Duration.minutes(10)
    })
    yield* fill(rig, setting.samples, n, live)
    yield* rig.aap.post("/reset")
    const operator = yield* startOperator(rig)
    const watcher = yield* watchProcesses(operator.child.pid, [rig.kubernetes.pid, rig.aap.pid])
    return { rig, operator, watcher }
  })

export const starting: Row = {
  name: "start",
  title: "start with many objects, a tenth of them with a live job",
  n: 10_000,
  portable: false,
  run: (setting, n) =>
    Effect.gen(function* () {
      const live = Math.round(n / 10)
      const { operator, rig, watcher } = yield* stockedRig(setting, n, live)
      const settled = yield* settles(operator, watcher, 120)
      const [kubernetes, aap] = [yield* countsOf(rig.kubernetes), yield* countsOf(rig.aap)]
      const measures: ReadonlyArray<Measure> = [
        { what: "start → settled", value: (settled - operator.startedAt) / 1000, unit: "s", target: 10 },
        {
          what: `AAP calls (the check, ${live} live jobs)`,
          value: callsIn(aap),
          unit: "",
          target: 1 + Math.ceil(live / PAGE)
        },
        { what: "Kubernetes writes", value: writesIn(kubernetes), unit: "", target: 0 },
        { what: "CPU of the start", value: cpuSeconds(operator.child.pid), unit: "s" }
      ]
      return { row: "start", n, measures, beside: watcher.beside() }
    })
}

const OBSERVED = 30
/** After a start it takes this long at most until what the start needed is given back. */
const AFTERMATH = 25

const idling = (
  name: string,
  count: number,
  mebibytes: number,
  memory: { readonly memoryLimit?: number } = {}
): Row => ({
  name,
  title: "idle, all objects Ready",
  n: count,
  portable: false,
  run: (setting, n) =>
    Effect.gen(function* () {
      const { operator, rig, watcher } = yield* stockedRig(setting, n, 0, memory)
      const { pid } = operator.child
      const settled = yield* settles(operator, watcher, 300)
      yield* Effect.sleep(Duration.seconds(AFTERMATH))
      yield* rig.kubernetes.post("/reset")
      yield* rig.aap.post("/reset")
      const before = { at: timeNow(), cpu: cpuSeconds(pid) }
      yield* Effect.sleep(Duration.seconds(OBSERVED))
      const share = (100_000 * (cpuSeconds(pid) - before.cpu)) / (timeNow() - before.at)
      const [kubernetes, aap] = [yield* countsOf(rig.kubernetes), yield* countsOf(rig.aap)]
      const measures: ReadonlyArray<Measure> = [
        { what: "RSS, steady", value: rss(pid), unit: "MiB", target: mebibytes },
        { what: "RSS, most since the start", value: peakRss(pid), unit: "MiB" },
        { what: "start → settled", value: (settled - operator.startedAt) / 1000, unit: "s" },
        { what: "AAP calls", value: callsIn(aap), unit: "", target: 0 },
        { what: "Kubernetes writes", value: writesIn(kubernetes), unit: "", target: 0 },
        { what: "CPU", value: share, unit: "% of a core", target: 0.5 }
      ]
      return { row: name, n, measures, beside: watcher.beside() }
    })
})

export const idle = idling("idle", 10_000, 150)
/** With the limit that docs/performance.md asks for. */
export const idleMany = idling("idle-100k", 100_000, 600, { memoryLimit: 1024 })
