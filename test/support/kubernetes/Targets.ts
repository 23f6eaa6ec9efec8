/** What a URL asks for: a resource, one of its objects, a subresource; and with which verb. */

import type { WireRequest } from "../Wire.ts"
import type { Attempt } from "./ApiError.ts"

export interface Target {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly namespace: string | undefined
  readonly name: string | undefined
  readonly subresource: string | undefined
  readonly watch: boolean
}

const parsed = (group: string, version: string, parts: ReadonlyArray<string>, query: URLSearchParams): Target => {
  const legacyWatch = parts[0] === "watch"
  const rest = legacyWatch ? parts.slice(1) : parts
  const watch = legacyWatch || ["1", "true"].includes(query.get("watch") ?? "")
  const [first, namespace, plural, name, ...sub] = rest
  if (first === "namespaces" && plural !== undefined && plural !== "status" && plural !== "finalize") {
    return { group, version, plural, namespace, name, subresource: sub.length === 0 ? undefined : sub.join("/"), watch }
  }
  const [clusterPlural = "", clusterName, ...clusterSub] = rest
  return {
    group,
    version,
    plural: clusterPlural,
    namespace: undefined,
    name: clusterName,
    subresource: clusterSub.length === 0 ? undefined : clusterSub.join("/"),
    watch
  }
}

/** The resource a URL names, or `undefined` when it names none. */
export const targetOf = (url: URL): Target | undefined => {
  const [root, ...parts] = url.pathname
    .split("/")
    .filter((part) => part !== "")
    .map(decodeURIComponent)
  const [group = "", version = ""] = parts
  if (root === "api" && parts.length > 1) return parsed("", group, parts.slice(1), url.searchParams)
  if (root === "apis" && parts.length > 2) return parsed(group, version, parts.slice(2), url.searchParams)
  return undefined
}

const verbs: Readonly<Record<string, string>> = {
  GET: "get",
  HEAD: "get",
  POST: "create",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete"
}

export const verbOf = (method: string, target: Target): string => {
  const verb = verbs[method] ?? method.toLowerCase()
  if (verb === "get" && target.watch) return "watch"
  if (target.name !== undefined) return verb
  return verb === "get" ? "list" : verb === "delete" ? "deletecollection" : verb
}

/** What the request tries, in the terms of access rules. */
export const attemptOf = (user: string, request: WireRequest, target: Target | undefined): Attempt => {
  const path = request.url.pathname
  if (target === undefined) return { user, verb: request.method.toLowerCase(), path }
  const { group, name, namespace, plural, subresource } = target
  return {
    user,
    path,
    verb: verbOf(request.method, target),
    resource: { plural, group, ...(subresource === undefined ? {} : { subresource }) },
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name })
  }
}
