/** A watch that is not to be trusted any more is opened anew, and never in a storm. */
import { assert, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import { reflected, refuse, ThingServer } from "./thingServer.ts"
import { settled } from "./world.ts"

it.effect("a watch that died without a word is opened anew where it was, and nothing is listed again", () =>
  Effect.gen(function* () {
    const server = new ThingServer()
    server.deaf = true
    const { reflector, value } = yield* reflected(server)
    yield* settled
    server.put("a", "1")
    server.deaf = false
    yield* reflector.refresh
    yield* settled
    assert.deepStrictEqual(yield* value("a"), Option.some("1"))
    assert.deepStrictEqual(
      server.askedFor("watch").map(({ from }) => from),
      ["100", "100"]
    )
    assert.strictEqual(server.askedFor("list").length, 1)
    assert.strictEqual(server.open, 1)
  })
)

it.effect("while the server refuses, a refresh asks once more at once, and after that as seldom as before", () =>
  Effect.gen(function* () {
    const server = new ThingServer()
    server.order("list", ...Array.from({ length: 60 }, () => refuse("down")))
    const { reflector } = yield* reflected(server)
    yield* TestClock.adjust("2 minutes")
    const before = server.askedFor("list").length
    yield* reflector.refresh
    yield* settled
    assert.strictEqual(server.askedFor("list").length, before + 1)
    yield* TestClock.adjust("2 minutes")
    assert.isAtMost(server.askedFor("list").length, before + 8)
  })
)
