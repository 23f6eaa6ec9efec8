/**
 * Runs test files in a copy, and says what came of it. Only an assertion that failed counts as a find: a file that cannot
 * be loaded, a snapshot, a test that ran out of time and a run that had to be ended do not.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { Option } from "effect"
import { decodeReport, REPORT_FILE, type Report } from "./Report.ts"

export interface Find {
  readonly file: string
  readonly test: string
}

export type Outcome =
  | { readonly _tag: "Passed"; readonly tests: number }
  | { readonly _tag: "Found"; readonly by: Find }
  /** It failed, but by no assertion. */
  | { readonly _tag: "Failed"; readonly why: string }

export interface Run {
  readonly files: ReadonlyArray<string>
  /** Stop at the first failure. */
  readonly bail: boolean
  readonly workers: number
  readonly seconds: number
}

const judge = ({ failures, passed }: Report): Outcome => {
  const found = failures.find(({ assertion }) => assertion)
  if (found !== undefined) return { _tag: "Found", by: { file: found.file, test: found.test } }
  const [other] = failures
  return other === undefined
    ? { _tag: "Passed", tests: passed }
    : { _tag: "Failed", why: `${other.file} ${other.test}: ${other.message}` }
}

const running = new Set<ChildProcess>()

const end = (child: ChildProcess): void => {
  // the whole group: vitest has workers
  if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL")
}

/** Ends every run that is under way. */
export const endAll = (): void => {
  for (const child of running) end(child)
}

const ended = (child: ChildProcess, seconds: number): Promise<"ended" | "late"> =>
  new Promise((resolve) => {
    let late = false
    const timer = setTimeout(() => {
      late = true
      end(child)
    }, seconds * 1_000)
    child.once("close", () => {
      clearTimeout(timer)
      running.delete(child)
      resolve(late ? "late" : "ended")
    })
  })

const reportAt = (path: string): Option.Option<Report> => {
  try {
    return decodeReport(readFileSync(path, "utf8"))
  } catch {
    return Option.none()
  }
}

export const runSuite = async (folder: string, run: Run): Promise<Outcome> => {
  const output = join(folder, "report.json")
  rmSync(output, { force: true })
  const child = spawn(
    join(folder, "node_modules/.bin/vitest"),
    [
      "run",
      "--reporter=./scripts/mutants/Reporter.ts",
      `--maxWorkers=${run.workers}`,
      ...(run.bail ? ["--bail=1"] : []),
      ...run.files
    ],
    { cwd: folder, detached: true, stdio: "ignore", env: { ...process.env, [REPORT_FILE]: output } }
  )
  running.add(child)
  if ((await ended(child, run.seconds)) === "late") {
    return { _tag: "Failed", why: `no end within ${run.seconds} s` }
  }
  return Option.match(reportAt(output), {
    onNone: () => ({ _tag: "Failed", why: "the tests left no report" }),
    onSome: judge
  })
}
