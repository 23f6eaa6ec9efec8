/**
 * What can go wrong on the wires of a schedule, by name, so that a schedule is plain data. Nothing in here lies about what
 * was applied in a way that AAP or Kubernetes promise not to: a refusal is a refusal.
 */
import type { Harm } from "./Faults.ts"
import { ConnectionLost, json, text, type WireRequest, type WireResponse } from "./Wire.ts"

const answer = (response: WireResponse, after = false): Harm => ({ _tag: "Answer", response, after })
const lose = (code: string, after = false): Harm => ({ _tag: "Lose", code, after })
const page = (status: number): WireResponse => text(status, "<html><title>Gateway</title></html>", "text/html")
const late = (seconds: number, answered: WireResponse | ConnectionLost): Harm => ({
  _tag: "CommitLate",
  by: `${seconds} seconds`,
  answer: answered
})

/** Harms that leave open whether a request took effect, and those that say it did not. */
const common = {
  unauthorized: answer(json(401, { detail: "Authentication credentials were not provided." })),
  forbidden: answer(json(403, { detail: "You do not have permission to perform this action." })),
  patience: answer(json(429, { detail: "Request was throttled." }, { "retry-after": "20" })),
  busy: answer(json(503, { detail: "busy" }, { "retry-after": "15" })),
  failure: answer(json(500, { detail: "A server error has occurred." })),
  gateway: answer(page(502)),
  resetBefore: lose("ECONNRESET"),
  refused: lose("ECONNREFUSED"),
  noName: lose("ENOTFOUND"),
  certificate: lose("CERT_HAS_EXPIRED"),
  hang: { _tag: "Hang" },
  slow: { _tag: "Delay", by: "8 seconds" },
  slower: { _tag: "Delay", by: "26 seconds" },
  slowAnswer: { _tag: "Delay", by: "20 seconds", after: true },
  truncated: { _tag: "Truncate", characters: 40 }
} as const satisfies Readonly<Record<string, Harm>>

/** Harms of EDA's webhook. Its receiver accepts or answers an error, never both. */
const eda = {
  unauthorized: answer(text(401, "")),
  forbidden: answer(text(403, "")),
  missing: answer(text(404, "")),
  patience: answer(text(429, "", "text/plain"), false),
  failure: answer(text(500, "500 Internal Server Error\n\nServer got itself in trouble")),
  gateway: answer(page(502)),
  resetBefore: lose("ECONNRESET"),
  resetAfter: lose("ECONNRESET", true),
  refused: lose("ECONNREFUSED"),
  noName: lose("ENOTFOUND"),
  hang: { _tag: "Hang" },
  hangAfter: { _tag: "Hang", after: true },
  slow: { _tag: "Delay", by: "8 seconds" },
  slower: { _tag: "Delay", by: "26 seconds" },
  slowAnswer: { _tag: "Delay", by: "20 seconds", after: true },
  late60: late(60, new ConnectionLost({ code: "ECONNRESET" }))
} as const satisfies Readonly<Record<string, Harm>>

/** Harms of requests that change something: what is answered says nothing about what was done. */
const mutating = {
  failureAfter: answer(json(500, { detail: "A server error has occurred." }), true),
  gatewayAfter: answer(page(504), true),
  resetAfter: lose("ECONNRESET", true),
  conflict: answer(json(409, { detail: "Conflict." })),
  goneForGood: answer(json(410, { detail: "Gone." })),
  notFound: answer(json(404, { detail: "Not found." })),
  notAllowed: answer(json(405, { detail: "Method not allowed." })),
  hangAfter: { _tag: "Hang", after: true },
  late5: late(5, page(504)),
  late60: late(60, new ConnectionLost({ code: "ECONNRESET" })),
  late150: late(150, page(502))
} as const satisfies Readonly<Record<string, Harm>>

const status = (code: number, reason: string) => ({ kind: "Status", apiVersion: "v1", status: "Failure", reason, code })

const kubernetes = {
  unauthorized: answer(json(401, status(401, "Unauthorized"))),
  forbidden: answer(json(403, status(403, "Forbidden"))),
  expired: answer(json(410, status(410, "Expired"))),
  patience: answer(json(429, status(429, "TooManyRequests"), { "retry-after": "3" })),
  truncated: { _tag: "Truncate", characters: 40 },
  hang: { _tag: "Hang" },
  hangAfter: { _tag: "Hang", after: true },
  conflict: answer(json(409, status(409, "Conflict"))),
  failure: answer(json(500, status(500, "InternalError"))),
  failureAfter: answer(json(500, status(500, "InternalError")), true),
  resetBefore: lose("ECONNRESET"),
  resetAfter: lose("ECONNRESET", true),
  slow: { _tag: "Delay", by: "4 seconds" },
  slower: { _tag: "Delay", by: "14 seconds" },
  slowAnswer: { _tag: "Delay", by: "12 seconds", after: true },
  late5: late(5, new ConnectionLost({ code: "ECONNRESET" })),
  late40: late(40, new ConnectionLost({ code: "ECONNRESET" }))
} as const satisfies Readonly<Record<string, Harm>>

const keysOf = <K extends string>(record: Readonly<Record<K, unknown>>): ReadonlyArray<K> => {
  const keys: Array<K> = []
  for (const key in record) keys.push(key)
  return keys
}

export type AapHarm = keyof typeof common | keyof typeof mutating
export type KubernetesHarm = keyof typeof kubernetes
export type EdaHarm = keyof typeof eda

export const readHarms = keysOf(common)
export const writeHarms = [...keysOf(common), ...keysOf(mutating)]
export const kubernetesHarms = keysOf(kubernetes)
export const edaHarms = keysOf(eda)

export const aapHarm = (name: AapHarm): Harm => ({ ...common, ...mutating })[name]
export const kubernetesHarm = (name: KubernetesHarm): Harm => kubernetes[name]
export const edaHarm = (name: EdaHarm): Harm => eda[name]

type Matching = (request: WireRequest) => boolean

const has = (request: WireRequest, part: string) => request.url.search.includes(part)
const ends = (request: WireRequest, part: string) => request.url.pathname.endsWith(part)

export const aapRequests = {
  launch: (request) => request.method === "POST" && ends(request, "/launch/"),
  cancel: (request) => request.method === "POST" && ends(request, "/cancel/"),
  poll: (request) => request.method === "GET" && has(request, "id__in="),
  search: (request) => request.method === "GET" && has(request, "created__gte"),
  lookUp: (request) => request.method === "GET" && (ends(request, "_templates/") || ends(request, "/launch/"))
} as const satisfies Readonly<Record<string, Matching>>

const ours = (request: WireRequest) => request.url.pathname.includes("/computeinstances")

export const kubernetesRequests = {
  intent: (request) => request.method === "PATCH" && ours(request) && request.body.includes("launch-intent"),
  metadata: (request) => request.method === "PATCH" && ours(request) && !ends(request, "/status"),
  status: (request) => request.method === "PATCH" && ours(request) && ends(request, "/status"),
  read: (request) => request.method === "GET" && ours(request) && !has(request, "watch=")
} as const satisfies Readonly<Record<string, Matching>>

export type AapRequest = keyof typeof aapRequests
export type KubernetesRequest = keyof typeof kubernetesRequests
