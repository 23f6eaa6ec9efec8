/** What the API server promises of lists and selectors. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { at, listAt, stringAt } from "../../support/kubernetes/Json.ts"
import { type Answer, messageOf, namesOf, promised, refused, versionOf, type Widgets } from "./Cluster.ts"

const continueOf = (answer: Answer): string => encodeURIComponent(stringAt(answer.body, "metadata", "continue") ?? "")

const five = (widgets: Widgets) =>
  Effect.forEach(["a", "b", "c", "d", "e"], (name) => widgets.make(name, { name: "x" }), { discard: true })

const pages = [
  promised("listsPaged", "limit and continue walk through a list", (widgets) =>
    Effect.gen(function* () {
      yield* five(widgets)
      const first = yield* widgets.ask("?limit=2")
      assert.deepStrictEqual(namesOf(first), ["a", "b"])
      assert.strictEqual(stringAt(first.body, "kind"), "WidgetList")
      assert.strictEqual(at(first.body, "metadata", "remainingItemCount"), 3)
      const second = yield* widgets.ask(`?limit=2&continue=${continueOf(first)}`)
      const third = yield* widgets.ask(`?limit=2&continue=${continueOf(second)}`)
      assert.deepStrictEqual([namesOf(second), namesOf(third)], [["c", "d"], ["e"]])
      assert.strictEqual(continueOf(third), "")
      refused(yield* widgets.ask("?continue=foo"), 400, "BadRequest")
      refused(yield* widgets.ask("?limit=abc"), 400, "BadRequest")
    })
  ),
  promised("pagesConsistent", "the pages of a list are of one moment", (widgets) =>
    Effect.gen(function* () {
      yield* five(widgets)
      const first = yield* widgets.ask("?limit=3")
      yield* widgets.ask("/d", { method: "DELETE" })
      yield* widgets.make("f")
      yield* widgets.patch("/e", { spec: { size: 9 } })
      const rest = yield* widgets.ask(`?limit=3&continue=${continueOf(first)}`)
      assert.deepStrictEqual(namesOf(rest), ["d", "e"])
      assert.strictEqual(at(listAt(rest.body, "items")[1], "spec", "size"), 1)
      assert.strictEqual(versionOf(rest.body), versionOf(first.body))
    })
  ),
  promised(
    "continueExpires",
    "a continued list from before a compaction is 410, with a way to go on",
    ({ cluster, namespace }) =>
      Effect.gen(function* () {
        const path = `/api/v1/namespaces/${namespace}/configmaps`
        for (const name of ["a", "b", "c"]) {
          const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name } }
          assert.strictEqual((yield* cluster.ask(path, { method: "POST", body })).status, 201)
        }
        const first = yield* cluster.ask(`${path}?limit=1`)
        yield* cluster.ask(`${path}/a`, { method: "DELETE" })
        yield* cluster.compact
        const answer = yield* cluster.ask(`${path}?limit=1&continue=${continueOf(first)}`)
        refused(answer, 410, "Expired")
        assert.include(messageOf(answer), "The provided continue parameter is too old")
        const anyway = yield* cluster.ask(`${path}?limit=1&continue=${continueOf(answer)}`)
        assert.deepStrictEqual(namesOf(anyway), ["b"])
      })
  ),
  promised("listsAtVersion", "a list can be of an exact version, and not of a future one", (widgets) =>
    Effect.gen(function* () {
      const version = versionOf(yield* widgets.make("a"))
      yield* widgets.make("b")
      const then = yield* widgets.ask(`?resourceVersion=${version}&resourceVersionMatch=Exact`)
      assert.deepStrictEqual(namesOf(then), ["a"])
      assert.strictEqual(versionOf(then.body), version)
      const since = yield* widgets.ask(`?resourceVersion=${version}`)
      assert.include(namesOf(since), "a")
      assert.isAtLeast(Number(versionOf(since.body)), Number(version))
      assert.strictEqual((yield* widgets.ask("?resourceVersion=99999999")).status, 504)
      refused(yield* widgets.ask("?resourceVersion=abc"), 400, "BadRequest")
      refused(yield* widgets.ask("?resourceVersionMatch=Exact"), 422, "Invalid")
    })
  ),
  promised("missingIsNotFound", "a namespace's list is empty, not missing; all namespaces have one list", (widgets) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(listAt((yield* widgets.ask("")).body, "items"), [])
      yield* widgets.make("a")
      const all = yield* widgets.cluster.ask("/apis/contract.example.com/v1alpha1/widgets")
      const here = listAt(all.body, "items").filter(
        (item) => stringAt(item, "metadata", "namespace") === widgets.namespace
      )
      assert.strictEqual(here.length, 1)
      refused(yield* widgets.ask("/b"), 404, "NotFound")
    })
  )
]

const selectors = [
  promised("labelSelectors", "labels select", (widgets) =>
    Effect.gen(function* () {
      yield* widgets.make("a", { name: "x" }, { labels: { env: "prod", tier: "1" } })
      yield* widgets.make("b", { name: "x" }, { labels: { env: "test" } })
      yield* widgets.make("c")
      const cases: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
        ["env=prod", ["a"]],
        ["env!=prod", ["b", "c"]],
        ["env in (prod, test),tier", ["a"]],
        ["env notin (prod)", ["b", "c"]],
        ["!env", ["c"]],
        ["env", ["a", "b"]]
      ]
      for (const [selector, names] of cases) {
        const answer = yield* widgets.ask(`?labelSelector=${encodeURIComponent(selector)}`)
        assert.deepStrictEqual(namesOf(answer), names, selector)
      }
      refused(yield* widgets.ask(`?labelSelector=${encodeURIComponent("a in (")}`), 400, "BadRequest")
    })
  ),
  promised("fieldSelectors", "names and declared fields select, absent fields as empty ones", (widgets) =>
    Effect.gen(function* () {
      yield* widgets.make("a")
      yield* widgets.make("b", { name: "x", mode: "Slow" })
      yield* widgets.patch("/a/status", { status: { phase: "Ready" } })
      const cases: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
        ["metadata.name=a", ["a"]],
        ["metadata.name!=a", ["b"]],
        [`metadata.namespace=${widgets.namespace}`, ["a", "b"]],
        ["status.phase!=Ready", ["b"]],
        ["status.phase=", ["b"]],
        ["spec.mode=Fast,status.phase==Ready", ["a"]]
      ]
      for (const [selector, names] of cases) {
        const answer = yield* widgets.ask(`?fieldSelector=${encodeURIComponent(selector)}`)
        assert.deepStrictEqual(namesOf(answer), names, selector)
      }
    })
  ),
  promised("unknownFieldSelectorsRefused", "a field that is not declared selectable is 400", (widgets) =>
    Effect.gen(function* () {
      const answer = yield* widgets.ask("?fieldSelector=spec.size%3D1")
      refused(answer, 400, "BadRequest")
      assert.strictEqual(messageOf(answer), "field label not supported: spec.size")
      refused(yield* widgets.ask("?fieldSelector=bogus"), 400, "BadRequest")
    })
  )
]

export const listing = [...pages, ...selectors]
