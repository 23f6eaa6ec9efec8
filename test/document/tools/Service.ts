/**
 * Lets a bash call tools of this process over a loopback port, without starting a process for each call.
 *
 * A call is its words and its standard input, each ended by a zero byte, after their number. The answer is the exit code on
 * a line of its own, and then what the tool says.
 */
import { createServer, type Socket } from "node:net"
import { Effect, type Scope } from "effect"
import { listening } from "../../support/loopback.ts"
import type { Tool } from "./Tool.ts"

/** The functions of the shell that call the tools; `$TOOLS` is the port. */
export const functions = (names: Iterable<string>): string => `
call_tool() {
  local input="" word
  case "$1 " in
  "jq ") input=$(cat) ;;
  *) for word in "$@"; do [ "$word" != - ] || input=$(cat); done ;;
  esac
  exec 3<> "/dev/tcp/127.0.0.1/$TOOLS"
  printf '%s\\0' "$#" "$@" "$input" >&3
  local code
  read -r code <&3
  cat <&3
  exec 3>&-
  return "$code"
}
${[...names].map((name) => `${name}() { call_tool ${name} "$@"; }`).join("\n")}
`

const answering = (socket: Socket, answer: (words: ReadonlyArray<string>) => Effect.Effect<string>) => {
  let read = ""
  let answered = false
  socket.on("error", () => socket.destroy())
  socket.setEncoding("utf8").on("data", (chunk: string) => {
    read += chunk
    const [count = "", ...parts] = read.split("\0")
    if (answered || parts.length < Number(count) + 2) return
    answered = true
    Effect.runFork(Effect.map(answer(parts.slice(0, Number(count) + 1)), (text) => socket.end(text)))
  })
}

/** Serves the tools until the scope closes; answers the port. */
export const serve = (tools: ReadonlyMap<string, Tool>): Effect.Effect<string, never, Scope.Scope> =>
  Effect.gen(function* () {
    const run = (all: ReadonlyArray<string>) => {
      const [name = "", ...words] = all.slice(0, -1)
      const tool = tools.get(name)
      if (tool === undefined) return Effect.succeed(`127\n${name}: no such tool\n`)
      return tool(words, all.at(-1) ?? "").pipe(
        Effect.map((said) => `0\n${said}`),
        Effect.catchTag("ToolFailed", ({ message }) => Effect.succeed(`1\n${message}\n`))
      )
    }
    const server = createServer((socket) => answering(socket, run))
    return String(yield* listening(server))
  })
