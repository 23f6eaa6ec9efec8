/** What the API server promises of the built-in kinds that an operator writes: leases and events. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { at, type JsonObject, stringAt } from "../../support/kubernetes/Json.ts"
import { causesOf, messageOf, namesOf, promised, refused, versionOf, type Widgets } from "./Cluster.ts"

const leases = ({ namespace }: Widgets) => `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`
const events = ({ namespace }: Widgets) => `/apis/events.k8s.io/v1/namespaces/${namespace}/events`
const coreEvents = ({ namespace }: Widgets) => `/api/v1/namespaces/${namespace}/events`

const lease = (holderIdentity: string, renewTime: string, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name: "leader", ...metadata },
  spec: { holderIdentity, leaseDurationSeconds: 15, renewTime }
})

const event = ({ namespace }: Widgets, name: string, rest: JsonObject = {}): JsonObject => ({
  apiVersion: "events.k8s.io/v1",
  kind: "Event",
  metadata: { name },
  regarding: { apiVersion: "contract.example.com/v1alpha1", kind: "Widget", name: "a", namespace, uid: "1" },
  eventTime: "2026-01-01T00:00:00.000000Z",
  reason: "Said",
  note: "something",
  type: "Normal",
  action: "Say",
  reportingController: "contract",
  reportingInstance: "contract-1",
  ...rest
})

export const builtIns = [
  promised("staleWritesRefused", "a lease is taken over only by who has seen its newest version", (widgets) =>
    Effect.gen(function* () {
      const { ask } = widgets.cluster
      const path = leases(widgets)
      const created = yield* ask(path, { method: "POST", body: lease("one", "2026-01-01T00:00:00.000000Z") })
      assert.strictEqual(created.status, 201, created.text)
      const resourceVersion = versionOf(created.body)
      const take = (holder: string) =>
        ask(`${path}/leader`, {
          method: "PUT",
          body: lease(holder, "2026-01-01T00:00:01.000000Z", { resourceVersion })
        })
      assert.strictEqual((yield* take("two")).status, 200)
      refused(yield* take("three"), 409, "Conflict")
      assert.strictEqual(at((yield* ask(`${path}/leader`)).body, "spec", "holderIdentity"), "two")
      refused(
        yield* ask(`${path}/leader`, { method: "PUT", body: lease("four", "2026-01-01T00:00:02.000000Z") }),
        422,
        "Invalid"
      )
    })
  ),
  promised("builtInsChecked", "a lease's times have six digits of a second", (widgets) =>
    Effect.gen(function* () {
      const body = lease("one", "2026-01-01T00:00:00Z")
      const answer = yield* widgets.cluster.ask(leases(widgets), { method: "POST", body })
      refused(answer, 400, "BadRequest")
      assert.strictEqual(
        messageOf(answer),
        'Lease in version "v1" cannot be handled as a Lease: parsing time "2026-01-01T00:00:00Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"'
      )
    })
  ),
  promised("builtInsChecked", "an event says when, who, what and why", (widgets) =>
    Effect.gen(function* () {
      const post = (name: string, rest: JsonObject) =>
        widgets.cluster.ask(events(widgets), { method: "POST", body: event(widgets, name, rest) })
      const cases: ReadonlyArray<readonly [JsonObject, string]> = [
        [{ eventTime: null }, "eventTime: Required value"],
        [{ action: "" }, "action: Required value"],
        [{ reason: "" }, "reason: Required value"],
        [{ reportingInstance: "" }, "reportingInstance: Required value"],
        [{ note: "x".repeat(1025) }, 'message: Invalid value: "": can have at most 1024 characters'],
        [{ reason: "x".repeat(129) }, 'reason: Invalid value: "": can have at most 128 characters'],
        [{ type: "Bad" }, 'type: Invalid value: "": has invalid value: Bad']
      ]
      for (const [index, [rest, cause]] of cases.entries()) {
        const answer = yield* post(`e${index}`, rest)
        refused(answer, 422, "Invalid")
        assert.include(causesOf(answer), cause)
      }
    })
  ),
  promised("fieldSelectors", "an event is one object under both its APIs, found by what it is about", (widgets) =>
    Effect.gen(function* () {
      const { ask } = widgets.cluster
      const created = yield* ask(events(widgets), { method: "POST", body: event(widgets, "e") })
      assert.strictEqual(created.status, 201, created.text)
      assert.strictEqual(stringAt(created.body, "regarding", "name"), "a")
      const other = event(widgets, "f", { regarding: { kind: "Widget", name: "b", namespace: widgets.namespace } })
      yield* ask(events(widgets), { method: "POST", body: other })
      const selector = encodeURIComponent("involvedObject.kind=Widget,involvedObject.name=a,involvedObject.uid=1")
      const found = yield* ask(`${coreEvents(widgets)}?fieldSelector=${selector}`)
      assert.deepStrictEqual(namesOf(found), ["e"])
      const seen = yield* ask(`${coreEvents(widgets)}/e`)
      assert.deepStrictEqual(
        [stringAt(seen.body, "apiVersion"), stringAt(seen.body, "message"), stringAt(seen.body, "reportingComponent")],
        ["v1", "something", "contract"]
      )
      const series = { series: { count: 2, lastObservedTime: "2026-01-01T00:01:00.000000Z" } }
      const type = "application/merge-patch+json"
      const again = yield* ask(`${events(widgets)}/e`, { method: "PATCH", body: series, type })
      assert.strictEqual(at(again.body, "series", "count"), 2, again.text)
      const changed = yield* ask(`${events(widgets)}/e`, { method: "PATCH", body: { note: "other" }, type })
      refused(changed, 422, "Invalid")
    })
  )
]
