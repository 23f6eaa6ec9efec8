/** Courses of events that the exploration of states found broken once. Each is named after what must hold. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { at, jobsOf, stored } from "../support/expectations.ts"
import type { Harm } from "../support/Faults.ts"
import { json, type WireRequest } from "../support/Wire.ts"
import { DEPROVISION_TEMPLATE, makeWorld } from "../support/World.ts"

const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }
const quick = { pendingFor: "2 seconds", runningFor: "10 seconds", ends: "successful" } as const

const launches = ({ method, url }: WireRequest): boolean => method === "POST" && url.pathname.endsWith("/launch/")
const refusals = ({ body, method, url }: WireRequest): boolean =>
  method === "PATCH" && url.pathname.endsWith("/status") && body.includes('"Refused"')
const forbidden: Harm = { _tag: "Answer", response: json(403, { detail: "no" }) }

it.effect("a machine whose record was lost while its deprovision was being refused is torn down all the same", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("2 minutes")
    yield* world.aapWire.order({ when: launches, harm: forbidden })
    yield* world.kubernetesWire.order({ when: refusals, harm: { _tag: "Delay", by: "5 seconds" } })
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("2 seconds")
    // a backup brings the object back as it was written, without what the operator knew
    const known = Object.keys(Object(at(yield* stored(world, "vm-1"), "status")))
    yield* world.user.patchStatus("vm-1", Object.fromEntries(known.map((field) => [field, null])))
    yield* TestClock.adjust("1 hour")
    const torn = (yield* jobsOf(world, "vm-1")).filter((job) => job.template === DEPROVISION_TEMPLATE)
    assert.deepStrictEqual(
      torn.map((job) => job.status),
      ["successful"]
    )
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
  })
)

it.effect("a deprovision that waits after a refusal searches for nothing and keeps its conditions", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    yield* world.aapWire.order({ when: launches, harm: { _tag: "Lose", code: "ECONNRESET" } })
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("10 minutes")
    yield* world.aapWire.order({ when: launches, harm: forbidden })
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("2 seconds")
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "launch", "outcome"), "Refused")
    yield* world.aapWire.forget
    yield* world.kubernetesWire.forget
    yield* world.user.annotate("vm-1", { "example.com/note": "look" })
    yield* TestClock.adjust("2 seconds")
    assert.strictEqual(yield* world.aapWire.count(({ query }) => query.includes("created__gte")), 0)
    assert.strictEqual(yield* world.kubernetesWire.count(({ path }) => path.endsWith("/status")), 0)
    yield* TestClock.adjust("10 minutes")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
  })
)
