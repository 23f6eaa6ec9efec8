/** What the API server promises of server-side apply and of who owns which field. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { at, type JsonObject, listAt, objectAt, stringAt } from "../../support/kubernetes/Json.ts"
import { apiVersion, applyPatch, causesOf, messageOf, promised, refused, type Widgets } from "./Cluster.ts"

const apply = (widgets: Widgets, manager: string, spec: JsonObject, query = "") =>
  widgets.patch(
    `/a?fieldManager=${manager}${query}`,
    { apiVersion, kind: "Widget", metadata: { name: "a" }, spec },
    applyPatch
  )

const ownedBy = (object: JsonObject, manager: string) =>
  listAt(object, "metadata", "managedFields").filter((entry) => stringAt(entry, "manager") === manager)

export const applying = [
  promised("applyOwnsFields", "apply creates an object, and owns exactly what it names", (widgets) =>
    Effect.gen(function* () {
      const created = yield* apply(widgets, "me", { name: "x" })
      assert.strictEqual(created.status, 201, created.text)
      const [entry] = ownedBy(created.body, "me")
      assert.strictEqual(stringAt(entry, "operation"), "Apply")
      assert.deepStrictEqual(objectAt(entry, "fieldsV1"), { "f:spec": { "f:name": {} } })
      assert.strictEqual(at(created.body, "spec", "size"), 1)
    })
  ),
  promised(
    "applyOwnsFields",
    "a field that another one owns is a conflict unless it is forced or agreed on",
    (widgets) =>
      Effect.gen(function* () {
        yield* widgets.make("a", { name: "x", size: 2 })
        assert.strictEqual((yield* apply(widgets, "me", { size: 2 })).status, 200)
        const conflict = yield* apply(widgets, "me", { size: 3 })
        refused(conflict, 409, "Conflict")
        assert.strictEqual(
          messageOf(conflict),
          `Apply failed with 1 conflict: conflict with "contract" using ${apiVersion}: .spec.size`
        )
        const forced = yield* apply(widgets, "me", { size: 3 }, "&force=true")
        assert.strictEqual(at(forced.body, "spec", "size"), 3)
        const [update] = ownedBy(forced.body, "contract")
        assert.isUndefined(at(update, "fieldsV1", "f:spec", "f:size"))
      })
  ),
  promised(
    "applyOwnsFields",
    "what is no longer applied goes, and items of keyed lists are owned one by one",
    (widgets) =>
      Effect.gen(function* () {
        yield* widgets.make("a", { name: "x", ports: [{ name: "mine", port: 1 }] })
        const more = yield* apply(widgets, "me", { template: "tt", ports: [{ name: "yours", port: 2 }] })
        assert.deepStrictEqual(at(more.body, "spec", "ports"), [
          { name: "mine", port: 1, protocol: "TCP" },
          { name: "yours", port: 2, protocol: "TCP" }
        ])
        const theirs = yield* apply(widgets, "you", { ports: [{ name: "yours", port: 3 }] })
        assert.deepStrictEqual(causesOf(theirs), ['.spec.ports[name="yours"].port: conflict with "me"'])
        const less = yield* apply(widgets, "me", { enabled: true })
        assert.deepStrictEqual(at(less.body, "spec", "ports"), [{ name: "mine", port: 1, protocol: "TCP" }])
        assert.isUndefined(at(less.body, "spec", "template"))
        assert.strictEqual(at(less.body, "spec", "enabled"), true)
      })
  ),
  promised("applyOwnsFields", "an ordinary write is recorded under its user agent, the status apart", (widgets) =>
    Effect.gen(function* () {
      yield* widgets.make("a")
      const answer = yield* widgets.patch("/a/status", { status: { phase: "Ready" } })
      const entries = ownedBy(answer.body, "contract")
      assert.deepStrictEqual(
        entries.map((entry) => stringAt(entry, "subresource")),
        [undefined, "status"]
      )
      assert.deepStrictEqual(objectAt(entries[1], "fieldsV1"), { "f:status": { ".": {}, "f:phase": {} } })
      refused(yield* apply(widgets, "", { size: 1 }), 422, "Invalid")
      assert.strictEqual((yield* apply(widgets, "me", { size: 1 })).status, 200)
      refused(yield* apply(widgets, "you", { size: 7 }), 409, "Conflict")
    })
  )
]
