/**
 * The API server as a script: answers in the order in which they will be asked for, and a record of what was asked. The
 * last answer stays for every further request.
 */
import { type Duration, Effect, Option, Stream } from "effect"
import { HttpClient } from "effect/http"
import { ApiServer } from "../../../src/adapters/kubernetes/ApiServer.ts"
import type { CredentialsError, RequestHeaders } from "../../../src/adapters/kubernetes/Credential.ts"
import * as Client from "../../../src/adapters/kubernetes/KubernetesClient.ts"
import type { KubernetesClient } from "../../../src/ports/KubernetesClient.ts"
import { inProcess, json, type WireHandler, type WireRequest, type WireResponse } from "../../support/Wire.ts"

export const SERVER = "https://kubernetes.test:6443"
export const TOKEN = "s3cr3t-bearer-token"

export interface Script {
  readonly handler: WireHandler
  readonly requests: Array<WireRequest>
}

export const script = (...answers: ReadonlyArray<WireHandler | WireResponse>): Script => {
  const requests: Array<WireRequest> = []
  return {
    requests,
    handler: (request) =>
      Effect.suspend(() => {
        const answer = answers[Math.min(requests.length, answers.length - 1)]
        requests.push(request)
        if (answer === undefined) return Effect.succeed(json(500, { kind: "Status", message: "the script is empty" }))
        return typeof answer === "function" ? answer(request) : Effect.succeed(answer)
      })
  }
}

export interface Setting {
  readonly requestTimeout?: Duration.Input
  readonly headers?: Effect.Effect<RequestHeaders, CredentialsError>
  readonly drop?: (refused: RequestHeaders) => Effect.Effect<void>
  readonly namespace?: string
  readonly server?: string
}

const constant: RequestHeaders = { authorization: `Bearer ${TOKEN}` }

export const apiOver = (client: HttpClient.HttpClient, setting: Setting = {}): Effect.Effect<ApiServer["Service"]> =>
  ApiServer.make({
    server: setting.server ?? SERVER,
    version: "1.2.3",
    headers: { current: setting.headers ?? Effect.succeed(constant), drop: setting.drop ?? (() => Effect.void) },
    ...(setting.requestTimeout === undefined ? {} : { requestTimeout: setting.requestTimeout })
  }).pipe(Effect.provideService(HttpClient.HttpClient, client))

const clientOver = (client: HttpClient.HttpClient, setting: Setting = {}): Effect.Effect<KubernetesClient["Service"]> =>
  Effect.flatMap(apiOver(client, setting), (api) =>
    Client.make({
      group: "cloudkit.openshift.io",
      version: "v1alpha1",
      plural: "computeinstances",
      namespace: Option.fromNullishOr(setting.namespace)
    }).pipe(Effect.provideService(ApiServer, api))
  )

/** A client whose API server follows the script. */
export const scriptedClient = (played: Script, setting: Setting = {}): Effect.Effect<KubernetesClient["Service"]> =>
  clientOver(inProcess(played.handler), setting)

export const metadata = {
  name: "vm-1",
  namespace: "default",
  uid: "uid-1",
  resourceVersion: "101",
  generation: 2,
  managedFields: [{ manager: "kubectl" }]
}

export const vm = (overrides: Readonly<Record<string, unknown>> = {}) => ({
  apiVersion: "cloudkit.openshift.io/v1alpha1",
  kind: "ComputeInstance",
  metadata: { ...metadata, ...overrides },
  spec: { templateID: "small" }
})

export const status = (
  code: number,
  reason: string,
  message: string,
  more: Readonly<Record<string, unknown>> = {}
) => ({
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Failure",
  message,
  reason,
  code,
  ...more
})

/** An answer whose body comes in these pieces. */
export const streamed = (...pieces: ReadonlyArray<string>): WireResponse => ({
  status: 200,
  headers: { "content-type": "application/json" },
  body: Stream.fromIterable(pieces)
})

export const line = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`
