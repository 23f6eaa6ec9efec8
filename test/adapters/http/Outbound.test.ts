/** The client towards a provider over real sockets and real TLS. */
import { createServer } from "node:https"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { HttpClient } from "effect/http"
import * as Outbound from "../../../src/adapters/http/Outbound.ts"
import type { Outbound as Asked } from "../../../src/ports/Outbound.ts"
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

it.live("a redirect is not followed, so that no credential reaches another host", () =>
  Effect.gen(function* () {
    const { url } = yield* provider
    assert.match(yield* asks(url, { verify: false }, "/moved"), /^302/u)
  })
)
