/**
 * A tour of everything that may happen to a resource: short scenarios that together reach every reason and every Event, and
 * every version of every object on the way. What they show is judged by whoever takes the tour.
 */
import { Effect, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { at } from "./expectations.ts"
import type { Kstatus } from "./kstatus.ts"
import type { JsonObject } from "./SimulatedKubernetes.ts"
import type { WireHandler } from "./Wire.ts"
import { makeWorld, type World, type WorldOptions } from "./World.ts"

export interface Scenario {
  readonly name: string
  readonly world?: WorldOptions
  readonly play: (world: World) => Effect.Effect<unknown, never, Scope.Scope>
  /** What kstatus says of `vm-1` from the operator's first word on, repetitions left out. */
  readonly course: ReadonlyArray<Kstatus>
}

export interface Shown {
  readonly scenario: Scenario
  /** Every version of every ComputeInstance that was stored, oldest first. */
  readonly versions: ReadonlyArray<JsonObject>
  readonly events: ReadonlyArray<JsonObject>
}

/** Remembers every ComputeInstance that the cluster answered a write with. */
const recording =
  (versions: Array<JsonObject>) =>
  (inner: WireHandler): WireHandler =>
  (request) =>
    Effect.tap(inner(request), (response) =>
      Effect.sync(() => {
        if (request.method === "GET" || response.status >= 300 || typeof response.body !== "string") return
        const written: JsonObject = JSON.parse(response.body)
        if (at(written, "kind") === "ComputeInstance") versions.push(written)
      })
    )

export const show = Effect.fnUntraced(function* (scenario: Scenario) {
  const versions: Array<JsonObject> = []
  const world = yield* makeWorld({ ...scenario.world, around: { kubernetes: recording(versions) } })
  yield* scenario.play(world)
  yield* TestClock.adjust("1 second")
  const shown: Shown = { scenario, versions, events: yield* world.kubernetes.stored("events") }
  return shown
}, Effect.scoped)
