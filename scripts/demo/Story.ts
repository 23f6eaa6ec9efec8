/**
 * One thing the demo shows: what a person does, how the playbooks run, and what must have come of it.
 *
 * What must have come of it is said in terms of the ground truth (the cluster's objects, AAP's ledger), never of what the
 * operator says it did.
 */
import { Clock, Data, Duration, Effect } from "effect"
import type { JsonObject } from "../../test/support/kubernetes/Json.ts"
import type { LedgerJob, Playbook } from "../../test/support/SimulatedAap.ts"
import type { SimulatedKubernetes } from "../../test/support/SimulatedKubernetes.ts"
import type { User } from "../../test/support/User.ts"
import type { LaunchSight } from "./Installation.ts"
import type { Observation } from "./Observation.ts"

/** A run of one of the object's jobs: the `n`-th of that template for it, from 1. */
export interface Run {
  readonly template: string
  readonly n: number
}

/** What is known of one object in the end. */
export interface Evidence {
  readonly revisions: ReadonlyArray<JsonObject>
  /** Undefined: it is gone. */
  readonly object: JsonObject | undefined
  readonly jobs: ReadonlyArray<LedgerJob>
  readonly launches: ReadonlyArray<LaunchSight>
}

export interface Expected {
  /** Every job AAP ran for the object, in order, and how each ended: `osac-create-compute-instance successful`. */
  readonly jobs: ReadonlyArray<string>
  readonly phase: "Ready" | "Failed" | "gone"
  /** What the status said in between, in this order: messages of the job, and reasons of the condition Ready. */
  readonly says: ReadonlyArray<string>
  /** Whatever else must hold; each sentence is something that does not. */
  readonly also: (evidence: Evidence) => ReadonlyArray<string>
}

export interface Story {
  readonly title: string
  readonly namespace: string
  readonly name: string
  readonly shows: string
  readonly playbook: (run: Run) => Playbook
  readonly act: (actor: Actor) => Effect.Effect<void, Stuck>
  readonly expected: Expected
}

/** What was waited for did not come. */
export class Stuck extends Data.TaggedError("Stuck")<{ readonly message: string }> {}

/** A person with kubectl, who waits until something is so. */
export interface Actor {
  readonly apply: (spec: JsonObject) => Effect.Effect<void>
  readonly change: (spec: JsonObject) => Effect.Effect<void>
  readonly remove: Effect.Effect<void>
  /** Waits until it holds of the object as it is (undefined: not there), or is stuck. */
  readonly until: (what: string, holds: (object: JsonObject | undefined) => boolean) => Effect.Effect<void, Stuck>
}

const BETWEEN_LOOKS = Duration.millis(50)

export interface Cast {
  readonly observation: Observation
  readonly kubernetes: SimulatedKubernetes
  readonly user: User
  /** Nobody waits longer than this (milliseconds since 1970). */
  readonly deadline: number
}

export const actorOf = (story: Story, { deadline, kubernetes, observation, user }: Cast): Actor => {
  const key = `${story.namespace}/${story.name}`
  const doing = (text: string, done: Effect.Effect<unknown>) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      observation.say(now, "you", key, text)
      return Effect.asVoid(done)
    })
  const until: Actor["until"] = Effect.fnUntraced(function* (what, holds) {
    while (!holds(yield* kubernetes.object(story.namespace, story.name))) {
      if ((yield* Clock.currentTimeMillis) > deadline) {
        return yield* new Stuck({ message: `waited in vain until ${what}` })
      }
      yield* Effect.sleep(BETWEEN_LOOKS)
    }
  })
  return {
    apply: (spec) => doing("kubectl apply", user.create(story.name, spec)),
    change: (spec) => doing(`kubectl patch --patch '${JSON.stringify({ spec })}'`, user.patch(story.name, { spec })),
    remove: doing("kubectl delete --wait=false", user.remove(story.name)),
    until
  }
}
