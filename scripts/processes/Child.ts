/**
 * A process that lives as long as the scope: told to end by SIGTERM, made to after a while. What it says on its error output
 * goes to a file.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { closeSync, openSync, readFileSync } from "node:fs"
import { Data, Deferred, Effect, type Scope } from "effect"

/** How a process ended: its exit code, or the signal that ended it. */
export type End = number | string

export class ProcessFailed extends Data.TaggedError("ProcessFailed")<{ readonly message: string }> {}

export interface Child {
  readonly pid: number
  /** What it printed, so far. */
  readonly output: () => string
  readonly log: string
  readonly ended: Effect.Effect<End>
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
}

export interface Command {
  readonly name: string
  readonly program: string
  readonly parameters: ReadonlyArray<string>
  readonly env: NodeJS.ProcessEnv
  /** Where its error output goes, and its output unless it is read. */
  readonly log: string
  readonly readsOutput: boolean
}

const LONGEST_STOP = "15 seconds"

const launched = ({ env, log, parameters, program, readsOutput }: Command): ChildProcess => {
  const file = openSync(log, "a")
  const child = spawn(program, parameters, { env, stdio: ["ignore", readsOutput ? "pipe" : file, file] })
  closeSync(file)
  const kill = () => child.kill("SIGKILL")
  // should this process end without its scopes being closed
  process.once("exit", kill)
  child.once("exit", () => process.removeListener("exit", kill))
  return child
}

const stopped = (child: ChildProcess, ended: Effect.Effect<End>) =>
  Effect.suspend(() => {
    child.kill("SIGTERM")
    const forced = Effect.andThen(
      Effect.sync(() => child.kill("SIGKILL")),
      ended
    )
    return Effect.timeoutOrElse(ended, { duration: LONGEST_STOP, orElse: () => forced })
  })

export const start = (command: Command): Effect.Effect<Child, never, Scope.Scope> =>
  Effect.gen(function* () {
    const ending = yield* Deferred.make<End>()
    const ended = Deferred.await(ending)
    let printed = ""
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const started = launched(command)
        started.stdout?.on("data", (chunk: Buffer) => {
          printed += chunk.toString("utf8")
        })
        started.once("error", (error) => Deferred.doneUnsafe(ending, Effect.succeed(error.message)))
        started.once("exit", (code, signal) => Deferred.doneUnsafe(ending, Effect.succeed(code ?? signal ?? "unknown")))
        return started
      }),
      (started) => stopped(started, ended)
    )
    return {
      pid: child.pid ?? 0,
      output: () => printed,
      log: command.log,
      ended,
      signal: (signal) => Effect.sync(() => void child.kill(signal))
    }
  })

export const lastWords = (log: string): string => readFileSync(log, "utf8").trimEnd().split("\n").slice(-5).join("\n  ")
