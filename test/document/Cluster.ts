/** Where the documents' commands are tried: a simulated cluster of one's own, or a part of a real one. */
import { readFileSync } from "node:fs"
import { assert } from "@effect/vitest"
import { Effect, Result, Schedule, type Scope, Stream } from "effect"
import { HttpClientRequest } from "effect/http"
import { parse } from "yaml"
import { GROUP, PLURAL, VERSION } from "../../src/domain/ComputeInstance.ts"
import { assets } from "../cluster/assets.ts"
import { type ControlPlane, type ControlPlaneError, start } from "../cluster/ControlPlane.ts"
import { fromUnknown, type Json, type JsonObject, objectAt, parseJson } from "../support/kubernetes/Json.ts"
import * as SimulatedKubernetes from "../support/SimulatedKubernetes.ts"
import { ConnectionLost, serve, type WireHandler, type WireResponse } from "../support/Wire.ts"

export interface Answer {
  readonly status: number
  readonly body: Json
}

export interface Cluster {
  readonly url: string
  /** With the rights of an administrator. */
  readonly handler: WireHandler
  readonly ask: (method: string, path: string, body?: Json) => Effect.Effect<Answer>
  /** Where people's objects are. */
  readonly namespace: string
  /** Where the operator is. */
  readonly system: string
  readonly kubeconfig: JsonObject
}

const TOKEN = "admin-token"
const crd = parse(readFileSync(`k8s/crd/${GROUP}_${PLURAL}.yaml`, "utf8"))

const asking =
  (handler: WireHandler, url: string): Cluster["ask"] =>
  (method, path, body) =>
    handler({
      method,
      url: new URL(path, url),
      headers: {
        accept: "application/json",
        authorization: `Bearer ${TOKEN}`,
        "content-type": method === "PATCH" ? "application/merge-patch+json" : "application/json"
      },
      body: body === undefined ? "" : JSON.stringify(body)
    }).pipe(
      Effect.orDie,
      Effect.map((answer) => ({
        status: answer.status,
        // before it is up, an API server speaks plain text
        body: Result.getOrElse(parseJson(String(answer.body)), (): Json => ({}))
      }))
    )

const kubeconfigOf = (url: string, namespace: string): JsonObject => ({
  apiVersion: "v1",
  kind: "Config",
  "current-context": "here",
  clusters: [
    {
      name: "here",
      cluster: { server: url, ...(url.startsWith("https:") ? { "insecure-skip-tls-verify": true } : {}) }
    }
  ],
  contexts: [{ name: "here", context: { cluster: "here", user: "admin", namespace } }],
  users: [{ name: "admin", user: url.startsWith("https:") ? { token: TOKEN } : {} }]
})

/** Playbooks come with a token of their own, which a real API server does not know. */
const asAdministrator =
  (handler: WireHandler): WireHandler =>
  (request) =>
    handler({ ...request, headers: { ...request.headers, authorization: `Bearer ${TOKEN}` } })

const clusterOf = (handler: WireHandler, url: string, namespace: string, system: string): Cluster => ({
  url,
  handler: asAdministrator(handler),
  ask: asking(handler, url),
  namespace,
  system,
  kubeconfig: kubeconfigOf(url, namespace)
})

/** Deployments, as far as they are kept and read. */
const deployments = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "deployments.apps" },
  spec: {
    group: "apps",
    scope: "Namespaced",
    names: { plural: "deployments", singular: "deployment", kind: "Deployment", listKind: "DeploymentList" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } }
      }
    ]
  }
}

/** As an API server does: the plain values of a Secret are stored encoded. */
const encoding =
  (handler: WireHandler): WireHandler =>
  (request) => {
    if (!request.url.pathname.includes("/secrets") || !request.body.startsWith("{")) return handler(request)
    const { stringData, ...secret } = objectAt(fromUnknown(JSON.parse(request.body)))
    const data = Object.entries(objectAt(stringData)).map(([key, value]): readonly [string, Json] => [
      key,
      Buffer.from(String(value)).toString("base64")
    ])
    const body = JSON.stringify({ ...secret, data: { ...objectAt(secret.data), ...Object.fromEntries(data) } })
    return handler({ ...request, body })
  }

/** A cluster for one test alone. */
export const simulated: Effect.Effect<Cluster, never, Scope.Scope> = Effect.gen(function* () {
  const kubernetes = yield* SimulatedKubernetes.make({ crds: [crd, deployments], namespaces: ["cloudkit-system"] })
  const handler = encoding(kubernetes.handler)
  const { url } = yield* serve(handler)
  return clusterOf(handler, url, "default", "cloudkit-system")
})

const methodOf = (method: string) =>
  method === "PATCH" || method === "POST" || method === "PUT" || method === "DELETE" ? method : "GET"

/** Everything as it comes, watches included. */
export const overClient =
  ({ client }: ControlPlane): WireHandler =>
  ({ body, headers, method, url }) =>
    Effect.gen(function* () {
      const request = HttpClientRequest.make(methodOf(method))(url, { headers })
      const type = headers["content-type"] ?? "application/json"
      const answer = yield* client.execute(body === "" ? request : HttpClientRequest.bodyText(request, body, type))
      const told = answer.stream.pipe(
        Stream.decodeText,
        Stream.mapError(() => new ConnectionLost({ code: "ECONNRESET" }))
      )
      return {
        status: answer.status,
        headers: { "content-type": answer.headers["content-type"] ?? "application/json" },
        body: url.searchParams.has("watch") ? told : yield* Stream.mkString(told)
      } satisfies WireResponse
    }).pipe(Effect.mapError(() => new ConnectionLost({ code: "ECONNRESET" })))

/** A real API server as playbooks and other people with every right reach it. */
export const administratorOf = (plane: ControlPlane): WireHandler => asAdministrator(overClient(plane))

/** A real API server with our definition. */
export const controlPlane: Effect.Effect<ControlPlane, ControlPlaneError, Scope.Scope> = Effect.gen(function* () {
  const plane = yield* start({ assets, tokens: [`${TOKEN},admin,1,system:masters`] })
  const ask = asking(overClient(plane), plane.url)
  const made = yield* ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", fromUnknown(crd))
  assert.strictEqual(made.status, 201, JSON.stringify(made.body))
  yield* Effect.repeat(ask("GET", `/apis/${GROUP}/${VERSION}/${PLURAL}`), {
    schedule: Schedule.spaced("100 millis"),
    until: ({ status }) => status === 200
  })
  return plane
})

/** Two namespaces of a real cluster. */
export const partOf = Effect.fnUntraced(function* (plane: ControlPlane, name: string) {
  const cluster = clusterOf(overClient(plane), plane.url, name, `${name}-system`)
  for (const namespace of [cluster.namespace, cluster.system]) {
    const made = yield* cluster.ask("POST", "/api/v1/namespaces", { metadata: { name: namespace } })
    assert.strictEqual(made.status, 201, JSON.stringify(made.body))
  }
  return cluster
})
