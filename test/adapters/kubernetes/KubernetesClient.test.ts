import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, type Schema } from "effect"
import { CredentialsError, type RequestHeaders } from "../../../src/adapters/kubernetes/Credential.ts"
import { ConnectionLost, json, type WireRequest } from "../../support/Wire.ts"
import { metadata, type Script, script, scriptedClient, status, vm } from "./scripted.ts"

const view = { namespace: "default", name: "vm-1", uid: "uid-1", resourceVersion: "101" }
const kind = { apiVersion: "cloudkit.openshift.io/v1alpha1", kind: "ComputeInstanceList" }
const page = (items: ReadonlyArray<unknown>, metadata: Readonly<Record<string, unknown>> = {}) =>
  json(200, { ...kind, metadata: { resourceVersion: "500", ...metadata }, items })

const only = (played: Script): WireRequest => {
  assert.lengthOf(played.requests, 1)
  const [request] = played.requests
  if (request === undefined) throw new Error("nothing was asked")
  return request
}

const bodyOf = (request: WireRequest): Schema.Json => JSON.parse(request.body)

it.effect("get asks for the object in its own namespace and answers it whole, without managedFields", () =>
  Effect.gen(function* () {
    const played = script(json(200, vm({ ownerReferences: [{ kind: "Tenant" }], labels: null })))
    const client = yield* scriptedClient(played, { namespace: "elsewhere" })
    const object: unknown = yield* client.get({ namespace: "team a", name: "vm-1" })
    const { managedFields, ...kept } = { ...metadata, ownerReferences: [{ kind: "Tenant" }] }
    assert.isDefined(managedFields)
    assert.deepStrictEqual(object, { ...vm(), metadata: kept })
    const request = only(played)
    assert.strictEqual(request.method, "GET")
    assert.strictEqual(
      request.url.pathname,
      "/apis/cloudkit.openshift.io/v1alpha1/namespaces/team%20a/computeinstances/vm-1"
    )
    assert.strictEqual(request.headers.accept, "application/json")
    assert.strictEqual(request.headers["user-agent"], "cloudkit-operator/1.2.3")
  })
)

