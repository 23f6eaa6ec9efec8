/** Operators that come back with the other provider: what one built, the other keeps and tears down. */
import { Duration, Effect } from "effect"
import { PLAYBOOK_FINALIZERS } from "../../src/domain/ComputeInstance.ts"
import { type JsonObject, stringAt, stringsAt } from "../../test/support/kubernetes/Json.ts"
import { DEPROVISION_PATH, PROVISION_PATH } from "../../test/support/SimulatedEda.ts"
import { claim, isRemoved, orders } from "./plot.ts"
import { fromAapSite, fromEdaSite } from "./Site.ts"
import type { Actor, Evidence, Story } from "./Story.ts"

/** Long enough for a launch or a poll that should not happen. */
const A_WHILE = Duration.seconds(4)

const aapPlaybook = () => ({ pendingFor: "1 second", runningFor: "3 seconds", ends: "successful" }) as const
const event = () => ({ worksFor: "3 seconds" }) as const

const isHeldByPlaybook = (object: JsonObject | undefined): boolean =>
  stringsAt(object, "metadata", "finalizers").some((one) => PLAYBOOK_FINALIZERS.includes(one))

const switches =
  (name: string, provider: "aap" | "eda", then: (actor: Actor) => ReturnType<Actor["until"]>) => (actor: Actor) =>
    Effect.gen(function* () {
      yield* orders(name)(actor)
      yield* actor.switchTo(provider)
      yield* then(actor)
      yield* Effect.sleep(A_WHILE)
      yield* isRemoved(actor)
    })

/** Once Ready, never anything else until it is deleted. */
const staysReady = ({ revisions }: Evidence): ReadonlyArray<string> => {
  const phases = revisions.map((object) => stringAt(object, "status", "phase") ?? "")
  const after = phases.slice(phases.indexOf("Ready"), phases.indexOf("Deleting"))
  const other = after.find((phase) => phase !== "Ready")
  return claim(other === undefined, `the resource was ${String(other)} between Ready and its deletion`)
}

const toAap: Story = {
  title: "from EDA to AAP",
  site: fromEdaSite,
  name: "vm-from-eda",
  shows: "stays Ready; AAP tears down, and the playbooks' finalizer goes",
  playbook: aapPlaybook,
  event,
  act: switches("vm-from-eda", "aap", () => Effect.void),
  expected: {
    jobs: [`${PROVISION_PATH} successful`, `${fromEdaSite.deprovision} successful`],
    phase: "gone",
    says: ["Provisioned", "Job completed successfully", "Deprovisioning", "Deprovisioning in progress"],
    also: (evidence) => [
      ...staysReady(evidence),
      ...claim(evidence.revisions.some(isHeldByPlaybook), "the playbook's finalizer was never on the resource")
    ]
  }
}

const toEda: Story = {
  title: "from AAP to EDA",
  site: fromAapSite,
  name: "vm-from-aap",
  shows: "stays Ready, gets the playbooks' finalizer; EDA tears down",
  playbook: aapPlaybook,
  event,
  act: switches("vm-from-aap", "eda", (actor) => actor.until("the playbooks' finalizer is on", isHeldByPlaybook)),
  expected: {
    jobs: [`${fromAapSite.provision} successful`, `${DEPROVISION_PATH} successful`],
    phase: "gone",
    says: ["Job running", "Job completed successfully", "Deprovisioning"],
    also: staysReady
  }
}

export const switchStories: ReadonlyArray<Story> = [toAap, toEda]
