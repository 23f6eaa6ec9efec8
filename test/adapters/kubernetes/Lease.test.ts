import { assert, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Option } from "effect"
import { HttpClient } from "effect/http"
import { ApiServer } from "../../../src/adapters/kubernetes/ApiServer.ts"
import * as Lease from "../../../src/adapters/kubernetes/Lease.ts"
import { ownIdentity, ownNamespace } from "../../../src/adapters/kubernetes/OwnNamespace.ts"
import { at } from "../../support/expectations.ts"
import { withFaults } from "../../support/Faults.ts"
import * as SimulatedKubernetes from "../../support/SimulatedKubernetes.ts"
import { inProcess } from "../../support/Wire.ts"

const name = { namespace: "default", name: "cloudkit-operator-leader" }
const path = "/apis/coordination.k8s.io/v1/namespaces/default/leases/cloudkit-operator-leader"
const claim = { holder: "operator-0", seconds: 15, acquired: 1_000, renewed: 61_234, transitions: 0 }

const makeSite = Effect.fnUntraced(function* (options: SimulatedKubernetes.Options = {}) {
  const kubernetes = yield* SimulatedKubernetes.make(options)
  const wire = yield* withFaults(kubernetes.handler)
  const api = Layer.effect(
    ApiServer,
    ApiServer.make({
      server: "https://kubernetes.test",
      headers: { current: Effect.succeed({ authorization: "Bearer operator" }), drop: () => Effect.void },
      version: "test"
    })
  ).pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, inProcess(wire.handler))))
  const lock = yield* Effect.provide(Lease.make(name), api)
  const byPerson = (method: string, body: string) =>
    kubernetes.handler({
      method,
      url: new URL(path, "https://kubernetes.test"),
      headers: { authorization: "Bearer admin", "content-type": "application/merge-patch+json" },
      body
    })
  const stored = Effect.map(kubernetes.stored("leases.coordination.k8s.io"), ([lease]) => lease)
  return { wire, lock, byPerson, stored }
})

it.effect("the Lease is made with its first claim, its times with six digits of a second", () =>
  Effect.gen(function* () {
    const { lock, stored } = yield* makeSite()
    assert.isTrue(Option.isNone(yield* lock.read))
    const { version } = yield* lock.create(claim)
    assert.deepStrictEqual(at(yield* stored, "spec"), {
      holderIdentity: "operator-0",
      leaseDurationSeconds: 15,
      acquireTime: "1970-01-01T00:00:01.000000Z",
      renewTime: "1970-01-01T00:01:01.234000Z",
      leaseTransitions: 0
    })
    assert.deepStrictEqual(yield* lock.read, Option.some({ claim, version }))
  }).pipe(Effect.scoped)
)

it.effect("a write that was decided on an older version is a conflict and changes nothing", () =>
  Effect.gen(function* () {
    const { lock, stored } = yield* makeSite()
    const first = yield* lock.create(claim)
    assert.isTrue(lock.isConflict(yield* Effect.flip(lock.create({ ...claim, holder: "operator-1" }))))
    const second = yield* lock.update({ ...claim, renewed: 70_000 }, first.version)
    assert.notStrictEqual(second.version, first.version)
    const stale = lock.update({ ...claim, holder: "operator-1" }, first.version)
    assert.isTrue(lock.isConflict(yield* Effect.flip(stale)))
    assert.strictEqual(at(yield* stored, "spec", "holderIdentity"), "operator-0")
  }).pipe(Effect.scoped)
)

it.effect("a Lease that a person deleted is a conflict for who held it, and can be made again", () =>
  Effect.gen(function* () {
    const { byPerson, lock } = yield* makeSite()
    const { version } = yield* lock.create(claim)
    yield* byPerson("DELETE", "")
    assert.isTrue(lock.isConflict(yield* Effect.flip(lock.update(claim, version))))
    assert.isTrue(Option.isNone(yield* lock.read))
    yield* lock.create(claim)
  }).pipe(Effect.scoped)
)

it.effect("labels and annotations of others stay; an edit is a new version", () =>
  Effect.gen(function* () {
    const { byPerson, lock, stored } = yield* makeSite()
    const { version } = yield* lock.create(claim)
    yield* byPerson("PATCH", '{"metadata":{"labels":{"team":"a"}},"spec":{"holderIdentity":null}}')
    assert.isTrue(lock.isConflict(yield* Effect.flip(lock.update(claim, version))))
    const seen = Option.getOrThrow(yield* lock.read)
    assert.strictEqual(seen.claim.holder, "")
    yield* lock.update(claim, seen.version)
    assert.strictEqual(at(yield* stored, "metadata", "labels", "team"), "a")
  }).pipe(Effect.scoped)
)

it.effect("a permission that is missing is named with verb and resource, and with what to grant", () =>
  Effect.gen(function* () {
    const rules = [{ apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["get"] }]
    const { lock } = yield* makeSite({ tokens: { operator: { user: "system:serviceaccount:a:b", rules } } })
    assert.isTrue(Option.isNone(yield* lock.read))
    const { message } = yield* Effect.flip(lock.create(claim))
    assert.include(message, 'cannot create resource "leases" in API group "coordination.k8s.io"')
    assert.include(message, "Grant the ServiceAccount get, create and patch on leases")
  }).pipe(Effect.scoped)
)

it.effect("the election needs get, create and patch of leases, and nothing else", () =>
  Effect.gen(function* () {
    const { lock, wire } = yield* makeSite()
    const { version } = yield* lock.create(claim)
    yield* lock.update(claim, version)
    yield* lock.read
    assert.deepStrictEqual(
      (yield* wire.exchanges).map(({ method, query }) => method + query),
      ["POST", "PATCH", "GET"]
    )
  }).pipe(Effect.scoped)
)

const withEnvironment = (env: Record<string, string>) =>
  Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env })))

it.effect(
  "the namespace is the variable's; without one, and outside of a pod, the start ends and says what to do",
  () =>
    Effect.gen(function* () {
      const found = yield* ownNamespace("/nowhere").pipe(withEnvironment({ POD_NAMESPACE: "cloudkit-system" }))
      assert.strictEqual(found, "cloudkit-system")
      const { message } = yield* Effect.flip(ownNamespace("/nowhere").pipe(withEnvironment({})))
      assert.include(message, "set POD_NAMESPACE")
      const strange = yield* Effect.flip(ownNamespace("/nowhere").pipe(withEnvironment({ POD_NAMESPACE: "../x" })))
      assert.include(strange.message, 'cannot be "../x"')
    })
)

it.effect("no two processes have the same identity", () =>
  Effect.gen(function* () {
    assert.notStrictEqual(yield* ownIdentity, yield* ownIdentity)
  })
)
