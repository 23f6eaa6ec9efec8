/** A person's relaunch of a job: it copies our key, so that a search finds it. It is shown, and left alone. */
import { assert, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { condition, isWrite, jobsOf, stored, verdict } from "../support/expectations.ts"
import { aapRequests } from "../support/schedulesHarms.ts"
import { makeWorld } from "../support/World.ts"
import { RETRY, spec } from "./courses.ts"
import { relaunch } from "./person.ts"

const long = { pendingFor: Duration.seconds(2), runningFor: Duration.hours(2), ends: "successful" } as const

it.effect("a relaunch seen while a launch is in doubt is named in the condition, steadily, and by one Event", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => long)
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("1 minute")
    const [first] = yield* jobsOf(world, "vm-1")
    if (first === undefined) return assert.fail("nothing was launched")
    yield* world.aap.setStatus(first.id, "canceled")
    yield* TestClock.adjust("1 minute")
    // the retry never arrives, and meanwhile somebody presses the button
    yield* world.aapWire.order({ when: aapRequests.launch, harm: { _tag: "Lose", code: "ECONNRESET" } })
    yield* world.user.annotate("vm-1", { [RETRY]: "again" })
    yield* relaunch(world, first)
    yield* TestClock.adjust("35 seconds")
    yield* world.kubernetesWire.forget
    yield* TestClock.adjust("2 minutes")

    const object = yield* stored(world, "vm-1")
    assert.strictEqual(verdict(object, "Reconciling"), "True LaunchAmbiguous")
    assert.include(String(condition(object, "Reconciling")?.message), "Job 2 is a person's relaunch")
    assert.strictEqual(yield* world.kubernetesWire.count(isWrite), 0, "what is known already is not written again")
    const told = (yield* world.kubernetes.stored("events")).filter(({ reason }) => reason === "RelaunchSeen")
    assert.deepStrictEqual(
      told.map(({ count, series }) => [count, series]),
      [[undefined, undefined]]
    )

    yield* TestClock.adjust("10 minutes")
    const jobs = yield* jobsOf(world, "vm-1")
    assert.deepStrictEqual(
      jobs.map(({ launchType, status }) => `${launchType} ${status}`),
      ["manual canceled", "relaunch running", "manual running"],
      "the relaunch runs on, and the doubt is resolved beside it"
    )
  })
)

it.effect("a relaunch found before a key is used again is told by an Event, and the launch goes on", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => ({ ...long, runningFor: Duration.seconds(10) }))
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("2 minutes")
    const [first] = yield* jobsOf(world, "vm-1")
    if (first === undefined) return assert.fail("nothing was launched")
    yield* relaunch(world, first)
    // somebody removes the intent, so that the operator looks before it launches again
    yield* world.user.annotate("vm-1", { "cloudkit.openshift.io/launch-intent": null })
    yield* world.user.patch("vm-1", { spec: { vcpu: 4 } })
    yield* TestClock.adjust("3 minutes")
    assert.strictEqual(verdict(yield* stored(world, "vm-1"), "Ready"), "True Provisioned")
    const told = (yield* world.kubernetes.stored("events")).filter(({ reason }) => reason === "RelaunchSeen")
    assert.strictEqual(told.length, 1)
    assert.deepStrictEqual(
      (yield* jobsOf(world, "vm-1")).map(({ launchType, status }) => `${launchType} ${status}`),
      ["manual successful", "relaunch successful", "manual successful"]
    )
  })
)
