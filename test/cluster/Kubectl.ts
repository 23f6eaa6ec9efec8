/** A stock kubectl against a server of this process: always asynchronous, as the server must be able to answer. */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, type Scope } from "effect"

export interface Outcome {
  readonly code: number
  /** Standard output and standard error, as they came. */
  readonly output: string
}

export interface Following {
  /** Waits until the output has this text. */
  readonly until: (text: string) => Effect.Effect<string>
}

export interface Kubectl {
  /** A folder of its own. */
  readonly home: string
  readonly run: (args: ReadonlyArray<string>, env?: Readonly<Record<string, string>>) => Effect.Effect<Outcome>
  /** Runs it until the scope closes, reading along. */
  readonly follow: (args: ReadonlyArray<string>) => Effect.Effect<Following, never, Scope.Scope>
}

const config = (url: string) => ({
  apiVersion: "v1",
  kind: "Config",
  clusters: [{ name: "simulated", cluster: { server: url } }],
  users: [{ name: "somebody", user: {} }],
  contexts: [{ name: "simulated", context: { cluster: "simulated", user: "somebody", namespace: "default" } }],
  "current-context": "simulated"
})

/** The output so far, and whoever waits for more of it. */
const reading = (child: ChildProcess) => {
  let output = ""
  const waiting = new Set<() => void>()
  const take = (chunk: string) => {
    output += chunk
    for (const look of waiting) look()
  }
  child.stdout?.setEncoding("utf8").on("data", take)
  child.stderr?.setEncoding("utf8").on("data", take)
  const until = (text: string): Effect.Effect<string> =>
    Effect.callback((resume) => {
      const look = () => {
        if (!output.includes(text)) return
        waiting.delete(look)
        resume(Effect.succeed(output))
      }
      waiting.add(look)
      look()
      return Effect.sync(() => waiting.delete(look))
    })
  return { until, output: () => output }
}

export const make = (binary: string, url: string): Effect.Effect<Kubectl, never, Scope.Scope> =>
  Effect.gen(function* () {
    const home = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "kubectl-"))),
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
    )
    writeFileSync(join(home, "config"), JSON.stringify(config(url)))
    const start = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) =>
      spawn(binary, args, {
        cwd: home,
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, HOME: home, KUBECONFIG: join(home, "config"), ...env }
      })
    return {
      home,
      run: (args, env) =>
        Effect.callback<Outcome>((resume) => {
          const child = start(args, env)
          const { output } = reading(child)
          child.on("close", (code) => resume(Effect.succeed({ code: code ?? -1, output: output() })))
          return Effect.sync(() => child.kill("SIGKILL"))
        }),
      follow: (args) =>
        Effect.map(
          Effect.acquireRelease(
            Effect.sync(() => start(args)),
            (child) => Effect.sync(() => child.kill("SIGKILL"))
          ),
          (child) => ({ until: reading(child).until })
        )
    }
  })
