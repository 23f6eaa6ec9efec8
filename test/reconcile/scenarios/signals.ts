/** EDA's playbooks, which only signal their end, and what is left of another provider. */
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { Playbook } from "../../support/SimulatedEda.ts"
import type { Scenario } from "../../support/tour.ts"
import { spec } from "../courses.ts"
import { long } from "./jobs.ts"

const underEda = { providers: ["eda"] } as const

const ordered = (playbook: Partial<Playbook>) =>
  Effect.fnUntraced(function* (world: Parameters<Scenario["play"]>[0]) {
    yield* world.eda.playNext(playbook)
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("1 minute")
  })

export const signalScenarios: ReadonlyArray<Scenario> = [
  {
    name: "built and torn down by EDA",
    world: underEda,
    play: Effect.fnUntraced(function* (world) {
      yield* ordered({})(world)
      yield* TestClock.adjust("5 minutes")
      yield* world.user.remove("vm-1")
      yield* TestClock.adjust("5 minutes")
    }),
    course: ["InProgress", "Current", "Terminating"]
  },
  {
    name: "a playbook that gives no sign",
    world: underEda,
    play: Effect.fnUntraced(function* (world) {
      yield* ordered({ ends: "never" })(world)
      yield* TestClock.adjust("15 minutes")
      yield* world.user.patch("vm-1", { spec: { vcpu: 4 } })
      yield* TestClock.adjust("5 minutes")
    }),
    course: ["InProgress", "Failed", "InProgress", "Current"]
  },
  {
    name: "deleted before the playbook gave a sign",
    world: underEda,
    play: Effect.fnUntraced(function* (world) {
      yield* ordered({ ends: "never" })(world)
      yield* world.user.remove("vm-1")
      yield* TestClock.adjust("20 minutes")
    }),
    course: ["InProgress", "Terminating"]
  },
  {
    name: "a job of AAP under an operator that only knows EDA",
    play: Effect.fnUntraced(function* (world) {
      yield* world.aap.play(() => long)
      const process = yield* world.start
      yield* world.user.create("vm-1", spec)
      yield* TestClock.adjust("1 minute")
      yield* process.stop
      yield* world.startAs("eda")
      yield* TestClock.adjust("1 minute")
    }),
    course: ["InProgress", "Failed"]
  }
]
