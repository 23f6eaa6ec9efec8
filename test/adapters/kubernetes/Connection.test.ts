/** The whole client over real sockets and real TLS: what a scripted wire cannot show. */
import type { IncomingMessage, ServerResponse } from "node:http"
import { createServer as createHttpServer } from "node:http"
import { createServer, type ServerOptions } from "node:https"
import { connect, type Socket } from "node:net"
import { TLSSocket } from "node:tls"
import { assert, it } from "@effect/vitest"
import { Duration, Effect, Layer, Option, Queue, Stream } from "effect"
import { limited } from "../../../src/adapters/http/AnswerLimit.ts"
import { proxyFromEnvironment } from "../../../src/adapters/http/Proxy.ts"
import { ApiServer } from "../../../src/adapters/kubernetes/ApiServer.ts"
import { layer as clientLayer } from "../../../src/adapters/kubernetes/KubernetesClient.ts"
import { KubernetesClient, type WatchEvent } from "../../../src/ports/KubernetesClient.ts"
import { listening } from "../../support/loopback.ts"
import { type Identity, makeAuthority } from "./certificates.ts"
import { directory, environment, kubeconfig } from "./credentialFiles.ts"
import { line, vm } from "./scripted.ts"

type Answer = (request: IncomingMessage, response: ServerResponse) => void

const secure = Effect.fnUntraced(function* (identity: Identity, answer: Answer, options: ServerOptions = {}) {
  const sockets = new Set<Socket>()
  const server = createServer({ cert: identity.cert, key: identity.key, ...options }, answer)
  server.on("tlsClientError", () => undefined)
  const port = yield* listening(server, sockets)
  return { url: `https://127.0.0.1:${port}`, port, sockets }
})

const json = (response: ServerResponse, body: unknown, code = 200): void => {
  response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(body))
}

const name = { namespace: "default", name: "vm-1" }
const resource = { group: "g.test", version: "v1", plural: "things", namespace: Option.none<string>() }

/** A client for this kubeconfig, as the operator's `main` builds it. */
const clientFor = (
  KUBECONFIG: string,
  env: Readonly<Record<string, string>> = {},
  requestTimeout: Duration.Input = "1 minute"
) => {
  const http = { findProxy: proxyFromEnvironment, over: limited }
  const api = ApiServer.layer({ version: "1.2.3", requestTimeout, http })
  return Layer.build(
    clientLayer(resource).pipe(Layer.provide(api), Layer.provide(environment({ KUBECONFIG, ...env })))
  ).pipe(Effect.flatMap((context) => Effect.provide(KubernetesClient, context)))
}

const base64 = (text: string) => Buffer.from(text).toString("base64")

const codeOf = (client: KubernetesClient["Service"]) =>
  Effect.map(Effect.flip(client.get(name)), ({ reason }) => ("code" in reason ? reason.code : reason._tag))

it.live("requests one after another share their connections, and each carries the token", () =>
  Effect.gen(function* () {
    const files = yield* directory
    const authority = makeAuthority("cluster")
    const seen: Array<string | undefined> = []
    const server = yield* secure(authority.sign("api"), (request, response) => {
      seen.push(request.headers.authorization)
      json(response, vm())
    })
    const trust = { server: server.url, "certificate-authority-data": base64(authority.cert) }
    const client = yield* clientFor(files.write("config", kubeconfig({ token: "t" }, trust)))
    for (const _ of Array.from({ length: 50 })) yield* client.get(name)
    assert.deepStrictEqual(
      seen,
      Array.from({ length: 50 }, () => "Bearer t")
    )
    // The second is opened when a request comes in the very moment in which the first falls idle.
    assert.isAtMost(server.sockets.size, 2)
  })
)

it.live("a certificate that is not trusted, expired or for another name is Unreachable with its TLS code", () =>
  Effect.gen(function* () {
    const files = yield* directory
    const authority = makeAuthority("cluster")
    const trusted = { "certificate-authority-data": base64(authority.cert) }
    const against = (identity: Identity, cluster: Readonly<Record<string, unknown>>) =>
      Effect.gen(function* () {
        const server = yield* secure(identity, (_, response) => json(response, vm()))
        const config = kubeconfig({ token: "t" }, { server: server.url, ...cluster })
        return yield* codeOf(yield* clientFor(files.write("config", config)))
      })
    assert.strictEqual(yield* against(makeAuthority("stranger"), {}), "DEPTH_ZERO_SELF_SIGNED_CERT")
    assert.strictEqual(
      yield* against(makeAuthority("stranger").sign("api"), trusted),
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE"
    )
    assert.strictEqual(yield* against(authority.sign("api", -1000), trusted), "CERT_HAS_EXPIRED")
    const elsewhere = { ...trusted, "tls-server-name": "other.test" }
    assert.strictEqual(yield* against(authority.sign("api"), elsewhere), "ERR_TLS_CERT_ALTNAME_INVALID")
  })
)

