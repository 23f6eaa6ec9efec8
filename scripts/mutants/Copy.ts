/**
 * A copy of the project in a folder of its own, in which one mutant at a time takes the place of the sources. The project
 * itself is never touched.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { applied, type Mutant, unfit } from "./Mutant.ts"

const content = ["src", "test", "k8s", "scripts", "docs", "package.json", "tsconfig.json", "vitest.config.ts"]

export interface Copy {
  readonly folder: string
  /** Puts the mutant in. Answers why it cannot be, if it cannot; nothing is changed then. */
  readonly put: (mutant: Mutant) => string | undefined
  /** As it was before any mutant. */
  readonly restore: () => void
  readonly remove: () => void
}

export const makeCopy = (): Copy => {
  const folder = mkdtempSync(join(tmpdir(), "mutant-"))
  for (const name of content) if (existsSync(name)) cpSync(name, join(folder, name), { recursive: true })
  symlinkSync(resolve("node_modules"), join(folder, "node_modules"))
  const originals = new Map<string, string>()

  const put = (mutant: Mutant): string | undefined => {
    const changed = new Map<string, string>()
    for (const edit of mutant.edits) {
      const path = join(folder, edit.file)
      const source = changed.get(path) ?? readFileSync(path, "utf8")
      const why = unfit(source, edit)
      if (why !== undefined) return why
      changed.set(path, applied(source, edit))
    }
    for (const [path, text] of changed) {
      if (!originals.has(path)) originals.set(path, readFileSync(path, "utf8"))
      writeFileSync(path, text)
    }
    return undefined
  }

  const restore = () => {
    for (const [path, text] of originals) writeFileSync(path, text)
    originals.clear()
  }

  return {
    folder,
    put,
    restore,
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}
