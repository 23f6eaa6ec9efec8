/**
 * A bash that runs the commands of a document as they are printed.
 *
 * kubectl is the one in `KUBEBUILDER_ASSETS`, or a stand-in that sends the same requests. What only a kubelet could do is
 * done in its place: `kubectl logs` prints what the operator process wrote, `kubectl run` runs its command right here.
 * curl and jq are stand-ins everywhere, so that they say the same on every machine; `watch` looks once.
 */
import { spawn } from "node:child_process"
import { chmodSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Effect, type Scope, Semaphore } from "effect"
import { assets, present } from "../cluster/assets.ts"

export interface Outcome {
  readonly code: number
  /** Standard output and standard error, without the newline at the end. */
  readonly output: string
}

export interface Shell {
  /** Variables stay from one command to the next, as in a terminal. */
  readonly run: (command: string) => Effect.Effect<Outcome>
}

const tools = {
  kubectl: fileURLToPath(new URL("./tools/kubectl.ts", import.meta.url)),
  curl: fileURLToPath(new URL("./tools/curl.ts", import.meta.url)),
  jq: fileURLToPath(new URL("./tools/jq.ts", import.meta.url))
}

const node = (file: string): string => `exec '${process.execPath}' '${file}' "$@"`

const realKubectl = present("kubectl") ? `exec '${join(assets, "kubectl")}' "$@"` : node(tools.kubectl)

const kubectl = `case "$1" in
logs)
  for word in "$@"; do case "$word" in --tail=*) exec tail -n "\${word#--tail=}" "$OPERATOR_LOG" ;; esac; done
  exec cat "$OPERATOR_LOG" ;;
run)
  while [ "$1" != "--" ]; do shift; done
  shift
  exec "$@" ;;
esac
${realKubectl}`

const scripts: Readonly<Record<string, string>> = {
  kubectl,
  curl: node(tools.curl),
  jq: node(tools.jq),
  watch: `for last in "$@"; do :; done\nexec bash -c "$last"`
}

const installed = (home: string): string => {
  const bin = join(home, "bin")
  mkdirSync(bin)
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  return bin
}

const END = "--- the command has ended:"

/** A bash of its own, ended with the scope. `home` is where it is, and where files of the documents lie. */
export const open = (
  home: string,
  env: Readonly<Record<string, string>>
): Effect.Effect<Shell, never, Scope.Scope> =>
  Effect.gen(function* () {
    const bin = installed(home)
    const shell = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn("bash", ["--noprofile", "--norc"], {
          cwd: home,
          detached: true,
          env: { ...process.env, ...env, HOME: home, PATH: `${bin}:${process.env.PATH ?? ""}` },
          stdio: ["pipe", "pipe", "pipe"]
        })
      ),
      // with whatever still runs in the background
      (child) => Effect.sync(() => child.pid !== undefined && process.kill(-child.pid, "SIGKILL"))
    )
    const oneAtATime = yield* Semaphore.make(1)
    let said = ""
    let look = () => {}
    for (const stream of [shell.stdout, shell.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        said += chunk.toString("utf8")
        look()
      })
    }
    const run = (command: string) =>
      Effect.callback<Outcome>((resume) => {
        said = ""
        look = () => {
          const [, output = "", code = ""] = new RegExp(`^([^]*)\n${END} (\\d+)\n`, "u").exec(said) ?? []
          if (code !== "") resume(Effect.succeed({ code: Number(code), output: output.trimEnd() }))
        }
        writeFileSync(join(home, "command.sh"), `${command}\n`)
        shell.stdin.write(`. ./command.sh < /dev/null 2>&1; printf '\\n${END} %s\\n' "$?"\n`)
      })
    return { run: (command) => oneAtATime.withPermits(1)(run(command)) }
  })