it.live("a client certificate proves who asks, and a rotated one is used after the old one was refused", () =>
  Effect.gen(function* () {
    const files = yield* directory
    const authority = makeAuthority("cluster")
    const old = authority.sign("old")
    const fresh = authority.sign("fresh")
    const users: Array<unknown> = []
    const server = yield* secure(
      authority.sign("api"),
      (request, response) => {
        const peer = request.socket instanceof TLSSocket ? request.socket.getPeerCertificate().subject.CN : "nobody"
        users.push(peer)
        if (peer === "fresh") json(response, vm())
        else json(response, { kind: "Status", code: 401, message: "expired" }, 401)
      },
      { requestCert: true, rejectUnauthorized: true, ca: authority.cert }
    )
    const trust = { server: server.url, "certificate-authority-data": base64(authority.cert) }
    files.write("client.crt", old.cert)
    files.write("client.key", old.key)
    const user = { "client-certificate": "client.crt", "client-key": "client.key" }
    const client = yield* clientFor(files.write("config", kubeconfig(user, trust)))
    files.write("client.crt", fresh.cert)
    files.write("client.key", fresh.key)
    yield* client.get(name)
    assert.deepStrictEqual(users, ["old", "fresh"])
  })
)

it.live("a server that accepts and then stays silent is given up with code TIMEOUT, and its connection with it", () =>
  Effect.gen(function* () {
    const files = yield* directory
    const sockets = new Set<Socket>()
    const port = yield* listening(
      createHttpServer(() => undefined),
      sockets
    )
    const config = kubeconfig({}, { server: `http://127.0.0.1:${port}` })
    const client = yield* clientFor(files.write("config", config), {}, "1 second")
    assert.strictEqual(yield* codeOf(client), "TIMEOUT")
    yield* Effect.forEach(sockets, (socket) =>
      socket.closed
        ? Effect.void
        : Effect.callback<void>((resume) => void socket.on("close", () => resume(Effect.void)))
    )
    assert.strictEqual(yield* codeOf(client), "TIMEOUT")
    assert.strictEqual(sockets.size, 2)
  })
)

it.live("nothing listening is Unreachable with ECONNREFUSED", () =>
  Effect.gen(function* () {
    const files = yield* directory
    const port = yield* Effect.scoped(listening(createHttpServer(), new Set()))
    const config = kubeconfig({}, { server: `http://127.0.0.1:${port}` })
    assert.strictEqual(yield* codeOf(yield* clientFor(files.write("config", config))), "ECONNREFUSED")
  })
)

it.live("a watch reads characters that were cut in two, outlives the request timeout, and closes its connection", () =>
  Effect.gen(function* () {
    const files = yield* directory
    const closed = yield* Queue.unbounded<string>()
    const bytes = Buffer.from(line("ADDED", vm({ annotations: { note: "größer" } })))
    const middle = bytes.indexOf(0xc3) + 1
    const sockets = new Set<Socket>()
    const server = createHttpServer((_, response) => {
      response.writeHead(200, { "content-type": "application/json" }).write(bytes.subarray(0, middle))
      // Later than the client's request timeout.
      const rest = setTimeout(() => response.write(bytes.subarray(middle)), 2_200)
      response.on("close", () => {
        clearTimeout(rest)
        Queue.offerUnsafe(closed, "closed")
      })
    })
    const port = yield* listening(server, sockets)
    const config = kubeconfig({}, { server: `http://127.0.0.1:${port}` })
    const client = yield* clientFor(files.write("config", config), {}, "2 seconds")
    const watch = client.watch({ resourceVersion: "1", timeout: Duration.minutes(5) })
    const events: ReadonlyArray<WatchEvent> = yield* watch.pipe(Stream.take(1), Stream.runCollect)
    const [event] = events
    assert.strictEqual(event?._tag === "Applied" ? event.object.metadata.annotations?.note : "", "größer")
    assert.strictEqual(yield* Queue.take(closed), "closed")
  })
)

it.live("the proxy of the environment is asked for a tunnel to the API server", () =>
  Effect.gen(function* () {
    const files = yield* directory
    const authority = makeAuthority("cluster")
    const server = yield* secure(authority.sign("api"), (_, response) => json(response, vm()))
    const asked: Array<string | undefined> = []
    const proxy = createHttpServer()
    proxy.on("connect", (request, socket) => {
      asked.push(request.url)
      const onward = connect(server.port, "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n")
        onward.pipe(socket)
        socket.pipe(onward)
      })
      const end = () => void [socket.destroy(), onward.destroy()]
      onward.on("error", end)
      socket.on("error", end)
    })
    const port = yield* listening(proxy, new Set())
    const trust = { server: "https://kubernetes.test:6443", "certificate-authority-data": base64(authority.cert) }
    const config = files.write("config", kubeconfig({ token: "t" }, trust))
    const client = yield* clientFor(config, { HTTPS_PROXY: `http://127.0.0.1:${port}` })
    assert.strictEqual((yield* client.get(name)).metadata.name, "vm-1")
    assert.deepStrictEqual(asked, ["kubernetes.test:6443"])
  })
)
