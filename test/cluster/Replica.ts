/**
 * A replica of the operator as a process of its own, with a wire of its own to a real API server: it can be cut, slowed
 * down, and told what to do at the very moment when a request passes.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Deferred, Effect, Result, type Scope, Stream } from "effect"
import { overClient } from "../document/Cluster.ts"
import * as OperatorProcess from "../document/OperatorProcess.ts"
import { isObject, type JsonObject, parseJson, stringAt } from "../support/kubernetes/Json.ts"
import { ConnectionLost, serve, type WireHandler, type WireRequest } from "../support/Wire.ts"
import type { ControlPlane } from "./ControlPlane.ts"

export interface Replica {
  readonly name: string
  readonly process: OperatorProcess.OperatorProcess
  /** From now on nothing gets through to the API server, and nothing comes back. */
  readonly cut: (isCut: boolean) => void
  /** Nobody is there: every request is broken off at once. */
  readonly refuse: (isRefused: boolean) => void
  /** Breaks the watches that are open now. */
  readonly sever: () => void
  /** Every request takes so many milliseconds longer. */
  readonly slow: (millis: number) => void
  /** What happens once, when the next such request has taken effect and before its answer leaves. */
  readonly at: (when: (request: WireRequest) => boolean, what: Effect.Effect<void>) => void
  /** What happens once, when the next such request comes and before it is passed on. */
  readonly before: (when: (request: WireRequest) => boolean, what: Effect.Effect<void>) => void
  /** The body of `/readyz`, or why there is none. */
  readonly readyz: Effect.Effect<string>
  readonly log: () => ReadonlyArray<JsonObject>
}

/** Whoever asks, asks with this token. */
export const forwarded = (plane: ControlPlane, token: string): WireHandler => {
  const handler = overClient(plane)
  return (request) =>
    handler({
      ...request,
      url: new URL(`${plane.url}${request.url.pathname}${request.url.search}`),
      headers: {
        accept: "application/json",
        authorization: `Bearer ${token}`,
        "content-type": request.headers["content-type"] ?? "application/json"
      }
    })
}

interface Hook {
  readonly when: (request: WireRequest) => boolean
  readonly what: Effect.Effect<void>
}

/** The first that is for this request, once. */
const taken = (hooks: Array<Hook>, request: WireRequest): Effect.Effect<void> => {
  const at = hooks.findIndex(({ when }) => when(request))
  return at === -1 ? Effect.void : (hooks.splice(at, 1)[0]?.what ?? Effect.void)
}

const makeWire = (inner: WireHandler) => {
  let cut = false
  let refused = false
  let delay = 0
  let severed = Deferred.makeUnsafe<never, ConnectionLost>()
  const early: Array<Hook> = []
  const late: Array<Hook> = []

  const unlessCut = <A>(value: A) => Effect.suspend(() => (cut ? Effect.never : Effect.succeed(value)))
  const handler: WireHandler = (request) =>
    Effect.gen(function* () {
      if (refused) return yield* new ConnectionLost({ code: "ECONNRESET" })
      yield* unlessCut(request)
      yield* Effect.sleep(delay)
      yield* taken(early, request)
      const answer = yield* inner(request)
      yield* taken(late, request)
      const { body } = yield* unlessCut(answer)
      if (typeof body === "string") return answer
      const lasting = Stream.interruptWhen(body, Deferred.await(severed))
      return { ...answer, body: Stream.mapEffect(lasting, unlessCut) }
    })
  return {
    handler,
    cut: (isCut: boolean) => {
      cut = isCut
    },
    refuse: (isRefused: boolean) => {
      refused = isRefused
    },
    sever: () => {
      Deferred.doneUnsafe(severed, Effect.fail(new ConnectionLost({ code: "ECONNRESET" })))
      severed = Deferred.makeUnsafe()
    },
    slow: (millis: number) => {
      delay = millis
    },
    at: (when: (request: WireRequest) => boolean, what: Effect.Effect<void>) => {
      late.push({ when, what })
    },
    before: (when: (request: WireRequest) => boolean, what: Effect.Effect<void>) => {
      early.push({ when, what })
    }
  }
}

const kubeconfigOf = (server: string): JsonObject => ({
  apiVersion: "v1",
  kind: "Config",
  "current-context": "here",
  clusters: [{ name: "here", cluster: { server } }],
  contexts: [{ name: "here", context: { cluster: "here", user: "operator" } }],
  users: [{ name: "operator", user: {} }]
})

const bodyOf = (port: string): Effect.Effect<string> =>
  Effect.tryPromise(async (signal) => (await fetch(`http://127.0.0.1:${port}/readyz`, { signal })).text()).pipe(
    Effect.timeout("10 seconds"),
    Effect.orElseSucceed(() => "no answer")
  )

const parsed = (text: string): ReadonlyArray<JsonObject> =>
  text
    .split("\n")
    .map((line) => Result.getOrUndefined(parseJson(line)))
    .filter((line) => line !== undefined)
    .filter(isObject)

export const startReplica = (
  name: string,
  to: { readonly plane: ControlPlane; readonly token: string },
  home: string,
  env: Readonly<Record<string, string>>
): Effect.Effect<Replica, never, Scope.Scope> =>
  Effect.gen(function* () {
    const wire = makeWire(forwarded(to.plane, to.token))
    const { url } = yield* serve(wire.handler)
    const kubeconfig = join(home, `${name}.kubeconfig`)
    const log = join(home, `${name}.log`)
    writeFileSync(kubeconfig, JSON.stringify(kubeconfigOf(url)))
    const process = yield* OperatorProcess.start({ ...env, KUBECONFIG: kubeconfig }, log)
    return {
      name,
      process,
      cut: wire.cut,
      refuse: wire.refuse,
      sever: wire.sever,
      slow: wire.slow,
      at: wire.at,
      before: wire.before,
      readyz: bodyOf(process.healthPort),
      log: () => parsed(readFileSync(log, "utf8"))
    }
  })

/** When a line was first logged after a moment; both in milliseconds since 1970. */
export const loggedAt = (replica: Replica, message: string, since = 0): number | undefined =>
  replica
    .log()
    .filter((line) => stringAt(line, "msg") === message)
    .map((line) => Date.parse(stringAt(line, "ts") ?? ""))
    .find((at) => at >= since)
