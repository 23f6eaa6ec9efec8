/**
 * Two replicas as two processes against a real API server and a simulated AAP: stopped, killed, cut off, slow, told to go.
 *
 * The quiet period is a second, far below what is safe: nothing but the last look before a launch leaves keeps a replica that
 * lost its lease from launching what the other one has launched again.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { controlPlane } from "../document/Cluster.ts"
import { eventually, LONG_TEST, waitedForProcessor, withoutWaiting } from "../support/eventually.ts"
import { at } from "../support/kubernetes/Json.ts"
import * as SimulatedAap from "../support/SimulatedAap.ts"
import { ConnectionLost, type WireRequest } from "../support/Wire.ts"
import { leftOut, present } from "./assets.ts"
import { loggedAt, type Replica } from "./Replica.ts"
import { makeScene, says } from "./Scene.ts"

const LEASE = 5_000
const TOKEN = "admin-token"
const writesIntent = ({ body, method }: WireRequest): boolean => method === "PATCH" && body.includes("launch-intent")

const makeStage = Effect.gen(function* () {
  let isAway = true
  const scene = yield* makeScene(yield* controlPlane, {
    name: "failover",
    token: TOKEN,
    around: (aap) => (request) => (isAway ? Effect.fail(new ConnectionLost({ code: "ECONNRESET" })) : aap(request)),
    env: { CLOUDKIT_AAP_LAUNCH_QUIET_PERIOD: "1s", CLOUDKIT_LEADER_ELECT: "true", CLOUDKIT_LEASE_DURATION: "5s" }
  })
  const { ask, system } = scene.cluster
  const lease = `/apis/coordination.k8s.io/v1/namespaces/${system}/leases/cloudkit-operator-leader`
  return {
    ...scene,
    aapComes: () => {
      isAway = false
    },
    lease: Effect.map(ask("GET", lease), ({ body }) => body)
  }
})
type Stage = Effect.Success<typeof makeStage>

interface Moment {
  readonly at: number
  /** What had been waited for a processor until then. */
  readonly waited: number
}
const now = (): Moment => ({ at: Date.now(), waited: waitedForProcessor() })

/** When the replica logged this, at the moment or later. */
const logged = (replica: Replica, message: string, { at }: Moment) =>
  Effect.map(
    eventually(
      `${replica.name} to log "${message}"`,
      Effect.sync(() => loggedAt(replica, message, at)),
      (found) => found !== undefined
    ),
    (found = 0) => found
  )

/** The replica began to lead so soon after the moment; answers when. What a busy machine takes is not counted. */
const leads = (replica: Replica, since: Moment, within: number) =>
  Effect.map(logged(replica, "leading", since), (began) => {
    assert.isAtMost(withoutWaiting(began - since.at, waitedForProcessor() - since.waited), within)
    return began
  })

/** Started before anybody else is there: it waits for the API server and for AAP, says so, and goes on by itself. */
const calm = Effect.fnUntraced(function* (scene: Stage) {
  const first = yield* scene.replica("first")
  first.refuse(true)
  const problems = ["the first list of ComputeInstances is not complete: list: ", "the leader election does not work: "]
  yield* eventually("both complaints", first.readyz, (body) => problems.every((words) => body.includes(words)))
  first.refuse(false)
  yield* says(first, "leader\nprovider: ProviderUnreachable")
  yield* scene.create("calm")
  scene.aapComes()
  yield* scene.isReady("calm")
  yield* eventually("no complaint", first.readyz, (body) => body === "leader\n")
  return first
})

/** Stopped between its intent and its launch for longer than the lease: the other one launches, and it never does. */
const stopped = Effect.fnUntraced(function* (scene: Stage, leader: Replica, other: Replica) {
  let reached: Moment | undefined
  leader.at(
    writesIntent,
    Effect.andThen(
      leader.process.signal("SIGSTOP"),
      Effect.sync(() => {
        reached = now()
      })
    )
  )
  yield* scene.create("stopped")
  const intent = Effect.sync(() => reached)
  const moment = (yield* eventually("the intent", intent, (at) => at !== undefined)) ?? now()
  yield* leads(other, moment, LEASE + 2_000)
  yield* scene.isReady("stopped")
  yield* leader.process.signal("SIGCONT")
  yield* says(leader, "standby")
  yield* logged(leader, "this replica no longer leads: the launch is left to the one that does", moment)
  assert.strictEqual(yield* scene.launchesOf("stopped"), 1)
})

/** Cut off from the API server: it stops before the other one begins. */
const cutOff = Effect.fnUntraced(function* (scene: Stage, leader: Replica, other: Replica) {
  const moment = now()
  leader.cut(true)
  yield* scene.create("cut")
  const began = yield* leads(other, moment, LEASE + 2_000)
  assert.isBelow(yield* logged(leader, "no longer leading; everything is stopped", moment), began)
  yield* scene.isReady("cut")
  leader.cut(false)
  yield* says(leader, "standby")
})

const killed = Effect.fnUntraced(function* (scene: Stage, leader: Replica, other: Replica) {
  const moment = now()
  yield* leader.process.kill
  yield* scene.create("killed")
  yield* leads(other, moment, LEASE + 2_000)
  yield* scene.isReady("killed")
})

/** A slow API server costs nobody the lease; told to go, twice even, the leader hands over at once and ends well. */
const toldToGo = Effect.fnUntraced(function* (scene: Stage, leader: Replica, other: Replica) {
  const moment = Date.now()
  leader.slow(600)
  yield* scene.create("slow")
  yield* Effect.sleep("6 seconds")
  assert.isUndefined(loggedAt(other, "leading", moment))
  yield* scene.isReady("slow")
  leader.slow(0)
  const told = now()
  const ending = yield* Effect.forkChild(leader.process.stop, { startImmediately: true })
  yield* Effect.sleep("20 millis")
  yield* leader.process.signal("SIGTERM")
  yield* leads(other, told, 2_000)
  assert.strictEqual(yield* Fiber.join(ending), 0)
})

const story = Effect.gen(function* () {
  const scene = yield* makeStage
  const first = yield* calm(scene)
  const second = yield* scene.replica("second")
  yield* says(second, "standby; ")

  yield* stopped(scene, first, second)
  yield* cutOff(scene, second, first)
  yield* killed(scene, first, second)
  const third = yield* scene.replica("third")
  yield* says(third, "standby; ")
  yield* toldToGo(scene, second, third)

  for (const name of ["calm", "stopped", "cut", "killed", "slow"]) {
    assert.strictEqual(yield* scene.launchesOf(name), 1, `launches of ${name}`)
  }
  assert.deepStrictEqual(SimulatedAap.overlaps(yield* scene.aap.ledger), [])
  assert.strictEqual(at(yield* scene.lease, "spec", "leaseTransitions"), 4)
}).pipe(Effect.scoped)

if (present("etcd", "kube-apiserver")) {
  it.live(
    "a launch is never doubled, and never long in coming, whatever becomes of the replica that leads",
    () => story,
    {
      timeout: LONG_TEST
    }
  )
} else {
  const line = leftOut("two replicas on a real kube-apiserver")
  it("says what is left out without KUBEBUILDER_ASSETS, and how to have it", () => {
    assert.include(line, "setup-envtest use -p path")
  })
}
