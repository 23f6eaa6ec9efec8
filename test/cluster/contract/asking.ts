/** What the API server promises of who may ask, in which forms it answers, and what can be found out. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { at, listAt, objectAt, stringAt } from "../../support/kubernetes/Json.ts"
import { messageOf, promised, refused, versionOf, widget } from "./Cluster.ts"

const who = [
  promised("tokensChecked", "an unknown token is 401", (widgets) =>
    Effect.gen(function* () {
      const answer = yield* widgets.ask("", { token: "unknown-token" })
      refused(answer, 401, "Unauthorized")
      assert.strictEqual(messageOf(answer), "Unauthorized")
    })
  ),
  promised("rulesEnforced", "a user without a rule for it is 403, in words that name what is missing", (widgets) =>
    Effect.gen(function* () {
      yield* widgets.make("a")
      const token = "nobody-token"
      const cannot = 'User "nobody" cannot'
      const inGroup = `in API group "contract.example.com" in the namespace "${widgets.namespace}"`
      const get = yield* widgets.ask("/a", { token })
      refused(get, 403, "Forbidden")
      assert.strictEqual(
        messageOf(get),
        `widgets.contract.example.com "a" is forbidden: ${cannot} get resource "widgets" ${inGroup}`
      )
      const status = yield* widgets.ask("/a/status", {
        token,
        method: "PATCH",
        body: {},
        type: "application/merge-patch+json"
      })
      assert.strictEqual(
        messageOf(status),
        `widgets.contract.example.com "a" is forbidden: ${cannot} patch resource "widgets/status" ${inGroup}`
      )
      const all = yield* widgets.cluster.ask("/apis/contract.example.com/v1alpha1/widgets", { token })
      assert.strictEqual(
        messageOf(all),
        `widgets.contract.example.com is forbidden: ${cannot} list resource "widgets" in API group "contract.example.com" at the cluster scope`
      )
      const anonymous = yield* widgets.ask("", { token: null })
      refused(anonymous, 403, "Forbidden")
      assert.include(messageOf(anonymous), 'User "system:anonymous" cannot list resource "widgets"')
    })
  ),
  promised("rulesEnforced", "a user may do what its rules say, no more", (widgets) =>
    Effect.gen(function* () {
      yield* widgets.make("a")
      const token = "viewer-token"
      assert.strictEqual((yield* widgets.ask("/a", { token })).status, 200)
      assert.strictEqual((yield* widgets.ask("", { token })).status, 200)
      refused(yield* widgets.ask("", { token, method: "POST", body: widget("b") }), 403, "Forbidden")
      refused(yield* widgets.ask("/a", { token, method: "DELETE" }), 403, "Forbidden")
    })
  )
]

const tableType = "application/json;as=Table;g=meta.k8s.io;v=v1"

const forms = [
  promised("tables", "lists and objects can be had as tables with the columns of the definition", (widgets) =>
    Effect.gen(function* () {
      yield* widgets.make("a", { name: "x", size: 5 })
      yield* widgets.patch("/a/status", {
        status: { phase: "Ready", conditions: [{ type: "Ready", status: "True" }], message: "fine" }
      })
      yield* widgets.make("b")
      const list = yield* widgets.ask("", { accept: `${tableType},application/json` })
      assert.strictEqual(stringAt(list.body, "kind"), "Table")
      assert.deepStrictEqual(
        listAt(list.body, "columnDefinitions").map((column) => [
          stringAt(column, "name"),
          stringAt(column, "type"),
          at(column, "priority")
        ]),
        [
          ["Name", "string", 0],
          ["Phase", "string", 0],
          ["Ready", "string", 0],
          ["Size", "integer", 0],
          ["Age", "date", 0],
          ["Message", "string", 1]
        ]
      )
      const [first, second] = listAt(list.body, "rows").map((row) => listAt(row, "cells"))
      assert.deepStrictEqual(first?.with(4, "age"), ["a", "Ready", "True", 5, "age", "fine"])
      assert.deepStrictEqual(second?.with(4, "age"), ["b", null, null, 1, "age", null])
      assert.match(String(first?.[4]), /^\d+s$/u)
      assert.match(versionOf(list.body), /^\d+$/u)
      const one = yield* widgets.ask("/a?includeObject=Object", { accept: tableType })
      assert.strictEqual(stringAt(listAt(one.body, "rows")[0], "object", "kind"), "Widget")
      refused(yield* widgets.ask("/zz", { accept: tableType }), 404, "NotFound")
    })
  ),
  promised("partialMetadata", "metadata alone can be had", (widgets) =>
    Effect.gen(function* () {
      yield* widgets.make("a", { name: "x" }, { labels: { l: "1" } })
      const accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
      const answer = yield* widgets.ask("/a", { accept })
      assert.strictEqual(stringAt(answer.body, "kind"), "PartialObjectMetadata")
      assert.deepStrictEqual(objectAt(answer.body, "metadata", "labels"), { l: "1" })
      assert.isUndefined(answer.body.spec)
    })
  ),
  promised("acceptChecked", "a form that nobody has is 406", (widgets) =>
    Effect.gen(function* () {
      yield* widgets.make("a")
      refused(yield* widgets.ask("/a", { accept: "text/html" }), 406, "NotAcceptable")
      assert.strictEqual((yield* widgets.ask("/a", { accept: "text/html, */*" })).status, 200)
    })
  ),
  promised("discovery", "groups and resources can be discovered", ({ cluster }) =>
    Effect.gen(function* () {
      const groups = yield* cluster.ask("/apis", { accept: "application/json" })
      assert.include(
        listAt(groups.body, "groups").map((group) => stringAt(group, "name")),
        "contract.example.com"
      )
      const resources = yield* cluster.ask("/apis/contract.example.com/v1alpha1", { accept: "application/json" })
      const [widgets, status] = listAt(resources.body, "resources")
      assert.deepStrictEqual(
        [
          stringAt(widgets, "name"),
          stringAt(widgets, "kind"),
          listAt(widgets, "shortNames"),
          at(widgets, "namespaced")
        ],
        ["widgets", "Widget", ["wd"], true]
      )
      assert.sameMembers(listAt(widgets, "verbs").slice(), [
        "create",
        "delete",
        "deletecollection",
        "get",
        "list",
        "patch",
        "update",
        "watch"
      ])
      assert.strictEqual(stringAt(status, "name"), "widgets/status")
      const version = yield* cluster.ask("/version")
      assert.strictEqual(stringAt(version.body, "major"), "1")
      assert.strictEqual((yield* cluster.ask("/readyz", { token: null })).text, "ok")
    })
  )
]

export const asking = [...who, ...forms]
