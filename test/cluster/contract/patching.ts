/** What the API server promises of patches. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { at, objectAt } from "../../support/kubernetes/Json.ts"
import { jsonPatch, merge, messageOf, promised, refused } from "./Cluster.ts"

export const patching = [
  promised("mergePatchNullRemoves", "null in a merge patch removes the key", (widgets) =>
    Effect.gen(function* () {
      yield* widgets.make("a", { name: "x", template: "tt" }, { annotations: { one: "1", two: "2" } })
      const answer = yield* widgets.patch("/a", { metadata: { annotations: { one: null } }, spec: { template: null } })
      assert.strictEqual(answer.status, 200, answer.text)
      assert.deepStrictEqual(objectAt(answer.body, "metadata", "annotations"), { two: "2" })
      assert.isUndefined(at(answer.body, "spec", "template"))
    })
  ),
  promised("jsonPatches", "a JSON patch is applied whole or not at all", (widgets) =>
    Effect.gen(function* () {
      yield* widgets.make("a", { name: "x" }, { annotations: { "k/1": "v" } })
      const done = yield* widgets.patch(
        "/a",
        [
          { op: "test", path: "/metadata/annotations/k~11", value: "v" },
          { op: "add", path: "/spec/tags", value: ["t1"] },
          { op: "add", path: "/spec/tags/-", value: "t2" },
          { op: "replace", path: "/spec/size", value: 4 },
          { op: "remove", path: "/metadata/annotations/k~11" }
        ],
        jsonPatch
      )
      assert.strictEqual(done.status, 200, done.text)
      assert.deepStrictEqual(at(done.body, "spec", "tags"), ["t1", "t2"])
      assert.strictEqual(at(done.body, "spec", "size"), 4)
      const failing = [
        [
          { op: "replace", path: "/spec/size", value: 5 },
          { op: "test", path: "/spec/size", value: 6 }
        ],
        [{ op: "remove", path: "/spec/nope" }],
        [{ op: "add", path: "/metadata/labels/a", value: "b" }]
      ]
      for (const patch of failing) {
        const answer = yield* widgets.patch("/a", patch, jsonPatch)
        refused(answer, 422, "Invalid")
        assert.strictEqual(messageOf(answer), "the server rejected our request due to an error in our request")
      }
      assert.strictEqual(at(yield* widgets.get("a"), "spec", "size"), 4)
    })
  ),
  promised("unknownPatchTypesRefused", "patch types that custom resources do not have are 415", (widgets) =>
    Effect.gen(function* () {
      yield* widgets.make("a")
      for (const type of ["application/strategic-merge-patch+json", "application/json", "text/plain"]) {
        const answer = yield* widgets.patch("/a", { spec: { size: 2 } }, type)
        refused(answer, 415, "UnsupportedMediaType")
        assert.strictEqual(
          messageOf(answer),
          "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
        )
      }
      const charset = yield* widgets.patch("/a", { spec: { size: 2 } }, `${merge}; charset=utf-8`)
      assert.strictEqual(charset.status, 200, charset.text)
    })
  ),
  promised("malformedBodiesRefused", "a patch that cannot be read is 400", (widgets) =>
    Effect.gen(function* () {
      yield* widgets.make("a")
      refused(yield* widgets.patch("/a", '{"spec":'), 400, "BadRequest")
      refused(yield* widgets.patch("/a", "[1]"), 400, "BadRequest")
      refused(yield* widgets.patch("/a", { spec: 1 }, jsonPatch), 400, "BadRequest")
      refused(yield* widgets.patch("/a", { metadata: { name: "other" } }), 400, "BadRequest")
      refused(yield* widgets.patch("/a", ""), 400, "BadRequest")
      refused(yield* widgets.patch("/a", { metadata: { annotations: { a: 1 } } }), 422, "Invalid")
      refused(yield* widgets.patch("/nope", { spec: { size: 1 } }), 404, "NotFound")
    })
  )
]
