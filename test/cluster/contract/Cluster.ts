/**
 * What the contract needs of a cluster: requests, watches, and a compaction of its history. The simulator and a real
 * kube-apiserver both give it; nothing here knows which one it is.
 */
import { assert } from "@effect/vitest"
import { Effect, Option, Stream } from "effect"
import { type HttpClient, HttpClientRequest } from "effect/http"
import {
  fromUnknown,
  isObject,
  type Json,
  type JsonObject,
  listAt,
  objectAt,
  stringAt
} from "../../support/kubernetes/Json.ts"
import type { Behaviours } from "../../support/SimulatedKubernetes.ts"

export interface Ask {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE"
  /** JSON, or the text as it is to be sent. */
  readonly body?: unknown
  readonly type?: string
  readonly accept?: string
  /** `null`: no token at all. */
  readonly token?: string | null
}

export interface Answer {
  readonly status: number
  readonly type: string
  readonly warning: string
  readonly body: JsonObject
  readonly text: string
}

export interface WatchEvent {
  readonly type: string
  readonly object: JsonObject
}

export interface Cluster {
  readonly ask: (path: string, ask?: Ask) => Effect.Effect<Answer>
  /** The events of a watch, until it ends. */
  readonly events: (path: string) => Stream.Stream<WatchEvent>
  /** Makes the history up to now expire. */
  readonly compact: Effect.Effect<void>
}

export const merge = "application/merge-patch+json"
export const jsonPatch = "application/json-patch+json"
export const applyPatch = "application/apply-patch+yaml"

/** The group of the contract's resource. */
const group = "/apis/contract.example.com/v1alpha1"
export const apiVersion = "contract.example.com/v1alpha1"

const parsed = (text: string): JsonObject => {
  const value = text.startsWith("{") ? fromUnknown(JSON.parse(text)) : {}
  return isObject(value) ? value : {}
}

/** A cluster behind a client; `url` has no trailing slash. */
export const clusterOf = (client: HttpClient.HttpClient, url: string, compact: Effect.Effect<void>): Cluster => {
  const send = (path: string, ask: Ask) => {
    const { accept, body, method = "GET", token = "admin-token", type = "application/json" } = ask
    const text = typeof body === "string" ? body : JSON.stringify(body)
    const request = HttpClientRequest.make(method)(`${url}${path}`, {
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(accept === undefined ? {} : { accept }),
        "user-agent": "contract/1.0"
      }
    })
    return client.execute(body === undefined ? request : HttpClientRequest.bodyText(request, text, type))
  }
  return {
    compact,
    ask: (path, ask = {}) =>
      send(path, ask).pipe(
        Effect.flatMap((response) =>
          Effect.map(response.text, (text) => ({
            status: response.status,
            type: response.headers["content-type"] ?? "",
            warning: response.headers.warning ?? "",
            body: parsed(text),
            text
          }))
        ),
        Effect.orDie
      ),
    events: (path) =>
      Stream.unwrap(Effect.map(send(path, {}), (response) => response.stream)).pipe(
        Stream.decodeText,
        Stream.splitLines,
        Stream.filter((line) => line !== ""),
        Stream.map((line) => {
          const event = parsed(line)
          return { type: stringAt(event, "type") ?? "", object: objectAt(event, "object") }
        }),
        Stream.orDie
      )
  }
}

/** One promise of Kubernetes. `check` gets a namespace of its own. */
export interface Promised {
  readonly behaviour: keyof Behaviours
  readonly name: string
  readonly check: (widgets: Widgets) => Effect.Effect<void>
}

export const promised = (
  behaviour: keyof Behaviours,
  name: string,
  check: (widgets: Widgets) => Effect.Effect<void>
): Promised => ({ behaviour, name, check })

export interface Widgets {
  readonly cluster: Cluster
  readonly namespace: string
  /** Asks under the namespace's widgets: `""` is the collection, `/a` an object, `/a/status`, `?limit=1`. */
  readonly ask: (path: string, ask?: Ask) => Effect.Effect<Answer>
  /** Creates a widget and returns it as it was answered. */
  readonly make: (name: string, spec?: Json, metadata?: JsonObject) => Effect.Effect<JsonObject>
  readonly patch: (path: string, body: unknown, type?: string) => Effect.Effect<Answer>
  readonly get: (name: string) => Effect.Effect<JsonObject>
  /** The events of a watch of the namespace's widgets: as many as asked for, or all until it ends. */
  readonly watch: (query: string, count?: number) => Effect.Effect<ReadonlyArray<WatchEvent>>
}

export const widget = (name: string, spec: Json = { name: "x" }, metadata: JsonObject = {}): JsonObject => ({
  apiVersion,
  kind: "Widget",
  metadata: { name, ...metadata },
  spec
})

export const versionOf = (object: JsonObject): string => stringAt(object, "metadata", "resourceVersion") ?? ""
export const nameOf = (object: JsonObject): string => stringAt(object, "metadata", "name") ?? ""
export const messageOf = (answer: Answer): string => stringAt(answer.body, "message") ?? ""
export const namesOf = (answer: Answer): ReadonlyArray<string> =>
  listAt(answer.body, "items").map((item) => stringAt(item, "metadata", "name") ?? "")

/** Asserts on the status and the reason of a refusal. */
export const refused = (answer: Answer, status: number, reason: string): void => {
  assert.strictEqual(answer.status, status, answer.text)
  assert.strictEqual(stringAt(answer.body, "reason"), reason)
  assert.strictEqual(stringAt(answer.body, "kind"), "Status")
}

/** The causes of a 422, in no order: the real server has none. */
export const causesOf = (answer: Answer): ReadonlyArray<string> =>
  listAt(answer.body, "details", "causes")
    .map((cause) => `${stringAt(cause, "field")}: ${stringAt(cause, "message")}`)
    .toSorted()

/** The widgets of a new namespace. */
export const widgetsIn = (cluster: Cluster, namespace: string): Widgets => {
  const base = `${group}/namespaces/${namespace}/widgets`
  const ask: Widgets["ask"] = (path, options) => cluster.ask(`${base}${path}`, options)
  return {
    cluster,
    namespace,
    ask,
    make: (name, spec, metadata) =>
      Effect.map(ask("", { method: "POST", body: widget(name, spec, metadata) }), (answer) => {
        assert.strictEqual(answer.status, 201, answer.text)
        return answer.body
      }),
    patch: (path, body, type = merge) => ask(path, { method: "PATCH", body, type }),
    get: (name) =>
      Effect.map(ask(`/${name}`), (answer) => {
        assert.strictEqual(answer.status, 200, answer.text)
        return answer.body
      }),
    watch: (query, count = Number.POSITIVE_INFINITY) =>
      cluster.events(`${base}?watch=1&${query}`).pipe(
        Stream.take(count),
        Stream.runCollect,
        Effect.timeoutOption("60 seconds"),
        Effect.map((events) => {
          assert.isTrue(Option.isSome(events), `the watch ?${query} gave neither ${count} events nor an end`)
          return Option.getOrElse(events, () => [])
        })
      )
  }
}
