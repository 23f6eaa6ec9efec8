/**
 * What a controller does, in the metrics that Kubernetes users know from other controllers.
 */
import { Duration, Effect, Option, type Scope } from "effect"
import { controllerMetrics, jobMetrics } from "./Metrics.ts"

/** The only controller, and its queue. */
const labels = { controller: "computeinstance" }
const queue = { name: "computeinstance" }

/** A pass that has ended. Times in milliseconds. */
interface Ended {
  readonly waited: number
  readonly took: number
  /** When next; none: the pass failed. */
  readonly action: Option.Option<{ readonly _tag: string; readonly delay?: Duration.Duration }>
}

interface Load {
  readonly added: number
  readonly queued: number
  readonly active: number
  readonly unfinished: number
  readonly longest: number
}

const SOON = Duration.seconds(1)

const resultOf = ({ action }: Ended): "success" | "error" | "requeue" | "requeue_after" => {
  if (Option.isNone(action)) return "error"
  const { delay } = action.value
  if (delay === undefined) return "success"
  return Duration.isLessThanOrEqualTo(delay, SOON) ? "requeue" : "requeue_after"
}

export const countPass = Effect.fnUntraced(function* (ended: Ended) {
  const { errors, reconciles, retries, time, waited, worked } = controllerMetrics
  const result = resultOf(ended)
  yield* reconciles.add({ ...labels, result })
  yield* time.observe(labels, ended.took / 1_000)
  yield* waited.observe(queue, ended.waited / 1_000)
  yield* worked.observe(queue, ended.took / 1_000)
  if (result !== "error") return
  yield* errors.add(labels)
  yield* retries.add(queue)
})

/** Shows what is under way and waiting, for as long as the scope lives. */
export const showLoad = (load: () => Load, concurrency: number): Effect.Effect<void, never, Scope.Scope> => {
  const { active, adds, depth, longest, most, unfinished } = controllerMetrics
  return Effect.all(
    [
      most.reads(labels, () => concurrency),
      active.reads(labels, () => load().active),
      depth.reads(queue, () => load().queued),
      adds.reads(queue, () => load().added),
      unfinished.reads(queue, () => load().unfinished / 1_000),
      longest.reads(queue, () => load().longest / 1_000)
    ],
    { discard: true }
  )
}

/** Shows how many launches stand in line, for as long as the scope lives. */
export const showLine = (
  waiting: (type: "provision" | "deprovision") => number
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.forEach(
    ["provision", "deprovision"] as const,
    (type) => jobMetrics.waiting.reads({ type }, () => waiting(type)),
    {
      discard: true
    }
  )

const lease = { name: "cloudkit-operator-leader" }

/** This replica stands by, until it says otherwise. */
export const standsBy: Effect.Effect<void> = controllerMetrics.leader.set(lease, 0)

/** This replica is the one that works, for as long as the scope lives. */
export const works: Effect.Effect<void, never, Scope.Scope> = Effect.acquireRelease(
  controllerMetrics.leader.set(lease, 1),
  () => standsBy
)
