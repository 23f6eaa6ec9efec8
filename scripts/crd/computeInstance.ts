/**
 * The CustomResourceDefinition of ComputeInstance: the Schema's structural form, and how kubectl shows and selects objects.
 */
import { GROUP, KIND, PLURAL, Spec, Status, VERSION } from "../../src/domain/ComputeInstance.ts"
import { type Structural, structural } from "./structural.ts"

const condition = (type: string, field: string): string => `.status.conditions[?(@.type=="${type}")].${field}`
/** The newest record: the deprovision job as soon as there is one, the provision job before. */
const latestJob = (field: string): string => `.status.jobs[-1].${field}`

const column = (name: string, jsonPath: string, description: string, type = "string"): Structural => ({
  name,
  type,
  jsonPath,
  description
})
const wide = (shown: Structural): Structural => ({ ...shown, priority: 1 })

const columns: ReadonlyArray<Structural> = [
  column("Phase", ".status.phase", "Where the resource is, in one word."),
  column("Ready", condition("Ready", "status"), "Whether the machine was built from the current spec."),
  column("Reason", condition("Ready", "reason"), "Why it is ready, or not."),
  column("Job", latestJob("jobID"), "Id of the latest job at its provider."),
  column("State", latestJob("state"), "Last known state of the latest job."),
  column("Age", ".metadata.creationTimestamp", "When the resource was created.", "date"),
  wide(column("Provider", latestJob("provider"), "The provider that launched the latest job.")),
  wide(column("Message", condition("Ready", "message"), "What a person needs to know."))
]

const schema: Structural = {
  description: "A virtual machine, provisioned and torn down by playbooks.",
  type: "object",
  properties: {
    apiVersion: { type: "string", description: "Version of the API that this object is written in." },
    kind: { type: "string", description: "Kind of this object." },
    metadata: { type: "object" },
    spec: structural(Spec),
    status: structural(Status)
  },
  required: ["spec"]
}

export const computeInstanceCrd: Structural = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `${PLURAL}.${GROUP}` },
  spec: {
    group: GROUP,
    scope: "Namespaced",
    names: {
      kind: KIND,
      listKind: `${KIND}List`,
      plural: PLURAL,
      singular: KIND.toLowerCase(),
      shortNames: ["ci"],
      categories: ["cloudkit"]
    },
    versions: [
      {
        name: VERSION,
        served: true,
        storage: true,
        schema: { openAPIV3Schema: schema },
        subresources: { status: {} },
        selectableFields: [{ jsonPath: ".status.phase" }],
        additionalPrinterColumns: columns
      }
    ]
  }
}
