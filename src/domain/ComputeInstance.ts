/**
 * The custom resource: the one Schema that gives the types, decodes what the API server sends, and generates the CRD.
 *
 * Decoding never throws and never loses: a bad object is a value that says what is wrong with it.
 */
import { Schema } from "effect"
import { Condition } from "./Conditions.ts"
import { Intent, LaunchRecord } from "./Intent.ts"
import { Job, JobState, Operation } from "./Job.ts"

export const GROUP = "cloudkit.openshift.io"
export const VERSION = "v1alpha1"
export const KIND = "ComputeInstance"
export const PLURAL = "computeinstances"

/** The operator's own finalizer. */
export const FINALIZER = "cloudkit.openshift.io/computeinstance"
/** Finalizers that EDA-driven playbooks set and remove. */
export const PLAYBOOK_FINALIZERS: readonly [string, ...ReadonlyArray<string>] = [
  "cloudkit.openshift.io/computeinstance-aap",
  "cloudkit.openshift.io/compute-instance-finalizer"
]
/** Finalizer of an earlier operator's controller that no longer exists; removed together with ours. */
export const RETIRED_FINALIZER = "cloudkit.openshift.io/computeinstance-feedback"

export const RECONCILED_VERSION_ANNOTATION = "cloudkit.openshift.io/reconciled-config-version"
export const MANAGEMENT_STATE_ANNOTATION = "cloudkit.openshift.io/management-state"
export const RETRY_ANNOTATION = "cloudkit.openshift.io/retry-requested-at"
/** Set to "true" by a playbook or a person: the machine is gone. */
export const DEPROVISIONED_ANNOTATION = "cloudkit.openshift.io/deprovisioned"
export const ADOPT_ANNOTATION = "cloudkit.openshift.io/adopt-job"

const dateTime = (description: string) =>
  Schema.optionalKey(Schema.String.annotate({ format: "date-time", description }))
const text = (description: string) => Schema.optionalKey(Schema.String.annotate({ description }))
const count = (description: string) =>
  Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)).annotate({ format: "int64", description }))

const MAX_PARAMETERS_LENGTH = 262_144

export const Spec = Schema.Struct({
  name: Schema.optionalKey(
    Schema.String.check(
      Schema.isMinLength(1),
      Schema.isMaxLength(63),
      Schema.isPattern(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/u)
    ).annotate({
      description: "Name of the machine, a DNS-1123 label: lower-case letters, digits and hyphens, at most 63."
    })
  ),
  vcpu: count("Number of virtual CPUs, at least 1."),
  memory: count("Memory in MiB, at least 1."),
  disk: count("Size of the boot disk in GiB, at least 1."),
  templateID: Schema.optionalKey(
    Schema.String.check(Schema.isPattern(/^[a-zA-Z_][a-zA-Z0-9._]*$/u)).annotate({
      description: "Template that the playbook builds the machine from, such as osac.templates.ocp_virt_vm."
    })
  ),
  templateParameters: Schema.optionalKey(
    Schema.String.check(Schema.isMaxLength(MAX_PARAMETERS_LENGTH)).annotate({
      description: "Parameters of the template: a string that holds one JSON object.",
      "x-kubernetes-validations": [
        {
          rule: "self.matches('^\\\\s*[{][\\\\s\\\\S]*[}]\\\\s*$')",
          message: "must be a JSON object, such as '{\"cpu\": 2}'"
        }
      ]
    })
  ),
  restartRequestedAt: dateTime("A new value asks for the machine to be provisioned again.")
}).annotate({
  identifier: "ComputeInstanceSpec",
  description: "The machine that is wanted.",
  "x-kubernetes-validations": [
    { rule: "has(self.name) || has(self.templateID)", message: "at least one of name and templateID must be set" }
  ]
})
export type Spec = typeof Spec.Type

export const Phase = Schema.Literals(["Progressing", "Ready", "Failed", "Deleting"])
export type Phase = typeof Phase.Type

