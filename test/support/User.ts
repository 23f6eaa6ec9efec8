/** A user of the cluster, as far as tests need one: what kubectl would send, straight to the simulated API server. */
import { Effect } from "effect"
import { GROUP, KIND, PLURAL, VERSION } from "../../src/domain/ComputeInstance.ts"
import type { JsonObject } from "./SimulatedKubernetes.ts"
import type { WireHandler } from "./Wire.ts"

const collection = (namespace: string) => `/apis/${GROUP}/${VERSION}/namespaces/${namespace}/${PLURAL}`

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

export interface User {
  readonly create: (name: string, spec: JsonObject, metadata?: JsonObject) => Effect.Effect<JsonObject>
  /** Merge patch of the main resource. */
  readonly patch: (name: string, patch: JsonObject) => Effect.Effect<JsonObject>
  readonly patchStatus: (name: string, patch: JsonObject) => Effect.Effect<JsonObject>
  readonly annotate: (name: string, annotations: Readonly<Record<string, string | null>>) => Effect.Effect<JsonObject>
  readonly remove: (name: string) => Effect.Effect<JsonObject>
}

export const makeUser = (handler: WireHandler, origin: string, namespace = "default"): User => {
  const send = (method: string, path: string, body: JsonObject | undefined, contentType: string) =>
    handler({
      method,
      url: new URL(path, origin),
      headers: {
        accept: "application/json",
        authorization: "Bearer user",
        "content-type": contentType,
        "user-agent": "kubectl"
      },
      body: body === undefined ? "" : JSON.stringify(body)
    }).pipe(
      Effect.orDie,
      Effect.flatMap((response) => {
        const text = typeof response.body === "string" ? response.body : ""
        const answer: unknown = text === "" ? {} : JSON.parse(text)
        return response.status < 300 && isObject(answer)
          ? Effect.succeed(answer)
          : Effect.die(new Error(`${method} ${path} was answered ${response.status}: ${text}`))
      })
    )
  const merge = (path: string, patch: JsonObject) => send("PATCH", path, patch, "application/merge-patch+json")
  const one = (name: string) => `${collection(namespace)}/${name}`
  return {
    create: (name, spec, metadata = {}) =>
      send(
        "POST",
        collection(namespace),
        { apiVersion: `${GROUP}/${VERSION}`, kind: KIND, metadata: { ...metadata, name, namespace }, spec },
        "application/json"
      ),
    patch: (name, patch) => merge(one(name), patch),
    patchStatus: (name, patch) => merge(`${one(name)}/status`, { status: patch }),
    annotate: (name, annotations) => merge(one(name), { metadata: { annotations } }),
    remove: (name) => send("DELETE", one(name), undefined, "application/json")
  }
}
