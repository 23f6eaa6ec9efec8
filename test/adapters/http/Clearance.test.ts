import { createServer } from "node:http"
import { connect } from "node:net"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Agent } from "@effect/platform-node/Undici"
import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { type HttpClientError, HttpClientRequest } from "effect/http"
import { cleared, lastLook } from "../../../src/adapters/http/Clearance.ts"
import { Clearance } from "../../../src/ports/Clearance.ts"
import { listening } from "../../support/loopback.ts"

/** A server, and a client whose connections are made when they are let. */
const makeSite = Effect.gen(function* () {
  const received: Array<string> = []
  const server = createServer((request, response) => {
    received.push(`${request.method} ${request.url}`)
    response.end("done")
  })
  const port = yield* listening(server)
  const connecting = yield* Deferred.make<void>()
  const permitted = yield* Deferred.make<void>()
  const fork = Effect.runForkWith(yield* Effect.context<never>())
  const agent = new Agent({
    connect: (_, done) => {
      const socket = connect(port, "127.0.0.1", () => {
        fork(
          Deferred.succeed(connecting, undefined).pipe(
            Effect.andThen(Deferred.await(permitted)),
            Effect.andThen(Effect.sync(() => done(null, socket)))
          )
        )
      })
    }
  })
  yield* Effect.addFinalizer(() => Effect.promise(() => agent.destroy()))
  const client = yield* NodeHttpClient.makeUndici.pipe(
    Effect.provideService(NodeHttpClient.Dispatcher, agent.compose(lastLook))
  )
  const post = cleared(client).execute(HttpClientRequest.post(`http://127.0.0.1:${port}/launch/`))
  return { received, connecting, letConnect: Deferred.succeed(permitted, undefined), post }
})

const codeOf = (error: HttpClientError.HttpClientError): unknown =>
  error.reason._tag === "TransportError" &&
  typeof error.reason.cause === "object" &&
  error.reason.cause !== null &&
  "code" in error.reason.cause
    ? error.reason.cause.code
    : error

it.live("a request with clearance goes out", () =>
  Effect.gen(function* () {
    const { letConnect, post, received } = yield* makeSite
    yield* letConnect
    const response = yield* post
    assert.strictEqual(yield* response.text, "done")
    assert.deepStrictEqual(received, ["POST /launch/"])
  }).pipe(Effect.scoped)
)

it.live("a request without clearance asks nobody for a connection", () =>
  Effect.gen(function* () {
    const { connecting, post, received } = yield* makeSite
    const error = yield* Effect.flip(Effect.provideService(post, Clearance, () => false))
    assert.strictEqual(codeOf(error), "ERR_HELD_BACK")
    assert.isFalse(yield* Deferred.isDone(connecting))
    assert.deepStrictEqual(received, [])
  }).pipe(Effect.scoped)
)

it.live("clearance that ends while the connection is made holds the request back in the moment of writing", () =>
  Effect.gen(function* () {
    const { connecting, letConnect, post, received } = yield* makeSite
    let clear = true
    const posting = yield* Effect.forkChild(Effect.flip(Effect.provideService(post, Clearance, () => clear)))
    yield* Deferred.await(connecting)
    clear = false
    yield* letConnect
    assert.strictEqual(codeOf(yield* Fiber.join(posting)), "ERR_HELD_BACK")
    assert.deepStrictEqual(received, [])
  }).pipe(Effect.scoped)
)
