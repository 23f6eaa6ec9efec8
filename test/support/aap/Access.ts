/** Who a request is, and what they may do: the controller's rules for templates and jobs. */
import { isTerminal, type Job, type Template, type Token, type User, type World } from "./World.ts"

export type Caller = Token

/** The owner of the bearer token, or nobody: a wrong, revoked or missing one all look the same. */
export const authenticate = (world: World, authorization: string | undefined): Caller | undefined => {
  const [scheme, token] = (authorization ?? "").split(" ")
  return scheme?.toLowerCase() === "bearer" && token !== undefined ? world.tokens.get(token) : undefined
}

export const isHeldOn = (wanted: string | number, template: Template): boolean =>
  typeof wanted === "number" ? wanted === template.id : template.names.has(wanted)

const holds = (user: User, template: Template, roles: ReadonlyArray<string>): boolean =>
  user.roles.some((held) =>
    held.role === "orgadmin"
      ? held.organization === template.organization.name
      : roles.includes(held.role) && isHeldOn(held.template, template)
  )

export const isOrganizationAdmin = (user: User, template: Template): boolean =>
  user.superuser || holds(user, template, [])

export const mayRead = (user: User, template: Template): boolean =>
  user.superuser || user.auditor || holds(user, template, ["read", "execute", "admin"])

export const mayExecute = (user: User, template: Template): boolean =>
  user.superuser || holds(user, template, ["execute", "admin"])

export const mayEdit = (user: User, template: Template): boolean => user.superuser || holds(user, template, ["admin"])

/** For everybody but a superuser a finished job is one they have no permission to cancel. */
export const mayCancel = (user: User, job: Job): boolean => {
  if (user.superuser) return true
  if (isTerminal(job)) return false
  if (job.createdBy === user) return true
  return job.kind === "job" ? mayEdit(user, job.template) : isOrganizationAdmin(user, job.template)
}

export const mayDelete = (user: User, job: Job): boolean => isOrganizationAdmin(user, job.template)
