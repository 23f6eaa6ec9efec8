/** What tests look at: the stored object, the conditions in it, the ground truth of AAP and the requests that were made. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { Exchange } from "./Faults.ts"
import { type LedgerJob, overlaps } from "./SimulatedAap.ts"
import type { JsonObject } from "./SimulatedKubernetes.ts"
import type { World } from "./World.ts"

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The value at a path of keys and indices, undefined where there is none. */
export const at = (value: unknown, ...path: ReadonlyArray<string | number>): unknown =>
  path.reduce<unknown>((inner, step) => {
    if (Array.isArray(inner) && typeof step === "number") return inner.at(step)
    return isObject(inner) ? inner[step] : undefined
  }, value)

export const condition = (object: unknown, type: string): JsonObject | undefined => {
  const conditions = at(object, "status", "conditions")
  return Array.isArray(conditions) ? conditions.filter(isObject).find((one) => one.type === type) : undefined
}

/** `True Provisioned`, `False JobFailed`, or `absent`. */
export const verdict = (object: unknown, type: string): string => {
  const found = condition(object, type)
  return found === undefined ? "absent" : `${String(found.status)} ${String(found.reason)}`
}

export const stored = (world: World, name: string) => world.kubernetes.object("default", name)

export const jobsOf = (world: World, name: string): Effect.Effect<ReadonlyArray<LedgerJob>> =>
  Effect.map(world.aap.ledger, (ledger) => ledger.filter((job) => job.object?.name === name))

/** No two jobs of one object were ever alive at the same instant, provision beside deprovision least of all. */
export const assertNoOverlap = (world: World) =>
  Effect.map(world.aap.ledger, (ledger) => assert.deepStrictEqual(overlaps(ledger), []))

export const isLaunch = (exchange: Exchange): boolean =>
  exchange.method === "POST" && exchange.path.endsWith("/launch/")
export const isPoll = (exchange: Exchange): boolean =>
  exchange.method === "GET" && exchange.path.endsWith("/unified_jobs/") && exchange.query.includes("id__in=")
/** Writes of the operator to ComputeInstances; Events are not counted. */
export const isWrite = (exchange: Exchange): boolean =>
  exchange.method !== "GET" &&
  exchange.userAgent.startsWith("cloudkit-operator") &&
  exchange.path.includes("/computeinstances/")
/** Reads of a single ComputeInstance. */
export const isLiveGet = (exchange: Exchange): boolean =>
  exchange.method === "GET" &&
  exchange.userAgent.startsWith("cloudkit-operator") &&
  exchange.path.includes("/computeinstances/")
