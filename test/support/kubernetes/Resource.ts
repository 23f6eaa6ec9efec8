/** A kind that is served: what its definition says, whether built in or from a CustomResourceDefinition. */
import { at, isObject, type Json, type JsonObject, listAt, numberAt, objectAt, stringAt, stringsAt } from "./Json.ts"

export interface Column {
  readonly name: string
  readonly type: string
  readonly format: string
  readonly description: string
  readonly priority: number
  readonly jsonPath: string
}

export interface Resource {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly singular: string
  readonly kind: string
  readonly listKind: string
  readonly shortNames: ReadonlyArray<string>
  readonly categories: ReadonlyArray<string>
  readonly namespaced: boolean
  readonly statusSubresource: boolean
  /** Where its objects are kept; two views of one storage share it. */
  readonly storage: string
  /** The structural schema of a custom resource; built-in kinds are kept as they come. */
  readonly schema: JsonObject | undefined
  readonly columns: ReadonlyArray<Column>
  /** JSON paths without the leading dot. */
  readonly selectable: ReadonlyArray<string>
  readonly custom: boolean
}

export const apiVersionOf = (resource: { readonly group: string; readonly version: string }): string =>
  resource.group === "" ? resource.version : `${resource.group}/${resource.version}`

const builtIn = (
  group: string,
  version: string,
  kind: string,
  plural: string,
  rest: Partial<Resource> = {}
): Resource => ({
  group,
  version,
  plural,
  singular: kind.toLowerCase(),
  kind,
  listKind: `${kind}List`,
  shortNames: [],
  categories: [],
  namespaced: true,
  statusSubresource: false,
  storage: group === "" ? plural : `${plural}.${group}`,
  schema: undefined,
  columns: [],
  selectable: [],
  custom: false,
  ...rest
})

const eventSelectors = [
  ...["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"].map(
    (field) => `involvedObject.${field}`
  ),
  "reason",
  "reportingComponent",
  "type"
]

/** The kinds that are there without a CustomResourceDefinition. */
export const builtInResources: ReadonlyArray<Resource> = [
  builtIn("", "v1", "Namespace", "namespaces", { namespaced: false, shortNames: ["ns"], selectable: ["status.phase"] }),
  builtIn("", "v1", "Event", "events", { shortNames: ["ev"], selectable: eventSelectors }),
  builtIn("events.k8s.io", "v1", "Event", "events", {
    shortNames: ["ev"],
    storage: "events",
    selectable: eventSelectors
  }),
  builtIn("", "v1", "Secret", "secrets", { selectable: ["type"] }),
  builtIn("", "v1", "ConfigMap", "configmaps", { shortNames: ["cm"] }),
  builtIn("", "v1", "ServiceAccount", "serviceaccounts", { shortNames: ["sa"] }),
  builtIn("coordination.k8s.io", "v1", "Lease", "leases"),
  builtIn("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", {
    namespaced: false,
    shortNames: ["crd", "crds"],
    statusSubresource: true
  })
]

const described = "Custom resource definition column (in JSONPath format): "

const columnOf = (column: Json): Column => ({
  name: stringAt(column, "name") ?? "",
  type: stringAt(column, "type") ?? "string",
  format: stringAt(column, "format") ?? "",
  description: stringAt(column, "description") ?? `${described}${stringAt(column, "jsonPath") ?? ""}`,
  priority: numberAt(column, "priority") ?? 0,
  jsonPath: stringAt(column, "jsonPath") ?? ""
})

const ageColumn = columnOf({ name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" })

/** The kinds of a CustomResourceDefinition, one for each version that is served. */
export const resourcesOf = (crd: JsonObject): ReadonlyArray<Resource> => {
  const spec = objectAt(crd, "spec")
  const names = objectAt(spec, "names")
  const group = stringAt(spec, "group") ?? ""
  const kind = stringAt(names, "kind") ?? ""
  const plural = stringAt(names, "plural") ?? ""
  return listAt(spec, "versions")
    .filter(isObject)
    .filter((version) => version.served === true)
    .map((version) => {
      const columns = listAt(version, "additionalPrinterColumns").map(columnOf)
      return {
        group,
        version: stringAt(version, "name") ?? "",
        plural,
        singular: stringAt(names, "singular") ?? kind.toLowerCase(),
        kind,
        listKind: stringAt(names, "listKind") ?? `${kind}List`,
        shortNames: stringsAt(names, "shortNames"),
        categories: stringsAt(names, "categories"),
        namespaced: stringAt(spec, "scope") !== "Cluster",
        statusSubresource: isObject(at(version, "subresources", "status")),
        storage: `${plural}.${group}`,
        schema: objectAt(version, "schema", "openAPIV3Schema"),
        columns: columns.length === 0 ? [ageColumn] : columns,
        selectable: listAt(version, "selectableFields").map((field) => (stringAt(field, "jsonPath") ?? "").slice(1)),
        custom: true
      }
    })
}
