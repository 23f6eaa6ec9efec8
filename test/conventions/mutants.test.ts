/**
 * The list of rules and mutants, held to the sources: every rule is stated by tests that exist, every vital rule has a
 * mutant that leaves it out, and every mutant can still be put in. Whether a test finds it, `npm run mutants` says.
 */
import { existsSync, readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { mutants } from "../../scripts/mutants/list.ts"
import { applied, type Mutant, unfit } from "../../scripts/mutants/Mutant.ts"
import { rules } from "../../scripts/mutants/rules.ts"

/** Why the mutant cannot be put in any more, if it cannot. */
const misfit = (mutant: Mutant): string | undefined => {
  const sources = new Map<string, string>()
  for (const edit of mutant.edits) {
    const source = sources.get(edit.file) ?? readFileSync(edit.file, "utf8")
    const why = unfit(source, edit)
    if (why !== undefined) return `${mutant.id}: ${why}`
    sources.set(edit.file, applied(source, edit))
  }
  return undefined
}

it("every mutant can be put in: what it changes stands in the sources exactly once", () => {
  expect(mutants.flatMap((mutant) => misfit(mutant) ?? [])).toEqual([])
})

it("every mutant has a name of its own and names files that are to find it", () => {
  expect(new Set(mutants.map(({ id }) => id)).size).toBe(mutants.length)
  expect(mutants.length).toBeGreaterThanOrEqual(50)
  expect(mutants.flatMap(({ tests }) => tests.filter((file) => !existsSync(file)))).toEqual([])
  expect(mutants.filter(({ tests }) => tests.length === 0)).toEqual([])
})

it("every rule is stated by tests of that name", () => {
  const missing = rules.flatMap(({ id, tests }) =>
    tests
      .filter(([file, name]) => !existsSync(`test/${file}`) || !readFileSync(`test/${file}`, "utf8").includes(name))
      .map(([file, name]) => `${id}: ${file} has no test "${name}"`)
  )
  expect(missing).toEqual([])
  expect(rules.filter(({ tests }) => tests.length === 0)).toEqual([])
})

it("every vital rule has a mutant that leaves it out, and mutants break rules that exist", () => {
  const broken = new Set(mutants.flatMap(({ breaks }) => breaks))
  expect(rules.filter(({ id, vital }) => vital === true && !broken.has(id)).map(({ id }) => id)).toEqual([])
  expect([...broken].filter((id) => !rules.some((rule) => rule.id === id))).toEqual([])
})

it("the page about mutants lists all of them, and all rules", () => {
  const page = readFileSync("docs/mutants.md", "utf8")
  const listed = [...page.matchAll(/^\| (`[\w-]+`|[LD]\d+)/gmu)].map(([, name]) => name)
  expect(listed).toEqual([...rules.map(({ id }) => id), ...mutants.map(({ id }) => `\`${id}\``)])
})
