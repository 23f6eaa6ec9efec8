/** Small promises, each of which was broken once: about time, older installations, and one failure among several. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { at, isWrite, jobsOf, stored } from "../support/expectations.ts"
import { json, type WireRequest } from "../support/Wire.ts"
import { crd, makeWorld } from "../support/World.ts"
import { launchAgain } from "./person.ts"

const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }
const quick = { pendingFor: "2 seconds", runningFor: "10 seconds", ends: "successful" } as const
const long = { pendingFor: "2 seconds", runningFor: "5 hours", ends: "successful" } as const
const launches = ({ method, url }: WireRequest): boolean => method === "POST" && url.pathname.endsWith("/launch/")

it.effect("a refusal that a clock set back moved into the far future holds up nothing", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    yield* world.aapWire.order({
      when: launches,
      harm: { _tag: "Answer", response: json(400, { extra_vars: ["no good"] }) }
    })
    const process = yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* process.stop
    yield* world.user.patchStatus("vm-1", { launch: { retryAt: "2099-01-01T00:00:00Z" } })
    yield* world.start
    yield* TestClock.adjust("2 minutes")
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "phase"), "Ready")
  })
)

it.effect(
  "a CustomResourceDefinition older than the operator is not written to for ever, and nothing is launched twice",
  () =>
    Effect.gen(function* () {
      const older: unknown = JSON.parse(JSON.stringify(crd, (key, value) => (key === "launchKey" ? undefined : value)))
      const world = yield* makeWorld({ cluster: { crds: [older] } })
      yield* world.aap.play(() => quick)
      yield* world.start
      yield* world.user.create("vm-1", spec)
      yield* TestClock.adjust("10 minutes")
      assert.isAtMost(yield* world.kubernetesWire.count(isWrite), 60)
      assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 1)
      const notes = (yield* world.kubernetes.stored("events")).map((event) => String(event.note ?? event.message))
      assert.include(notes.join(), "CustomResourceDefinition is older")
    })
)

it.effect("a job that may not be cancelled keeps no other job from being cancelled", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => long)
    yield* world.aapWire.order({ when: launches, harm: { _tag: "Delay", by: "5 seconds", after: true } })
    const process = yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* process.kill
    const [first] = yield* jobsOf(world, "vm-1")
    if (first === undefined) return assert.fail("nothing was launched")
    const second = yield* launchAgain(world, first)
    const third = yield* launchAgain(world, first)
    yield* world.aapWire.order({
      when: ({ method, url }) => method === "POST" && url.pathname.endsWith(`/jobs/${second.id}/cancel/`),
      harm: { _tag: "Answer", response: json(403, { detail: "no" }) },
      times: 1_000_000
    })
    yield* world.start
    yield* TestClock.adjust("5 minutes")
    const last = (yield* jobsOf(world, "vm-1")).find(({ id }) => id === third.id)
    assert.strictEqual(last?.status, "canceled")
  })
)

it.effect("an answer that could not be recorded is not recorded on another object of the same name", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    const status = ({ method, url }: WireRequest): boolean => method === "PATCH" && url.pathname.endsWith("/status")
    const away = { _tag: "Lose", code: "ECONNREFUSED" } as const
    yield* world.kubernetesWire.order({ when: status, harm: away, times: 1_000 })
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("1 minute")
    // the watch goes silent, so that the end of the one and the beginning of the other are seen together
    yield* world.kubernetes.stallWatches
    yield* world.user.remove("vm-1")
    yield* world.user.patch("vm-1", { metadata: { finalizers: [] } })
    const created = yield* world.user.create("vm-1", { ...spec, vcpu: 4 })
    yield* world.kubernetesWire.heal
    yield* TestClock.adjust("10 minutes")
    const object = yield* stored(world, "vm-1")
    assert.strictEqual(at(object, "status", "phase"), "Ready")
    const keys = JSON.stringify(at(object, "status", "jobs"))
    assert.include(keys, String(at(created, "metadata", "uid")))
    assert.strictEqual(at(object, "status", "jobs", 1), undefined)
  })
)
