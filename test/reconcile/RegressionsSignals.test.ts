/** Playbooks that only signal their end, in courses of events that once broke a promise. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { stored, verdict } from "../support/expectations.ts"
import { makeWorld } from "../support/World.ts"
import { assertClean, RETRY, spec } from "./courses.ts"

it.effect(
  "a retry that is asked for before the settle period is over is answered when it is, and need not be repeated",
  () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ providers: ["eda"] })
      // no playbook can put its finalizer on an object that is being deleted: only the annotation can tell of the end
      yield* world.eda.play(() => ({ finalizer: "notAtAll", marksDeprovisioned: true }))
      yield* world.start
      yield* world.user.create("vm-1", spec)
      yield* TestClock.adjust("2 minutes")
      yield* world.edaWire.order({ when: () => true, harm: { _tag: "Lose", code: "ECONNRESET" } })
      yield* world.user.remove("vm-1")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(verdict(yield* stored(world, "vm-1"), "DeletionBlocked"), "True AwaitingSignal")
      yield* world.user.annotate("vm-1", { [RETRY]: "1" })
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(verdict(yield* stored(world, "vm-1"), "DeletionBlocked"), "absent")
      yield* TestClock.adjust("10 minutes")
      yield* assertClean(world, "vm-1")
      assert.strictEqual((yield* world.eda.machines).size, 0)
    })
)
