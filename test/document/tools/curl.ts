/** As much of curl as the documents use: a request, and the body of its answer. */
import { Effect } from "effect"
import { parted, type Tool, ToolFailed } from "./Tool.ts"

/** `-H` may come several times. */
const headersOf = (words: ReadonlyArray<string>): Headers => {
  const headers = new Headers({ accept: "*/*", "user-agent": "curl" })
  words.forEach((word, index) => {
    const [name = "", ...value] = (words[index + 1] ?? "").split(":")
    if (word === "-H") headers.set(name, value.join(":").trim())
  })
  return headers
}

export const curl: Tool = (words) =>
  Effect.tryPromise({
    try: async () => {
      const { options, others } = parted(words, new Set(["-X", "-H", "-d", "-u"]))
      const body = options.get("-d")
      const method = options.get("-X") ?? (body === undefined ? "GET" : "POST")
      const request = { method, headers: headersOf(words), redirect: "manual" as const }
      const answer = await fetch(others[0] ?? "", body === undefined ? request : { ...request, body })
      return await answer.text()
    },
    catch: (cause) => new ToolFailed({ message: `curl: ${String(cause)}` })
  })
