/** What roles grant and what the audit log saw, in the same words, so that the two can be compared. */
import { type Json, listAt, objectAt, stringAt, stringsAt } from "../support/kubernetes/Json.ts"

/** Such as `patch computeinstances.cloudkit.openshift.io/status in *`; with the name where a rule has names. */
export type Right = string

const resourceOf = (group: string, resource: string): string => {
  const [plural = "", below] = resource.split("/")
  return `${plural}${group === "" ? "" : `.${group}`}${below === undefined ? "" : `/${below}`}`
}

/** All that a Role or ClusterRole grants, one by one. */
export const grantedBy = (role: Json): ReadonlySet<Right> => {
  const where = stringAt(role, "metadata", "namespace") ?? "*"
  const rights = listAt(role, "rules").flatMap((rule) =>
    stringsAt(rule, "apiGroups").flatMap((group) =>
      stringsAt(rule, "resources").flatMap((resource) =>
        stringsAt(rule, "verbs").flatMap((verb) => {
          const names = stringsAt(rule, "resourceNames")
          const right = `${verb} ${resourceOf(group, resource)} in ${where}`
          return names.length === 0 ? [right] : names.map((name) => `${right} named ${name}`)
        })
      )
    )
  )
  return new Set(rights)
}

/** One request of the operator, by what was looked up to allow it. */
export interface Observed {
  readonly verb: string
  readonly resource: string
  readonly namespace: string
  readonly name: string
  readonly decision: string
  /** Why RBAC allowed it: the binding and the role. */
  readonly reason: string
  readonly path: string
}

const observedOf = (event: Json): Observed => {
  const of = objectAt(event, "objectRef")
  const below = stringAt(of, "subresource")
  const resource = `${stringAt(of, "resource") ?? ""}${below === undefined ? "" : `/${below}`}`
  return {
    verb: stringAt(event, "verb") ?? "",
    resource: resourceOf(stringAt(of, "apiGroup") ?? "", resource),
    namespace: stringAt(of, "namespace") ?? "*",
    name: stringAt(of, "name") ?? "",
    decision: stringAt(event, "annotations", "authorization.k8s.io/decision") ?? "",
    reason: stringAt(event, "annotations", "authorization.k8s.io/reason") ?? "",
    path: stringAt(event, "requestURI") ?? ""
  }
}

/** What a user asked for, oldest first. */
export const observedOfUser = (audit: ReadonlyArray<Json>, user: string): ReadonlyArray<Observed> =>
  audit.filter((event) => stringAt(event, "user", "username") === user).map(observedOf)

/** Whether the request is one of those that the right is for. */
export const uses = ({ name, namespace, resource, verb }: Observed, right: Right): boolean =>
  [`in ${namespace}`, "in *"].some((where) => {
    const without = `${verb} ${resource} ${where}`
    return right === without || right === `${without} named ${name}`
  })
