/** Who asks, and what they may do. */
import { Result } from "effect"
import { type ApiError, type Attempt, forbidden, unauthorized } from "./ApiError.ts"
import type { Behaviours } from "./Behaviours.ts"

/** As in a Role: `*` is everything. Without `namespaces`, everywhere. */
export interface AccessRule {
  readonly apiGroups: ReadonlyArray<string>
  /** `widgets`, `widgets/status`. */
  readonly resources: ReadonlyArray<string>
  readonly verbs: ReadonlyArray<string>
  readonly resourceNames?: ReadonlyArray<string>
  readonly namespaces?: ReadonlyArray<string>
}

/** The holder of a token. A member of `system:masters` may do everything. */
export interface User {
  readonly user: string
  readonly groups?: ReadonlyArray<string>
  readonly rules?: ReadonlyArray<AccessRule>
}

const master: User = { user: "admin", groups: ["system:masters"] }
const anonymous: User = { user: "system:anonymous", groups: ["system:unauthenticated"] }

/** Without tokens everybody is an administrator. A request without a token is anonymous, one with an unknown token is 401. */
export const authenticated = (
  tokens: Readonly<Record<string, User>> | undefined,
  authorization: string | undefined,
  behaviours: Behaviours
): Result.Result<User, ApiError> => {
  if (tokens === undefined) return Result.succeed(master)
  const token = /^Bearer\s+(\S+)$/iu.exec(authorization ?? "")?.[1]
  if (token === undefined) return Result.succeed(anonymous)
  const user = tokens[token]
  if (user !== undefined) return Result.succeed(user)
  return behaviours.tokensChecked ? Result.fail(unauthorized()) : Result.succeed(master)
}

const open = ["/healthz", "/livez", "/readyz", "/version"]
const readable = /^\/(?:api|apis|openapi)(?:\/.*)?$/u

const covers = (allowed: ReadonlyArray<string> | undefined, one: string): boolean =>
  allowed === undefined || allowed.includes("*") || allowed.includes(one)

const permits = (rule: AccessRule, attempt: Attempt): boolean => {
  const resource = attempt.resource
  if (resource === undefined) return false
  const what = resource.subresource === undefined ? resource.plural : `${resource.plural}/${resource.subresource}`
  return (
    covers(rule.verbs, attempt.verb) &&
    covers(rule.apiGroups, resource.group) &&
    covers(rule.resources, what) &&
    (rule.resourceNames === undefined || rule.resourceNames.includes(attempt.name ?? "")) &&
    (rule.namespaces === undefined || rule.namespaces.includes(attempt.namespace ?? ""))
  )
}

/** 403 unless one of the user's rules permits the attempt. Everybody may ask for health and version. */
export const authorized = (user: User, attempt: Attempt, behaviours: Behaviours): Result.Result<void, ApiError> => {
  const discovering = attempt.resource === undefined && attempt.verb === "get"
  const allowed =
    !behaviours.rulesEnforced ||
    user.groups?.includes("system:masters") === true ||
    (discovering && open.includes(attempt.path)) ||
    (discovering && user !== anonymous && readable.test(attempt.path)) ||
    (user.rules ?? []).some((rule) => permits(rule, attempt))
  return allowed ? Result.succeed(undefined) : Result.fail(forbidden(attempt))
}
