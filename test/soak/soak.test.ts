/**
 * A small soak: real processes of the operator, killed for real, between simulators over HTTP. And the same with an operator
 * that is broken in one place: a soak that cannot fail shows nothing.
 */
import { rmSync } from "node:fs"
import { join } from "node:path"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { type Options, type Outcome, soak } from "../../scripts/soak/processes.ts"
import { exitCodeOf, reportOf } from "../../scripts/soak/Report.ts"
import { countsOf } from "../../scripts/soak/Verdict.ts"
import { brokenOperator } from "../demo/demoProcess.ts"

const small: Options = {
  lives: 4,
  kills: 3,
  seed: 1,
  seconds: 300,
  crowd: 10,
  longestJob: 600,
  kube: "simulated",
  replicas: 1,
  operator: undefined,
  say: () => undefined
}
const atOnce = { concurrent: true, timeout: 900_000 }

const broken = ({ cases }: Outcome) => Object.fromEntries(countsOf(cases))

it.live(
  "nothing is launched twice, lost, left behind or stuck, wherever in a launch the operator is killed",
  () =>
    Effect.gen(function* () {
      const outcome = yield* soak(small)
      const report = reportOf(outcome, small)
      assert.strictEqual(exitCodeOf(outcome, small), 0, report)
      assert.deepStrictEqual(
        broken(outcome),
        { duplicates: 0, orphans: 0, "lost ids": 0, "stuck objects": 0, "other broken rules": 0 },
        report
      )
      assert.isAtLeast(outcome.killsInWindow, small.kills)
      assert.isAtLeast(outcome.jobs, 2 * small.lives)
      assert.include(report, "       0  duplicates")
    }),
  atOnce
)

it.live(
  "an operator that does not find what it launched is caught, and each object is named with its history",
  () =>
    Effect.gen(function* () {
      const copy = yield* brokenOperator({
        file: "src/providers/aap/Search.ts",
        from: "for (const row of rows) yield* readRow(search, row)",
        to: "for (const row of rows.slice(rows.length)) yield* readRow(search, row)"
      })
      const options: Options = { ...small, kills: 7, operator: join(copy, "src/main.ts") }
      const outcome = yield* soak(options)
      // the logs stay when something is wrong
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(outcome.directory, { recursive: true })))
      const report = reportOf(outcome, options)
      assert.strictEqual(exitCodeOf(outcome, options), 1, report)
      assert.isAbove(broken(outcome).duplicates ?? 0, 0, report)
      assert.match(report, /\nvm-\d+:\n {2}duplicates: [^\n]*\n/u)
      assert.match(report, / KUBE {2}vm-\d+ /u)
      assert.match(report, / AAP {3}job \d+ pending /u)
    }).pipe(Effect.scoped),
  atOnce
)
