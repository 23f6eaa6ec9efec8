/** One mutant on trial: first before the files that are to find it, then before all that run in seconds. */
import type { Copy } from "./Copy.ts"
import type { Mutant } from "./Mutant.ts"
import { type Find, type Outcome, type Run, runSuite } from "./Suite.ts"

export interface Verdict {
  readonly mutant: Mutant
  readonly seconds: number
  readonly found: Find | undefined
  /** Why it was not found. */
  readonly why: string
  /** The files that were to find it did not; others did. */
  readonly elsewhere: boolean
}

const everything = ["test/domain", "test/runtime", "test/reconcile", "test/providers", "test/adapters"]

/** Tests that run a world stop at nothing but an assertion: if the first failure is none, the others are heard too. */
const hear = async (copy: Copy, run: Omit<Run, "bail" | "workers">): Promise<Outcome> => {
  const outcome = await runSuite(copy.folder, { ...run, bail: true, workers: 1 })
  return outcome._tag === "Failed" ? runSuite(copy.folder, { ...run, bail: false, workers: 1 }) : outcome
}

const reasonOf = (outcome: Outcome): string =>
  outcome._tag === "Failed" ? outcome.why : outcome._tag === "Passed" ? `${outcome.tests} tests passed` : ""

export const tryOne = async (copy: Copy, mutant: Mutant): Promise<Verdict> => {
  const begun = performance.now()
  const verdict = (found: Find | undefined, why: string, elsewhere: boolean): Verdict => ({
    mutant,
    seconds: (performance.now() - begun) / 1_000,
    found,
    why,
    elsewhere
  })
  const unfit = copy.put(mutant)
  if (unfit !== undefined) return verdict(undefined, unfit, false)
  try {
    const first = await hear(copy, { files: mutant.tests, seconds: 120 })
    if (first._tag === "Found") return verdict(first.by, "", false)
    const second = await hear(copy, { files: everything, seconds: 600 })
    if (second._tag !== "Found") return verdict(undefined, `${reasonOf(first)}; ${reasonOf(second)}`, false)
    copy.restore()
    // these files were not heard without the mutant: a test that fails on a busy machine finds nothing
    const sober = await hear(copy, { files: [second.by.file], seconds: 300 })
    return sober._tag === "Passed"
      ? verdict(second.by, "", true)
      : verdict(undefined, `${second.by.file} fails without it too`, false)
  } finally {
    copy.restore()
  }
}
