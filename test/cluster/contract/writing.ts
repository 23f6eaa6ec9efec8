/** What the API server promises of creating, replacing and patching. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { at, objectAt, stringAt } from "../../support/kubernetes/Json.ts"
import { messageOf, promised, refused, versionOf, widget } from "./Cluster.ts"

const creating = [
  promised("missingIsNotFound", "an object that is not there is 404, in the resource's own words", ({ ask }) =>
    Effect.gen(function* () {
      const answer = yield* ask("/nope")
      refused(answer, 404, "NotFound")
      assert.strictEqual(messageOf(answer), 'widgets.contract.example.com "nope" not found')
      assert.deepStrictEqual(objectAt(answer.body, "details"), {
        name: "nope",
        group: "contract.example.com",
        kind: "widgets"
      })
    })
  ),
  promised("missingIsNotFound", "a kind that is not served is a plain 404", ({ cluster }) =>
    Effect.gen(function* () {
      assert.strictEqual(
        (yield* cluster.ask("/apis/contract.example.com/v1alpha1/gizmos")).text,
        "404 page not found\n"
      )
      refused(
        yield* cluster.ask("/apis/contract.example.com/v1alpha1/namespaces/default/widgets/x", { method: "DELETE" }),
        404,
        "NotFound"
      )
    })
  ),
  promised("uniqueNames", "a created object has an identity, and a second one of its name is 409", ({ ask, make }) =>
    Effect.gen(function* () {
      const created = yield* make("a")
      assert.match(
        stringAt(created, "metadata", "uid") ?? "",
        /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/u
      )
      assert.match(stringAt(created, "metadata", "creationTimestamp") ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/u)
      assert.match(versionOf(created), /^\d+$/u)
      assert.strictEqual(at(created, "metadata", "generation"), 1)
      const answer = yield* ask("", { method: "POST", body: widget("a") })
      refused(answer, 409, "AlreadyExists")
      assert.strictEqual(messageOf(answer), 'widgets.contract.example.com "a" already exists')
    })
  ),
  promised("generatedNames", "a name is made from generateName", ({ ask }) =>
    Effect.gen(function* () {
      const body = { ...widget(""), metadata: { generateName: "gen-" } }
      const [one, two] = [yield* ask("", { method: "POST", body }), yield* ask("", { method: "POST", body })]
      assert.strictEqual(one.status, 201, one.text)
      assert.match(stringAt(one.body, "metadata", "name") ?? "", /^gen-[a-z0-9]{5}$/u)
      assert.notStrictEqual(stringAt(one.body, "metadata", "name"), stringAt(two.body, "metadata", "name"))
    })
  ),
  promised("namespacesExist", "an object cannot be created in a namespace that is not there", ({ cluster }) =>
    Effect.gen(function* () {
      const path = "/apis/contract.example.com/v1alpha1/namespaces/ghost/widgets"
      const answer = yield* cluster.ask(path, { method: "POST", body: widget("a") })
      refused(answer, 404, "NotFound")
      assert.strictEqual(messageOf(answer), 'namespaces "ghost" not found')
    })
  ),
  promised("malformedBodiesRefused", "a body that is not an object of the kind is 400", ({ ask, make }) =>
    Effect.gen(function* () {
      yield* make("a")
      const { kind: _kind, ...untyped } = widget("b")
      for (const body of [
        '{"apiVersion":',
        "[]",
        "",
        untyped,
        { ...widget("b"), apiVersion: "contract.example.com/v1" }
      ]) {
        const answer = yield* ask("", { method: "POST", body })
        refused(answer, 400, "BadRequest")
      }
      const numeric = yield* ask("", { method: "POST", body: widget("b", { name: "x" }, { annotations: { a: 1 } }) })
      assert.include(
        messageOf(numeric),
        "cannot be handled as a Widget: json: cannot unmarshal number into Go struct field ObjectMeta.annotations of type string"
      )
      const elsewhere = yield* ask("", { method: "POST", body: widget("b", { name: "x" }, { namespace: "other" }) })
      refused(elsewhere, 400, "BadRequest")
      const renamed = yield* ask("/a", { method: "PUT", body: widget("b") })
      assert.strictEqual(messageOf(renamed), "the name of the object (b) does not match the name on the URL (a)")
    })
  ),
  promised("mainIgnoresStatus", "a status given on create is dropped", ({ ask }) =>
    Effect.gen(function* () {
      const answer = yield* ask("", { method: "POST", body: { ...widget("a"), status: { phase: "Ready" } } })
      assert.strictEqual(answer.status, 201)
      assert.isUndefined(answer.body.status)
    })
  )
]

const concurrency = [
  promised(
    "staleWritesRefused",
    "a write that carries an older resourceVersion is 409 and changes nothing",
    (widgets) =>
      Effect.gen(function* () {
        const stale = versionOf(yield* widgets.make("a"))
        const fresh = versionOf((yield* widgets.patch("/a", { spec: { size: 2 } })).body)
        const metadata = { resourceVersion: stale, annotations: { by: "loser" } }
        const patched = yield* widgets.patch("/a", { metadata })
        refused(patched, 409, "Conflict")
        assert.strictEqual(
          messageOf(patched),
          'Operation cannot be fulfilled on widgets.contract.example.com "a": the object has been modified; please apply your changes to the latest version and try again'
        )
        refused(
          yield* widgets.ask("/a", { method: "PUT", body: widget("a", { name: "y" }, metadata) }),
          409,
          "Conflict"
        )
        refused(
          yield* widgets.patch("/a", { metadata: { resourceVersion: stale }, spec: { size: 2 } }),
          409,
          "Conflict"
        )
        const now = yield* widgets.get("a")
        assert.strictEqual(versionOf(now), fresh)
        assert.isUndefined(at(now, "metadata", "annotations"))
      })
  ),
  promised("staleWritesRefused", "a write that carries the present resourceVersion succeeds", (widgets) =>
    Effect.gen(function* () {
      const version = versionOf(yield* widgets.make("a"))
      const answer = yield* widgets.patch("/a", {
        metadata: { resourceVersion: version, annotations: { by: "winner" } }
      })
      assert.strictEqual(answer.status, 200, answer.text)
      assert.isAbove(Number(versionOf(answer.body)), Number(version))
      refused(
        yield* widgets.patch("/a", { metadata: { resourceVersion: version, annotations: { by: "second" } } }),
        409,
        "Conflict"
      )
    })
  ),
  promised("staleStatusWritesRefused", "a status write that carries an older resourceVersion is 409", (widgets) =>
    Effect.gen(function* () {
      const stale = versionOf(yield* widgets.make("a"))
      yield* widgets.patch("/a", { metadata: { annotations: { k: "v" } } })
      refused(
        yield* widgets.patch("/a/status", { metadata: { resourceVersion: stale }, status: { phase: "Failed" } }),
        409,
        "Conflict"
      )
      const body = { ...widget("a", { name: "x" }, { resourceVersion: stale }), status: { phase: "Failed" } }
      refused(yield* widgets.ask("/a/status", { method: "PUT", body }), 409, "Conflict")
      assert.isUndefined((yield* widgets.get("a")).status)
    })
  ),
  promised("updateNeedsVersion", "a PUT without a resourceVersion is refused", (widgets) =>
    Effect.gen(function* () {
      yield* widgets.make("a")
      const answer = yield* widgets.ask("/a", { method: "PUT", body: widget("a") })
      refused(answer, 422, "Invalid")
      assert.include(messageOf(answer), "metadata.resourceVersion: Invalid value: 0: must be specified for an update")
      refused(yield* widgets.ask("/zz", { method: "PUT", body: widget("zz") }), 404, "NotFound")
      refused(yield* widgets.patch("/a", { metadata: { resourceVersion: null, labels: { a: "b" } } }), 422, "Invalid")
    })
  ),
  promised("uidMustMatch", "a PUT with another object's uid is 409", (widgets) =>
    Effect.gen(function* () {
      const version = versionOf(yield* widgets.make("a"))
      const body = widget("a", { name: "y" }, { resourceVersion: version, uid: "another" })
      const answer = yield* widgets.ask("/a", { method: "PUT", body })
      refused(answer, 409, "Conflict")
      assert.include(messageOf(answer), "Precondition failed: UID in precondition: another, UID in object meta: ")
    })
  ),
  promised("noOpWritesIgnored", "a write that changes nothing keeps the resourceVersion", (widgets) =>
    Effect.gen(function* () {
      const created = yield* widgets.make("a", { name: "x", size: 3 }, { labels: { l: "1" } })
      const before = versionOf(created)
      assert.strictEqual(versionOf((yield* widgets.patch("/a", { metadata: { labels: { l: "1" } } })).body), before)
      assert.strictEqual(versionOf((yield* widgets.ask("/a", { method: "PUT", body: created })).body), before)
      const ready = { status: { phase: "Ready" } }
      const written = versionOf((yield* widgets.patch("/a/status", ready)).body)
      assert.notStrictEqual(written, before)
      assert.strictEqual(versionOf((yield* widgets.patch("/a/status", ready)).body), written)
    })
  )
]

const generationOf = (object: Parameters<typeof at>[0]) => at(object, "metadata", "generation")

const endpoints = [
  promised("generationFollowsSpec", "generation grows with the spec, not with metadata or status", (widgets) =>
    Effect.gen(function* () {
      yield* widgets.make("a")
      assert.strictEqual(generationOf((yield* widgets.patch("/a", { metadata: { labels: { a: "b" } } })).body), 1)
      assert.strictEqual(generationOf((yield* widgets.patch("/a/status", { status: { phase: "Ready" } })).body), 1)
      assert.strictEqual(generationOf((yield* widgets.patch("/a", { spec: { size: 5 } })).body), 2)
      assert.strictEqual(generationOf((yield* widgets.patch("/a", { spec: { size: 5 } })).body), 2)
    })
  ),
  promised("mainIgnoresStatus", "the main endpoint ignores the status", (widgets) =>
    Effect.gen(function* () {
      yield* widgets.make("a")
      yield* widgets.patch("/a/status", { status: { phase: "Ready" } })
      const answer = yield* widgets.patch("/a", { spec: { size: 2 }, status: { phase: "Failed" } })
      assert.strictEqual(at(answer.body, "status", "phase"), "Ready")
      assert.strictEqual(at(answer.body, "spec", "size"), 2)
      const { status: _status, ...bare } = answer.body
      const put = yield* widgets.ask("/a", { method: "PUT", body: bare })
      assert.strictEqual(at(put.body, "status", "phase"), "Ready")
    })
  ),
  promised("statusIgnoresRest", "the status endpoint ignores everything but the status", (widgets) =>
    Effect.gen(function* () {
      yield* widgets.make("a")
      const answer = yield* widgets.patch("/a/status", {
        metadata: { labels: { a: "b" }, finalizers: ["x.io/f"], annotations: { c: "d" } },
        spec: { size: 9 },
        status: { phase: "Ready" }
      })
      assert.strictEqual(answer.status, 200, answer.text)
      const object = yield* widgets.get("a")
      assert.strictEqual(at(object, "status", "phase"), "Ready")
      assert.strictEqual(at(object, "spec", "size"), 1)
      for (const field of ["labels", "finalizers", "annotations"]) assert.isUndefined(at(object, "metadata", field))
    })
  ),
  promised("systemFieldsKept", "what the server keeps in the metadata cannot be set by a client", (widgets) =>
    Effect.gen(function* () {
      const created = yield* widgets.make("a")
      const answer = yield* widgets.patch("/a", {
        metadata: { creationTimestamp: "2020-01-01T00:00:00Z", generation: 77, labels: { a: "b" } }
      })
      assert.strictEqual(generationOf(answer.body), 1)
      assert.strictEqual(at(answer.body, "metadata", "creationTimestamp"), at(created, "metadata", "creationTimestamp"))
      const uid = yield* widgets.patch("/a", { metadata: { uid: "another" } })
      refused(uid, 422, "Invalid")
      assert.include(messageOf(uid), 'metadata.uid: Invalid value: "another": field is immutable')
      refused(yield* widgets.patch("/a", { metadata: { deletionTimestamp: "2020-01-01T00:00:00Z" } }), 422, "Invalid")
    })
  ),
  promised("methodsChecked", "a method that a subresource does not have is 405", (widgets) =>
    Effect.gen(function* () {
      yield* widgets.make("a")
      refused(yield* widgets.ask("/a/status", { method: "DELETE" }), 405, "MethodNotAllowed")
      refused(yield* widgets.patch("", {}), 400, "BadRequest")
    })
  )
]

export const writing = [...creating, ...concurrency, ...endpoints]
