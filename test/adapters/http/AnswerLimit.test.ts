/** Answers that are larger than anybody wants to read, over real sockets. */
import { createServer } from "node:http"
import { Agent } from "@effect/platform-node/Undici"
import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Option } from "effect"
import { limited } from "../../../src/adapters/http/AnswerLimit.ts"
import { AnswerLimit, tooLarge } from "../../../src/ports/AnswerLimit.ts"
import { listening } from "../../support/loopback.ts"

const PIECE = "x".repeat(10_000)

/** Answers `/n` with n pieces, and `/endless` with as many as are taken; it never says how many there will be. */
const makeSite = Effect.gen(function* () {
  const closed = yield* Deferred.make<void>()
  const fork = Effect.runForkWith(yield* Effect.context<never>())
  const server = createServer((request, response) => {
    const wanted = request.url === "/endless" ? Number.POSITIVE_INFINITY : Number(request.url?.slice(1))
    let sent = 0
    const more = () => {
      while (sent < wanted) {
        sent += 1
        if (!response.write(PIECE)) return
      }
      response.end()
    }
    response.on("drain", more)
    response.on("close", () => response.writableFinished || fork(Deferred.succeed(closed, undefined)))
    more()
  })
  const port = yield* listening(server)
  const pool = yield* Effect.acquireRelease(
    Effect.sync(() => new Agent({ connections: 1 })),
    (agent) => Effect.promise(() => agent.destroy())
  )
  const client = yield* limited(pool)
  const ask = (path: string, limit: number) =>
    client.get(`http://127.0.0.1:${port}${path}`).pipe(
      Effect.flatMap((response) => response.text),
      Effect.provideService(AnswerLimit, limit)
    )
  return { ask, closed }
})

it.live("an answer of as many bytes as are allowed is read whole", () =>
  Effect.gen(function* () {
    const { ask } = yield* makeSite
    assert.strictEqual(yield* ask("/7", 70_000), PIECE.repeat(7))
  }).pipe(Effect.scoped)
)

it.live("an answer with a byte more fails, says what the limit was, and the next request is answered", () =>
  Effect.gen(function* () {
    const { ask } = yield* makeSite
    const found = tooLarge(yield* Effect.flip(ask("/7", 69_999)))
    assert.deepStrictEqual(
      Option.map(found, ({ message }) => message),
      Option.some("the answer is larger than 69999 bytes, the most that is read")
    )
    assert.strictEqual(yield* ask("/1", 69_999), PIECE)
  }).pipe(Effect.scoped)
)

it.live("an answer without end is not waited for: its connection is closed", () =>
  Effect.gen(function* () {
    const { ask, closed } = yield* makeSite
    assert.isTrue(Option.isSome(tooLarge(yield* Effect.flip(ask("/endless", 70_000)))))
    yield* Deferred.await(closed)
  }).pipe(Effect.scoped)
)

it.live("nothing is bounded for who sets no limit", () =>
  Effect.gen(function* () {
    const { ask } = yield* makeSite
    assert.strictEqual((yield* ask("/700", Number.POSITIVE_INFINITY)).length, 7_000_000)
  }).pipe(Effect.scoped)
)