it.effect("the path of the server URL is kept, as servers behind one gateway need it", () =>
  Effect.gen(function* () {
    const played = script(json(200, vm()))
    const client = yield* scriptedClient(played, { server: "https://gateway.test/k8s/clusters/c-1" })
    yield* client.get(view)
    assert.match(only(played).url.href, /^https:\/\/gateway\.test\/k8s\/clusters\/c-1\/apis\//)
  })
)

it.effect("a name that would address something else is refused without asking", () =>
  Effect.gen(function* () {
    const played = script(json(200, vm()))
    const client = yield* scriptedClient(played)
    for (const name of ["", ".", ".."]) {
      const error = yield* Effect.flip(client.get({ namespace: "default", name }))
      assert.strictEqual(error.reason._tag, "Invalid")
    }
    assert.lengthOf(played.requests, 0)
  })
)

it.effect("list asks for pages, of all namespaces or of one, and hands the continue token on", () =>
  Effect.gen(function* () {
    const everywhere = script(page([vm()], { continue: "token/+=" }))
    const first = yield* (yield* scriptedClient(everywhere)).list({ limit: 500, continue: Option.none() })
    assert.strictEqual(first.resourceVersion, "500")
    assert.deepStrictEqual(first.continue, Option.some("token/+="))
    const request = only(everywhere)
    assert.strictEqual(request.url.pathname, "/apis/cloudkit.openshift.io/v1alpha1/computeinstances")
    assert.deepStrictEqual(Object.fromEntries(request.url.searchParams), { limit: "500" })

    const within = script(page([]))
    const client = yield* scriptedClient(within, { namespace: "team-a" })
    const last = yield* client.list({ limit: 2, continue: first.continue })
    assert.deepStrictEqual(last.continue, Option.none())
    const { url } = only(within)
    assert.strictEqual(url.pathname, "/apis/cloudkit.openshift.io/v1alpha1/namespaces/team-a/computeinstances")
    assert.deepStrictEqual(Object.fromEntries(url.searchParams), { limit: "2", continue: "token/+=" })
  })
)

it.effect("items of a list get the kind that the list says once for all of them", () =>
  Effect.gen(function* () {
    const { apiVersion, kind: ofItem, ...bare } = vm()
    const client = yield* scriptedClient(script(page([bare])))
    const { items } = yield* client.list({ limit: 500, continue: Option.none() })
    assert.strictEqual(items[0]?.apiVersion, apiVersion)
    assert.strictEqual(items[0]?.kind, ofItem)
  })
)

it.effect("an empty list may come as null, and what is no object is left out without spoiling the rest", () =>
  Effect.gen(function* () {
    const none = yield* scriptedClient(script(json(200, { ...kind, metadata: { resourceVersion: "5" }, items: null })))
    assert.lengthOf((yield* none.list({ limit: 500, continue: Option.none() })).items, 0)

    const polluted: unknown = JSON.parse(
      '{"metadata":{"name":"p","namespace":"n","uid":"u","resourceVersion":"1"},"spec":{"__proto__":{"admin":true}}}'
    )
    const odd = [null, 7, { metadata: {} }, vm({ uid: undefined }), vm({ finalizers: "no list" }), polluted]
    const client = yield* scriptedClient(script(page([...odd, vm({ name: "good" })])))
    const { items } = yield* client.list({ limit: 500, continue: Option.none() })
    assert.deepStrictEqual(
      items.map((it) => it.metadata.name),
      ["good"]
    )
  })
)

it.effect("a list that is none is a failure, not an empty cluster", () =>
  Effect.gen(function* () {
    for (const wrong of [{ items: [] }, { ...kind, metadata: {}, items: [] }, { ...vm(), items: [] }, null, []]) {
      const client = yield* scriptedClient(script(json(200, wrong)))
      const error = yield* Effect.flip(client.list({ limit: 500, continue: Option.none() }))
      assert.strictEqual(error.reason._tag, "ServerFailure")
    }
  })
)

it.effect("a continue token that is too old is Expired", () =>
  Effect.gen(function* () {
    const client = yield* scriptedClient(script(json(410, status(410, "Expired", "the continue token is too old"))))
    const error = yield* Effect.flip(client.list({ limit: 500, continue: Option.some("old") }))
    assert.strictEqual(error.reason._tag, "Expired")
  })
)

it.effect("metadata is written by a merge patch that carries uid and resourceVersion, and only what changes", () =>
  Effect.gen(function* () {
    const played = script(json(200, vm({ resourceVersion: "102" })))
    const client = yield* scriptedClient(played)
    const change = { annotations: { keep: "x", drop: null }, finalizers: ["cloudkit.openshift.io/computeinstance"] }
    const object = yield* client.patchMetadata(view, change)
    assert.strictEqual(object.metadata.resourceVersion, "102")
    const request = only(played)
    assert.strictEqual(request.method, "PATCH")
    assert.strictEqual(request.headers["content-type"], "application/merge-patch+json")
    assert.match(request.url.pathname, /\/namespaces\/default\/computeinstances\/vm-1$/)
    assert.deepStrictEqual(bodyOf(request), { metadata: { uid: "uid-1", resourceVersion: "101", ...change } })
  })
)

it.effect("status is written to its own subresource, under the same guard", () =>
  Effect.gen(function* () {
    const played = script(json(200, vm({ resourceVersion: "102" })))
    const client = yield* scriptedClient(played)
    yield* client.patchStatus(view, { phase: "Ready", jobs: [], provisionJob: null })
    const request = only(played)
    assert.match(request.url.pathname, /\/computeinstances\/vm-1\/status$/)
    assert.deepStrictEqual(bodyOf(request), {
      metadata: { uid: "uid-1", resourceVersion: "101" },
      status: { phase: "Ready", jobs: [], provisionJob: null }
    })
  })
)

it.effect("a write without a guard is never sent", () =>
  Effect.gen(function* () {
    const played = script(json(200, vm()))
    const client = yield* scriptedClient(played)
    for (const hole of [{ uid: "" }, { resourceVersion: "" }]) {
      const error = yield* Effect.flip(client.patchStatus({ ...view, ...hole }, {}))
      assert.strictEqual(error.reason._tag, "Invalid")
    }
    assert.lengthOf(played.requests, 0)
  })
)

it.effect("a write is sent once, whatever comes back", () =>
  Effect.gen(function* () {
    const answers = [
      json(401, status(401, "Unauthorized", "expired")),
      json(429, status(429, "TooManyRequests", "busy"), { "retry-after": "1" }),
      json(500, status(500, "InternalError", "oops")),
      json(409, status(409, "Conflict", "stale")),
      () => Effect.fail(new ConnectionLost({ code: "ECONNRESET" }))
    ]
    for (const answer of answers) {
      const played = script(answer, json(200, vm()))
      const client = yield* scriptedClient(played)
      yield* Effect.flip(client.patchMetadata(view, { annotations: { a: "b" } }))
      assert.lengthOf(played.requests, 1)
    }
  })
)

describe("an expired credential", () => {
  /** Headers that change with every drop: `Bearer 1`, `Bearer 2`, … */
  const rotating = () => {
    let generation: RequestHeaders = { authorization: "Bearer 1" }
    return {
      headers: Effect.sync(() => generation),
      drop: (refused: RequestHeaders) =>
        Effect.sync(() => {
          if (refused === generation) generation = { authorization: "Bearer 2" }
        })
    }
  }
  const refused = json(401, status(401, "Unauthorized", "the token has expired"))
  const sent = (played: Script) => played.requests.map((it) => it.headers.authorization)

  it.effect("is read anew, and the read is repeated with it", () =>
    Effect.gen(function* () {
      const played = script(refused, json(200, vm()))
      const client = yield* scriptedClient(played, rotating())
      assert.strictEqual((yield* client.get(view)).metadata.name, "vm-1")
      assert.deepStrictEqual(sent(played), ["Bearer 1", "Bearer 2"])
    })
  )

  it.effect("that stays refused is Unauthorized after one repetition", () =>
    Effect.gen(function* () {
      const played = script(refused)
      const error = yield* Effect.flip((yield* scriptedClient(played, rotating())).get(view))
      assert.strictEqual(error.reason._tag, "Unauthorized")
      assert.lengthOf(played.requests, 2)
    })
  )

  it.effect("met by a write is read anew for the next request", () =>
    Effect.gen(function* () {
      const played = script(refused, json(200, vm()))
      const client = yield* scriptedClient(played, rotating())
      yield* Effect.flip(client.patchStatus(view, {}))
      yield* client.patchStatus(view, {})
      assert.deepStrictEqual(sent(played), ["Bearer 1", "Bearer 2"])
    })
  )

  it.effect("that cannot be read is Unauthorized with the cause, and nothing is sent", () =>
    Effect.gen(function* () {
      const played = script(json(200, vm()))
      const headers = Effect.fail(new CredentialsError({ message: "cannot read the token file /t: ENOENT" }))
      const error = yield* Effect.flip((yield* scriptedClient(played, { headers })).get(view))
      assert.strictEqual(error.reason._tag, "Unauthorized")
      assert.include(error.message, "/t: ENOENT")
      assert.lengthOf(played.requests, 0)
    })
  )
})
