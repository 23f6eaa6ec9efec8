/** How one thing is mentioned in the JSON of another: its path, its summary, a moment in time. */
import type { Job, Template, User, World } from "./World.ts"

/** Who looks, and under which prefix of the API: paths in a body repeat the prefix of the request. */
export interface Viewer {
  readonly world: World
  readonly user: User
  readonly prefix: string
}

export const timestamp = (at: number): string => new Date(at).toISOString().replace("Z", "000Z")
export const optionalTime = (at: number | undefined): string | null => (at === undefined ? null : timestamp(at))

export const jobPath = (prefix: string, job: Job): string => `${prefix}${job.kind}s/${job.id}/`

export const templatePath = (prefix: string, template: Template): string => `${prefix}${template.kind}s/${template.id}/`

/** AAP counts a canceled job as failed. */
export const hasFailed = (job: Job): boolean => ["failed", "error", "canceled"].includes(job.status)

export const userSummary = (user: User) => ({ id: user.id, username: user.name, first_name: "", last_name: "" })

export const organizationSummary = ({ organization: { id, name } }: Template) => ({ id, name, description: "" })

export const projectSummary = {
  id: 8,
  name: "osac-project",
  description: "",
  status: "successful",
  scm_type: "git",
  allow_override: false
}

export const inventorySummary = (template: Template) => ({
  id: 2,
  name: "osac-inventory",
  description: "",
  has_active_failures: false,
  total_hosts: 0,
  hosts_with_active_failures: 0,
  total_groups: 0,
  has_inventory_sources: false,
  total_inventory_sources: 0,
  inventory_sources_with_failures: 0,
  organization_id: template.organization.id,
  kind: ""
})
