/** The API server and the way to it misbehave while objects are on their way: nothing is lost, and nobody is stormed. */
import { assert } from "@effect/vitest"
import { Effect, Schedule, type Scope } from "effect"
import { eventually } from "../support/eventually.ts"
import { at, stringAt } from "../support/kubernetes/Json.ts"
import type * as SimulatedAap from "../support/SimulatedAap.ts"
import type { WireRequest } from "../support/Wire.ts"
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

interface Who {
  readonly name: string
  readonly token: string
}

export const makeWeather = Effect.fnUntraced(function* (plane: ControlPlane, { name, token }: Who, audit: string) {
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

const allEnded = (aap: SimulatedAap.SimulatedAap) =>
  eventually("every job to end", aap.ledger, (jobs) => jobs.every(({ status }) => status === "successful")).pipe(
    Effect.asVoid
  )

const counted = (asked: ReadonlyArray<Asked>, verb: string, answered?: number): number =>
  asked.filter(({ code, verb: its }) => its === verb && code === (answered ?? code)).length

/**
 * Somebody else writes to the object fifty times a second, and does not look at what is there; once right before the operator
 * does, so that there is a conflict however the times fall.
 */
const pestering = Effect.fnUntraced(function* (scene: Weather, name: string) {
  let sent = 0
  const versions = new Set<string>()
  const write = Effect.suspend(() =>
    scene.patch(name, { metadata: { annotations: { "example.com/heartbeat": String(sent++) } } })
  ).pipe(Effect.map(({ body }) => versions.add(stringAt(body, "metadata", "resourceVersion") ?? "")))
  const isOurs = ({ method, url }: WireRequest) => method === "PATCH" && url.pathname.includes(`/${name}`)
  scene.operator.before(isOurs, Effect.asVoid(write))
  yield* Effect.forkScoped(Effect.repeat(write, Schedule.fixed("20 millis")))
  return () => versions.size
})

const NAMES = ["pestered-1", "pestered-2"]

/** Whole lives while somebody writes to the same objects all the time. An attempt is refused once for such a write at most. */
export const conflicts = Effect.fnUntraced(function* (weather: Weather) {
  const { asked, create, isGone, isReady, launchesOf, remove } = weather
  const foreign = new Map<string, () => number>()
  const requests = yield* asked(
    Effect.gen(function* () {
      yield* Effect.forEach(NAMES, (name) => create(name))
      for (const name of NAMES) foreign.set(name, yield* pestering(weather, name))
      yield* Effect.forEach(NAMES, isReady)
      yield* Effect.forEach(NAMES, remove)
      yield* Effect.forEach(NAMES, isGone)
    })
  )
  for (const [name, written] of foreign) {
    assert.strictEqual(yield* launchesOf(name), 2)
    const writes = requests.filter((one) => one.name === name && one.verb === "patch")
    const refused = writes.filter(({ code }) => code === 409).length
    assert.isAbove(refused, 0, "this was no storm")
    assert.isAtMost(refused, written())
    assert.isAtMost(writes.length - refused, 12)
  }
  assert.strictEqual(counted(requests, "list"), 0)
})

/** While no request gets through and every watch is broken, an object comes. */
const orderedBehind = ({ create, operator }: Weather, name: string, then: Effect.Effect<void>) =>
  Effect.gen(function* () {
    operator.refuse(true)
    operator.sever()
    yield* create(name)
    yield* then
    operator.refuse(false)
  })

/** Connections are killed ten times in a row, and once for long enough that an object is ordered unseen. */
export const killedConnections = Effect.fnUntraced(function* (weather: Weather) {
  const { asked, create, isReady, launchesOf, operator } = weather
  const requests = yield* asked(
    Effect.gen(function* () {
      yield* create("severed-1")
      yield* Effect.repeat(Effect.sync(operator.sever), { schedule: Schedule.spaced("100 millis"), times: 10 })
      yield* isReady("severed-1")
      yield* orderedBehind(weather, "severed-2", Effect.void)
      yield* isReady("severed-2")
    })
  )
  assert.strictEqual(yield* launchesOf("severed-1"), 1)
  assert.strictEqual(yield* launchesOf("severed-2"), 1)
  assert.strictEqual(counted(requests, "list"), 0, "a broken watch resumes where it was")
  assert.isAtLeast(counted(requests, "watch"), 2)
  assert.isAtMost(counted(requests, "watch"), 12)
})

/** The API server is killed while a job runs, and started again after the job has ended, with a watch cache that knows nothing. */
export const restart = Effect.fnUntraced(function* (weather: Weather) {
  const { aap, asked, becomes, create, isGone, isReady, launchesOf, plane, remove } = weather
  yield* create("restarted-1")
  yield* isReady("restarted-1")
  yield* aap.play(() => ({ ...QUICK, runningFor: "3 seconds" }))
  const requests = yield* asked(
    Effect.gen(function* () {
      yield* create("restarted-2")
      yield* becomes("restarted-2", "followed", (object) => at(object, "status", "provisionJob", "id") !== undefined)
      yield* aap.play(() => QUICK)
      yield* Effect.orDie(plane.restarted(allEnded(aap), "--watch-cache=true"))
      yield* remove("restarted-1")
      yield* create("restarted-3")
      yield* Effect.forEach(["restarted-2", "restarted-3"], isReady)
      yield* isGone("restarted-1")
    })
  )
  assert.deepStrictEqual(yield* Effect.forEach(["restarted-1", "restarted-2", "restarted-3"], launchesOf), [2, 1, 1])
  assert.isAtMost(counted(requests, "list", 200), 1)
  assert.isAtMost(requests.length, 60)
})

/** etcd forgets what the operator has not seen: an API server without a watch cache cannot tell it any more. */
export const compaction = Effect.fnUntraced(function* (weather: Weather) {
  const { asked, create, isGone, isReady, launchesOf, plane, remove } = weather
  yield* create("compacted-1")
  yield* isReady("compacted-1")
  const requests = yield* asked(
    Effect.gen(function* () {
      const meanwhile = Effect.andThen(remove("compacted-1"), Effect.orDie(plane.compact))
      yield* orderedBehind(weather, "compacted-2", meanwhile)
      yield* isReady("compacted-2")
      yield* isGone("compacted-1")
    })
  )
  assert.deepStrictEqual(yield* Effect.forEach(["compacted-1", "compacted-2"], launchesOf), [2, 1])
  assert.strictEqual(counted(requests, "list"), 1)
  assert.isAtMost(requests.length, 60)
})
