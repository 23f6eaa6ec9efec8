import { assert, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { at, condition, isLaunch, isPoll, stored, verdict } from "../support/expectations.ts"
import { text } from "../support/Wire.ts"
import { makeWorld } from "../support/World.ts"

const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }
const everything = () => true
const RETRY = "cloudkit.openshift.io/retry-requested-at"
const PLAYBOOK = "cloudkit.openshift.io/computeinstance-aap"

it.effect(
  "one webhook provisions, the playbook's annotation makes it Ready, one webhook deprovisions, nothing is polled",
  () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ providers: ["eda"] })
      yield* world.start
      yield* world.user.create("vm-1", spec)
      const requested = yield* stored(world, "vm-1")
      assert.strictEqual(at(requested, "status", "provisionJob", "id"), "eda-webhook-1")
      assert.strictEqual(at(requested, "status", "provisionJob", "state"), "Unknown")
      assert.strictEqual(at(requested, "status", "phase"), "Progressing")
      yield* TestClock.adjust("10 minutes")
      const ready = yield* stored(world, "vm-1")
      assert.strictEqual(at(ready, "status", "phase"), "Ready", JSON.stringify(at(ready, "status")))
      assert.strictEqual(at(ready, "status", "provisionJob", "state"), "Succeeded")
      yield* world.user.remove("vm-1")
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(yield* stored(world, "vm-1"), undefined)
      assert.deepStrictEqual(
        (yield* world.eda.webhooks).map((webhook) => webhook.event?.operation),
        ["provision", "deprovision"]
      )
      assert.strictEqual((yield* world.eda.machines).size, 0)
      assert.strictEqual(yield* world.aapWire.count(everything), 0)
    })
)

it.effect("a restart between webhook and signal calls nobody again", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld({ providers: ["eda"] })
    yield* world.eda.play(() => ({ worksFor: "5 minutes" }))
    const process = yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* process.stop
    yield* world.start
    yield* TestClock.adjust("20 minutes")
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "phase"), "Ready")
    assert.strictEqual((yield* world.eda.webhooks).length, 1)
  })
)

it.effect("a refused call is said, leaves no job, and is tried again", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld({ providers: ["eda"] })
    yield* world.edaWire.order({ when: everything, harm: { _tag: "Answer", response: text(500, "oops") } })
    yield* world.start
    yield* world.user.create("vm-1", spec)
    const refused = yield* stored(world, "vm-1")
    assert.strictEqual(verdict(refused, "Reconciling"), "True ProviderFailure")
    yield* TestClock.adjust("20 minutes")
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "phase"), "Ready")
    assert.strictEqual((yield* world.eda.webhooks).length, 1)
  })
)

it.effect(
  "a call that may have been accepted counts as sent, and is repeated only when a person asks after the settle period",
  () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ providers: ["eda"] })
      yield* world.edaWire.order({ when: everything, harm: { _tag: "Lose", code: "ECONNRESET" } })
      yield* world.start
      yield* world.user.create("vm-1", spec)
      yield* TestClock.adjust("3 minutes")
      const sent = yield* stored(world, "vm-1")
      assert.strictEqual(at(sent, "status", "provisionJob", "id"), "eda-webhook-1")
      assert.include(String(at(sent, "status", "provisionJob", "message")), "may have been accepted")
      yield* TestClock.adjust("2 hours")
      assert.strictEqual((yield* world.eda.webhooks).length, 0)
      yield* world.user.annotate("vm-1", { [RETRY]: "1" })
      yield* TestClock.adjust("20 minutes")
      assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "phase"), "Ready")
      assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "provisionJob", "id"), "eda-webhook-2")
      assert.strictEqual((yield* world.eda.webhooks).length, 1)
    })
)

it.effect("a process killed between call and record makes at most one call", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld({ providers: ["eda"] })
    yield* world.edaWire.order({ when: everything, harm: { _tag: "Delay", by: "3 seconds", after: true } })
    const process = yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* process.kill
    yield* world.start
    yield* TestClock.adjust("20 minutes")
    assert.strictEqual((yield* world.eda.webhooks).length, 1)
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "phase"), "Ready")
  })
)

