/**
 * The benchmark: the built operator as a process of its own, between simulators that are processes of their own. Prints a
 * table, and writes JSON with the machine's facts.
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Cause, Effect, Exit, type Runtime } from "effect"
import { help, parseArguments, type Wanted } from "./bench/Arguments.ts"
import type { Outcome } from "./bench/Outcome.ts"
import { machine } from "./bench/Proc.ts"
import { type Row, temporaryDirectory } from "./bench/Row.ts"
import { captureSamples } from "./bench/sample.ts"
import { heading, missedIn, table } from "./bench/table.ts"

const print = (text: string): void => {
  process.stdout.write(text)
}

const run = (row: Row, wanted: Wanted) =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    const { kube, operator, provider, timeScale } = wanted
    const setting = { kube, operator, provider, timeScale, directory, n: wanted.n, samples: yield* captureSamples }
    const outcome: Outcome = yield* row.run(setting, wanted.n ?? row.n)
    print(table(row, outcome))
    return outcome
  }).pipe(
    Effect.scoped,
    Effect.catch((error) =>
      Effect.sync(() => {
        print(`${row.name}: ${error.message}\n\n`)
        return undefined
      })
    )
  )

/** JSON has no word for what never happened. */
const speakable = (_: string, value: unknown): unknown => (value === Number.POSITIVE_INFINITY ? "Infinity" : value)

const withoutPicture = ({ picture: _, ...outcome }: Outcome) => outcome

const bench = (wanted: Wanted) =>
  Effect.gen(function* () {
    const facts = machine()
    print(heading(facts, wanted))
    const outcomes = yield* Effect.forEach(wanted.rows, (row) => run(row, wanted))
    const found = outcomes.filter((outcome) => outcome !== undefined)
    mkdirSync(wanted.out, { recursive: true })
    const stamp = new Date().toISOString().replaceAll(":", "-").slice(0, 19)
    const file = join(wanted.out, `${stamp}.json`)
    for (const { picture, row } of found) {
      if (picture === undefined) continue
      const drawn = join(wanted.out, `${stamp}-${row}.svg`)
      writeFileSync(drawn, picture)
      print(`Drawn in ${drawn}\n`)
    }
    writeFileSync(
      file,
      `${JSON.stringify({ machine: facts, operator: wanted.operator.join(" "), kube: wanted.kube, outcomes: found.map(withoutPicture) }, speakable, 2)}\n`
    )
    print(`Written to ${file}\n`)
    return found.length === wanted.rows.length && found.every((outcome) => missedIn(outcome) === 0) ? 0 : 1
  })

const teardown: Runtime.Teardown = (exit, done) =>
  done(
    Exit.isSuccess(exit)
      ? typeof exit.value === "number"
        ? exit.value
        : 0
      : Cause.hasInterruptsOnly(exit.cause)
        ? 130
        : 1
  )

const asked = parseArguments(process.argv.slice(2))
switch (asked._tag) {
  case "Help":
    print(help)
    break
  case "Wrong":
    process.stderr.write(`${asked.message}\n`)
    process.exitCode = 2
    break
  case "Run":
    NodeRuntime.runMain(bench(asked.wanted), { teardown })
}
