/**
 * The recordings of the real receiver as data. The files are raw HTTP; bodies are given as the wire of the simulators
 * carries them: chunks put together, text decoded by its own charset, bodies that were too long to keep made again.
 */
import { readdirSync, readFileSync } from "node:fs"
import type { WireRequest } from "../Wire.ts"

const folder = new URL("../../fixtures/eda/", import.meta.url)

export interface Recording {
  readonly file: string
  readonly request: WireRequest
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export const everyFile: ReadonlyArray<string> = readdirSync(folder).toSorted()

/** A recording that is JSON. */
export const readJson = (file: string): unknown => JSON.parse(readFileSync(new URL(file, folder), "utf8"))

/** Of several headers of one name the first counts, as it did for the receiver. */
const headersOf = (lines: ReadonlyArray<string>): Record<string, string> => {
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(":")
    if (colon > 0) headers[line.slice(0, colon).toLowerCase()] ??= line.slice(colon + 1).trim()
  }
  return headers
}

/** First line, headers and body of one side of an exchange; one character for each byte. */
const sides = (bytes: string) => {
  const blank = bytes.indexOf("\r\n\r\n")
  const [first = "", ...lines] = bytes.slice(0, blank).split("\r\n")
  return { first, headers: headersOf(lines), body: bytes.slice(blank + 4) }
}

const unchunked = (body: string): string => {
  const end = body.indexOf("\r\n")
  const size = Number.parseInt(body.slice(0, end), 16)
  return size > 0 ? body.slice(end + 2, end + 2 + size) + unchunked(body.slice(end + size + 4)) : ""
}

/** `{"a":"xxx…` of as many bytes as the head promises, where the recording kept the beginning only. */
const whole = (body: string, length: number): string =>
  /<\d+ bytes total>$/u.test(body) ? `{"a":"${"x".repeat(length - 8)}"}` : body

const charsetOf = (contentType: string | undefined): string => {
  const charset = /charset=(\S+)/u.exec(contentType ?? "")?.[1] ?? "utf-8"
  return charset === "nosuch" ? "utf-8" : charset
}

const requestOf = (bytes: string): WireRequest => {
  const { first, headers, body } = sides(bytes)
  const [method = "", target = ""] = first.split(" ")
  const sent = headers["transfer-encoding"] === "chunked" ? unchunked(body) : body
  return {
    method,
    // put together by hand: a path of two slashes is not a host
    url: new URL(`http://${headers.host}${target}`),
    headers,
    body: new TextDecoder(charsetOf(headers["content-type"])).decode(
      Buffer.from(whole(sent, Number(headers["content-length"])), "latin1")
    )
  }
}

const parse = (file: string): Recording => {
  const bytes = readFileSync(new URL(file, folder), "latin1")
  const [request = "", response = ""] = bytes.replace("### REQUEST\n", "").split("\n### RESPONSE\n")
  const { first, headers, body } = sides(response)
  const length = Number(headers["content-length"])
  return {
    file,
    request: requestOf(request),
    status: Number(first.split(" ")[1]),
    headers,
    // an answer to HEAD names a length and has no body
    body: body.trim() === "" ? "" : body.slice(0, length)
  }
}

export const recordings: ReadonlyArray<Recording> = everyFile.filter((file) => file.endsWith(".txt")).map(parse)
