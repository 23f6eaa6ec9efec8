/**
 * A bash that runs the commands of a document as they are printed.
 *
 * kubectl is the one in `KUBEBUILDER_ASSETS`, or a stand-in that sends the same requests; the stand-in also where a stock
 * kubectl talks to built-in kinds in protobuf or strategic patches, which the simulated API server does not take. What only a kubelet could do is
 * done in its place: `kubectl logs` prints what the operator process wrote, `kubectl run` runs its command right here.
 * curl and jq are stand-ins everywhere, so that they say the same on every machine; `watch` looks once.
 */
import { spawn } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, type Scope, Semaphore } from "effect"
import { assets, present } from "../cluster/assets.ts"
import type { Cluster } from "./Cluster.ts"
import { curl } from "./tools/curl.ts"
import { jq } from "./tools/jq.ts"
import { kubectl } from "./tools/kubectl.ts"
import { functions, serve } from "./tools/Service.ts"
import type { Tool } from "./tools/Tool.ts"

export interface Outcome {
  readonly code: number
  /** Standard output and standard error, without the newline at the end. */
  readonly output: string
}

export interface Shell {
  /** Variables stay from one command to the next, as in a terminal. */
  readonly run: (command: string) => Effect.Effect<Outcome>
}

const real = present("kubectl") ? `command '${join(assets, "kubectl")}'` : "api"

const environment = (simulated: boolean): string => `${functions(["curl", "jq", "api"])}
kubectl() {
  local word
  case "$1" in
  logs)
    for word in "$@"; do
      case "$word" in --tail=*) tail -n "\${word#--tail=}" "$OPERATOR_LOG"; return ;; esac
    done
    cat "$OPERATOR_LOG" ;;
  run)
    while [ "$1" != "--" ]; do shift; done
    shift
    "$@" ;;
  create | set | rollout) ${simulated ? "api" : real} "$@" ;;
  *)
    case "$*" in
    *config/manager*) ${simulated ? "api" : real} "$@" ;;
    *) ${real} "$@" ;;
    esac ;;
  esac
}
watch() { local last; for last in "$@"; do :; done; ( eval "$last" ); }
`

const END = "--- the command has ended:"

/** A bash of its own in the folder `home`, where the documents' files lie. Ends with the scope, and all it started. */
export const open = (
  cluster: Cluster,
  home: string,
  env: Readonly<Record<string, string>>
): Effect.Effect<Shell, never, Scope.Scope> =>
  Effect.gen(function* () {
    const tools = new Map<string, Tool>([
      ["curl", curl],
      ["jq", jq],
      ["api", kubectl(cluster, home)]
    ])
    const port = yield* serve(tools)
    const shell = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn("bash", ["--noprofile", "--norc"], {
          cwd: home,
          detached: true,
          env: { ...process.env, ...env, HOME: home, TOOLS: port },
          stdio: ["pipe", "pipe", "pipe"]
        })
      ),
      (child) => Effect.sync(() => child.pid !== undefined && process.kill(-child.pid, "SIGKILL"))
    )
    const oneAtATime = yield* Semaphore.make(1)
    let said = ""
    let look = () => {}
    for (const stream of [shell.stdout, shell.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        said += chunk
        look()
      })
    }
    shell.stdin.write(environment(cluster.url.startsWith("http:")))
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