/** The latest job of an operation, for people and jsonpath; derived from `jobs`, never read back. */
export const JobProjection = Schema.Struct({
  id: text("Id of the job at its provider."),
  state: Schema.optionalKey(JobState.annotate({ description: "Last known state of the job." })),
  message: text("What the state means, and why the job failed if it did."),
  blockDeletionOnFailure: Schema.optionalKey(
    Schema.Boolean.annotate({ description: "Whether a failure of this job keeps the resource from being deleted." })
  ),
  provider: text("The provider that launched the job."),
  configVersion: text("Version of the spec that the job was launched with."),
  timestamp: dateTime("When the job was launched (UTC)."),
  startedAt: dateTime("When the provider began to run the job (UTC)."),
  finishedAt: dateTime("When the job ended (UTC).")
})
export type JobProjection = typeof JobProjection.Type

/** A launch of which no job was found: searched for once more before anything is torn down or released. */
export const LostLaunch = Schema.Struct({
  provider: Schema.String.annotate({ description: "The provider that was called." }),
  template: Schema.String.annotate({ description: "What was to be launched, in the provider's own words." }),
  operation: Operation.annotate({ description: "What was to be launched." }),
  uid: Schema.optionalKey(
    Schema.String.annotate({
      description:
        "Uid of the resource it was launched for; another one than now after a restore from a backup. Absent in old records."
    })
  ),
  since: Schema.String.annotate({ format: "date-time", description: "When the first such launch was sent (UTC)." })
})
export type LostLaunch = typeof LostLaunch.Type

const reference = (description: string, fields: ReadonlyArray<string>) =>
  Schema.optionalKey(
    Schema.Struct(Object.fromEntries(fields.map((field) => [field, text("Written by an earlier operator.")]))).annotate(
      { description }
    )
  )

export const Status = Schema.Struct({
  phase: Schema.optionalKey(Phase.annotate({ description: "Where the resource is, in one word." })),
  observedGeneration: Schema.optionalKey(
    Schema.Int.annotate({ format: "int64", description: "Generation of the spec that this status speaks of." })
  ),
  desiredConfigVersion: text("Version of the current spec."),
  reconciledConfigVersion: text("Version of the spec that the machine was last built from."),
  jobs: Schema.optionalKey(
    Schema.Array(Job).annotate({ description: "The record of launched jobs, oldest first; bounded." })
  ),
  provisionJob: Schema.optionalKey(JobProjection.annotate({ description: "The latest provision job." })),
  deprovisionJob: Schema.optionalKey(JobProjection.annotate({ description: "The latest deprovision job." })),
  conditions: Schema.optionalKey(
    Schema.Array(Condition).annotate({
      description: "Ready, Reconciling, Stalled, Provisioned and DeletionBlocked, after the kstatus conventions.",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["type"]
    })
  ),
  attempts: Schema.optionalKey(
    Schema.Struct({
      provision: Schema.optionalKey(Schema.Int.annotate({ description: "Highest provision attempt ever used." })),
      deprovision: Schema.optionalKey(Schema.Int.annotate({ description: "Highest deprovision attempt ever used." }))
    }).annotate({
      description: "Highest attempt ever used for each operation; a launch key is never used for a second job."
    })
  ),
  launch: Schema.optionalKey(LaunchRecord.annotate({ description: "How the latest launch ended." })),
  pendingLaunch: Schema.optionalKey(
    Intent.annotate({
      description: "The launch that is being looked for, in case somebody removes the annotation that says so."
    })
  ),
  lostLaunches: Schema.optionalKey(
    Schema.Array(LostLaunch).annotate({
      description: "Launches of which no job was found; one per template, operation and uid."
    })
  ),
  virtualMachineReference: reference("Written by an earlier operator; kept.", [
    "namespace",
    "kubeVirtVirtualMachineName"
  ]),
  tenantReference: reference("Written by an earlier operator; kept.", ["name", "namespace"]),
  lastRestartedAt: dateTime("Written by an earlier operator; kept.")
}).annotate({
  identifier: "ComputeInstanceStatus",
  description: "What the operator knows. Written by the operator only."
})
export type Status = typeof Status.Type
