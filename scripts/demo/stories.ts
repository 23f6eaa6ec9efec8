/** The five stories of AAP, told at the same time. */
import { Effect } from "effect"
import { stringAt } from "../../test/support/kubernetes/Json.ts"
import { type LedgerJob, lifetime, type Playbook } from "../../test/support/SimulatedAap.ts"
import { conditionOf } from "./Observation.ts"
import { becomesSettled, claim, isRemoved, machine, orders } from "./plot.ts"
import { jobSite, workflowSite } from "./Site.ts"
import type { Evidence, Story } from "./Story.ts"

const lasting = (seconds: number): Playbook => ({
  pendingFor: "1500 millis",
  runningFor: `${seconds} seconds`,
  ends: "successful"
})

const create = jobSite.provision
const remove = jobSite.deprovision

const jobTemplate: Story = {
  title: "job template",
  site: jobSite,
  name: "vm-job",
  shows: "one launch, followed until the machine is Ready",
  playbook: () => lasting(4),
  act: orders("vm-job"),
  expected: {
    jobs: [`${create} successful`],
    phase: "Ready",
    says: ["Job queued", "Job running", "Job completed successfully"],
    also: ({ jobs }) => claim(jobs[0]?.kind === "job", "what AAP ran is not a job")
  }
}

const workflowTemplate: Story = {
  title: "workflow template",
  site: workflowSite,
  name: "vm-workflow",
  shows: "a workflow job of two nodes, by an operator of another namespace",
  playbook: () => ({ ...lasting(2), pendingFor: "700 millis" }),
  act: orders("vm-workflow"),
  expected: {
    jobs: [`${workflowSite.provision} successful`],
    phase: "Ready",
    says: ["Job queued", "Job running", "Job completed successfully"],
    also: ({ jobs }) => claim(jobs[0]?.kind === "workflow_job", "what AAP ran is not a workflow job")
  }
}

const reason = "quota exceeded: 2 of 2 machines are in use"

const failure: Story = {
  title: "playbook fails",
  site: jobSite,
  name: "vm-failing",
  shows: "the failed task and its words are in the status",
  playbook: ({ n }) =>
    n > 1
      ? lasting(3)
      : { ...lasting(3), ends: "failed", failure: { host: "localhost", task: "Create the machine", message: reason } },
  act: orders("vm-failing"),
  expected: {
    jobs: [`${create} failed`],
    phase: "Failed",
    says: ["Job queued", "Job running"],
    also: ({ object }) =>
      ["Ready", "Stalled"].flatMap((type) => {
        const { message, reason: word, status } = conditionOf(object, type)
        const said = `condition ${type} says ${String(status)} ${String(word)}: ${String(message)}`
        const right =
          status === (type === "Ready" ? "False" : "True") &&
          word === "JobFailed" &&
          String(message).startsWith("AAP job failed: ") &&
          String(message).includes(`task "Create the machine": ${reason}`)
        return claim(right, `${said}; it must give the playbook's reason, "${reason}"`)
      })
  }
}

const canceledFirst = ({ jobs: [provision, deprovision] }: Evidence): ReadonlyArray<string> => [
  ...claim((provision?.cancelRequests.length ?? 0) > 0, "AAP was never asked to cancel the provision job"),
  ...claim(
    provision === undefined || deprovision === undefined || endOf(provision) <= deprovision.created,
    "the deprovision job was launched before the provision job had ended"
  )
]

const endOf = (job: LedgerJob): number => lifetime(job).to

const deletion: Story = {
  title: "deleted midway",
  site: jobSite,
  name: "vm-deleted",
  shows: "cancel, wait for the end, deprovision, let go",
  playbook: ({ template }) => (template === create ? { ...lasting(12), cancelTakes: "3 seconds" } : lasting(3)),
  act: (actor) =>
    Effect.gen(function* () {
      yield* actor.apply(machine("vm-deleted"))
      yield* actor.until(
        "the provision job is Running",
        (object) => stringAt(object, "status", "provisionJob", "state") === "Running"
      )
      yield* isRemoved(actor)
    }),
  expected: {
    jobs: [`${create} canceled`, `${remove} successful`],
    phase: "gone",
    says: ["Job running", "CancelingJob", "Deprovisioning", "Deprovisioning in progress"],
    also: canceledFirst
  }
}

const change: Story = {
  title: "spec changed",
  site: jobSite,
  name: "vm-changed",
  shows: "provisioned again, from the new spec, once",
  playbook: () => lasting(3),
  act: (actor) =>
    Effect.gen(function* () {
      yield* orders("vm-changed")(actor)
      yield* actor.change({ vcpu: 4 })
      yield* becomesSettled(actor)
    }),
  expected: {
    jobs: [`${create} successful`, `${create} successful`],
    phase: "Ready",
    says: ["Job running", "Job completed successfully", "Job queued", "Job running", "Job completed successfully"],
    also: ({ jobs, object }) => [
      ...claim(
        JSON.stringify(jobs.map((job) => vcpuOf(job))) === "[2,4]",
        `the playbooks were given vcpu ${jobs.map(vcpuOf).join(", then ")} instead of 2, then 4`
      ),
      ...claim(
        stringAt(object, "status", "reconciledConfigVersion") === stringAt(object, "status", "desiredConfigVersion"),
        "the status does not say that the machine was built from the newest spec"
      )
    ]
  }
}

const vcpuOf = (job: LedgerJob): number | undefined => {
  const payload = job.payload
  return typeof payload === "object" && payload !== null && "spec" in payload ? vcpu(payload.spec) : undefined
}
const vcpu = (spec: unknown): number | undefined =>
  typeof spec === "object" && spec !== null && "vcpu" in spec && typeof spec.vcpu === "number" ? spec.vcpu : undefined

export const stories: ReadonlyArray<Story> = [jobTemplate, workflowTemplate, failure, deletion, change]

/** For objects of no story, which people made: one whose name says so fails. */
export const otherPlaybook = (name: string, n: number): Playbook =>
  name.includes("fail") && n === 1
    ? { ...lasting(3), ends: "failed", failure: { host: "localhost", task: "Create the machine", message: reason } }
    : lasting(5)
