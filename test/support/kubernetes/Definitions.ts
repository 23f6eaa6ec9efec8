/** CustomResourceDefinitions as objects: what creating, changing and deleting one means for the kinds being served. */
import { Result } from "effect"
import { type ApiError, invalidObject } from "./ApiError.ts"
import type { Core, Write } from "./Core.ts"
import { type JsonObject, listAt, objectAt, stringAt, withAt } from "./Json.ts"
import type { Resource } from "./Resource.ts"

export const isDefinition = (resource: Resource): boolean =>
  resource.storage === "customresourcedefinitions.apiextensions.k8s.io"

/** The definition as it is kept: established at once. */
export const established = (definition: JsonObject, now: string): JsonObject => {
  const condition = (type: string, reason: string, message: string) => ({
    type,
    status: "True",
    lastTransitionTime: now,
    reason,
    message
  })
  return withAt(definition, ["status"], {
    conditions: [
      condition("NamesAccepted", "NoConflicts", "no conflicts found"),
      condition("Established", "InitialNamesAccepted", "the initial names have been accepted")
    ],
    acceptedNames: objectAt(definition, "spec", "names"),
    storedVersions: listAt(definition, "spec", "versions").map((version) => stringAt(version, "name") ?? "")
  })
}

/** Serves the kinds of the definition; 422 when one of its rules does not compile. */
export const serveDefinition = (core: Core, write: Write, definition: JsonObject): Result.Result<void, ApiError> =>
  Result.mapError(core.kinds.load(definition), ({ message, rule }) =>
    invalidObject(write.resource, stringAt(definition, "metadata", "name") ?? "", [
      {
        reason: "FieldValueInvalid",
        field: "spec.versions.schema.openAPIV3Schema.x-kubernetes-validations.rule",
        message: `Invalid value: ${JSON.stringify(rule)}: compilation failed: ${message}`
      }
    ])
  )

/** Stops serving the kinds of the definition and removes their objects. */
export const dropDefinition = (core: Core, definition: JsonObject): void => {
  for (const resource of core.kinds.drop(definition)) {
    for (const [key, object] of [...core.store.objects(resource.storage)]) {
      core.store.commit(
        resource.storage,
        key,
        (revision) => withAt(object, ["metadata", "resourceVersion"], String(revision)),
        true
      )
    }
  }
}