it.effect(
  "calls of one webhook for one object keep their distance, across a restart, and wait only what is left of it",
  () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ providers: ["eda"], eda: { minimumRequestInterval: Duration.minutes(30) } })
      const process = yield* world.start
      yield* world.user.create("vm-1", spec)
      yield* TestClock.adjust("10 minutes")
      yield* world.user.patch("vm-1", { spec: { vcpu: 4 } })
      yield* TestClock.adjust("5 minutes")
      yield* process.stop
      yield* world.start
      yield* TestClock.adjust("14 minutes")
      assert.strictEqual((yield* world.eda.webhooks).length, 1)
      yield* TestClock.adjust("2 minutes")
      const [first, second] = yield* world.eda.webhooks
      const distance = (second?.at ?? 0) - (first?.at ?? 0)
      assert.isAtLeast(distance, Duration.toMillis(Duration.minutes(30)) - 1_000)
      assert.isAtMost(distance, Duration.toMillis(Duration.minutes(31)))
    })
)

it.effect(
  "a deletion waits for the signal of a provision for a settle period, and then asks to deprovision anyway",
  () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ providers: ["eda"] })
      yield* world.eda.playNext({ ends: "never", finalizer: "notAtAll" })
      yield* world.start
      yield* world.user.create("vm-1", spec)
      yield* TestClock.adjust("1 minute")
      yield* world.user.remove("vm-1")
      yield* TestClock.adjust("8 minutes")
      assert.strictEqual((yield* world.eda.webhooks).length, 1)
      assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "phase"), "Deleting")
      yield* TestClock.adjust("3 minutes")
      assert.strictEqual((yield* world.eda.webhooks).length, 2)
    })
)

it.effect("an AAP object that EDA deletes waits for the deprovisioned annotation, and says so", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld({ providers: ["aap"] })
    const process = yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("2 minutes")
    yield* process.stop
    yield* world.user.remove("vm-1")
    yield* world.eda.play(() => ({ ends: "never" }))
    yield* world.startAs("eda", "aap")
    yield* TestClock.adjust("20 minutes")
    const waiting = yield* stored(world, "vm-1")
    assert.strictEqual(verdict(waiting, "DeletionBlocked"), "True AwaitingSignal")
    assert.include(String(condition(waiting, "DeletionBlocked")?.message), "cloudkit.openshift.io/deprovisioned")
    yield* world.user.annotate("vm-1", { "cloudkit.openshift.io/deprovisioned": "true" })
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
  })
)

it.effect(
  "an AAP object under EDA stays Ready without a launch, gets the playbooks' finalizer, and is deleted by it",
  () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ providers: ["aap"] })
      const process = yield* world.start
      yield* world.user.create("vm-1", spec)
      yield* TestClock.adjust("2 minutes")
      yield* process.stop
      yield* world.startAs("eda", "aap")
      const ready = yield* stored(world, "vm-1")
      assert.strictEqual(at(ready, "status", "phase"), "Ready")
      assert.include(JSON.stringify(at(ready, "metadata", "finalizers")), PLAYBOOK)
      assert.strictEqual((yield* world.eda.webhooks).length, 0)
      yield* world.user.remove("vm-1")
      yield* TestClock.adjust("20 minutes")
      assert.strictEqual(yield* stored(world, "vm-1"), undefined)
      assert.strictEqual((yield* world.eda.webhooks).length, 1)
    })
)

it.effect(
  "an EDA object under AAP stays Ready without a launch, and AAP's deprovision takes the playbooks' finalizer off",
  () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ providers: ["eda"] })
      const process = yield* world.start
      yield* world.user.create("vm-1", spec)
      yield* TestClock.adjust("10 minutes")
      yield* process.stop
      yield* world.startAs("aap", "eda")
      assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "phase"), "Ready")
      assert.strictEqual(yield* world.aapWire.count(isLaunch), 0)
      assert.strictEqual(yield* world.aapWire.count(isPoll), 0)
      yield* world.user.remove("vm-1")
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(yield* stored(world, "vm-1"), undefined)
      assert.strictEqual(yield* world.aapWire.count(isLaunch), 1)
    })
)

it.effect("the signal of an older run is not taken for the signal of a new run of the same version", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld({ providers: ["eda"] })
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("10 minutes")
    yield* world.eda.play(() => ({ ends: "never" }))
    yield* world.user.patch("vm-1", { spec: { vcpu: 4 } })
    yield* TestClock.adjust("20 minutes")
    const silent = yield* stored(world, "vm-1")
    assert.strictEqual(verdict(silent, "Stalled"), "True AwaitingSignal")
    assert.strictEqual(at(silent, "status", "phase"), "Progressing")
    yield* world.user.patch("vm-1", { spec: { vcpu: 2 } })
    yield* TestClock.adjust("5 minutes")
    assert.strictEqual((yield* world.eda.webhooks).length, 3)
    assert.notStrictEqual(at(yield* stored(world, "vm-1"), "status", "phase"), "Ready")
  })
)
