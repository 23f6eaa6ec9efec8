import { assert, it } from "@effect/vitest"
import { Cause, Clock, Deferred, Duration, Effect, Exit, Fiber, Option, Scope } from "effect"
import { TestClock } from "effect/testing"
import type { KubernetesClient } from "../../src/ports/KubernetesClient.ts"
import type * as Reflector from "../../src/runtime/Reflector.ts"
import { reflected, ThingServer } from "./thingServer.ts"
import { settled } from "./world.ts"

it.effect("lists page by page; the copy is complete when it counts as synced, and empty before", () =>
  Effect.gen(function* () {
    const server = new ThingServer()
    for (const name of ["a", "b", "c", "d", "e"]) server.put(name, "1")
    const held = yield* Deferred.make<void>()
    server.order(
      "list",
      (answer) => answer,
      (answer) => Effect.andThen(Deferred.await(held), answer)
    )
    const { reflector, news } = yield* reflected(server, { pageSize: 2 })
    yield* settled
    assert.isFalse(yield* reflector.hasSynced)
    assert.strictEqual(yield* reflector.size, 0)
    yield* Deferred.succeed(held, undefined)
    yield* reflector.synced
    assert.isTrue(yield* reflector.hasSynced)
    assert.deepStrictEqual(yield* reflector.keys, ["a", "b", "c", "d", "e"])
    assert.deepStrictEqual(yield* reflector.values, server.things)
    yield* settled
    assert.deepStrictEqual(news(), ["a applied", "b applied", "c applied", "d applied", "e applied"])
    assert.deepStrictEqual(
      server.askedFor("list").map(({ from }) => from),
      ["", "105/2", "105/4"]
    )
  })
)

it.effect("watches from where the list ended, and tells every change and nothing else", () =>
  Effect.gen(function* () {
    const server = new ThingServer()
    const first = server.put("a", "1")
    const { value, news } = yield* reflected(server)
    yield* settled
    assert.strictEqual(server.askedFor("watch")[0]?.from, first.version)
    news()
    server.put("a", "2")
    server.put("b", "1")
    server.bookmark()
    server.send({ _tag: "Applied", object: first })
    yield* settled
    assert.deepStrictEqual(news(), ["a applied", "b applied"])
    assert.deepStrictEqual(yield* value("a"), Option.some("2"))
    server.remove("a")
    yield* settled
    assert.deepStrictEqual(news(), ["a deleted"])
    assert.deepStrictEqual(yield* value("a"), Option.none())
  })
)

it.effect("after an ordinary end the watch resumes after the last event or bookmark, and nothing is listed again", () =>
  Effect.gen(function* () {
    const server = new ThingServer()
    const { value, news, problems } = yield* reflected(server)
    yield* settled
    const event = server.put("a", "1").version
    yield* TestClock.adjust("46 seconds")
    const bookmark = server.bookmark()
    yield* TestClock.adjust("46 seconds")
    assert.deepStrictEqual(
      server.askedFor("watch").map(({ from }) => from),
      ["100", event, bookmark]
    )
    news()
    server.put("a", "2")
    yield* settled
    assert.deepStrictEqual(news(), ["a applied"])
    assert.deepStrictEqual(yield* value("a"), Option.some("2"))
    assert.strictEqual(server.askedFor("list").length, 1)
    assert.deepStrictEqual(problems, [])
  })
)

it.effect("watches are asked to end within 30 to 45 seconds, each a little differently", () =>
  Effect.gen(function* () {
    const server = new ThingServer()
    yield* reflected(server)
    yield* TestClock.adjust("30 minutes")
    const seconds = server.askedFor("watch").map((asked) => asked.seconds)
    assert.isAtLeast(Math.min(...seconds), 30)
    assert.isAtMost(Math.max(...seconds), 45)
    assert.isAbove(Math.max(...seconds) - Math.min(...seconds), 5)
    assert.isAbove(new Set(seconds).size, 30)
  })
)

it.effect("an own write is seen at once, and its event wakes nobody", () =>
  Effect.gen(function* () {
    const server = new ThingServer()
    server.put("a", "1")
    const { reflector, value, news } = yield* reflected(server)
    yield* reflector.synced
    yield* settled
    news()
    const echo = yield* Deferred.make<void>()
    yield* Effect.sync(() => server.put("a", "written")).pipe(
      Effect.tap((written) => reflector.apply(written)),
      Effect.tap(() => Deferred.succeed(echo, undefined))
    )
    assert.deepStrictEqual(yield* value("a"), Option.some("written"))
    yield* settled
    assert.deepStrictEqual(news(), [])
    server.put("a", "by another")
    yield* settled
    assert.deepStrictEqual(news(), ["a applied"])
  })
)

