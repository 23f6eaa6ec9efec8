/** What clients find out about the kinds being served. */
import type { JsonObject } from "./Json.ts"
import type { Kinds } from "./Kinds.ts"
import { apiVersionOf, type Resource } from "./Resource.ts"

const verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]

const resourceEntries = (resource: Resource): ReadonlyArray<JsonObject> => {
  const { categories, kind, namespaced, plural, shortNames, singular } = resource
  const entry: JsonObject = {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories })
  }
  if (!resource.statusSubresource) return [entry]
  return [entry, { name: `${plural}/status`, singularName: "", namespaced, kind, verbs: ["get", "patch", "update"] }]
}

const groupEntry = (kinds: Kinds, group: string): JsonObject => {
  const versions = [...new Set(kinds.all.filter((one) => one.group === group).map((one) => one.version))]
  const entries = versions.map((version) => ({ groupVersion: `${group}/${version}`, version }))
  return { name: group, versions: entries, ...(entries[0] === undefined ? {} : { preferredVersion: entries[0] }) }
}

const resourceList = (kinds: Kinds, group: string, version: string): JsonObject | undefined => {
  const resources = kinds.all.filter((one) => one.group === group && one.version === version)
  if (resources.length === 0) return undefined
  return {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: apiVersionOf({ group, version }),
    resources: resources.flatMap(resourceEntries)
  }
}

/** The discovery document at a path, if there is one. */
export const discovered = (kinds: Kinds, path: string): JsonObject | undefined => {
  const [root, group, version, ...rest] = path.split("/").filter((part) => part !== "")
  const groups = [...new Set(kinds.all.map((one) => one.group))].filter((name) => name !== "")
  if (rest.length > 0) return undefined
  if (root === "api") {
    if (group === undefined) return { kind: "APIVersions", apiVersion: "v1", versions: ["v1"] }
    return version === undefined ? resourceList(kinds, "", group) : undefined
  }
  if (root !== "apis") return undefined
  if (group === undefined) {
    return { kind: "APIGroupList", apiVersion: "v1", groups: groups.map((name) => groupEntry(kinds, name)) }
  }
  if (!groups.includes(group)) return undefined
  if (version !== undefined) return resourceList(kinds, group, version)
  return { kind: "APIGroup", apiVersion: "v1", ...groupEntry(kinds, group) }
}

export const serverVersion: JsonObject = {
  major: "1",
  minor: "35",
  gitVersion: "v1.35.4",
  gitCommit: "",
  gitTreeState: "",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "go1.26.8",
  compiler: "gc",
  platform: "linux/amd64"
}
