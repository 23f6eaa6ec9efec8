/**
 * Prints the coverage of the latest test run per folder of src, and fails where a folder that carries the product's
 * promises is below the floor. A file that no test loads counts with all its lines.
 */
import { existsSync, readFileSync } from "node:fs"
import { dirname, relative } from "node:path"
import { Schema } from "effect"

const FLOOR = 90
const guarded = ["src/domain", "src/runtime", "src/reconcile", "src/providers"]
const report = "coverage/coverage-summary.json"

const Count = Schema.Struct({ total: Schema.Int, covered: Schema.Int })
const Summary = Schema.Record(Schema.String, Schema.Struct({ lines: Count, functions: Count, branches: Count }))
type File = (typeof Summary.Type)[string]
type Kind = keyof File

if (!existsSync(report)) {
  console.error(`${report} is missing: run "npm run coverage", which runs the tests first.`)
  process.exit(1)
}
const { total: _, ...files } = Schema.decodeSync(Schema.fromJsonString(Summary))(readFileSync(report, "utf8"))

const folders = new Map<string, Array<File>>()
for (const [path, file] of Object.entries(files)) {
  const folder = dirname(relative(process.cwd(), path))
  folders.set(folder, [...(folders.get(folder) ?? []), file])
}

const percent = (of: ReadonlyArray<File>, kind: Kind): number => {
  const total = of.reduce((sum, file) => sum + file[kind].total, 0)
  return total === 0 ? 100 : (100 * of.reduce((sum, file) => sum + file[kind].covered, 0)) / total
}
const cell = (value: number): string => `${value.toFixed(1)} %`.padStart(10)
const within = (folder: string): ReadonlyArray<File> =>
  [...folders].flatMap(([name, of]) => (name === folder || name.startsWith(`${folder}/`) ? of : []))

console.log(`${"folder".padEnd(26)}${["lines", "functions", "branches"].map((word) => word.padStart(10)).join("")}`)
for (const [folder, of] of [...folders].sort(([a], [b]) => a.localeCompare(b)))
  console.log(
    folder.padEnd(26) + cell(percent(of, "lines")) + cell(percent(of, "functions")) + cell(percent(of, "branches"))
  )

const low = guarded.filter((folder) => within(folder).length === 0 || percent(within(folder), "lines") < FLOOR)
for (const folder of low)
  console.error(
    `${folder}: ${percent(within(folder), "lines").toFixed(1)} % of lines are covered, the floor is ${FLOOR} %`
  )
if (low.length > 0) process.exit(1)
console.log(`Every one of ${guarded.join(", ")} covers at least ${FLOOR} % of its lines.`)
