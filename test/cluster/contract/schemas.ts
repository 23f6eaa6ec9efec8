/** What the API server promises of schemas: pruning, defaults, validation and rules. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { at, type Json, listAt, stringAt } from "../../support/kubernetes/Json.ts"
import { causesOf, merge, messageOf, promised, refused, type Widgets, widget } from "./Cluster.ts"

const attempt = (widgets: Widgets, spec: Json) => widgets.ask("", { method: "POST", body: widget("v", spec) })

const unchecked =
  "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation"

const shapes = [
  promised("unknownFieldsPruned", "fields that the schema does not know are dropped", (widgets) =>
    Effect.gen(function* () {
      const object = yield* widgets.make("a", {
        name: "x",
        bogus: 1,
        settings: { any: { thing: [1] } },
        labels: { free: "text" },
        ports: [{ name: "p", port: 1, bogus: 2 }]
      })
      assert.deepStrictEqual(object.spec, {
        name: "x",
        size: 1,
        mode: "Fast",
        settings: { any: { thing: [1] } },
        labels: { free: "text" },
        ports: [{ name: "p", port: 1, protocol: "TCP" }]
      })
      const status = yield* widgets.patch("/a/status", { status: { phase: "Ready", extra: 1 } })
      assert.deepStrictEqual(status.body.status, { phase: "Ready" })
    })
  ),
  promised("unknownFieldsReported", "unknown fields are warned of, refused or ignored, as asked", (widgets) =>
    Effect.gen(function* () {
      const body = { ...widget("a", { name: "x", bogus: 1, ports: [{ name: "p", port: 1, zzz: 2 }] }), foo: 1 }
      const strict = yield* widgets.ask("?fieldValidation=Strict", { method: "POST", body })
      refused(strict, 400, "BadRequest")
      assert.strictEqual(
        messageOf(strict),
        'Widget in version "v1alpha1" cannot be handled as a Widget: strict decoding error: unknown field "foo", unknown field "spec.bogus", unknown field "spec.ports[0].zzz"'
      )
      yield* widgets.make("patched")
      const patched = yield* widgets.ask("/patched?fieldValidation=Strict", {
        method: "PATCH",
        body: { spec: { bogus: 2 } },
        type: merge
      })
      refused(patched, 422, "Invalid")
      assert.match(
        messageOf(patched),
        /^ "" is invalid: patch: .*: strict decoding error: unknown field "spec.bogus"$/u
      )
      const silent = yield* widgets.ask("?fieldValidation=Ignore", { method: "POST", body })
      assert.strictEqual(silent.warning, "")
      const warned = yield* widgets.patch("/a", { spec: { bogus: 2 } })
      assert.strictEqual(warned.warning, '299 - "unknown field \\"spec.bogus\\""')
      refused(yield* widgets.ask("?fieldValidation=Bogus", { method: "POST", body }), 422, "Invalid")
    })
  ),
  promised(
    "defaultsFilledIn",
    "defaults are filled in, on create, where a value is taken away, and for null",
    (widgets) =>
      Effect.gen(function* () {
        const made = yield* widgets.make("a", { name: null, template: "tt", ports: [{ name: "p", port: 1 }] })
        assert.deepStrictEqual(made.spec, {
          template: "tt",
          size: 1,
          mode: "Fast",
          ports: [{ name: "p", port: 1, protocol: "TCP" }]
        })
        yield* widgets.patch("/a", { spec: { size: 7 } })
        assert.strictEqual(at((yield* widgets.patch("/a", { spec: { size: null } })).body, "spec", "size"), 1)
      })
  )
]

const values: ReadonlyArray<readonly [Json, ReadonlyArray<string>]> = [
  [{ name: "UPPER" }, [`spec.name: Invalid value: "UPPER": spec.name in body should match '^[a-z][a-z0-9-]*$'`]],
  [{ name: "way-too-long-a-name-for-this" }, [unchecked, "spec.name: Too long: may not be more than 20 bytes"]],
  [{ template: "t" }, [`spec.template: Invalid value: "t": spec.template in body should be at least 2 chars long`]],
  [{ name: "x", size: 0 }, ["spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1"]],
  [{ name: "x", size: 101 }, ["spec.size: Invalid value: 101: spec.size in body should be less than or equal to 100"]],
  [{ name: "x", size: 2, weight: 0 }, ["spec.weight: Invalid value: 0: spec.weight in body should be greater than 0"]],
  [
    { name: "x", size: "big" },
    [unchecked, 'spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"']
  ],
  [
    { name: "x", size: 1.5 },
    [unchecked, 'spec.size: Invalid value: "number": spec.size in body must be of type integer: "number"']
  ],
  [
    { name: "x", enabled: "yes" },
    [unchecked, 'spec.enabled: Invalid value: "string": spec.enabled in body must be of type boolean: "string"']
  ],
  [
    { name: "x", limit: true },
    [unchecked, 'spec.limit: Invalid value: "boolean": spec.limit in body must be of type integer,string: "boolean"']
  ],
  [
    { name: "x", mode: "Medium" },
    [unchecked, 'spec.mode: Unsupported value: "Medium": supported values: "Fast", "Slow"']
  ],
  [{ name: "x", tags: ["aa", "bb", "cc", "dd"] }, [unchecked, "spec.tags: Too many: 4: must have at most 3 items"]],
  [{ name: "x", tags: ["aa", "aa"] }, ['spec.tags[1]: Duplicate value: "aa"']],
  [
    {
      name: "x",
      ports: [
        { name: "p", port: 1 },
        { name: "p", port: 2 }
      ]
    },
    ['spec.ports[1]: Duplicate value: {"name":"p"}']
  ],
  [{ name: "x", ports: [{ name: "p" }] }, [unchecked, "spec.ports[0].port: Required value"]],
  [[], [unchecked, 'spec: Invalid value: "array": spec in body must be of type object: "array"']]
]

const checks = [
  promised(
    "schemasChecked",
    "a value that the schema does not allow is 422, with the reason for each field",
    (widgets) =>
      Effect.gen(function* () {
        for (const [spec, causes] of values) {
          const answer = yield* attempt(widgets, spec)
          refused(answer, 422, "Invalid")
          assert.deepStrictEqual(causesOf(answer), causes.toSorted())
          assert.strictEqual(stringAt(answer.body, "details", "kind"), "Widget")
        }
        const { spec: _spec, ...specless } = widget("v")
        const answer = yield* widgets.ask("", { method: "POST", body: specless })
        assert.strictEqual(
          messageOf(answer),
          `Widget.contract.example.com "v" is invalid: [spec: Required value, ${unchecked}]`
        )
      })
  ),
  promised("schemasChecked", "status is held to the schema too", (widgets) =>
    Effect.gen(function* () {
      yield* widgets.make("a")
      const phase = yield* widgets.patch("/a/status", { status: { phase: "Bogus" } })
      refused(phase, 422, "Invalid")
      const time = [{ type: "Ready", status: "True", lastTransitionTime: "yesterday" }]
      const conditions = yield* widgets.patch("/a/status", { status: { conditions: time } })
      refused(conditions, 422, "Invalid")
      assert.deepStrictEqual(causesOf(conditions), [
        unchecked,
        'status.conditions[0].lastTransitionTime: Invalid value: "yesterday": conditions[0].lastTransitionTime in body must be of type date-time: "yesterday"'
      ])
      assert.isUndefined((yield* widgets.get("a")).status)
    })
  ),
  promised("malformedBodiesRefused", "an object of another kind is refused", (widgets) =>
    Effect.gen(function* () {
      const answer = yield* widgets.ask("", { method: "POST", body: { ...widget("a"), kind: "Gadget" } })
      refused(answer, 422, "Invalid")
      assert.include(messageOf(answer), 'kind: Invalid value: "Gadget": must be Widget')
    })
  ),
  promised("schemasChecked", "names and labels follow the rules for names and labels", (widgets) =>
    Effect.gen(function* () {
      yield* widgets.make("a")
      const name = yield* widgets.ask("", { method: "POST", body: widget("BAD_name") })
      refused(name, 422, "Invalid")
      assert.include(messageOf(name), 'metadata.name: Invalid value: "BAD_name": a lowercase RFC 1123 subdomain must')
      const label = yield* widgets.patch("/a", { metadata: { labels: { a: "b c" } } })
      refused(label, 422, "Invalid")
      assert.include(messageOf(label), 'metadata.labels: Invalid value: "b c": a valid label must be an empty string')
      refused(yield* attempt(widgets, { name: "x", size: 0 }), 422, "Invalid")
    })
  )
]

const rules = [
  promised("rulesChecked", "a rule that does not hold is 422, with its message", (widgets) =>
    Effect.gen(function* () {
      const none = yield* attempt(widgets, {})
      refused(none, 422, "Invalid")
      assert.strictEqual(
        messageOf(none),
        'Widget.contract.example.com "v" is invalid: spec: Invalid value: one of name and template is required'
      )
      const several = yield* attempt(widgets, { name: "kube-x", size: 1, weight: 2, tags: ["a"] })
      assert.deepStrictEqual(causesOf(several), [
        "spec: Invalid value: a widget with a weight has a size of at least 2",
        "spec: Invalid value: failed rule: !has(self.tags) || self.tags.all(t, size(t) > 1)",
        "spec: Invalid value: name must not start with kube-"
      ])
      assert.strictEqual((yield* attempt(widgets, { name: "x", size: 2, weight: 2, tags: ["aa"] })).status, 201)
    })
  ),
  promised("rulesChecked", "a rule over a change holds for changes only", (widgets) =>
    Effect.gen(function* () {
      yield* widgets.make("a")
      assert.strictEqual((yield* widgets.patch("/a", { spec: { zone: "a" } })).status, 200)
      const answer = yield* widgets.patch("/a", { spec: { zone: "b" } })
      refused(answer, 422, "Invalid")
      assert.deepStrictEqual(causesOf(answer), ['spec.zone: Invalid value: "b": zone is immutable'])
      assert.strictEqual((yield* widgets.patch("/a", { spec: { zone: "a", size: 2 } })).status, 200)
    })
  ),
  promised("openApi", "a kind's schema can be had, with the descriptions of its fields", ({ cluster }) =>
    Effect.gen(function* () {
      const index = yield* cluster.ask("/openapi/v3")
      const path = stringAt(index.body, "paths", "apis/contract.example.com/v1alpha1", "serverRelativeURL") ?? "/none"
      const document = yield* cluster.ask(path)
      const schema = at(document.body, "components", "schemas", "com.example.contract.v1alpha1.Widget")
      assert.strictEqual(
        stringAt(schema, "properties", "spec", "properties", "name", "description"),
        "A name for the widget."
      )
      assert.deepStrictEqual(listAt(schema, "x-kubernetes-group-version-kind"), [
        { group: "contract.example.com", version: "v1alpha1", kind: "Widget" }
      ])
    })
  )
]

export const schemas = [...shapes, ...checks, ...rules]
