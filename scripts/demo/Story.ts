/**
 * One thing the demo shows: what a person does, how the playbooks run, and what must have come of it.
 *
 * What must have come of it is said in terms of the ground truth (the cluster's objects, AAP's ledger, EDA's playbooks),
 * never of what the operator says it did.
 */
import { Clock, Data, Duration, Effect } from "effect"
import { type JsonObject, stringAt } from "../../test/support/kubernetes/Json.ts"
import type { LedgerJob, Playbook } from "../../test/support/SimulatedAap.ts"
import type * as SimulatedEda from "../../test/support/SimulatedEda.ts"
import type { SimulatedKubernetes } from "../../test/support/SimulatedKubernetes.ts"
import type { User } from "../../test/support/User.ts"
import type { LaunchSight } from "./Installation.ts"
import type { Observation } from "./Observation.ts"
import type { Operators } from "./Operators.ts"
import { LONGEST_REST, LONGEST_STORY } from "./patience.ts"
import type { Ran } from "./Ran.ts"
import type { ProviderName, Site } from "./Site.ts"

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
  /** Everything that ran for the object, oldest first. */
  readonly ran: ReadonlyArray<Ran>
  /** What of it were jobs of AAP. */
  readonly jobs: ReadonlyArray<LedgerJob>
  readonly launches: ReadonlyArray<LaunchSight>
}

export interface Expected {
  /** Everything that ran for the object, in order, and how each ended: `osac-create-compute-instance successful`. */
  readonly jobs: ReadonlyArray<string>
  readonly phase: "Ready" | "Failed" | "Progressing" | "gone"
  /** What the status said in between, in this order: messages of the job, and reasons of the condition Ready. */
  readonly says: ReadonlyArray<string>
  /** Whatever else must hold; each sentence is something that does not. */
  readonly also: (evidence: Evidence) => ReadonlyArray<string>
}

export interface Story {
  readonly title: string
  /** Whose operator sees to the object. */
  readonly site: Site
  readonly name: string
  readonly shows: string
  /** How AAP's playbooks run; asked only where AAP is. */
  readonly playbook?: (run: Run) => Playbook
  /** How EDA's playbooks run; what is left out is ordinary. */
  readonly event?: (event: SimulatedEda.Event) => Partial<SimulatedEda.Playbook>
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
  /** The operator is restarted with another provider; done when it is up. */
  readonly switchTo: (provider: ProviderName) => Effect.Effect<void>
  /** Waits until it holds of the object as it is (undefined: not there); stuck when nothing happens to it any more. */
  readonly until: (what: string, holds: (object: JsonObject | undefined) => boolean) => Effect.Effect<void, Stuck>
}

const BETWEEN_LOOKS = Duration.millis(50)

export interface Cast {
  readonly observation: Observation
  readonly kubernetes: SimulatedKubernetes
  readonly user: User
  readonly operators: Operators
}

export const keyOf = (story: Story): string => `${story.site.namespace}/${story.name}`

export const actorOf = (story: Story, { kubernetes, observation, operators, user }: Cast): Actor => {
  const key = keyOf(story)
  const doing = (text: string, done: Effect.Effect<unknown>) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      observation.say(now, "you", key, text)
      return Effect.asVoid(done)
    })
  const until: Actor["until"] = Effect.fnUntraced(function* (what, holds) {
    const deadline = observation.startedAt + Duration.toMillis(LONGEST_STORY)
    let version: string | undefined
    let since = yield* Clock.currentTimeMillis
    for (;;) {
      const object = yield* kubernetes.object(story.site.namespace, story.name)
      if (holds(object)) return
      const now = yield* Clock.currentTimeMillis
      if (stringAt(object, "metadata", "resourceVersion") !== version) since = now
      else if (now - since > Duration.toMillis(LONGEST_REST) || now > deadline) {
        return yield* new Stuck({ message: `waited in vain until ${what}` })
      }
      version = stringAt(object, "metadata", "resourceVersion")
      yield* Effect.sleep(BETWEEN_LOOKS)
    }
  })
  return {
    apply: (spec) => doing("kubectl apply", user.create(story.name, spec)),
    change: (spec) => doing(`kubectl patch --patch '${JSON.stringify({ spec })}'`, user.patch(story.name, { spec })),
    remove: doing("kubectl delete --wait=false", user.remove(story.name)),
    switchTo: (provider) =>
      doing(
        `restart the operator with CLOUDKIT_PROVISIONING_PROVIDER=${provider}`,
        operators.switchTo(story.site, provider)
      ),
    until
  }
}
