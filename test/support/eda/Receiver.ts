/**
 * The HTTP side of `ansible.eda.webhook` 2.13.0 (which is also `eda.builtin.webhook`), as recorded in `test/fixtures/eda`.
 *
 * It takes JSON on any path, and knows nothing of rules: an answer of 200 says that an event is in the memory of one process.
 * The wire of the simulators carries text, so that bodies which are not UTF-8, or compressed, are not in here.
 */
import { Result } from "effect"
import { type Json, parseJson } from "../kubernetes/Json.ts"
import type { WireRequest, WireResponse } from "../Wire.ts"

const LARGEST_BODY = 1_048_576

/** What the receiver hands on to the rules, before they add where and when it came from. */
export interface Received {
  /** The path without its leading slash. */
  readonly endpoint: string
  readonly payload: Json
  /** All but the credential. Names are lower case here, as they came in the recordings. */
  readonly headers: Readonly<Record<string, string>>
}

export interface Receipt {
  readonly response: WireResponse
  /** Absent when the request was refused. */
  readonly received?: Received
}

const encoder = new TextEncoder()
const bytesIn = (text: string): number => encoder.encode(text).byteLength

const say = (status: number, words: string, headers: Readonly<Record<string, string>> = {}): WireResponse => ({
  status,
  headers: {
    "content-type": "text/plain; charset=utf-8",
    ...headers,
    "content-length": String(bytesIn(words)),
    server: "Python/3.11 aiohttp/3.14.5"
  },
  body: words
})

const refuse = (status: number, words: string, headers?: Readonly<Record<string, string>>): Receipt => ({
  response: say(status, words, headers)
})

/** Why the credential will not do; undefined when it will, or when none is wanted. */
const objection = (authorization: string | undefined, token: string | undefined): string | undefined => {
  if (token === undefined) return undefined
  if (authorization === undefined) return "401: Missing authorization token"
  const words = authorization.trim().split(" ")
  if (words.length !== 2) return "Invalid authorization token"
  if (words[0] !== "Bearer") return "Only Bearer type is accepted"
  return words[1] === token ? undefined : "Invalid authorization token"
}

const knowsCharset = (contentType: string | undefined): boolean => {
  const charset = /;\s*charset="?([^";\s]+)/iu.exec(contentType ?? "")?.[1]
  if (charset === undefined) return true
  try {
    return new TextDecoder(charset).encoding !== ""
  } catch {
    return false
  }
}

const endpointOf = ({ pathname }: URL): string => {
  const path = pathname.slice(1)
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/** The answer to a request. The order of the checks is the receiver's: credential, method, size, body. */
export const receive = (request: WireRequest, token: string | undefined): Receipt => {
  const { authorization, ...headers } = request.headers
  const objected = objection(authorization, token)
  if (objected !== undefined) return refuse(401, objected)
  if (request.method !== "POST") {
    const { response } = refuse(405, "405: Method Not Allowed", { allow: "POST" })
    return { response: request.method === "HEAD" ? { ...response, body: "" } : response }
  }
  if (bytesIn(request.body) > LARGEST_BODY) {
    return refuse(413, `Maximum request body size ${LARGEST_BODY} exceeded.`)
  }
  if (!knowsCharset(request.headers["content-type"])) {
    return refuse(500, "500 Internal Server Error\n\nServer got itself in trouble")
  }
  const payload = parseJson(request.body)
  if (Result.isFailure(payload)) return refuse(400, "Invalid JSON payload")
  const endpoint = endpointOf(request.url)
  return { response: say(200, endpoint), received: { endpoint, payload: payload.success, headers } }
}
