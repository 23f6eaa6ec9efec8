import { assert, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Logger, References, type Schema, Scope } from "effect"
import { TestClock } from "effect/testing"
import { ApiServer } from "../../../src/adapters/kubernetes/ApiServer.ts"
import { make } from "../../../src/adapters/kubernetes/Events.ts"
import type { Happening } from "../../../src/ports/Events.ts"
import { inProcess, json, type WireHandler, type WireRequest, type WireResponse } from "../../support/Wire.ts"
import { apiOver, script, status } from "./scripted.ts"

const START = "2026-11-21T10:00:00.123Z"

const happening = (overrides: Partial<Happening> = {}): Happening => ({
  regarding: { namespace: "team-a", name: "vm-1", uid: "uid-1", resourceVersion: "101" },
  reason: "JobFailed",
  note: "AAP job 7 failed",
  ...overrides
})

/** An API server that stores events, or answers as told, and a publisher before it. */
const publisher = Effect.fnUntraced(function* (...answers: ReadonlyArray<WireHandler | WireResponse>) {
  yield* TestClock.setTime(Date.parse(START))
  const played = script(...(answers.length === 0 ? [json(201, {})] : answers))
  const api = yield* apiOver(inProcess(played.handler))
  const scope = yield* Effect.acquireRelease(Scope.make(), (it) => Scope.close(it, Exit.void))
  const options = { apiVersion: "cloudkit.openshift.io/v1alpha1", kind: "ComputeInstance", reportingInstance: "pod-1" }
  const events = yield* make(options).pipe(Effect.provideService(ApiServer, api), Scope.provide(scope))
  const settle = TestClock.adjust("1 millis")
  return {
    requests: played.requests,
    publish: (one: Happening) => Effect.andThen(events.publish(one), settle),
    events,
    settle,
    close: Scope.close(scope, Exit.void)
  }
})

const bodyOf = (request: WireRequest | undefined): Schema.Json => JSON.parse(request?.body ?? "null")
const fieldOf = (json: Schema.Json, field: string): Schema.Json | undefined =>
  typeof json === "object" && json !== null && !Array.isArray(json)
    ? Object.entries(json).find(([key]) => key === field)?.[1]
    : undefined
const methods = (requests: ReadonlyArray<WireRequest>) => requests.map((it) => it.method)

it.effect("a happening becomes an Event of events.k8s.io/v1 on the object", () =>
  Effect.gen(function* () {
    const { publish, requests } = yield* publisher()
    yield* publish(happening())
    assert.lengthOf(requests, 1)
    assert.strictEqual(requests[0]?.method, "POST")
    assert.strictEqual(requests[0]?.url.pathname, "/apis/events.k8s.io/v1/namespaces/team-a/events")
    const body = bodyOf(requests[0])
    const name = fieldOf(fieldOf(body, "metadata") ?? null, "name")
    assert.match(String(name), /^vm-1\.[0-9a-f]+$/)
    assert.deepStrictEqual(body, {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { name: String(name), namespace: "team-a" },
      eventTime: "2026-11-21T10:00:00.123000Z",
      reportingController: "cloudkit.openshift.io/operator",
      reportingInstance: "pod-1",
      action: "Follow",
      reason: "JobFailed",
      type: "Warning",
      note: "AAP job 7 failed",
      regarding: {
        apiVersion: "cloudkit.openshift.io/v1alpha1",
        kind: "ComputeInstance",
        namespace: "team-a",
        name: "vm-1",
        uid: "uid-1",
        resourceVersion: "101"
      }
    })
  })
)

it.effect("names are unique, and legal for the longest object names", () =>
  Effect.gen(function* () {
    const { publish, requests } = yield* publisher()
    const regarding = { ...happening().regarding, name: `${"a".repeat(231)}-${"b".repeat(21)}` }
    for (const note of ["one", "two", "three"]) yield* publish(happening({ regarding, note }))
    const names = requests.map((it) => String(fieldOf(fieldOf(bodyOf(it), "metadata") ?? null, "name")))
    assert.strictEqual(new Set(names).size, 3)
    for (const name of names) assert.match(name, /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]+)$/)
  })
)

it.effect("a note is cut to 1,024 bytes, never inside a character", () =>
  Effect.gen(function* () {
    const { publish, requests } = yield* publisher()
    yield* publish(happening({ note: `x${"🐧".repeat(400)}` }))
    assert.strictEqual(fieldOf(bodyOf(requests[0]), "note"), `x${"🐧".repeat(255)}`)
  })
)

