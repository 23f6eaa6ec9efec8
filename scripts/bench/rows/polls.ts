/** What many live jobs cost AAP while nothing becomes of them: twenty poll intervals, which at 30 s are ten minutes. */
import { Duration, Effect } from "effect"
import { countsOf } from "../../processes/Simulators.ts"
import type { Measure } from "../Outcome.ts"
import { makeRig, ready, startOperator } from "../Rig.ts"
import type { Row } from "../Row.ts"
import { fill } from "../Warehouse.ts"
import { watchProcesses } from "../Watcher.ts"
import { callsIn, writesIn } from "./stocked.ts"

const INTERVAL = 30_000
const ROUNDS = 20

export const polls: Row = {
  name: "polls",
  title: "live jobs for twenty poll intervals",
  n: 1000,
  portable: false,
  run: (setting, n) =>
    Effect.gen(function* () {
      const interval = INTERVAL / Math.max(10, setting.timeScale)
      const rig = yield* makeRig({
        directory: setting.directory,
        operator: setting.operator,
        kubernetes: "lean-kubernetes",
        pollInterval: Duration.millis(interval)
      })
      yield* fill(rig, setting.samples, n, n)
      const operator = yield* startOperator(rig)
      const { pid } = operator.child
      const watcher = yield* watchProcesses(pid, [rig.kubernetes.pid, rig.aap.pid])
      yield* ready(operator)
      // the check of the start and the first look are the start's
      yield* Effect.sleep(Duration.millis(2 * interval))
      yield* rig.aap.post("/reset")
      yield* rig.kubernetes.post("/reset")
      const before = watcher.looks.at(-1)?.cpu ?? 0
      yield* Effect.sleep(Duration.millis(ROUNDS * interval))
      const [kubernetes, aap] = [yield* countsOf(rig.kubernetes), yield* countsOf(rig.aap)]
      const cpu = (watcher.looks.at(-1)?.cpu ?? 0) - before
      const measures: ReadonlyArray<Measure> = [
        { what: "AAP calls", value: callsIn(aap), unit: "", target: Math.floor(1.1 * ROUNDS * Math.ceil(n / 200)) },
        { what: "Kubernetes writes", value: writesIn(kubernetes), unit: "", target: 0 },
        { what: "CPU per 1,000 jobs and poll", value: (1_000_000 * cpu) / n / ROUNDS, unit: "ms" }
      ]
      return { row: "polls", n, measures, beside: watcher.beside() }
    })
}
