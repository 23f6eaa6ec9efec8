/** The client towards a provider over real sockets and real TLS. */
import { createServer } from "node:https"
import { connect, createServer as createPlainServer, type Socket } from "node:net"
import { inspect } from "node:util"
import { assert, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { HttpClient } from "effect/http"
import * as Outbound from "../../../src/adapters/http/Outbound.ts"
import { AnswerLimit, tooLarge } from "../../../src/ports/AnswerLimit.ts"
import type { Outbound as Asked } from "../../../src/ports/Outbound.ts"
import { isUnanswered } from "../../../src/ports/Unanswered.ts"
import { listening } from "../../support/loopback.ts"
import { makeAuthority } from "../kubernetes/certificates.ts"

const provider = Effect.gen(function* () {
  const identity = makeAuthority("aap.test")
  const server = createServer({ cert: identity.cert, key: identity.key }, ({ url }, response) => {
    if (url === "/moved") response.writeHead(302, { location: "https://elsewhere.test/" }).end()
    else response.end("well")
  })
  const port = yield* listening(server)
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

/** What stands before a provider speaks no TLS any more: from the beginning, or once the provider has read a request. */
const breaking = Effect.fnUntraced(function* (handshakes: boolean) {
  const identity = makeAuthority("aap.test")
  const sockets = new Set<Socket>()
  const speakPlainly = () => {
    for (const socket of sockets) socket.write("HTTP/1.0 504 Gateway Timeout\r\n\r\n")
  }
  const inner = yield* listening(createServer({ cert: identity.cert, key: identity.key }, speakPlainly))
  const outer = createPlainServer((socket) => {
    const behind = connect(inner, "127.0.0.1")
    for (const one of [socket, behind]) one.on("error", () => {})
    socket.on("close", () => behind.destroy())
    if (!handshakes) return socket.once("data", speakPlainly)
    socket.pipe(behind)
    return behind.pipe(socket)
  })
  return `https://127.0.0.1:${yield* listening(outer, sockets)}`
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

it.live("an answer beyond the limit is said to be that, and may have been preceded by an effect", () =>
  Effect.gen(function* () {
    const { url } = yield* provider
    const error = yield* Effect.gen(function* () {
      const response = yield* (yield* HttpClient.HttpClient).post(url)
      return yield* Effect.flip(response.text)
    }).pipe(
      Effect.provideService(AnswerLimit, "well".length - 1),
      Effect.provide(Outbound.layer({ server: url, authorities: [], verify: false, connections: 2 }))
    )
    assert.isTrue(Option.isSome(tooLarge(error)))
    assert.isTrue(isUnanswered(error))
  })
)

it.live("a redirect is not followed, so that no credential reaches another host", () =>
  Effect.gen(function* () {
    const { url } = yield* provider
    assert.match(yield* asks(url, { verify: false }, "/moved"), /^302/u)
  })
)
