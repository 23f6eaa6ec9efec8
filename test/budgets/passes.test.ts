/** How often an object is looked at: a pass is processor time, and what a pass wrote itself is no reason for another one. */
import { assert, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { at, isWrite, stored } from "../support/expectations.ts"
import type { WireRequest } from "../support/Wire.ts"
import { makeWorld } from "../support/World.ts"
import { isolated, scrape } from "../telemetry/scraped.ts"

const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }
const usual = { pendingFor: Duration.seconds(40), runningFor: Duration.seconds(131), ends: "successful" } as const

const passes = Effect.map(scrape, ({ samples }) =>
  [...samples]
    .filter(([series]) => series.startsWith("controller_runtime_reconcile_total"))
    .reduce((sum, [, count]) => sum + count, 0)
)

const writes = ({ method, url }: WireRequest): boolean =>
  method === "PATCH" && url.pathname.includes("/computeinstances/")

it.effect("four own writes that the watch tells of before they are answered lead to no pass of their own", () =>
  isolated(
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.aap.play(() => usual)
      const harm = { _tag: "Delay", by: "300 millis", after: true } as const
      yield* world.kubernetesWire.order({ when: writes, harm, times: 100 })
      yield* world.start
      yield* world.user.create("vm-1", spec)
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "phase"), "Ready")
      assert.strictEqual(yield* world.kubernetesWire.count(isWrite), 4)
      // the order, the job seen pending, seen running, its end
      assert.strictEqual(yield* passes, 4)
    })
  )
)
