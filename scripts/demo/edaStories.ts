/** The stories of Event-Driven Ansible, told at the same time: webhooks out, and nothing back but signals on the resource. */
import { Effect } from "effect"
import { PLAYBOOK_FINALIZERS } from "../../src/domain/ComputeInstance.ts"
import { stringAt, stringsAt } from "../../test/support/kubernetes/Json.ts"
import { DEPROVISION_PATH, PROVISION_PATH } from "../../test/support/SimulatedEda.ts"
import { conditionOf } from "./Observation.ts"
import { becomesSettled, claim, isRemoved, machine, orders } from "./plot.ts"
import { edaSite } from "./Site.ts"
import type { Story } from "./Story.ts"

const site = edaSite
const CALLED = "Webhook accepted; waiting for the playbook's signal"
const DONE = "Job completed successfully"

const lasting = (seconds: number) => () => ({ worksFor: `${seconds} seconds` }) as const

const provisioned: Story = {
  title: "provisioned",
  site,
  name: "vm-event",
  shows: "one webhook, and Ready when the playbook signals",
  event: lasting(4),
  act: orders("vm-event"),
  expected: {
    jobs: [`${PROVISION_PATH} successful`],
    phase: "Ready",
    says: ["JobPending", CALLED, "Provisioned", DONE],
    also: ({ object }) => [
      ...claim(
        stringsAt(object, "metadata", "finalizers").some((one) => PLAYBOOK_FINALIZERS.includes(one)),
        "the playbook's finalizer is not on the resource"
      ),
      ...claim(
        stringAt(object, "status", "reconciledConfigVersion") === stringAt(object, "status", "desiredConfigVersion"),
        "the status does not say that the machine was built from the newest spec"
      )
    ]
  }
}

const changed: Story = {
  title: "spec changed",
  site,
  name: "vm-changed",
  shows: "another webhook, under an id of its own",
  event: lasting(3),
  act: (actor) =>
    Effect.gen(function* () {
      yield* orders("vm-changed")(actor)
      yield* actor.change({ vcpu: 4 })
      yield* becomesSettled(actor)
    }),
  expected: {
    jobs: [`${PROVISION_PATH} successful`, `${PROVISION_PATH} successful`],
    phase: "Ready",
    says: [CALLED, DONE, CALLED, DONE],
    also: ({ revisions }) =>
      claim(
        revisions.every(
          (object) =>
            stringAt(object, "status", "phase") !== "Ready" ||
            stringAt(object, "metadata", "annotations", "cloudkit.openshift.io/reconciled-config-version") ===
              stringAt(object, "status", "desiredConfigVersion")
        ),
        "the resource was called Ready without the playbook's signal for that version"
      )
  }
}

const deleted: Story = {
  title: "deleted",
  site,
  name: "vm-deleted",
  shows: "one webhook to deprovision, gone when the playbook lets go",
  event: lasting(3),
  act: (actor) =>
    Effect.gen(function* () {
      yield* orders("vm-deleted")(actor)
      yield* isRemoved(actor)
    }),
  expected: {
    jobs: [`${PROVISION_PATH} successful`, `${DEPROVISION_PATH} successful`],
    phase: "gone",
    says: [CALLED, DONE, "Deprovisioning", CALLED],
    also: () => []
  }
}

const midway: Story = {
  title: "deleted midway",
  site,
  name: "vm-hasty",
  shows: "the signal is waited for, so that no machine is left behind",
  event: ({ operation }) => ({ worksFor: operation === "provision" ? "6 seconds" : "2 seconds" }),
  act: (actor) =>
    Effect.gen(function* () {
      yield* actor.apply(machine("vm-hasty"))
      yield* actor.until("the playbook's finalizer is on", (object) =>
        stringsAt(object, "metadata", "finalizers").some((one) => PLAYBOOK_FINALIZERS.includes(one))
      )
      yield* isRemoved(actor)
    }),
  expected: {
    jobs: [`${PROVISION_PATH} successful`, `${DEPROVISION_PATH} successful`],
    phase: "gone",
    says: [CALLED, "WaitingForPlaybook", DONE, CALLED],
    also: () => []
  }
}

const silent: Story = {
  title: "playbook fails",
  site,
  name: "vm-silent",
  shows: "no signal comes: after the settle period a person is told",
  // whoever asks again afterwards gets a machine
  event: ({ n }) => ({ worksFor: "3 seconds", ends: n > 1 ? "successful" : "failed" }),
  act: (actor) =>
    Effect.andThen(
      actor.apply(machine("vm-silent")),
      actor.until("a person is told", (object) => conditionOf(object, "Stalled").status === "True")
    ),
  expected: {
    jobs: [`${PROVISION_PATH} failed`],
    phase: "Progressing",
    says: [CALLED, "AwaitingSignal"],
    also: ({ object }) => {
      const { message, reason } = conditionOf(object, "Stalled")
      const right = reason === "AwaitingSignal" && String(message).includes("retry-requested-at")
      return claim(right, `condition Stalled says ${String(reason)}: ${String(message)}; it must say what to do`)
    }
  }
}

export const edaStories: ReadonlyArray<Story> = [provisioned, changed, deleted, midway, silent]
