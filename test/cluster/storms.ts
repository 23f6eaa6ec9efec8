/** The API server and the way to it misbehave while objects are on their way: nothing is lost, and nobody is stormed. */
import { assert } from "@effect/vitest"
import { Effect, Schedule, type Scope } from "effect"
import { numberAt } from "../support/kubernetes/Json.ts"
import * as SimulatedAap from "../support/SimulatedAap.ts"
import { type Asked, askedBy } from "./Audit.ts"
import type { ControlPlane } from "./ControlPlane.ts"
import type { Replica } from "./Replica.ts"
import { makeScene, QUICK, type Scene, says } from "./Scene.ts"

export interface Weather extends Scene {
  readonly plane: ControlPlane
  readonly operator: Replica
  /** What the operator has asked for while something was done. */
  readonly asked: <E>(doing: Effect.Effect<void, E, Scope.Scope>) => Effect.Effect<ReadonlyArray<Asked>, E>
}

export const makeWeather = Effect.fnUntraced(function* (plane: ControlPlane, name: string, token: string, audit: string) {
  const scene = yield* makeScene(plane, { name: "storms", token, env: { CLOUDKIT_LEADER_ELECT: "false" } })
  const operator = yield* scene.replica("operator")
  yield* says(operator, "working")
  const asked: Weather["asked"] = (doing) =>
    Effect.gen(function* () {
      const before = askedBy(name, audit).length
      yield* Effect.scoped(doing)
      return askedBy(name, audit).slice(before)
    })
  return { ...scene, plane, operator, asked }
})

const counted = (asked: ReadonlyArray<Asked>, verb: string): number => asked.filter((one) => one.verb === verb).length

/** Somebody else writes to the object fifty times a second, and does not look at what is there. */
const pestering = Effect.fnUntraced(function* (scene: Scene, name: string) {
  let written = 0
  const write = Effect.map(
    scene.patch(name, { metadata: { annotations: { "example.com/heartbeat": String(written) } } }),
    ({ status }) => {
      if (status === 200) written++
    }
  )
  yield* Effect.forkScoped(Effect.repeat(Effect.suspend(() => write), Schedule.fixed("20 millis")))
  return () => written
})

/** Whole lives while somebody writes to the same objects all the time. */
export const conflicts = Effect.fnUntraced(function* (weather: Weather) {
  const { asked, create, isGone, isReady, launchesOf, remove } = weather
  const names = ["pestered-1", "pestered-2"]
  const requests = yield* asked(
    Effect.gen(function* () {
      yield* Effect.forEach(names, (name) => create(name))
      const started = performance.now()
      const written = yield* Effect.forEach(names, (name) => pestering(weather, name))
      yield* Effect.forEach(names, isReady)
      console.log("ready", performance.now() - started, written.map((w) => w()))
      yield* Effect.forEach(names, remove)
      yield* Effect.forEach(names, isGone)
      console.log("gone", performance.now() - started, written.map((w) => w()))
    })
  )
  const tally: Record<string, number> = {}
  for (const r of requests) tally[`${r.verb} ${r.name} ${r.code}`] = (tally[`${r.verb} ${r.name} ${r.code}`] ?? 0) + 1
  console.log(tally)
})
