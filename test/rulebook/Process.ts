/** A program that runs beside the tests until a scope closes, and what it says meanwhile. */
import { type ChildProcess, spawn } from "node:child_process"
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, type Scope } from "effect"

export interface Program {
  readonly command: string
  readonly parameters: ReadonlyArray<string>
  readonly env: NodeJS.ProcessEnv
  readonly cwd?: string
  /** The file that takes what it says. */
  readonly log: string
}

export interface Process {
  readonly said: () => string
  readonly hasEnded: () => boolean
  /** As a crash would end it. */
  readonly kill: Effect.Effect<void>
}

const LONGEST_STOP = "15 seconds"

export const temporaryFolder: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "rulebook-"))),
  // a playbook that outlives its rulebook for a moment may still write
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
)

/** This process's environment, without what configures the product, and with no proxy in the way of this machine. */
export const inherited = (): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(CLOUDKIT|OSAC)_|^KUBECONFIG$/u.test(name))),
  NO_PROXY: "127.0.0.1",
  no_proxy: "127.0.0.1"
})

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

const ended = (child: ChildProcess): Effect.Effect<void> =>
  Effect.callback((resume) => {
    if (hasEnded(child)) resume(Effect.void)
    else child.once("exit", () => resume(Effect.void))
  })

const told = (child: ChildProcess, signal: NodeJS.Signals): Effect.Effect<void> =>
  Effect.andThen(
    Effect.sync(() => child.kill(signal)),
    ended(child)
  )

/** Told to end, and made to after a while. */
const stopped = (child: ChildProcess): Effect.Effect<void> =>
  told(child, "SIGTERM").pipe(Effect.timeoutOrElse({ duration: LONGEST_STOP, orElse: () => told(child, "SIGKILL") }))

export const start = (program: Program): Effect.Effect<Process, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const output = openSync(program.log, "a")
        const child = spawn(program.command, program.parameters, {
          env: program.env,
          stdio: ["ignore", output, output],
          ...(program.cwd === undefined ? {} : { cwd: program.cwd })
        })
        closeSync(output)
        return child
      }),
      stopped
    ),
    (child) => ({
      said: () => readFileSync(program.log, "utf8"),
      hasEnded: () => hasEnded(child),
      kill: told(child, "SIGKILL")
    })
  )
