/** The schemas of the kinds being served, as `kubectl explain` and client-side checks ask for them. */
import { type JsonObject, objectAt } from "./Json.ts"
import type { Kinds } from "./Kinds.ts"
import { apiVersionOf, type Resource } from "./Resource.ts"

const text = (description: string): JsonObject => ({ type: "string", description })

const objectMeta: JsonObject = {
  type: "object",
  description: "Metadata that every object has.",
  properties: {
    name: text("Name is unique within a namespace. Cannot be updated."),
    namespace: text("Namespace is the space within which the name is unique."),
    labels: {
      type: "object",
      additionalProperties: { type: "string" },
      description: "Keys and values to organize and select objects by."
    },
    annotations: {
      type: "object",
      additionalProperties: { type: "string" },
      description: "Keys and values that tools keep with the object."
    },
    finalizers: {
      type: "array",
      items: { type: "string" },
      description: "Who has to agree before the object is removed."
    },
    generation: { type: "integer", format: "int64", description: "Number of the desired state." },
    resourceVersion: text("The version of this object, for optimistic concurrency."),
    uid: text("The identity of this object in time and space."),
    creationTimestamp: { type: "string", format: "date-time", description: "When the object was created." },
    deletionTimestamp: { type: "string", format: "date-time", description: "When its deletion was asked for." }
  }
}

const metaReference = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

const referenceOf = (resource: Resource): string =>
  [
    ...resource.group
      .split(".")
      .reverse()
      .filter((part) => part !== ""),
    resource.version,
    resource.kind
  ].join(".")

const gvkOf = ({ group, kind, version }: Resource): JsonObject => ({ group, kind, version })

const schemaOf = (resource: Resource): JsonObject => ({
  type: "object",
  "x-kubernetes-group-version-kind": [gvkOf(resource)],
  ...resource.schema,
  properties: {
    apiVersion: text("APIVersion defines the versioned schema of this representation of an object."),
    kind: text("Kind is a string value representing the REST resource this object represents."),
    ...objectAt(resource.schema, "properties"),
    metadata: { description: "Standard object's metadata.", allOf: [{ $ref: `#/components/schemas/${metaReference}` }] }
  }
})

const pathOf = (resource: Resource): string => {
  const prefix = resource.group === "" ? "/api" : "/apis"
  const scope = resource.namespaced ? "/namespaces/{namespace}" : ""
  return `${prefix}/${apiVersionOf(resource)}${scope}/${resource.plural}`
}

const parameters = (...names: ReadonlyArray<string>) =>
  names.map((name) => ({ name, in: "query", schema: { type: "string", uniqueItems: true } }))

const operation = (resource: Resource, action: string): JsonObject => ({
  "x-kubernetes-action": action,
  "x-kubernetes-group-version-kind": gvkOf(resource),
  parameters: parameters("dryRun", "fieldManager", "fieldValidation"),
  responses: {
    "200": {
      description: "OK",
      content: { "application/json": { schema: { $ref: `#/components/schemas/${referenceOf(resource)}` } } }
    }
  }
})

const pathsOf = (resource: Resource): ReadonlyArray<readonly [string, JsonObject]> => [
  [pathOf(resource), { get: operation(resource, "list"), post: operation(resource, "post") }],
  [
    `${pathOf(resource)}/{name}`,
    {
      get: operation(resource, "get"),
      put: operation(resource, "put"),
      patch: operation(resource, "patch"),
      delete: operation(resource, "delete")
    }
  ]
]

const documentPath = (resource: Resource): string =>
  resource.group === "" ? `api/${resource.version}` : `apis/${apiVersionOf(resource)}`

/** The OpenAPI document at a path under `/openapi`, if there is one. */
export const openApi = (kinds: Kinds, path: string): JsonObject | undefined => {
  const wanted = path.replace(/^\/openapi\/v3\/?/u, "")
  if (!path.startsWith("/openapi/v3")) return undefined
  if (wanted === "") {
    const documents = [...new Set(kinds.all.map(documentPath))]
    return {
      paths: Object.fromEntries(documents.map((one) => [one, { serverRelativeURL: `/openapi/v3/${one}?hash=${one}` }]))
    }
  }
  const resources = kinds.all.filter((resource) => documentPath(resource) === wanted)
  if (resources.length === 0) return undefined
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version: "v1.35.4" },
    paths: Object.fromEntries(resources.flatMap(pathsOf)),
    components: {
      schemas: {
        ...Object.fromEntries(resources.map((resource) => [referenceOf(resource), schemaOf(resource)])),
        [metaReference]: objectMeta
      }
    }
  }
}