it.effect("the answer of an own write that comes late neither hides what is newer nor revives what was deleted", () =>
  Effect.gen(function* () {
    const server = new ThingServer()
    server.put("a", "1")
    server.put("b", "1")
    const { reflector, value } = yield* reflected(server)
    yield* settled
    const [answerA, answerB] = [server.put("a", "own"), server.put("b", "own")]
    server.put("a", "newer")
    server.remove("b")
    yield* settled
    yield* reflector.apply(answerA)
    yield* reflector.apply(answerB)
    assert.deepStrictEqual(yield* value("a"), Option.some("newer"))
    assert.deepStrictEqual(yield* value("b"), Option.none())
  })
)

it.effect("an own write during a list is not overwritten by the list's older item", () =>
  Effect.gen(function* () {
    const server = new ThingServer()
    server.put("a", "1")
    const { reflector, value, news } = yield* reflected(server, {
      relist: Duration.minutes(10),
      pageTimeout: Duration.hours(1)
    })
    yield* TestClock.adjust("5 minutes")
    news()
    const answered = yield* Deferred.make<void>()
    server.order("list", (answer) => Effect.tap(answer, () => Deferred.await(answered)))
    yield* TestClock.adjust("6 minutes")
    assert.strictEqual(server.askedFor("list").length, 2)
    yield* reflector.apply(server.put("a", "own"))
    yield* Deferred.succeed(answered, undefined)
    yield* settled
    assert.deepStrictEqual(yield* value("a"), Option.some("own"))
    assert.deepStrictEqual(news(), [])
  })
)

it.effect("progress is every page, event, bookmark and ordinary end, and no refusal", () =>
  Effect.gen(function* () {
    const server = new ThingServer()
    const { reflector } = yield* reflected(server)
    const secondsAgo = Effect.gen(function* () {
      const progress = yield* reflector.lastProgress
      return Duration.toSeconds(Duration.nanos((yield* Clock.monotonicTimeNanos) - progress))
    })
    yield* TestClock.adjust("20 seconds")
    assert.strictEqual(yield* secondsAgo, 20)
    server.bookmark()
    yield* settled
    assert.strictEqual(yield* secondsAgo, 0)
    yield* TestClock.adjust("5 seconds")
    server.put("a", "1")
    yield* settled
    assert.strictEqual(yield* secondsAgo, 0)
    yield* TestClock.adjust("10 minutes")
    assert.isAtMost(yield* secondsAgo, 45)
    server.deaf = true
    yield* TestClock.adjust("90 seconds")
    assert.isAtLeast(yield* secondsAgo, 45)
  })
)

it.effect("closing the scope closes the connection and is no problem", () =>
  Effect.gen(function* () {
    const server = new ThingServer()
    const scope = yield* Scope.make()
    const { problems } = yield* Scope.provide(reflected(server), scope)
    yield* settled
    assert.strictEqual(server.open, 1)
    yield* Scope.close(scope, Exit.void)
    assert.strictEqual(server.open, 0)
    yield* TestClock.adjust("1 hour")
    assert.strictEqual(server.asked.length, 2)
    assert.deepStrictEqual(problems, [])
  })
)

it.effect("the death of the loop is not silent: whoever joins dies with it", () =>
  Effect.gen(function* () {
    const server = new ThingServer()
    const { reflector } = yield* reflected(server)
    const joined = yield* Effect.forkChild(Effect.exit(reflector.join))
    yield* TestClock.adjust("1 hour")
    assert.isUndefined(joined.pollUnsafe())
    const clock = yield* Clock.Clock
    const broken: Clock.Clock = Object.assign(Object.create(clock), { sleep: () => Effect.die("no timers left") })
    const doomed = yield* Effect.provideService(reflected(server), Clock.Clock, broken)
    const exit = yield* Effect.exit(doomed.reflector.join)
    assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
    yield* Fiber.interrupt(joined)
  })
)

it("takes the Kubernetes client as it is for a source", () => {
  type Client = (typeof KubernetesClient)["Service"]
  type ObjectOf<S> = S extends Reflector.Source<infer A, infer E> ? readonly [A, E] : never
  const fits: ObjectOf<Client> extends never ? false : true = true
  assert.isTrue(fits)
})
