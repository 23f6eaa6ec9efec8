/**
 * A CustomResourceDefinition of the shape of the earlier operator's: its phases, its records of jobs, its references. It knows
 * nothing of what came after it.
 */
const text = { type: "string" }
const time = { type: "string", format: "date-time" }
const reference = (...fields: ReadonlyArray<string>) => ({
  type: "object",
  properties: Object.fromEntries(fields.map((field) => [field, text]))
})

const spec = {
  type: "object",
  required: ["templateID"],
  properties: {
    templateID: { type: "string", pattern: "^[a-zA-Z_][a-zA-Z0-9._]*$" },
    templateParameters: text,
    restartRequestedAt: time
  }
}

const condition = {
  type: "object",
  required: ["lastTransitionTime", "message", "reason", "status", "type"],
  properties: { lastTransitionTime: time, message: text, reason: text, status: text, type: text }
}

const job = {
  type: "object",
  required: ["timestamp", "type"],
  properties: {
    jobID: text,
    type: { type: "string", enum: ["provision", "deprovision"] },
    timestamp: time,
    state: { type: "string", enum: ["Pending", "Running", "Succeeded", "Failed", "Unknown"] },
    message: text,
    blockDeletionOnFailure: { type: "boolean" }
  }
}

const status = {
  type: "object",
  properties: {
    phase: { type: "string", enum: ["Starting", "Running", "Failed", "Deleting"] },
    conditions: { type: "array", items: condition },
    desiredConfigVersion: text,
    reconciledConfigVersion: text,
    lastRestartedAt: time,
    tenantReference: reference("name", "namespace"),
    virtualMachineReference: reference("kubeVirtVirtualMachineName", "namespace"),
    jobs: { type: "array", items: job }
  }
}

export const earlierCrd = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "computeinstances.cloudkit.openshift.io" },
  spec: {
    group: "cloudkit.openshift.io",
    scope: "Namespaced",
    names: {
      kind: "ComputeInstance",
      listKind: "ComputeInstanceList",
      plural: "computeinstances",
      singular: "computeinstance",
      shortNames: ["ci"]
    },
    versions: [
      {
        name: "v1alpha1",
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [{ name: "Phase", type: "string", jsonPath: ".status.phase" }],
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: { apiVersion: text, kind: text, metadata: { type: "object" }, spec, status }
          }
        }
      }
    ]
  }
}
