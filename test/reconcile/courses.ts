/** What playbooks really did to an object, whichever provider ran them: the ground truth that switching is judged on. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { at, isLiveGet, isPoll, stored } from "../support/expectations.ts"
import { lifetime } from "../support/SimulatedAap.ts"
import type { Run } from "../support/SimulatedEda.ts"
import type { World } from "../support/World.ts"

export const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }
export const OPERATOR = "cloudkit.openshift.io/computeinstance"
export const PLAYBOOK = "cloudkit.openshift.io/computeinstance-aap"
export const RETRY = "cloudkit.openshift.io/retry-requested-at"
export const DEPROVISIONED = "cloudkit.openshift.io/deprovisioned"
export const RECONCILED = "cloudkit.openshift.io/reconciled-config-version"

interface Play {
  readonly provider: "aap" | "eda"
  readonly operation: string
  readonly from: number
  /** Infinite while it runs, and for a playbook that hangs. */
  readonly to: number
  readonly outcome: string
}

/** Every playbook that ran for an object, in the order in which they ended. */
const playsOf = Effect.fnUntraced(function* (world: World, name: string) {
  const byEda = (yield* world.eda.runs)
    .filter((run) => run.name === name)
    .map(
      ({ began, ended, operation, outcome }: Run): Play => ({
        provider: "eda",
        operation,
        from: began,
        to: ended ?? Number.POSITIVE_INFINITY,
        outcome
      })
    )
  const byAap = (yield* world.aap.ledger)
    .filter((job) => job.object?.name === name)
    .map((job): Play => {
      const operation = job.template.includes("delete") ? "deprovision" : "provision"
      return { provider: "aap", operation, ...lifetime(job), outcome: job.status }
    })
  return [...byEda, ...byAap].sort((a, b) => a.to - b.to || a.from - b.from)
})

/** Two playbooks that worked on one machine at the same time; one that hangs works on nothing. */
const together = (plays: ReadonlyArray<Play>): ReadonlyArray<ReadonlyArray<Play>> =>
  plays.flatMap((first, index) =>
    plays
      .slice(index + 1)
      .filter(({ from, to }) => Math.max(from, first.from) < Math.min(to, first.to) && Number.isFinite(to))
      .map((second) => [first, second])
  )

/** `eda provision successful`, and so on. */
export const courseOf = (world: World, name: string) =>
  Effect.map(playsOf(world, name), (plays) =>
    plays.map(({ operation, outcome, provider }) => `${provider} ${operation} ${outcome}`)
  )

/**
 * The object is gone and owes nothing: AAP runs nothing for it, and unless nothing was ever provisioned, a deprovision that
 * succeeded began after the last provision had ended.
 */
export const assertClean = Effect.fnUntraced(function* (world: World, name: string) {
  const object = yield* stored(world, name)
  assert.isTrue(object === undefined, `still there: ${JSON.stringify(at(object, "status", "conditions"))}`)
  const plays = yield* playsOf(world, name)
  const story = JSON.stringify(plays)
  assert.isEmpty(
    plays.filter(({ provider, to }) => provider === "aap" && to === Number.POSITIVE_INFINITY),
    `a job of AAP outlives the object: ${story}`
  )
  assert.isEmpty(together(plays), `playbooks ran at the same time: ${story}`)
  const provisioned = Math.max(
    ...plays.filter(({ operation, to }) => operation === "provision" && to < Infinity).map(({ to }) => to)
  )
  const removed = plays.some(
    ({ from, operation, outcome }) => operation === "deprovision" && outcome === "successful" && from >= provisioned
  )
  assert.isTrue(removed || provisioned === Number.NEGATIVE_INFINITY, `a machine is left behind: ${story}`)
})

/** What EDA was asked, in order: `provision`, `deprovision`. */
export const webhooksOf = (world: World) =>
  Effect.map(world.eda.webhooks, (webhooks) => webhooks.map(({ event }) => event?.operation))

/** Nobody was asked how things are: not AAP, not EDA, and not the cluster, whose watch tells. */
export const assertNothingPolled = Effect.fnUntraced(function* (world: World) {
  assert.strictEqual(yield* world.aapWire.count(isPoll), 0)
  assert.strictEqual(yield* world.edaWire.count(({ method }) => method !== "POST"), 0)
  assert.strictEqual(yield* world.kubernetesWire.count(isLiveGet), 0)
})

export const phaseOf = (world: World, name: string) =>
  Effect.map(stored(world, name), (object) => at(object, "status", "phase"))
