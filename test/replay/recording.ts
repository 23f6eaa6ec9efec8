/** The recordings as data: request, status, headers and body of each exchange. */
import { readdirSync, readFileSync } from "node:fs"
import type { WireRequest } from "../support/Wire.ts"

const folder = new URL("../fixtures/awx/", import.meta.url)

export interface Recording {
  readonly file: string
  readonly at: number
  readonly request: WireRequest
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export const read = (file: string): string => readFileSync(new URL(file, folder), "utf8")

const headersOf = (lines: ReadonlyArray<string>): Record<string, string> =>
  Object.fromEntries(
    lines.flatMap((line) => {
      const colon = line.indexOf(": ")
      return colon < 0 ? [] : [[line.slice(0, colon).toLowerCase(), line.slice(colon + 2).trim()]]
    })
  )

/** Head and body of one side of an exchange. */
const sides = (text: string): readonly [ReadonlyArray<string>, string] => {
  const blank = text.indexOf("\n\n")
  return [text.slice(0, blank).split("\n"), text.slice(blank + 2)]
}

const parse = (file: string): Recording => {
  const [, request = "", response = ""] = read(file).split(/^### (?:REQUEST|RESPONSE).*\n/m)
  const [[requestLine = "", ...requestHead], requestBody] = sides(request)
  const [[statusLine = "", ...responseHead], body] = sides(response)
  const [method = "", target = ""] = requestLine.split(" ")
  const headers = headersOf(responseHead)
  return {
    file,
    at: Date.parse(headers.date ?? ""),
    request: {
      method,
      url: new URL(target, "http://awx.test"),
      headers: headersOf(requestHead),
      body: requestBody.trim()
    },
    status: Number(statusLine.split(" ")[1]),
    headers,
    body
  }
}

export const everyFile: ReadonlyArray<string> = readdirSync(folder).toSorted()

/** The exchanges in the order in which they happened. */
export const recordings: ReadonlyArray<Recording> = everyFile
  .filter((file) => file.endsWith(".txt"))
  .map(parse)
  .toSorted((a, b) => a.at - b.at || (a.file < b.file ? -1 : 1))
