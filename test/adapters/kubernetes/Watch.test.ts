import { assert, describe, it } from "@effect/vitest"
import { Array as Arr, Duration, Effect, Fiber, Logger, Queue, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import { linesOf } from "../../../src/adapters/kubernetes/WatchLines.ts"
import type { WatchEvent } from "../../../src/ports/KubernetesClient.ts"
import { ConnectionLost, json, text, type WireResponse } from "../../support/Wire.ts"
import { line, type Setting, script, scriptedClient, status, streamed, vm } from "./scripted.ts"

const from = { resourceVersion: "100", timeout: Duration.minutes(5) }

/** Everything a watch says until it ends or fails. */
const watched = (answer: WireResponse, setting: Setting = {}) =>
  Effect.gen(function* () {
    const events: Array<WatchEvent> = []
    const played = script(answer)
    const client = yield* scriptedClient(played, setting)
    const end = yield* client.watch(from).pipe(
      Stream.runForEach((event) => Effect.sync(() => events.push(event))),
      Effect.as("ended"),
      Effect.catch((error) => Effect.succeed(error.reason))
    )
    return { events, end, requests: played.requests }
  })

const names = (events: ReadonlyArray<WatchEvent>) =>
  events.map((it) =>
    it._tag === "Bookmark" ? `Bookmark ${it.resourceVersion}` : `${it._tag} ${it.object.metadata.name}`
  )

it.effect("a watch asks for changes after a version, with bookmarks and a bounded life", () =>
  Effect.gen(function* () {
    const { requests } = yield* watched(streamed(""), { namespace: "team-a" })
    const url = requests[0]?.url ?? new URL("about:blank")
    assert.strictEqual(url.pathname, "/apis/cloudkit.openshift.io/v1alpha1/namespaces/team-a/computeinstances")
    assert.deepStrictEqual(Object.fromEntries(url.searchParams), {
      watch: "true",
      allowWatchBookmarks: "true",
      resourceVersion: "100",
      timeoutSeconds: "300"
    })
  })
)

it.effect("a watch tells what was applied and deleted, and bookmarks, and ends when the server closes it", () =>
  Effect.gen(function* () {
    const bookmark = { kind: "ComputeInstance", metadata: { resourceVersion: "900", creationTimestamp: null } }
    const all = [
      line("ADDED", vm({ name: "a" })),
      line("MODIFIED", vm({ name: "b" })),
      line("DELETED", vm({ name: "c" })),
      line("BOOKMARK", bookmark)
    ]
    const { events, end } = yield* watched(streamed(...all))
    assert.deepStrictEqual(names(events), ["Applied a", "Applied b", "Deleted c", "Bookmark 900"])
    assert.strictEqual(end, "ended")
    assert.isFalse(JSON.stringify(events).includes("managedFields"))
  })
)

it.effect("a watch reads events whatever way the bytes are cut into chunks", () =>
  Effect.gen(function* () {
    const body = line("ADDED", vm({ name: "a" })) + line("MODIFIED", vm({ name: "b" }))
    const { events } = yield* watched(streamed(...(body.match(/[\s\S]{1,7}/g) ?? [])))
    assert.deepStrictEqual(names(events), ["Applied a", "Applied b"])
  })
)

it.effect("a watch does not take half an event, when the connection ends normally, for an event", () =>
  Effect.gen(function* () {
    const half = line("MODIFIED", vm({ name: "b" })).trimEnd()
    for (const cut of [half.slice(0, -20), half]) {
      const { events, end } = yield* watched(streamed(line("ADDED", vm({ name: "a" })), cut))
      assert.deepStrictEqual(names(events), ["Applied a"])
      assert.strictEqual(end, "ended")
    }
  })
)

it.effect("a watch whose history is gone is Expired, as an event and as a status code", () =>
  Effect.gen(function* () {
    const gone = status(410, "Expired", "too old resource version: 100 (900)")
    const event = yield* watched(streamed(line("ADDED", vm()), line("ERROR", gone)))
    assert.lengthOf(event.events, 1)
    const answer = yield* watched(json(410, gone))
    for (const { end } of [event, answer]) {
      assert.strictEqual(typeof end === "string" ? end : end._tag, "Expired")
    }
  })
)

it.effect("a watch that the server breaks off with another Status fails with that reason", () =>
  Effect.gen(function* () {
    const cases = [
      [status(500, "InternalError", "etcd is gone"), "ServerFailure"],
      [status(403, "Forbidden", "no more"), "Forbidden"],
      [{ kind: "Status", reason: "Gone" }, "Expired"],
      [null, "ServerFailure"]
    ] as const
    for (const [object, tag] of cases) {
      const { end } = yield* watched(streamed(line("ERROR", object)))
      assert.strictEqual(typeof end === "string" ? end : end._tag, tag)
    }
  })
)

it.effect("a watch leaves out what is no object, with a warning that names it, and goes on", () =>
  Effect.gen(function* () {
    const logged: Array<string> = []
    const logger = Logger.make(({ message }) => logged.push(JSON.stringify(message)))
    const { events, end } = yield* watched(
      streamed(
        line("ADDED", vm({ name: "odd", uid: 7 })),
        line("ADDED", null),
        line("BOOKMARK", {}),
        `{"type":"ADDED","object":${JSON.stringify(vm({ name: "bad" })).replace('"spec":{', '"spec":{"__proto__":{},')}}\n`,
        line("NEWFANGLED", {}),
        "\n",
        line("ADDED", vm({ name: "good" }))
      )
    ).pipe(Effect.provide(Logger.layer([logger])))
    assert.deepStrictEqual(names(events), ["Applied good"])
    assert.strictEqual(end, "ended")
    assert.isTrue(logged.some((it) => it.includes("default/odd")))
    assert.isTrue(logged.some((it) => it.includes("default/bad")))
  })
)

it.effect("a watch with a line that is no event fails, and does not quote it", () =>
  Effect.gen(function* () {
    for (const wrong of ['{"a":hunter2}\n', '"hunter2"\n']) {
      const { end } = yield* watched(streamed(wrong))
      assert.strictEqual(typeof end === "string" ? end : end._tag, "ServerFailure")
      assert.notInclude(typeof end === "string" ? end : end.message, "hunter2")
    }
  })
)

it.effect("a watch with an event larger than 4 MiB fails before all of it is held", () =>
  Effect.gen(function* () {
    const { end } = yield* watched({ ...streamed(), body: Stream.forever(Stream.make("x".repeat(1024 * 1024))) })
    assert.strictEqual(typeof end === "string" ? end : end._tag, "ServerFailure")
    assert.include(typeof end === "string" ? end : end.message, "4194304 bytes")
  })
)

it.effect("a watch answered by a proxy's page fails and says so", () =>
  Effect.gen(function* () {
    const { end } = yield* watched(text(200, "<html><title>Sign in</title></html>", "text/html"))
    assert.include(typeof end === "string" ? end : end.message, "Sign in")
  })
)

it.effect("a watch that is cut off is Unreachable with the connection's own code", () =>
  Effect.gen(function* () {
    const lost = Stream.concat(
      Stream.make(line("ADDED", vm())),
      Stream.fail(new ConnectionLost({ code: "ECONNRESET" }))
    )
    const { events, end } = yield* watched({ ...streamed(), body: lost })
    assert.lengthOf(events, 1)
    assert.strictEqual(typeof end !== "string" && "code" in end ? end.code : "", "ECONNRESET")
  })
)

it.effect("a watch may stay silent for longer than any request may take", () =>
  Effect.gen(function* () {
    const later = Stream.fromEffect(Effect.delay(Effect.succeed(line("ADDED", vm())), "4 minutes"))
    const fiber = yield* Effect.forkChild(watched({ ...streamed(), body: later }), { startImmediately: true })
    yield* TestClock.adjust("4 minutes")
    assert.lengthOf((yield* Fiber.join(fiber)).events, 1)
  })
)

it.effect("a watch hands an event on as soon as its line is complete", () =>
  Effect.gen(function* () {
    const wire = yield* Queue.unbounded<string>()
    const seen = yield* Queue.unbounded<WatchEvent>()
    const client = yield* scriptedClient(script({ ...streamed(), body: Stream.fromQueue(wire) }))
    yield* client.watch(from).pipe(
      Stream.runForEach((event) => Queue.offer(seen, event)),
      Effect.forkChild({ startImmediately: true })
    )
    for (const name of ["a", "b"]) {
      yield* Queue.offer(wire, line("ADDED", vm({ name })))
      assert.deepStrictEqual(names([yield* Queue.take(seen)]), [`Applied ${name}`])
    }
  })
)

describe("lines", () => {
  const cut = (bytes: Uint8Array, at: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
    const marks = [0, ...[...at].map((it) => it % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
    return Arr.zip(marks, marks.slice(1)).map(([start, end]) => bytes.subarray(start, end))
  }

  it.effect("come out the same wherever the bytes are cut, even inside a character", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.string({ unit: "grapheme", minLength: 1 })),
          fc.array(fc.nat()),
          async (texts, at) => {
            const lines = texts.map((it) => JSON.stringify(it))
            const bytes = new TextEncoder().encode(lines.map((it) => `${it}\n`).join(""))
            const found = Stream.fromIterable(cut(bytes, at)).pipe(linesOf(1024 * 1024), Stream.runCollect)
            assert.deepStrictEqual([...(await Effect.runPromise(found))], lines)
          }
        ),
        { numRuns: 200 }
      )
    )
  )
})
