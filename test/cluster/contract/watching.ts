/** What the API server promises of watches. */
import { assert } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { at, numberAt, stringAt } from "../../support/kubernetes/Json.ts"
import { nameOf, promised, versionOf, type WatchEvent } from "./Cluster.ts"

const told = (events: ReadonlyArray<WatchEvent>) => events.map(({ object, type }) => `${type} ${nameOf(object)}`)

const tooOld = (event: WatchEvent | undefined) => {
  assert.strictEqual(event?.type, "ERROR")
  assert.strictEqual(numberAt(event?.object, "code"), 410)
  assert.strictEqual(stringAt(event?.object, "reason"), "Expired")
  assert.strictEqual(stringAt(event?.object, "kind"), "Status")
}

const events = [
  promised("watchesResume", "a watch tells everything after its resourceVersion, in order, and goes on", (widgets) =>
    Effect.gen(function* () {
      yield* widgets.make("before")
      const version = versionOf((yield* widgets.ask("")).body)
      yield* widgets.make("a")
      yield* widgets.patch("/a", { spec: { size: 2 } })
      yield* widgets.patch("/a/status", { status: { phase: "Ready" } })
      yield* widgets.ask("/before", { method: "DELETE" })
      const events = yield* widgets.watch(`resourceVersion=${version}&timeoutSeconds=5`, 4)
      assert.deepStrictEqual(told(events), ["ADDED a", "MODIFIED a", "MODIFIED a", "DELETED before"])
      const versions = events.map((event) => Number(versionOf(event.object)))
      assert.deepStrictEqual(
        versions,
        versions.toSorted((x, y) => x - y)
      )
      assert.isAbove(versions[0] ?? 0, Number(version))
      const later = yield* widgets.watch(`resourceVersion=${versions[1]}&timeoutSeconds=5`, 2)
      assert.deepStrictEqual(told(later), ["MODIFIED a", "DELETED before"])
    })
  ),
  promised("watchesResume", "a watch tells what happens while it is open", (widgets) =>
    Effect.gen(function* () {
      const version = versionOf((yield* widgets.ask("")).body)
      const path = `/apis/contract.example.com/v1alpha1/namespaces/${widgets.namespace}/widgets`
      yield* widgets.make("a")
      const seen = yield* widgets.cluster.events(`${path}?watch=1&resourceVersion=${version}&timeoutSeconds=5`).pipe(
        Stream.tap((event) => (nameOf(event.object) === "a" ? widgets.make("b") : Effect.void)),
        Stream.take(2),
        Stream.runCollect
      )
      assert.deepStrictEqual(told(seen), ["ADDED a", "ADDED b"])
    })
  ),
  promised("watchesBeginWithState", "a watch without a resourceVersion begins with what there is", (widgets) =>
    Effect.gen(function* () {
      yield* widgets.make("a")
      yield* widgets.patch("/a", { spec: { size: 2 } })
      const version = versionOf(yield* widgets.make("b"))
      // what may be told of any moment, is told of this one at the earliest once somebody has asked for it
      yield* widgets.ask(`?resourceVersion=${version}&resourceVersionMatch=NotOlderThan`)
      for (const query of ["timeoutSeconds=5", "resourceVersion=0&timeoutSeconds=5"]) {
        const events = yield* widgets.watch(query, 2)
        assert.sameMembers(told(events).slice(), ["ADDED a", "ADDED b"])
      }
    })
  ),
  promised("watchesBeginWithState", "a streaming list ends with a bookmark that says so", (widgets) =>
    Effect.gen(function* () {
      yield* widgets.make("a")
      const query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=5"
      const [added, bookmark] = yield* widgets.watch(query, 2)
      assert.deepStrictEqual(told(added === undefined ? [] : [added]), ["ADDED a"])
      assert.strictEqual(bookmark?.type, "BOOKMARK")
      assert.strictEqual(at(bookmark?.object, "metadata", "annotations", "k8s.io/initial-events-end"), "true")
      const bad = yield* widgets.ask("?watch=1&sendInitialEvents=true")
      assert.strictEqual(bad.status, 422)
    })
  ),
  promised(
    "watchSelectorsFollowed",
    "an object that a watch's selector no longer selects is deleted for it",
    (widgets) =>
      Effect.gen(function* () {
        const version = versionOf(yield* widgets.make("a"))
        yield* widgets.patch("/a/status", { status: { phase: "Failed" } })
        yield* widgets.patch("/a/status", { status: { phase: "Ready" } })
        const changed = versionOf(yield* widgets.get("a"))
        yield* widgets.patch("/a/status", { status: { phase: "Progressing" } })
        yield* widgets.make("b")
        const selector = encodeURIComponent("status.phase!=Ready")
        const events = yield* widgets.watch(`fieldSelector=${selector}&resourceVersion=${version}&timeoutSeconds=5`, 4)
        assert.deepStrictEqual(told(events), ["MODIFIED a", "DELETED a", "ADDED a", "ADDED b"])
        assert.strictEqual(versionOf(events[1]?.object ?? {}), changed)
        assert.strictEqual(at(events[1]?.object, "status", "phase"), "Failed")
      })
  )
]

const lifetimes = [
  promised("watchesTimeOut", "a watch ends by itself after its timeoutSeconds", (widgets) =>
    Effect.gen(function* () {
      const version = versionOf(yield* widgets.make("a"))
      assert.deepStrictEqual(yield* widgets.watch(`resourceVersion=${version}&timeoutSeconds=1`), [])
    })
  ),
  promised("bookmarks", "a watch is told how far things are, before it ends at the latest", (widgets) =>
    Effect.gen(function* () {
      yield* widgets.make("a")
      const query = "?watch=1&resourceVersion=0&allowWatchBookmarks=true&timeoutSeconds=4"
      const path = `/apis/contract.example.com/v1alpha1/namespaces/${widgets.namespace}/widgets${query}`
      const events = yield* widgets.cluster.events(path).pipe(
        Stream.tap((event) => (nameOf(event.object) === "a" ? widgets.make("b") : Effect.void)),
        Stream.runCollect
      )
      const last = events.at(-1)
      assert.strictEqual(last?.type, "BOOKMARK")
      assert.strictEqual(stringAt(last?.object, "kind"), "Widget")
      assert.isAtLeast(Number(versionOf(last?.object ?? {})), Number(versionOf(yield* widgets.get("b"))))
      assert.isUndefined(at(last?.object, "spec"))
    })
  ),
  promised(
    "watchHistoryExpires",
    "a watch from before a compaction is told 410 as an event",
    ({ cluster, namespace }) =>
      Effect.gen(function* () {
        const path = `/api/v1/namespaces/${namespace}/configmaps`
        const make = (name: string) =>
          cluster.ask(path, { method: "POST", body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name } } })
        const version = versionOf((yield* make("a")).body)
        yield* make("b")
        const watch = cluster
          .events(`${path}?watch=1&resourceVersion=${version}&timeoutSeconds=5`)
          .pipe(Stream.take(1), Stream.runCollect)
        assert.deepStrictEqual(told(yield* watch), ["ADDED b"])
        yield* make("c")
        yield* cluster.compact
        const [expired] = yield* watch
        tooOld(expired)
      })
  ),
  promised("watchHistoryExpires", "a watch of a custom resource from before its history is told 410", (widgets) =>
    Effect.gen(function* () {
      yield* widgets.make("a")
      const [event] = yield* widgets.watch("resourceVersion=1&timeoutSeconds=2", 1)
      tooOld(event)
    })
  )
]

export const watching = [...events, ...lifetimes]
