/** What the simulator offers a test beyond the contract: virtual time, an expiring history, watches that break. */
import { existsSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Queue, Stream } from "effect"
import { TestClock } from "effect/testing"
import { parse } from "yaml"
import { fromUnknown, listAt, stringAt } from "../support/kubernetes/Json.ts"
import { make, type SimulatedKubernetes } from "../support/SimulatedKubernetes.ts"
import { inProcess } from "../support/Wire.ts"
import { clusterOf, nameOf, type WatchEvent, type Widgets, widget, widgetsIn } from "./contract/Cluster.ts"
import { widgetCrd } from "./widgetCrd.ts"

interface Bench {
  readonly kubernetes: SimulatedKubernetes
  readonly widgets: Widgets
}

const bench = Effect.gen(function* () {
  const kubernetes = yield* make({ crds: [widgetCrd], namespaces: ["team"] })
  const cluster = clusterOf(inProcess(kubernetes.handler), "http://kubernetes.test", kubernetes.compact)
  return { kubernetes, widgets: widgetsIn(cluster, "team") }
})

/** Follows the namespace's widgets; what is told is taken from the queue. */
const following = Effect.fnUntraced(function* ({ widgets }: Bench, query: string) {
  const told = yield* Queue.unbounded<WatchEvent>()
  const path = `/apis/contract.example.com/v1alpha1/namespaces/team/widgets?watch=1&${query}`
  const fiber = yield* Effect.forkChild(
    Stream.runForEach(widgets.cluster.events(path), (event) => Queue.offer(told, event)),
    { startImmediately: true }
  )
  return { told, fiber }
})

describe("the simulator's watches", () => {
  it.effect("sends a bookmark every minute of virtual time, and ends a watch after its time", () =>
    Effect.gen(function* () {
      const here = yield* bench
      const { fiber, told } = yield* following(here, "resourceVersion=0&allowWatchBookmarks=true&timeoutSeconds=150")
      yield* here.widgets.make("a")
      assert.strictEqual((yield* Queue.take(told)).type, "ADDED")
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(yield* Queue.size(told), 0)
      yield* TestClock.adjust("1 second")
      const bookmark = yield* Queue.take(told)
      assert.strictEqual(bookmark.type, "BOOKMARK")
      assert.strictEqual(
        stringAt(bookmark.object, "metadata", "resourceVersion"),
        yield* here.kubernetes.resourceVersion
      )
      yield* TestClock.adjust("89 seconds")
      assert.strictEqual(yield* Queue.size(told), 2)
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      assert.strictEqual(yield* here.kubernetes.openWatches, 0)
    })
  )

  it.effect("stalls open watches without ending them, while new ones are well", () =>
    Effect.gen(function* () {
      const here = yield* bench
      const stalled = yield* following(here, "resourceVersion=0&allowWatchBookmarks=true&timeoutSeconds=600")
      yield* here.widgets.make("a")
      yield* Queue.take(stalled.told)
      yield* here.kubernetes.stallWatches
      const well = yield* following(here, "resourceVersion=0")
      yield* here.widgets.make("b")
      yield* TestClock.adjust("11 minutes")
      assert.strictEqual(yield* Queue.size(stalled.told), 0)
      assert.isUndefined(stalled.fiber.pollUnsafe())
      assert.deepStrictEqual(
        (yield* Queue.takeN(well.told, 2)).map((event) => nameOf(event.object)),
        ["a", "b"]
      )
      yield* here.kubernetes.resumeWatches
      yield* Fiber.join(stalled.fiber)
      assert.strictEqual(nameOf((yield* Queue.take(stalled.told)).object), "b")
    })
  )

  it.effect("breaks open watches as a lost connection does", () =>
    Effect.gen(function* () {
      const here = yield* bench
      const { fiber } = yield* following(here, "resourceVersion=0")
      assert.strictEqual(yield* here.kubernetes.openWatches, 1)
      yield* here.kubernetes.disconnectWatches
      const exit = yield* Fiber.await(fiber)
      assert.isTrue(Exit.isFailure(exit))
      assert.include(String(exit), "ECONNRESET")
      assert.strictEqual(yield* here.kubernetes.openWatches, 0)
    })
  )

  it.effect("forgets a watch whose reader went away", () =>
    Effect.gen(function* () {
      const here = yield* bench
      const { fiber } = yield* following(here, "resourceVersion=0")
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(yield* here.kubernetes.openWatches, 0)
    })
  )
})

