/** Two processes at work beside each other, neither knowing of the other, that once broke a promise. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { at, isWrite, jobsOf, stored } from "../support/expectations.ts"
import { json, type WireHandler, type WireRequest } from "../support/Wire.ts"
import { makeWorld } from "../support/World.ts"

const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }
const long = { pendingFor: "20 seconds", runningFor: "5 hours", ends: "successful" } as const

const lookUps = ({ method, url }: WireRequest): boolean => method === "GET" && url.pathname.includes("_templates/")

/** More requests than these processes have reason for: from then on nothing is answered, so that the test ends. */
const ENOUGH = 400

const limited = () => {
  let requests = 0
  return (inner: WireHandler): WireHandler =>
    (request) =>
      ++requests > ENOUGH ? Effect.never : inner(request)
}

/** This process is always answered so when it looks for the template. */
const refusedWith =
  (status: number, detail: string) =>
  (inner: WireHandler): WireHandler =>
  (request) =>
    lookUps(request) ? Effect.succeed(json(status, { detail })) : inner(request)

it.effect("two processes that meet different problems do not overrule each other at the speed of the wire", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    const limit = limited()
    yield* world.startAt({ wire: (inner) => limit(refusedWith(403, "no")(inner)) })
    yield* world.startAt({ wire: (inner) => limit(refusedWith(401, "no")(inner)) })
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("2 minutes")
    assert.isAtMost(yield* world.kubernetesWire.count(isWrite), 40)
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "phase"), "Progressing")
  })
)

it.effect("a process that knows less of a job does not argue about it with one that has just polled", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => long)
    const limit = limited()
    yield* world.startAt({ wire: limit })
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("15 seconds")
    yield* world.startAt({ wire: limit })
    yield* TestClock.adjust("10 minutes")
    assert.isAtMost(yield* world.kubernetesWire.count(isWrite), 40)
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "provisionJob", "state"), "Running")
    assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 1)
  })
)
