/**
 * Puts bugs into copies of the sources, one at a time, and sees whether an assertion finds each.
 *
 *   npm run mutants                        all of them
 *   npm run mutants -- --fast              the most telling ones
 *   npm run mutants -- --only a,b          these
 *   npm run mutants -- --jobs 4            so many at once (default 2)
 *   npm run mutants -- --types             only check that each is sound to the type checker
 *   npm run mutants -- --write             and docs/mutants.md is brought up to date with those that were tried
 *   npm run mutants -- --by exploration    the exploration of states alone is to find those of vital rules; prints a table
 */
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { type Copy, makeCopy } from "./mutants/Copy.ts"
import { tryByExploration } from "./mutants/Exploration.ts"
import { explored } from "./mutants/explored.ts"
import { mutants } from "./mutants/list.ts"
import type { Mutant } from "./mutants/Mutant.ts"
import { mutantsPage } from "./mutants/Page.ts"
import { rules } from "./mutants/rules.ts"
import { endAll, runSuite } from "./mutants/Suite.ts"
import { tryOne, type Verdict } from "./mutants/Trial.ts"

const { values } = parseArgs({
  options: {
    fast: { type: "boolean", default: false },
    only: { type: "string" },
    jobs: { type: "string", default: "2" },
    types: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    by: { type: "string" }
  }
})

const fail = (message: string): never => {
  console.error(message)
  process.exit(1)
}

const wanted = values.only?.split(",")
const unknown = wanted?.find((id) => !mutants.some((mutant) => mutant.id === id))
if (unknown !== undefined) fail(`There is no mutant ${unknown}. There are: ${mutants.map(({ id }) => id).join(", ")}`)
if (values.write && values.by !== undefined) fail("--write needs the files that are to find the mutants")
if (values.by !== undefined && values.by !== "exploration") fail("--by knows exploration only")

/** The exploration is to find the mutants of vital rules. */
const vital = new Set(rules.filter((rule) => rule.vital === true).map(({ id }) => id))
const isExplored = ({ breaks, id }: Mutant): boolean =>
  breaks.some((rule) => vital.has(rule)) && explored[id] !== undefined

const chosen = mutants.filter((mutant) => {
  if (wanted !== undefined) return wanted.includes(mutant.id)
  return (!values.fast || mutant.telling === true) && (values.by === undefined || isExplored(mutant))
})

const page = "docs/mutants.md"
const copies: Array<Copy> = []
const newCopy = (): Copy => {
  const copy = makeCopy()
  copies.push(copy)
  return copy
}
const tidy = (): void => {
  endAll()
  for (const copy of copies.splice(0)) copy.remove()
}
process.on("exit", tidy)
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1))

/** What the type checker has against the sources. */
const errorsIn = (copy: Copy): ReadonlyArray<string> =>
  spawnSync("node", ["scripts/effect-tsc.mjs", "-p", "tsconfig.json"], { cwd: copy.folder, encoding: "utf8" })
    .stdout.split("\n")
    .filter((line) => /^src\/.*: error /u.test(line))

const filesOf = ({ edits }: Mutant): ReadonlyArray<string> => edits.map(({ file }) => file)

/** Few groups, in none of which two mutants change one file: all of a group are checked at once. */
const groups = (): ReadonlyArray<ReadonlyArray<Mutant>> => {
  const made: Array<Array<Mutant>> = []
  for (const mutant of chosen) {
    const free = made.find(
      (group) => !group.some((other) => filesOf(other).some((file) => filesOf(mutant).includes(file)))
    )
    if (free === undefined) made.push([mutant])
    else free.push(mutant)
  }
  return made
}

const checkTypes = (): void => {
  const copy = newCopy()
  const before = new Set(errorsIn(copy))
  const unsound = groups().flatMap((group) => {
    const unfit = group.flatMap((mutant) => copy.put(mutant) ?? [])
    const added = errorsIn(copy).filter((error) => !before.has(error))
    const errors = added.map((error) => {
      const culprit = group.find((mutant) => filesOf(mutant).some((file) => error.startsWith(file)))
      return `${culprit?.id ?? "one of these"}: ${error}`
    })
    copy.restore()
    return [...unfit, ...errors]
  })
  for (const line of unsound) console.log(line)
  console.log(`${chosen.length} mutants, ${unsound.length} complaints of the type checker`)
  process.exit(unsound.length === 0 ? 0 : 1)
}

/** Without it, a test that fails anyway would find every mutant. */
const baseline = async (copy: Copy, jobs: number): Promise<void> => {
  const files = [...new Set(chosen.flatMap(({ tests }) => tests))]
  const outcome = await runSuite(copy.folder, { files, bail: false, workers: jobs, seconds: 900 })
  if (outcome._tag !== "Passed") {
    fail(`Without any mutant: ${outcome._tag === "Found" ? `${outcome.by.file}: ${outcome.by.test}` : outcome.why}`)
  } else console.log(`without any mutant ${outcome.tests} tests in ${files.length} files pass`)
}

const line = ({ elsewhere, found, mutant, seconds, why }: Verdict): string =>
  `${found === undefined ? "SURVIVED" : "caught  "} ${mutant.id.padEnd(36)} ${mutant.breaks.join(" ").padEnd(8)} ${`${seconds.toFixed(1)} s`.padStart(8)}  ${
    found === undefined ? why : `${found.file} › ${found.test}${elsewhere ? " (not by the files that it names)" : ""}`
  }`

const tryAll = async (jobs: number): Promise<ReadonlyArray<Verdict>> => {
  const queue = [...chosen]
  const verdicts: Array<Verdict> = []
  const work = async (copy: Copy): Promise<void> => {
    for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
      const verdict = await tryOne(copy, mutant)
      console.log(line(verdict))
      verdicts.push(verdict)
    }
  }
  await Promise.all(copies.slice(0, jobs).map(work))
  return verdicts
}

if (values.types) checkTypes()
const jobs = Number(values.jobs)
if (!(Number.isInteger(jobs) && jobs >= 1)) fail("--jobs needs a number of at least 1")
const begun = performance.now()
const first = newCopy()
for (let more = 1; more < jobs; more++) newCopy()
if (values.by !== undefined) {
  const missed = await tryByExploration(copies, chosen)
  console.log(`${chosen.length - missed} of ${chosen.length} mutants found by exploration alone`)
  process.exit(missed === 0 ? 0 : 1)
}
await baseline(first, jobs)
const verdicts = await tryAll(jobs)
const survivors = verdicts.filter(({ found }) => found === undefined)
if (values.write) {
  writeFileSync(page, mutantsPage(verdicts, existsSync(page) ? readFileSync(page, "utf8") : ""))
}
console.log(
  `${verdicts.length - survivors.length} of ${verdicts.length} mutants caught in ${Math.round((performance.now() - begun) / 1_000)} s`
)
process.exit(survivors.length === 0 ? 0 : 1)
