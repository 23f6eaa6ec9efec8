import { assert, it } from "@effect/vitest"
import { Cause, Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import { type Fault, reflected, refuse, ThingServer } from "./thingServer.ts"
import { settled } from "./world.ts"

it.effect("defects of the source are reported, and the loop goes on", () =>
  Effect.gen(function* () {
    const server = new ThingServer()
    const bug: Fault = () => Effect.die(new Error("a bug"))
    server.order("list", bug)
    server.order("watch", bug)
    const { value, problems } = yield* reflected(server)
    yield* TestClock.adjust("5 seconds")
    server.put("a", "1")
    yield* settled
    assert.deepStrictEqual(yield* value("a"), Option.some("1"))
    assert.deepStrictEqual(
      problems.map(({ activity }) => activity),
      ["list", "watch"]
    )
    assert.isTrue(problems.every(({ cause }) => Cause.hasDies(cause)))
  })
)

it.effect("defects while reporting a problem change nothing", () =>
  Effect.gen(function* () {
    const server = new ThingServer()
    server.order("list", refuse("down"))
    const { reflector } = yield* reflected(server, { onProblem: () => Effect.die("the log is full") })
    yield* TestClock.adjust("5 seconds")
    assert.isTrue(yield* reflector.hasSynced)
  })
)

it.effect("a change that could not be told is told later, and does not hold up the others", () =>
  Effect.gen(function* () {
    const server = new ThingServer()
    for (const name of ["bad", "good"]) server.put(name, "1")
    let broken = true
    const told: Array<string> = []
    yield* reflected(server, {
      onChange: (key) =>
        broken && key === "bad" ? Effect.die(new Error("a bug")) : Effect.sync(() => void told.push(key))
    })
    yield* settled
    assert.deepStrictEqual(told, ["good"])
    broken = false
    yield* TestClock.adjust("1 minute")
    assert.deepStrictEqual(told, ["good", "bad"])
  })
)

it.effect("an interrupted report is taken up again with the next watch", () =>
  Effect.gen(function* () {
    const server = new ThingServer()
    const told: Array<string> = []
    let asked = 0
    yield* reflected(server, {
      onChange: (key) => Effect.suspend(() => (++asked === 1 ? Effect.never : Effect.sync(() => void told.push(key))))
    })
    yield* settled
    server.put("a", "1")
    yield* TestClock.adjust("30 seconds")
    assert.deepStrictEqual(told, [])
    yield* TestClock.adjust("1 minute")
    assert.deepStrictEqual(told, ["a"])
  })
)
