/** The real operator as a process of its own, as a container would run it: variables in, log lines out. */
import { spawn } from "node:child_process"
import { closeSync, openSync } from "node:fs"
import { Deferred, Effect, type Scope } from "effect"
import { freePort } from "../support/ports.ts"

export interface OperatorProcess {
  /** As Kubernetes ends it; answers how it ended. */
  readonly stop: Effect.Effect<number | string>
  /** Waits until it ends by itself. */
  readonly ended: Effect.Effect<number | string>
  /** Without a warning. */
  readonly kill: Effect.Effect<void>
  /** Sends a signal and waits for nothing. */
  readonly signal: (name: NodeJS.Signals) => Effect.Effect<void>
  /** Where it answers probes. */
  readonly healthPort: string
}

/** Nothing of the operator's own variables comes in from outside. */
const inherited = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(CLOUDKIT|OSAC)_|^KUBECONFIG$/u.test(name)))

/** Lives as long as the scope at most. What it says on either output is added to the file. */
export const start = (
  env: Readonly<Record<string, string>>,
  log: string
): Effect.Effect<OperatorProcess, never, Scope.Scope> =>
  Effect.gen(function* () {
    const [health, metrics] = [String(yield* freePort), String(yield* freePort)]
    const ended = yield* Deferred.make<number | string>()
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const output = openSync(log, "a")
        const started = spawn(process.execPath, ["src/main.ts"], {
          env: {
            ...inherited(),
            NO_PROXY: "127.0.0.1",
            no_proxy: "127.0.0.1",
            CLOUDKIT_HEALTH_PORT: health,
            CLOUDKIT_METRICS_PORT: metrics,
            ...env
          },
          stdio: ["ignore", output, output]
        })
        closeSync(output)
        started.once("exit", (code, signal) => Deferred.doneUnsafe(ended, Effect.succeed(code ?? signal ?? "unknown")))
        return started
      }),
      (started) =>
        Effect.andThen(
          Effect.sync(() => started.kill("SIGKILL")),
          Deferred.await(ended)
        )
    )
    const signal = (name: NodeJS.Signals) => Effect.sync(() => void child.kill(name))
    return {
      ended: Deferred.await(ended),
      stop: Effect.andThen(signal("SIGTERM"), Deferred.await(ended)),
      kill: Effect.asVoid(Effect.andThen(signal("SIGKILL"), Deferred.await(ended))),
      signal,
      healthPort: health
    }
  })
