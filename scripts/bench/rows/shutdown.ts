/** SIGTERM in the middle of launches, beside many live jobs; and whether the next process finds everything. */
import { Duration, Effect } from "effect"
import { timeNow } from "../../processes/Recorder.ts"
import { ledgerOf } from "../../processes/Simulators.ts"
import type { Measure } from "../Outcome.ts"
import { makeRig, startOperator } from "../Rig.ts"
import type { Row } from "../Row.ts"
import { makeUsers, namesOf } from "../Users.ts"
import { fill } from "../Warehouse.ts"
import { watchProcesses } from "../Watcher.ts"
import { settles } from "./stocked.ts"

const NEW = 200

export const shutdown: Row = {
  name: "sigterm",
  title: "SIGTERM beside many live jobs, in the middle of 200 launches",
  n: 1000,
  portable: false,
  run: (setting, n) =>
    Effect.gen(function* () {
      const rig = yield* makeRig({
        directory: setting.directory,
        operator: setting.operator,
        kubernetes: "lean-kubernetes",
        pollInterval: Duration.seconds(5)
      })
      yield* fill(rig, setting.samples, n, n)
      yield* rig.aap.post("/capacity", { takes: 100 })
      const operator = yield* startOperator(rig)
      const watcher = yield* watchProcesses(operator.child.pid, [rig.kubernetes.pid, rig.aap.pid])
      yield* settles(operator, watcher, 120)
      const users = yield* makeUsers(rig)
      const names = namesOf("vm", NEW)
      yield* users.create(names, 0)
      yield* Effect.sleep("300 millis")
      const told = timeNow()
      yield* operator.child.signal("SIGTERM")
      const end = yield* operator.child.ended
      const took = timeNow() - told
      const launchedBefore = (yield* ledgerOf(rig.aap)).length - n
      yield* startOperator(rig)
      for (let turn = 0; turn < 150 && (yield* ledgerOf(rig.aap)).length < n + NEW; turn++)
        yield* Effect.sleep("200 millis")
      yield* Effect.sleep("5 seconds")
      const ledger = yield* ledgerOf(rig.aap)
      const once = names.filter((name) => ledger.filter((job) => job.name === name).length === 1)
      const measures: ReadonlyArray<Measure> = [
        { what: "SIGTERM → exit", value: took / 1000, unit: "s", target: 5 },
        { what: "exit code", value: typeof end === "number" ? end : Number.NaN, unit: "", target: 0 },
        { what: `of ${NEW} new machines, launched before the end`, value: launchedBefore, unit: "" },
        { what: "launched never or twice, after the next start", value: NEW - once.length, unit: "", target: 0 },
        { what: "jobs cancelled", value: ledger.filter((job) => job.cancelled > 0).length, unit: "", target: 0 }
      ]
      return { row: "sigterm", n, measures, beside: watcher.beside() }
    })
}
