/**
 * Mutants on trial before the exploration of states alone, each in the configuration that is named for it. Only a broken
 * invariant counts as a find; what it found is the shortest course of events that breaks one.
 */
import { spawn } from "node:child_process"
import type { Copy } from "./Copy.ts"
import { explored } from "./explored.ts"
import type { Mutant } from "./Mutant.ts"

/** More than any mutant needs. */
const STATES = "250000"

interface Run {
  readonly code: number | null
  readonly output: string
}

const run = (copy: Copy, configurations: ReadonlyArray<string>, states: string): Promise<Run> =>
  new Promise((resolve) => {
    const only = ["--only", configurations.join(","), "--states", states]
    const child = spawn(process.execPath, ["scripts/explore.ts", ...only], { cwd: copy.folder })
    const parts: Array<string> = []
    child.stdout.on("data", (bytes: Buffer) => parts.push(bytes.toString()))
    child.stderr.on("data", (bytes: Buffer) => parts.push(bytes.toString()))
    child.once("close", (code) => resolve({ code, output: parts.join("") }))
  })

const used = (chosen: ReadonlyArray<Mutant>): ReadonlyArray<string> => [
  ...new Set(chosen.flatMap(({ id }) => explored[id] ?? []))
]

const row = async (copy: Copy, mutant: Mutant): Promise<{ readonly found: boolean; readonly line: string }> => {
  const begun = performance.now()
  const { id } = mutant
  const configuration = explored[id] ?? ""
  const lost = (why: string) => ({ found: false, line: `| \`${id}\` | ${configuration} | **not found**: ${why} | |` })
  const unfit = copy.put(mutant)
  if (unfit !== undefined) return lost(unfit)
  const { output } = await run(copy, [configuration], STATES)
  copy.restore()
  const broken = /^(I\d): (.*)$/mu.exec(output)
  const schedule = /^EXPLORE_REPLAY="[^:]*: (.*)" npm/mu.exec(output)?.[1]
  if (broken === null || schedule === undefined) return lost(output.split("\n", 1)[0] ?? "")
  const seconds = ((performance.now() - begun) / 1_000).toFixed(1)
  console.error(`${id}: ${seconds} s, ${schedule}`)
  const cells = [mutant.breaks.join(", "), `\`${id}\``, configuration, schedule.split(", ").length, broken[1]]
  return { found: true, line: `| ${cells.join(" | ")} |` }
}

/** Tries them one after another in each copy, and prints a table of what came of it. Answers how many were not found. */
export const tryByExploration = async (copies: ReadonlyArray<Copy>, chosen: ReadonlyArray<Mutant>): Promise<number> => {
  const [first] = copies
  if (first === undefined) return chosen.length
  const sober = await run(first, used(chosen), "20000")
  if (sober.code !== 0) {
    console.log(`Without any mutant:\n${sober.output}`)
    return chosen.length
  }
  const queue = chosen.map((mutant, index) => ({ mutant, index }))
  const rows: Array<{ readonly found: boolean; readonly line: string; readonly index: number }> = []
  const work = async (copy: Copy): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      rows.push({ ...(await row(copy, next.mutant)), index: next.index })
    }
  }
  await Promise.all(copies.map(work))
  console.log(["| Rule | Left out | Configuration | Moves | Breaks |", "| --- | --- | --- | --- | --- |"].join("\n"))
  for (const { line } of rows.sort((a, b) => a.index - b.index)) console.log(line)
  return rows.filter(({ found }) => !found).length
}
