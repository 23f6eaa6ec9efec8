/** Views that are about the installation and who asks: api root, ping, me, config, users, organizations, labels. */
import { isHeldOn, isOrganizationAdmin } from "./Access.ts"
import { labelView } from "./LabelView.ts"
import { list } from "./List.ts"
import * as Models from "./Models.ts"
import { timestamp } from "./References.ts"
import { forbidden, ok, type Reply } from "./Reply.ts"
import type { Call, Route } from "./Routes.ts"
import type { Organization, User, World } from "./World.ts"

const identity = "00000000-0000-4000-8000-000000000000"

const apiRoot = ({ url }: Pick<Call, "url">): Reply => {
  const v2 = `${url.pathname}v2/`
  return {
    status: 200,
    body: {
      description: "AWX REST API",
      current_version: v2,
      available_versions: { v2 },
      oauth2: "/api/o/",
      custom_logo: "",
      custom_login_info: "",
      login_redirect_override: ""
    },
    headers: { vary: "Accept, Cookie, Accept-Language, origin" }
  }
}

const lists =
  "users organizations labels unified_job_templates job_templates workflow_job_templates unified_jobs jobs workflow_jobs"

const v2Root = ({ prefix }: Pick<Call, "prefix">): Reply =>
  ok(Object.fromEntries(["ping", "me", "config", ...lists.split(" ")].map((name) => [name, `${prefix}${name}/`])))

const ping = ({ world }: Pick<Call, "world">): Reply =>
  ok({
    ha: false,
    version: world.version,
    active_node: world.node,
    install_uuid: identity,
    instances: [
      {
        node: world.node,
        node_type: "hybrid",
        uuid: identity,
        heartbeat: timestamp(world.now),
        capacity: 57,
        version: world.version
      }
    ],
    instance_groups: ["controlplane", "default"].map((name) => ({ name, capacity: 57, instances: [world.node] }))
  })

const userView = (prefix: string, viewer: User, user: User) => {
  const at = `${prefix}users/${user.id}/`
  const related =
    "teams organizations admin_of_organizations projects credentials roles activity_stream access_list tokens authorized_tokens personal_tokens"
  return {
    id: user.id,
    type: "user",
    url: at,
    related: Object.fromEntries(related.split(" ").map((name) => [name, `${at}${name}/`])),
    summary_fields: {
      resource: { ansible_id: identity, resource_type: "shared.user" },
      user_capabilities: { edit: viewer.superuser || viewer === user, delete: viewer.superuser && viewer !== user }
    },
    created: timestamp(user.created),
    modified: null,
    username: user.name,
    first_name: "",
    last_name: "",
    email: `${user.name}@example.com`,
    is_superuser: user.superuser,
    is_system_auditor: user.auditor,
    password: "$encrypted$",
    ldap_dn: "",
    last_login: null,
    external_account: null,
    auth: []
  }
}

const me = ({ prefix, caller }: Call): Reply =>
  ok({ count: 1, next: null, previous: null, results: [userView(prefix, caller.user, caller.user)] })

const collectors = "config counts cred_type_counts events_table host_metric_summary_monthly_table host_metric_table"
const moreCollectors = "instance_info inventory_counts org_counts projects_by_scm_type query_info"
const tables = "unified_job_template_table unified_jobs_table workflow_job_node_table workflow_job_template_node_table"

const becomeMethods = "sudo su pbrun pfexec dzdo pmrun runas enable doas ksu machinectl sesu"

const config = ({ world }: Call): Reply =>
  ok({
    time_zone: "UTC",
    license_info: { license_type: "open", valid_key: true, subscription_name: "OPEN", product_name: "AWX" },
    version: world.version,
    eula: "",
    analytics_status: "off",
    analytics_collectors: Object.fromEntries(
      [collectors, moreCollectors, tables]
        .flatMap((names) => names.split(" "))
        .map((name) => [name, { name, version: "1.0", description: name }])
    ),
    become_methods: becomeMethods.split(" ").map((name) => [name, `${name.charAt(0).toUpperCase()}${name.slice(1)}`]),
    ui_next: true,
    project_base_dir: "/var/lib/awx/projects/",
    project_local_paths: [],
    custom_virtualenvs: []
  })

const organizationView = (prefix: string, { id, name }: Organization) => ({
  id,
  type: "organization",
  url: `${prefix}organizations/${id}/`,
  related: {},
  summary_fields: {},
  name,
  description: ""
})

/** Whoever holds a role in an organization is counted as its member. */
const belongs = (world: World, user: User, organization: Organization): boolean =>
  user.superuser ||
  user.auditor ||
  user.roles.some((held) =>
    held.role === "orgadmin"
      ? held.organization === organization.name
      : [...world.templates.values()].some(
          (template) => template.organization === organization && isHeldOn(held.template, template)
        )
  )

const labels = (call: Call): Reply => {
  const rows = call.world.labels.filter((label) => belongs(call.world, call.caller.user, label.organization))
  return list(call, Models.labels, rows, (label) => labelView(call.prefix, label))
}

const createLabel = ({ world, caller, body, prefix }: Call): Reply => {
  const name = body.name
  const organization = world.organizations.find(({ id }) => id === body.organization)
  if (typeof name !== "string" || name === "") return { status: 400, body: { name: ["This field is required."] } }
  if (organization === undefined) return { status: 400, body: { organization: ["This field is required."] } }
  if (!belongs(world, caller.user, organization)) return forbidden
  if (world.labels.some((label) => label.name === name && label.organization === organization))
    return { status: 400, body: { __all__: ["Label with this Name and Organization already exists."] } }
  const label = { id: world.nextLabelId++, name, organization, created: world.now }
  world.labels.push(label)
  const body201 = labelView(prefix, label)
  return { status: 201, body: body201, headers: { location: body201.url } }
}

const organizations = (call: Call): Reply => {
  const rows = call.world.organizations.filter((row) => belongs(call.world, call.caller.user, row))
  return list(call, Models.organizations, rows, (row) => organizationView(call.prefix, row))
}

const users = (call: Call): Reply => {
  const { user } = call.caller
  const all =
    user.superuser || user.auditor || [...call.world.templates.values()].some((t) => isOrganizationAdmin(user, t))
  const rows = call.world.users.filter((row) => all || row === user)
  return list(call, Models.users, rows, (row) => userView(call.prefix, user, row))
}

export const rootRoutes: ReadonlyArray<Route> = [
  { path: /^\/api\/(?:controller\/)?$/, methods: { GET: apiRoot }, open: apiRoot },
  { path: /^$/, methods: { GET: v2Root }, open: v2Root },
  { path: /^ping\/$/, methods: { GET: ping }, open: ping },
  { path: /^me\/$/, methods: { GET: me } },
  { path: /^config\/$/, methods: { GET: config, POST: () => forbidden, DELETE: () => forbidden } },
  { path: /^users\/$/, methods: { GET: users } },
  { path: /^organizations\/$/, methods: { GET: organizations } },
  { path: /^labels\/$/, methods: { GET: labels, POST: createLabel } }
]
