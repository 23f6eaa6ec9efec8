/** Courses of events that once broke a promise. Each is named after what must hold. */
import { assert, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { assertNoOverlap, at, isLaunch, isWrite, jobsOf, stored, verdict } from "../support/expectations.ts"
import type { Harm } from "../support/Faults.ts"
import { json, text, type WireRequest } from "../support/Wire.ts"
import { DEPROVISION_TEMPLATE, makeWorld, PROVISION_TEMPLATE } from "../support/World.ts"
import { launchByHand } from "./person.ts"

const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }
const quick = { pendingFor: "2 seconds", runningFor: "10 seconds", ends: "successful" } as const
const long = { pendingFor: "2 seconds", runningFor: "5 hours", ends: "successful" } as const
const ADOPT = "cloudkit.openshift.io/adopt-job"

const cancels = ({ method, url }: WireRequest): boolean => method === "POST" && url.pathname.endsWith("/cancel/")
const launches = ({ method, url }: WireRequest): boolean => method === "POST" && url.pathname.endsWith("/launch/")
const statusWrites = ({ method, url }: WireRequest): boolean => method === "PATCH" && url.pathname.endsWith("/status")
const singleReads = ({ method, url }: WireRequest): boolean =>
  method === "GET" && /\/computeinstances\/[^/]+$/u.test(url.pathname)
const answer = (response: ReturnType<typeof json>): Harm => ({ _tag: "Answer", response })

it.effect("an object with a lost launch whose intent somebody wiped is deleted, without searching for ever", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    yield* world.aapWire.order({ when: launches, harm: { _tag: "Lose", code: "ECONNRESET" } })
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("10 minutes")
    yield* world.user.annotate("vm-1", { "cloudkit.openshift.io/launch-intent": null })
    yield* world.aapWire.forget
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("10 minutes")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    const searches = yield* world.aapWire.count(({ query }) => query.includes("created__gte"))
    assert.isAtMost(searches, 4)
  })
)

it.effect("objects whose status cannot be written keep nobody else from being launched", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    yield* world.kubernetesWire.order({
      when: (request) => statusWrites(request) && request.url.pathname.includes("/bad-"),
      harm: answer(json(422, { kind: "Status", apiVersion: "v1", status: "Failure", reason: "Invalid", code: 422 })),
      times: 1_000_000
    })
    yield* world.start
    for (const n of [1, 2, 3, 4]) yield* world.user.create(`bad-${n}`, spec)
    yield* TestClock.adjust("10 seconds")
    yield* world.user.create("good", spec)
    yield* TestClock.adjust("10 minutes")
    assert.strictEqual(at(yield* stored(world, "good"), "status", "phase"), "Ready")
    for (const n of [1, 2, 3, 4]) assert.strictEqual((yield* jobsOf(world, `bad-${n}`)).length, 1)
    const refusals = (yield* world.kubernetes.stored("events")).filter((event) => event.reason === "WriteRefused")
    assert.isAtLeast(refusals.length, 4)
  })
)

it.effect("a cancel that is answered 404 while the job lives does not count the job as gone", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(({ template }) => (template === PROVISION_TEMPLATE ? long : quick))
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("1 minute")
    yield* world.aapWire.order({ when: cancels, harm: answer(json(404, { detail: "Not found." })), times: 2 })
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("10 minutes")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    yield* assertNoOverlap(world)
  })
)

it.effect("an adopted job is held by the finalizer, and torn down when the object goes", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    yield* world.start
    const manual = { annotations: { "cloudkit.openshift.io/management-state": "manual" } }
    const created = yield* world.user.create("vm-1", spec, manual)
    const payload = { metadata: { uid: at(created, "metadata", "uid"), name: "vm-1", namespace: "default" } }
    const job = yield* launchByHand(world, 7, { ansible_eda: { event: { payload } } })
    yield* world.user.annotate("vm-1", { [ADOPT]: String(job.id) })
    yield* TestClock.adjust("2 minutes")
    assert.deepStrictEqual(at(yield* stored(world, "vm-1"), "metadata", "finalizers"), [
      "cloudkit.openshift.io/computeinstance"
    ])
    yield* world.user.annotate("vm-1", { "cloudkit.openshift.io/management-state": null })
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("5 minutes")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    const torn = (yield* jobsOf(world, "vm-1")).filter((one) => one.template === DEPROVISION_TEMPLATE)
    assert.strictEqual(torn.length, 1)
  })
)

it.effect("conditions do not flap and Events do not repeat while a cancel is refused for an hour", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => long)
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("1 minute")
    yield* world.aapWire.order({ when: cancels, harm: answer(json(403, { detail: "no" })), times: 1_000_000 })
    yield* world.kubernetesWire.forget
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("1 hour")
    assert.strictEqual(verdict(yield* stored(world, "vm-1"), "DeletionBlocked"), "True CancelForbidden")
    assert.isAtMost(yield* world.kubernetesWire.count(isWrite), 4)
  })
)

it.effect("a proxy's plain 404 while a launch is recorded is not taken for the object's end", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    const page = answer(text(404, "404 page not found\n"))
    yield* world.start
    yield* world.kubernetesWire.order({ when: statusWrites, harm: page })
    yield* world.kubernetesWire.order({ when: singleReads, harm: page })
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("5 minutes")
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "phase"), "Ready")
    assert.strictEqual(yield* world.aapWire.count(isLaunch), 1)
  })
)

it.effect("a shutdown ends within two minutes though the API server never answers", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    yield* world.kubernetesWire.order({ when: statusWrites, harm: { _tag: "Hang" }, times: 1_000 })
    yield* world.kubernetesWire.order({ when: singleReads, harm: { _tag: "Hang" }, times: 1_000 })
    const process = yield* world.start
    yield* world.user.create("vm-1", spec)
    const stopping = yield* Effect.forkChild(process.stop, { startImmediately: true })
    yield* TestClock.adjust(Duration.minutes(2))
    assert.notStrictEqual(stopping.pollUnsafe(), undefined)
  })
)

it.effect("a launch in doubt whose annotation somebody wiped is still looked for before anything is sent", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    yield* world.aapWire.order({
      when: launches,
      harm: { _tag: "CommitLate", by: "1 minute", answer: text(504, "<html></html>", "text/html") }
    })
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("5 seconds")
    yield* world.user.annotate("vm-1", { "cloudkit.openshift.io/launch-intent": null })
    yield* TestClock.adjust("10 minutes")
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "phase"), "Ready")
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 1)
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "pendingLaunch"), undefined)
  })
)

it.effect("an object that only the retired finalizer keeps from going is let go", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.user.create("vm-1", spec, { finalizers: ["cloudkit.openshift.io/computeinstance-feedback"] })
    yield* world.user.remove("vm-1")
    yield* world.start
    yield* TestClock.adjust("1 second")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
  })
)
