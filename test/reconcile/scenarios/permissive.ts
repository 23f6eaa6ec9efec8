/** The CRD of somebody who took the validation out: anything may be stored. */
import type { JsonObject } from "../../support/SimulatedKubernetes.ts"

export const permissive = (definition: unknown): JsonObject => {
  const anything = { type: "object", "x-kubernetes-preserve-unknown-fields": true }
  const parsed = JSON.parse(JSON.stringify(definition))
  for (const version of parsed.spec.versions) {
    version.schema.openAPIV3Schema.properties.spec = anything
    version.schema.openAPIV3Schema.properties.status = anything
  }
  return parsed
}
