/** What Prometheus reads of launches that wait for their turn: they are in no work queue. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { WireRequest } from "../support/Wire.ts"
import { makeWorld } from "../support/World.ts"
import { isolated, scrape, valueIn } from "./scraped.ts"

const spec = { name: "vm", vcpu: 2, memory: 4096, disk: 40 }

const launches = (request: WireRequest): boolean =>
  request.method === "POST" && request.url.pathname.endsWith("/launch/")

const inLine = Effect.map(scrape, (scraped) =>
  ["provision", "deprovision"].map((type) => valueIn(scraped, `cloudkit_launches_waiting{type="${type}"}`))
)

it.effect("launches in line are counted by what they are for, and nobody is when all are launched", () =>
  isolated(
    Effect.gen(function* () {
      const world = yield* makeWorld({ concurrency: 4 })
      yield* world.aap.play(() => ({ runningFor: "1 hour", ends: "successful" }))
      yield* world.aapWire.order({ when: launches, harm: { _tag: "Delay", by: "5 seconds" }, times: 100 })
      const process = yield* world.start
      assert.deepStrictEqual(yield* inLine, [0, 0])
      for (let n = 1; n <= 7; n++) yield* world.user.create(`vm-${n}`, spec)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* inLine, [5, 0])
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* inLine, [0, 0])
      yield* process.stop
      assert.deepStrictEqual(yield* inLine, [undefined, undefined])
    })
  )
)
