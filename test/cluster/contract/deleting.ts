/** What the API server promises of deletion, finalizers and preconditions. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { at, type JsonObject, listAt, objectAt, stringAt } from "../../support/kubernetes/Json.ts"
import { messageOf, namesOf, promised, refused, versionOf, type Widgets } from "./Cluster.ts"

const held = (widgets: Widgets, name: string, ...finalizers: ReadonlyArray<string>) =>
  widgets.make(name, { name: "x" }, { finalizers })

const remove = (widgets: Widgets, name: string, body?: JsonObject) =>
  widgets.ask(`/${name}`, { method: "DELETE", ...(body === undefined ? {} : { body }) })

export const deleting = [
  promised("missingIsNotFound", "an object that nothing holds goes at once", (widgets) =>
    Effect.gen(function* () {
      const created = yield* widgets.make("a")
      const answer = yield* remove(widgets, "a")
      assert.strictEqual(answer.status, 200, answer.text)
      assert.strictEqual(stringAt(answer.body, "status"), "Success")
      assert.strictEqual(stringAt(answer.body, "details", "uid"), stringAt(created, "metadata", "uid"))
      refused(yield* widgets.ask("/a"), 404, "NotFound")
      refused(yield* remove(widgets, "a"), 404, "NotFound")
    })
  ),
  promised("finalizersHoldObjects", "an object with finalizers stays, marked for deletion", (widgets) =>
    Effect.gen(function* () {
      yield* held(widgets, "a", "one.io/f", "two.io/f")
      const answer = yield* remove(widgets, "a", { propagationPolicy: "Background" })
      assert.strictEqual(answer.status, 200, answer.text)
      const marked = yield* widgets.get("a")
      assert.match(stringAt(marked, "metadata", "deletionTimestamp") ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/u)
      assert.strictEqual(at(marked, "metadata", "deletionGracePeriodSeconds"), 0)
      assert.strictEqual(at(marked, "metadata", "generation"), 2)
      yield* remove(widgets, "a")
      assert.strictEqual(versionOf(yield* widgets.get("a")), versionOf(marked))
    })
  ),
  promised("lastFinalizerRemoves", "the last finalizer taken off removes the object, not one before", (widgets) =>
    Effect.gen(function* () {
      const version = versionOf(yield* held(widgets, "a", "one.io/f", "two.io/f"))
      yield* remove(widgets, "a")
      assert.strictEqual((yield* widgets.patch("/a", { metadata: { finalizers: ["two.io/f"] } })).status, 200)
      yield* widgets.get("a")
      assert.strictEqual((yield* widgets.patch("/a", { metadata: { finalizers: null } })).status, 200)
      refused(yield* widgets.ask("/a"), 404, "NotFound")
      const events = yield* widgets.watch(`resourceVersion=${version}`, 3)
      assert.deepStrictEqual(
        events.map((event) => event.type),
        ["MODIFIED", "MODIFIED", "DELETED"]
      )
    })
  ),
  promised("noNewFinalizersWhileDeleting", "no finalizer can be added to an object that is being deleted", (widgets) =>
    Effect.gen(function* () {
      yield* held(widgets, "a", "one.io/f")
      yield* remove(widgets, "a")
      const answer = yield* widgets.patch("/a", { metadata: { finalizers: ["one.io/f", "new.io/f"] } })
      refused(answer, 422, "Invalid")
      assert.strictEqual(
        messageOf(answer),
        'Widget.contract.example.com "a" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"new.io/f"}'
      )
    })
  ),
  promised(
    "finalizersHoldObjects",
    "an object that is being deleted can still be written, but not revived",
    (widgets) =>
      Effect.gen(function* () {
        yield* held(widgets, "a", "one.io/f")
        yield* remove(widgets, "a")
        assert.strictEqual((yield* widgets.patch("/a/status", { status: { phase: "Deleting" } })).status, 200)
        const answer = yield* widgets.patch("/a", { metadata: { deletionTimestamp: null, annotations: { k: "v" } } })
        assert.isDefined(at(answer.body, "metadata", "deletionTimestamp"))
        assert.deepStrictEqual(objectAt(answer.body, "metadata", "annotations"), { k: "v" })
        assert.strictEqual(at(answer.body, "status", "phase"), "Deleting")
      })
  ),
  promised("finalizerNamesReported", "a finalizer whose name says nothing of its owner is warned of", (widgets) =>
    Effect.gen(function* () {
      yield* widgets.make("a")
      const plain = yield* widgets.patch("/a", { metadata: { finalizers: ["plain"] } })
      assert.include(
        plain.warning,
        'metadata.finalizers: \\"plain\\": prefer a domain-qualified finalizer name to avoid'
      )
      const qualified = yield* widgets.patch("/a", { metadata: { finalizers: ["x.io/f"] } })
      assert.strictEqual(qualified.warning, "")
    })
  ),
  promised("deletePreconditions", "a delete whose preconditions do not hold is 409", (widgets) =>
    Effect.gen(function* () {
      const created = yield* widgets.make("a")
      const uid = stringAt(created, "metadata", "uid") ?? ""
      const wrongUid = yield* remove(widgets, "a", { preconditions: { uid: "another" } })
      refused(wrongUid, 409, "Conflict")
      assert.include(messageOf(wrongUid), "the UID in the precondition (another) does not match the UID in record")
      const stale = yield* remove(widgets, "a", { preconditions: { uid, resourceVersion: "1" } })
      refused(stale, 409, "Conflict")
      const preconditions = { uid, resourceVersion: versionOf(created) }
      assert.strictEqual((yield* remove(widgets, "a", { preconditions })).status, 200)
    })
  ),
  promised("finalizersHoldObjects", "foreground deletion is a finalizer", (widgets) =>
    Effect.gen(function* () {
      yield* widgets.make("a")
      const answer = yield* remove(widgets, "a", { propagationPolicy: "Foreground" })
      assert.deepStrictEqual(listAt(answer.body, "metadata", "finalizers"), ["foregroundDeletion"])
      refused(yield* remove(widgets, "a", { propagationPolicy: "Bogus" }), 422, "Invalid")
    })
  ),
  promised("malformedBodiesRefused", "a delete whose options cannot be read is 400", (widgets) =>
    Effect.gen(function* () {
      yield* widgets.make("a")
      refused(yield* widgets.ask("/a", { method: "DELETE", body: '{"kind":' }), 400, "BadRequest")
      refused(yield* widgets.ask("", { method: "POST", body: '{"kind":' }), 400, "BadRequest")
    })
  ),
  promised("collectionsDeleted", "deleting a collection deletes what its selector selects", (widgets) =>
    Effect.gen(function* () {
      yield* widgets.make("a", { name: "x" }, { labels: { g: "1" } })
      yield* widgets.make("b", { name: "x" }, { labels: { g: "1" }, finalizers: ["one.io/f"] })
      yield* widgets.make("c", { name: "x" }, { labels: { g: "2" } })
      const answer = yield* widgets.ask("?labelSelector=g%3D1", { method: "DELETE" })
      assert.deepStrictEqual(namesOf(answer), ["a", "b"])
      assert.deepStrictEqual(namesOf(yield* widgets.ask("")), ["b", "c"])
      assert.isDefined(at(yield* widgets.get("b"), "metadata", "deletionTimestamp"))
    })
  )
]
