/** Labels as JSON. */
import { timestamp } from "./References.ts"
import type { Label } from "./World.ts"

export const labelView = (prefix: string, label: Label) => ({
  id: label.id,
  type: "label",
  url: `${prefix}labels/${label.id}/`,
  related: { organization: `${prefix}organizations/${label.organization.id}/` },
  summary_fields: {
    organization: { id: label.organization.id, name: label.organization.name, description: "" },
    user_capabilities: { edit: true, delete: false }
  },
  created: timestamp(label.created),
  modified: timestamp(label.created),
  name: label.name,
  organization: label.organization.id
})