describe("the simulator's objects", () => {
  it.effect("gives the same objects in every run, in virtual time", () =>
    Effect.gen(function* () {
      const run = Effect.gen(function* () {
        const { kubernetes, widgets } = yield* bench
        yield* widgets.make("a")
        yield* widgets.ask("", { method: "POST", body: { ...widget(""), metadata: { generateName: "gen-" } } })
        return yield* kubernetes.objects
      })
      yield* TestClock.setTime(Date.parse("2026-01-02T03:04:05.678Z"))
      const first = yield* run
      assert.strictEqual(stringAt(first[0], "metadata", "creationTimestamp"), "2026-01-02T03:04:05Z")
      assert.deepStrictEqual(yield* run, first)
    })
  )

  it.effect("serves a definition that is created later, and stops when it is deleted", () =>
    Effect.gen(function* () {
      const kubernetes = yield* make({ namespaces: ["team"] })
      const cluster = clusterOf(inProcess(kubernetes.handler), "http://kubernetes.test", kubernetes.compact)
      const { ask, make: create } = widgetsIn(cluster, "team")
      const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
      assert.strictEqual((yield* ask("")).status, 404)
      assert.strictEqual((yield* cluster.ask(definitions, { method: "POST", body: widgetCrd })).status, 201)
      yield* create("a")
      assert.isDefined(yield* kubernetes.object("team", "a"))
      yield* cluster.ask(`${definitions}/widgets.contract.example.com`, { method: "DELETE" })
      assert.strictEqual((yield* ask("")).status, 404)
      assert.deepStrictEqual(yield* kubernetes.stored("widgets.contract.example.com"), [])
    })
  )
})

const product = new URL("../../k8s/crd/cloudkit.openshift.io_computeinstances.yaml", import.meta.url)

describe("the product's definition", () => {
  it.effect("is served with its columns, and refuses an instance that names neither name nor template", () =>
    Effect.gen(function* () {
      assert.isTrue(existsSync(product))
      const kubernetes = yield* make({ crds: [parse(readFileSync(product, "utf8"))] })
      const cluster = clusterOf(inProcess(kubernetes.handler), "http://kubernetes.test", kubernetes.compact)
      const path = "/apis/cloudkit.openshift.io/v1alpha1/namespaces/default/computeinstances"
      const instance = (spec: object) => ({
        method: "POST" as const,
        body: { apiVersion: "cloudkit.openshift.io/v1alpha1", kind: "ComputeInstance", metadata: { name: "vm" }, spec }
      })
      assert.strictEqual((yield* cluster.ask(path, instance({}))).status, 422)
      const created = yield* cluster.ask(path, instance({ templateID: "sample_template" }))
      assert.strictEqual(created.status, 201, created.text)
      const table = yield* cluster.ask(path, { accept: "application/json;as=Table;g=meta.k8s.io;v=v1" })
      assert.includeMembers(
        listAt(fromUnknown(table.body), "columnDefinitions").map((column) => stringAt(column, "name") ?? ""),
        ["Name", "Phase", "Age"]
      )
      assert.strictEqual((yield* cluster.ask(`${path}?fieldSelector=status.phase!%3DReady`)).status, 200)
    })
  )

  it.effect("answers with fields in alphabetical order, whatever order they were sent in", () =>
    Effect.gen(function* () {
      const kubernetes = yield* make({ crds: [parse(readFileSync(product, "utf8"))] })
      const cluster = clusterOf(inProcess(kubernetes.handler), "http://kubernetes.test", kubernetes.compact)
      const { text } = yield* cluster.ask("/apis/cloudkit.openshift.io/v1alpha1/namespaces/default/computeinstances", {
        method: "POST",
        body: {
          kind: "ComputeInstance",
          apiVersion: "cloudkit.openshift.io/v1alpha1",
          metadata: { name: "vm" },
          spec: { vcpu: 2, name: "vm" }
        }
      })
      assert.isBelow(text.indexOf('"apiVersion"'), text.indexOf('"kind"'))
      assert.include(text, '"spec":{"name":"vm","vcpu":2}')
    })
  )
})
