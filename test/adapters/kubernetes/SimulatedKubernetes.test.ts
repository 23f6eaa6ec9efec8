/** The client and the events against the simulated API server: both ends must mean the same thing by the same bytes. */
import { assert, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Option, Scope, Stream } from "effect"
import { ApiServer } from "../../../src/adapters/kubernetes/ApiServer.ts"
import { make as makeEvents } from "../../../src/adapters/kubernetes/Events.ts"
import * as Client from "../../../src/adapters/kubernetes/KubernetesClient.ts"
import type { KubernetesClient, KubernetesObject, View, WatchEvent } from "../../../src/ports/KubernetesClient.ts"
import { widgetCrd } from "../../cluster/widgetCrd.ts"
import * as Simulated from "../../support/SimulatedKubernetes.ts"
import { inProcess } from "../../support/Wire.ts"
import { apiOver } from "./scripted.ts"

const GROUP = "contract.example.com"
const widgets = { group: GROUP, version: "v1alpha1", plural: "widgets", namespace: Option.none<string>() }

const cluster = Effect.fnUntraced(function* (...names: ReadonlyArray<string>) {
  const simulated = yield* Simulated.make({ crds: [widgetCrd], namespaces: ["team-a"] })
  const api = yield* apiOver(inProcess(simulated.handler))
  const client = yield* Client.make(widgets).pipe(Effect.provideService(ApiServer, api))
  for (const name of names) yield* create(api, name)
  return { simulated, api, client }
})

const create = (api: ApiServer["Service"], name: string) =>
  api.call({
    operation: `create ${name}`,
    method: "POST",
    path: `/apis/${GROUP}/v1alpha1/namespaces/team-a/widgets`,
    body: {
      contentType: "application/json",
      json: { apiVersion: `${GROUP}/v1alpha1`, kind: "Widget", metadata: { name }, spec: { name: "w" } }
    },
    maxBytes: 1024 * 1024
  })

const viewOf = ({ metadata }: KubernetesObject): View => metadata

const get = (client: KubernetesClient["Service"], name: string) => client.get({ namespace: "team-a", name })

it.effect("pages of a list are one snapshot, and the watch goes on where it ends", () =>
  Effect.gen(function* () {
    const { client, api } = yield* cluster("a", "b", "c")
    const first = yield* client.list({ limit: 2, continue: Option.none() })
    yield* create(api, "d")
    const second = yield* client.list({ limit: 2, continue: first.continue })
    const names = [...first.items, ...second.items].map((it) => it.metadata.name)
    assert.deepStrictEqual(names, ["a", "b", "c"])
    assert.deepStrictEqual(second.continue, Option.none())
    const from = { resourceVersion: second.resourceVersion, timeout: Duration.minutes(1) }
    const seen: ReadonlyArray<WatchEvent> = yield* client.watch(from).pipe(Stream.take(1), Stream.runCollect)
    assert.deepStrictEqual(
      seen.map((it) => (it._tag === "Bookmark" ? it._tag : `${it._tag} ${it.object.metadata.name}`)),
      ["Applied d"]
    )
  })
)

it.effect("a write on a stale view is a Conflict and changes nothing, in metadata and in status", () =>
  Effect.gen(function* () {
    const { client, simulated } = yield* cluster("a")
    const stale = viewOf(yield* get(client, "a"))
    const fresh = yield* client.patchMetadata(stale, { annotations: { by: "me" }, finalizers: ["example.com/f"] })
    assert.deepStrictEqual(fresh.metadata.finalizers, ["example.com/f"])
    const before = yield* simulated.resourceVersion
    const refusals = [client.patchMetadata(stale, { finalizers: [] }), client.patchStatus(stale, { phase: "Ready" })]
    for (const refusal of refusals) assert.strictEqual((yield* Effect.flip(refusal)).reason._tag, "Conflict")
    assert.strictEqual(yield* simulated.resourceVersion, before)
    const done = yield* client.patchStatus(viewOf(fresh), { phase: "Ready" })
    assert.deepStrictEqual(done.status, { phase: "Ready" })
    assert.deepStrictEqual(done.metadata.annotations, { by: "me" })
  })
)

it.effect("history that was compacted away is Expired, for a watch and for a continued list", () =>
  Effect.gen(function* () {
    const { client, simulated } = yield* cluster("a", "b", "c")
    const page = yield* client.list({ limit: 1, continue: Option.none() })
    yield* client.patchStatus(viewOf(yield* get(client, "a")), { phase: "Ready" })
    yield* simulated.compact
    const old = { resourceVersion: "1", timeout: Duration.minutes(1) }
    const watch = yield* Effect.flip(Stream.runDrain(client.watch(old)))
    const list = yield* Effect.flip(client.list({ limit: 1, continue: page.continue }))
    assert.deepStrictEqual([watch.reason._tag, list.reason._tag], ["Expired", "Expired"])
  })
)

it.effect("a watch that is broken off fails, and interrupting one closes it at the server", () =>
  Effect.gen(function* () {
    const { client, simulated } = yield* cluster("a")
    const from = { resourceVersion: yield* simulated.resourceVersion, timeout: Duration.minutes(5) }
    const opened = Effect.repeat(Effect.yieldNow, { until: () => Effect.map(simulated.openWatches, (n) => n === 1) })
    const broken = yield* Effect.forkChild(Effect.flip(Stream.runDrain(client.watch(from))))
    yield* opened
    yield* simulated.disconnectWatches
    assert.strictEqual((yield* Fiber.join(broken)).reason._tag, "Unreachable")
    const left = yield* Effect.forkChild(Stream.runDrain(client.watch(from)))
    yield* opened
    yield* Fiber.interrupt(left)
    assert.strictEqual(yield* simulated.openWatches, 0)
  })
)

it.effect("events are stored with their count", () =>
  Effect.gen(function* () {
    const { client, simulated, api } = yield* cluster("a")
    const scope = yield* Scope.make()
    const options = { apiVersion: `${GROUP}/v1alpha1`, kind: "Widget" }
    const events = yield* makeEvents(options).pipe(Effect.provideService(ApiServer, api), Scope.provide(scope))
    const regarding = viewOf(yield* get(client, "a"))
    const one = { regarding, reason: "JobFailed", note: "it broke" } as const
    for (const _ of [1, 2, 3]) yield* events.publish(one)
    yield* Scope.close(scope, Exit.void)
    const stored = yield* simulated.stored("events")
    assert.lengthOf(stored, 1)
    assert.include(JSON.stringify(stored), '"count":3')
  })
)