it.effect("the same thing again within six minutes raises the count of its Event", () =>
  Effect.gen(function* () {
    const { publish, requests } = yield* publisher()
    yield* publish(happening())
    const name = String(fieldOf(fieldOf(bodyOf(requests[0]), "metadata") ?? null, "name"))
    yield* TestClock.adjust("5 minutes")
    yield* publish(happening({ regarding: { ...happening().regarding, resourceVersion: "202" } }))
    yield* publish(happening())
    assert.deepStrictEqual(methods(requests), ["POST", "PATCH", "PATCH"])
    assert.strictEqual(requests[2]?.url.pathname, `/apis/events.k8s.io/v1/namespaces/team-a/events/${name}`)
    assert.strictEqual(requests[2]?.headers["content-type"], "application/merge-patch+json")
    assert.deepStrictEqual(bodyOf(requests[2]), {
      series: { count: 3, lastObservedTime: "2026-11-21T10:05:00.125000Z" }
    })
    yield* TestClock.adjust("7 minutes")
    yield* publish(happening())
    assert.strictEqual(requests[3]?.method, "POST")
  })
)

it.effect("what differs in anything that is told is an Event of its own", () =>
  Effect.gen(function* () {
    const { publish, requests } = yield* publisher()
    yield* publish(happening())
    yield* publish(happening({ note: "AAP job 8 failed" }))
    yield* publish(happening({ reason: "JobCanceled" }))
    yield* publish(happening({ regarding: { ...happening().regarding, uid: "uid-2" } }))
    assert.deepStrictEqual(
      methods(requests),
      Array.from({ length: 4 }, () => "POST")
    )
  })
)

it.effect("one object may write 25 at once and then one every five minutes; another is not held back by it", () =>
  Effect.gen(function* () {
    const { publish, requests } = yield* publisher()
    for (let n = 0; n < 40; n++) yield* publish(happening({ note: `note ${n}` }))
    assert.lengthOf(requests, 25)
    yield* publish(happening({ regarding: { ...happening().regarding, uid: "other" } }))
    assert.lengthOf(requests, 26)
    yield* TestClock.adjust("5 minutes")
    for (const note of ["later", "too soon"]) yield* publish(happening({ note }))
    assert.lengthOf(requests, 27)
  })
)

it.effect("a failure to write is told to nobody, and the next like it starts a new Event", () =>
  Effect.gen(function* () {
    const levels: Array<string> = []
    const logger = Logger.layer([Logger.make(({ logLevel }) => levels.push(logLevel))])
    const refused = json(403, status(403, "Forbidden", "no events for you"))
    const { publish, requests } = yield* publisher(refused, json(201, {}))
    yield* Effect.all([publish(happening()), publish(happening())]).pipe(
      Effect.provide(logger),
      Effect.provideService(References.MinimumLogLevel, "Info")
    )
    assert.deepStrictEqual(methods(requests), ["POST", "POST"])
    assert.deepStrictEqual(levels, [])
  })
)

it.effect("publishing never waits; when the queue is full the oldest goes, with one warning a minute", () =>
  Effect.gen(function* () {
    const warnings: Array<string> = []
    const logger = Logger.layer([
      Logger.make(({ logLevel, message }) => {
        if (logLevel === "Warn") warnings.push(JSON.stringify(message))
      })
    ])
    const gate = yield* Deferred.make<void>()
    const stuck: WireHandler = () => Effect.as(Deferred.await(gate), json(201, {}))
    const { events, requests, settle, close } = yield* publisher(stuck, json(201, {}))
    const about = (n: number) => happening({ regarding: { ...happening().regarding, name: `vm-${n}`, uid: `u-${n}` } })
    yield* Effect.gen(function* () {
      yield* events.publish(about(0))
      yield* settle
      for (let n = 1; n <= 1010; n++) yield* events.publish(about(n))
      assert.lengthOf(warnings, 1)
      yield* TestClock.adjust("20 seconds")
      yield* events.publish(about(1011))
      assert.lengthOf(warnings, 1)
    }).pipe(Effect.provide(logger))
    yield* Deferred.succeed(gate, undefined)
    yield* close
    const told = requests.map((it) => String(fieldOf(fieldOf(bodyOf(it), "regarding") ?? null, "name")))
    assert.deepStrictEqual(told.slice(0, 2), ["vm-0", "vm-12"])
    assert.strictEqual(told.at(-1), "vm-1011")
    assert.lengthOf(told, 1001)
  })
)

it.effect("what is queued when the scope closes still leaves", () =>
  Effect.gen(function* () {
    const { events, requests, close } = yield* publisher()
    for (const note of ["one", "two", "three"]) yield* events.publish(happening({ note }))
    yield* close
    assert.lengthOf(requests, 3)
  })
)

it.effect("closing the scope waits for a silent server two seconds, not more", () =>
  Effect.gen(function* () {
    const { publish, close } = yield* publisher(() => Effect.never)
    yield* publish(happening())
    const closing = yield* Effect.forkChild(Effect.timed(close), { startImmediately: true })
    yield* TestClock.adjust("1999 millis")
    assert.isUndefined(closing.pollUnsafe())
    yield* TestClock.adjust("1 millis")
    const [took] = yield* Fiber.join(closing)
    assert.deepStrictEqual(Duration.toMillis(took), 2000)
  })
)
