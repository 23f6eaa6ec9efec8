/** The client towards a provider over real sockets and real TLS. */
import { createServer } from "node:https"
import { connect, createServer as createPlainServer, type Server, type Socket } from "node:net"
import { inspect } from "node:util"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { HttpClient } from "effect/http"
import * as Outbound from "../../../src/adapters/http/Outbound.ts"
import type { Outbound as Asked } from "../../../src/ports/Outbound.ts"
import { isUnanswered } from "../../../src/ports/Unanswered.ts"
import { makeAuthority } from "../kubernetes/certificates.ts"

const provider = Effect.gen(function* () {
  const identity = makeAuthority("aap.test")
  const server = createServer({ cert: identity.cert, key: identity.key }, ({ url }, response) => {
    if (url === "/moved") response.writeHead(302, { location: "https://elsewhere.test/" }).end()
    else response.end("well")
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.void))
    }),
    () =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  )
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  return { url: `https://127.0.0.1:${port}`, certificate: identity.cert }
})

const asks = (server: string, more: Partial<Asked>, path = "/"): Effect.Effect<string> =>
  Effect.gen(function* () {
    const client = yield* HttpClient.HttpClient
    const response = yield* client.get(`${server}${path}`)
    return `${response.status} ${yield* response.text}`
  }).pipe(
    Effect.catch((error) => Effect.succeed(JSON.stringify(error.reason.cause ?? {}, ["code"]))),
    Effect.provide(Outbound.layer({ server, authorities: [], verify: true, connections: 2, ...more }))
  )

it.live("a certificate that nobody vouches for is refused, with the platform's own code", () =>
  Effect.gen(function* () {
    const { url } = yield* provider
    assert.match(yield* asks(url, {}), /DEPTH_ZERO_SELF_SIGNED_CERT/u)
  })
)

it.live("a certificate authority from a file is trusted besides the public ones", () =>
  Effect.gen(function* () {
    const { certificate, url } = yield* provider
    assert.strictEqual(yield* asks(url, { authorities: [certificate] }), "200 well")
  })
)

it.live("nothing is verified only when somebody asked for that", () =>
  Effect.gen(function* () {
    const { url } = yield* provider
    assert.strictEqual(yield* asks(url, { verify: false }), "200 well")
  })
)

const listening = (server: Server) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<void>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.void))
      }),
      () => Effect.sync(() => void server.close())
    ),
    () => {
      const address = server.address()
      return typeof address === "object" && address !== null ? address.port : 0
    }
  )

/** What stands before a provider speaks no TLS any more: from the beginning, or once the provider has read a request. */
const breaking = Effect.fnUntraced(function* (handshakes: boolean) {
  const identity = makeAuthority("aap.test")
  const sockets = new Set<Socket>()
  const speakPlainly = () => {
    for (const socket of sockets) socket.write("HTTP/1.0 504 Gateway Timeout\r\n\r\n")
  }
  const inner = yield* listening(createServer({ cert: identity.cert, key: identity.key }, speakPlainly))
  const outer = createPlainServer((socket) => {
    sockets.add(socket)
    const behind = connect(inner, "127.0.0.1")
    for (const one of [socket, behind]) one.on("error", () => {})
    socket.on("close", () => behind.destroy())
    if (!handshakes) return socket.once("data", speakPlainly)
    socket.pipe(behind)
    return behind.pipe(socket)
  })
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      for (const socket of sockets) socket.destroy()
    })
  )
  return `https://127.0.0.1:${yield* listening(outer)}`
})

const failureOf = (server: string) =>
  Effect.gen(function* () {
    return yield* Effect.flip((yield* HttpClient.HttpClient).post(server))
  }).pipe(Effect.provide(Outbound.layer({ server, authorities: [], verify: false, connections: 2 })))

it.live("a failure before the first byte and one after it are told apart", () =>
  Effect.gen(function* () {
    const never = yield* failureOf(yield* breaking(false))
    assert.include(inspect(never), "ERR_SSL_WRONG_VERSION_NUMBER")
    assert.isFalse(isUnanswered(never))
    assert.isTrue(isUnanswered(yield* failureOf(yield* breaking(true))))
  })
)

it.live("a redirect is not followed, so that no credential reaches another host", () =>
  Effect.gen(function* () {
    const { url } = yield* provider
    assert.match(yield* asks(url, { verify: false }, "/moved"), /^302/u)
  })
)
