import { assert, it } from "@effect/vitest"
import { Cause, Duration, Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import * as Reflector from "../../src/runtime/Reflector.ts"
import { Expired, type Fault, Refused, reflected, refuse, ThingServer } from "./thingServer.ts"
import { settled } from "./world.ts"

const times = (count: number, fault: Fault) => Array.from({ length: count }, () => fault)
const gaps = (asked: ReadonlyArray<{ readonly at: number }>) =>
  asked.slice(1).map(({ at }, index) => at - (asked[index]?.at ?? 0))
const expire: Fault = () => Effect.fail(new Expired({ message: "expired" }))

it.effect("a first list that fails is tried again for ever, ever more slowly, and synced waits", () =>
  Effect.gen(function* () {
    const server = new ThingServer()
    server.put("a", "1")
    server.order("list", ...times(12, refuse("down")))
    const { reflector, problems } = yield* reflected(server)
    yield* TestClock.adjust("2 minutes")
    assert.isFalse(yield* reflector.hasSynced)
    yield* TestClock.adjust("10 minutes")
    yield* reflector.synced
    assert.deepStrictEqual(yield* reflector.keys, ["a"])
    const waits = gaps(server.askedFor("list"))
    assert.strictEqual(waits.length, 12)
    for (const [index, wait] of waits.entries()) {
      const unspread = Math.min(500 * 2 ** index, 30_000)
      assert.isAtLeast(wait, Math.floor(unspread * 0.8))
      assert.isAtMost(wait, Math.ceil(unspread * 1.2))
    }
    assert.deepStrictEqual(problems.map(({ activity, attempt }) => `${activity} ${attempt}`).slice(0, 2), [
      "list 1",
      "list 2"
    ])
  })
)

it.effect("a refusal's Retry-After is honoured", () =>
  Effect.gen(function* () {
    const server = new ThingServer()
    server.order("list", refuse("too many requests", 77))
    const { reflector } = yield* reflected(server)
    yield* TestClock.adjust("76 seconds")
    assert.isFalse(yield* reflector.hasSynced)
    yield* TestClock.adjust("1 second")
    assert.isTrue(yield* reflector.hasSynced)
  })
)

it.effect("a failed page is asked for again, not the whole list", () =>
  Effect.gen(function* () {
    const server = new ThingServer()
    for (const name of ["a", "b", "c", "d", "e"]) server.put(name, "1")
    server.order("list", (answer) => answer, refuse("down"))
    const { reflector } = yield* reflected(server, { pageSize: 2 })
    yield* TestClock.adjust("10 seconds")
    assert.deepStrictEqual(
      server.askedFor("list").map(({ from }) => from),
      ["", "105/2", "105/2", "105/4"]
    )
    assert.deepStrictEqual(yield* reflector.keys, ["a", "b", "c", "d", "e"])
  })
)

it.effect("a continue token that expires in mid-list leads to a new list", () =>
  Effect.gen(function* () {
    const server = new ThingServer()
    for (const name of ["a", "b", "c"]) server.put(name, "1")
    server.order(
      "list",
      (answer) => answer,
      (answer) =>
        Effect.suspend(() => {
          server.remove("a")
          server.expire()
          return answer
        })
    )
    const { reflector } = yield* reflected(server, { pageSize: 2 })
    yield* TestClock.adjust("10 seconds")
    assert.deepStrictEqual(
      server.askedFor("list").map(({ from }) => from),
      ["", "103/2", ""]
    )
    assert.deepStrictEqual(yield* reflector.keys, ["b", "c"])
  })
)

it.effect("a page that is never answered counts as failed", () =>
  Effect.gen(function* () {
    const server = new ThingServer()
    server.order("list", () => Effect.never)
    const { reflector, problems } = yield* reflected(server)
    yield* TestClock.adjust("2 minutes")
    assert.isTrue(yield* reflector.hasSynced)
    const error = Option.flatMap(Option.fromNullishOr(problems[0]), ({ cause }) => Cause.findErrorOption(cause))
    assert.isTrue(Option.exists(error, (problem) => problem instanceof Reflector.Stalled))
  })
)

it.effect("a broken watch resumes after the last event, and nothing is missed or listed again", () =>
  Effect.gen(function* () {
    const server = new ThingServer()
    const { value, problems, news } = yield* reflected(server)
    yield* settled
    const seen = server.put("a", "1")
    yield* settled
    yield* server.break(new Refused({ message: "connection reset" }))
    server.put("a", "2")
    server.put("b", "1")
    news()
    yield* TestClock.adjust("1 second")
    assert.deepStrictEqual(
      server.askedFor("watch").map(({ from }) => from),
      ["100", seen.version]
    )
    assert.deepStrictEqual(news(), ["a applied", "b applied"])
    assert.deepStrictEqual(yield* value("a"), Option.some("2"))
    assert.strictEqual(server.askedFor("list").length, 1)
    assert.deepStrictEqual(
      problems.map(({ activity, attempt }) => `${activity} ${attempt}`),
      ["watch 1"]
    )
  })
)

it.effect("an event resets the watch's backoff", () =>
  Effect.gen(function* () {
    const server = new ThingServer()
    const { problems } = yield* reflected(server)
    yield* settled
    server.order("watch", ...times(3, refuse("down")))
    yield* server.break(new Refused({ message: "connection reset" }))
    yield* TestClock.adjust("20 seconds")
    server.put("a", "1")
    yield* settled
    yield* server.break(new Refused({ message: "connection reset" }))
    yield* settled
    assert.deepStrictEqual(
      problems.map(({ attempt }) => attempt),
      [1, 2, 3, 4, 1]
    )
  })
)

it.effect.each([
  [
    "when the watch is opened",
    (server: ThingServer) =>
      Effect.andThen(
        Effect.sync(() => server.expire()),
        server.end
      )
  ],
  ["in the middle of a watch", (server: ThingServer) => server.break(new Expired({ message: "compacted" }))]
] as const)(
  "an expired history %s leads to a new list, which finds what was changed and deleted unseen",
  ([, expiry]) =>
    Effect.gen(function* () {
      const server = new ThingServer()
      for (const name of ["same", "changed", "deleted"]) server.put(name, "1")
      const { reflector, news } = yield* reflected(server)
      yield* TestClock.adjust("10 seconds")
      news()
      server.deaf = true
      server.put("changed", "2")
      server.remove("deleted")
      server.put("created", "1")
      yield* expiry(server)
      server.deaf = false
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(server.askedFor("list").length, 2)
      assert.deepStrictEqual(yield* reflector.keys, ["same", "changed", "created"])
      assert.deepStrictEqual(news(), ["changed applied", "created applied", "deleted deleted"])
    })
)

it.effect("lists that work do not hide a watch that always expires: the circle slows down", () =>
  Effect.gen(function* () {
    const server = new ThingServer()
    server.order("watch", ...times(100, expire))
    yield* reflected(server)
    yield* TestClock.adjust("10 minutes")
    assert.isAtMost(server.askedFor("list").length, 30)
    assert.isAtLeast(server.askedFor("list").length, 20)
  })
)

it.effect("a watch that outlives its time by ten seconds is dead: cut off, opened again, and nothing is missed", () =>
  Effect.gen(function* () {
    const server = new ThingServer()
    server.deaf = true
    const { problems, value } = yield* reflected(server)
    yield* settled
    server.put("a", "1")
    const [first] = server.askedFor("watch")
    yield* TestClock.adjust(Duration.seconds((first?.seconds ?? 0) + 9.9))
    assert.strictEqual(server.askedFor("watch").length, 1)
    server.deaf = false
    yield* TestClock.adjust("1 second")
    assert.deepStrictEqual(
      server.askedFor("watch").map(({ from }) => from),
      ["100", "100"]
    )
    assert.strictEqual(server.open, 1)
    assert.deepStrictEqual(yield* value("a"), Option.some("1"))
    assert.strictEqual(server.askedFor("list").length, 1)
    assert.match(problems.map(({ cause }) => Cause.pretty(cause)).join(), /Stalled: watch still open after/)
  })
)

it.effect("a server that closes every watch at once sees no storm", () =>
  Effect.gen(function* () {
    const server = new ThingServer()
    server.hasty = true
    const { problems } = yield* reflected(server)
    yield* TestClock.adjust("10 minutes")
    assert.isAtMost(server.askedFor("watch").length, 30)
    assert.isAtLeast(Math.min(...gaps(server.askedFor("watch"))), 400)
    assert.match(problems.map(({ cause }) => Cause.pretty(cause)).join(), /Stalled: watch closed by the server after/)
  })
)

it.effect("a server that sends a bookmark and closes at once sees no storm either", () =>
  Effect.gen(function* () {
    const server = new ThingServer()
    yield* reflected(server, {
      source: {
        list: server.source.list,
        watch: (from) => {
          server.hasty = true
          queueMicrotask(() => server.bookmark())
          return server.source.watch(from)
        }
      }
    })
    yield* TestClock.adjust("1 minute")
    assert.isAtLeast(Math.min(...gaps(server.askedFor("watch"))), 400)
  })
)

it.effect("after five watches in a row without a sign of life the world is listed again", () =>
  Effect.gen(function* () {
    const server = new ThingServer()
    server.put("a", "1")
    server.order("watch", ...times(5, refuse("version in the future")))
    const { value } = yield* reflected(server)
    yield* settled
    server.restore([{ name: "a", value: "restored", version: "7" }], 50)
    yield* TestClock.adjust("30 seconds")
    assert.strictEqual(server.askedFor("list").length, 2)
    assert.deepStrictEqual(yield* value("a"), Option.some("restored"))
  })
)

it.effect("however healthy the watch looks, the world is listed again within the relist time", () =>
  Effect.gen(function* () {
    const server = new ThingServer()
    server.put("a", "1")
    const { value, news } = yield* reflected(server)
    yield* TestClock.adjust("1 minute")
    news()
    server.putUnseen("a", "never told")
    yield* TestClock.adjust("45 minutes")
    assert.deepStrictEqual(yield* value("a"), Option.some("1"))
    yield* TestClock.adjust("15 minutes")
    assert.deepStrictEqual(yield* value("a"), Option.some("never told"))
    assert.deepStrictEqual(news(), ["a applied"])
  })
)
