/**
 * Where the operator is installed for the demo: a simulated cluster and a simulated AAP, each on a loopback port, and what
 * went over them.
 *
 * The operators come through a port of their own, with a token that may do what the operator needs in its namespace and
 * nothing else. People come through a port that lets everybody do everything, as kubectl sends no token over plain HTTP.
 */
import { readFileSync } from "node:fs"
import { Effect, Result } from "effect"
import { parse } from "yaml"
import { GROUP, PLURAL } from "../../src/domain/ComputeInstance.ts"
import { type Exchange, withFaults } from "../../test/support/Faults.ts"
import { objectAt, parseJson, stringAt, stringsAt } from "../../test/support/kubernetes/Json.ts"
import * as SimulatedAap from "../../test/support/SimulatedAap.ts"
import * as SimulatedKubernetes from "../../test/support/SimulatedKubernetes.ts"
import { serve, type WireHandler, type WireRequest } from "../../test/support/Wire.ts"

/** One operator, and what makes it different from the other. */
export interface Site {
  readonly name: string
  readonly namespace: string
  readonly token: string
  readonly provision: string
  readonly deprovision: string
}

export const jobSite: Site = {
  name: "operator-jobs",
  namespace: "default",
  token: "operator-jobs-token",
  provision: "osac-create-compute-instance",
  deprovision: "osac-delete-compute-instance"
}

export const workflowSite: Site = {
  name: "operator-workflows",
  namespace: "workflow",
  token: "operator-workflows-token",
  provision: "osac-create-compute-instance-workflow",
  deprovision: "osac-delete-compute-instance-workflow"
}

export const AAP_TOKEN = "operator-token"

/** What the cluster stored at the very moment AAP was asked to launch. */
export interface LaunchSight {
  readonly key: string
  readonly launchKey: string
  readonly finalizers: ReadonlyArray<string>
  readonly intentKey: string | undefined
}

export interface Installation {
  readonly kubernetes: SimulatedKubernetes.SimulatedKubernetes
  readonly aap: SimulatedAap.SimulatedAap
  /** Of the operators. */
  readonly kubernetesUrl: string
  /** Of people. */
  readonly openUrl: string
  readonly aapUrl: string
  /** What the operators sent, oldest first. */
  readonly kubernetesExchanges: Effect.Effect<ReadonlyArray<Exchange>>
  readonly aapExchanges: Effect.Effect<ReadonlyArray<Exchange>>
  readonly launches: ReadonlyArray<LaunchSight>
  /** To be done after every write to the cluster, before its answer leaves: so that nobody misses a revision. */
  readonly afterWrites: (look: Effect.Effect<void>) => Effect.Effect<void>
}

const operatorUser = (site: Site): SimulatedKubernetes.User => ({
  user: `system:serviceaccount:cloudkit-system:${site.name}`,
  rules: [
    { apiGroups: [GROUP], resources: [PLURAL], verbs: ["get", "list", "watch", "patch"], namespaces: [site.namespace] },
    { apiGroups: [GROUP], resources: [`${PLURAL}/status`], verbs: ["patch"], namespaces: [site.namespace] },
    { apiGroups: ["events.k8s.io"], resources: ["events"], verbs: ["create", "patch"], namespaces: [site.namespace] }
  ]
})

const templates: ReadonlyArray<SimulatedAap.TemplateOptions> = [
  { name: jobSite.provision },
  { name: jobSite.deprovision },
  { name: "osac-prepare-network" },
  { name: "osac-build-machine" },
  { name: "osac-remove-machine" },
  {
    name: workflowSite.provision,
    kind: "workflow_job_template",
    nodes: [
      { identifier: "network", template: "osac-prepare-network", success: ["machine"] },
      { identifier: "machine", template: "osac-build-machine" }
    ]
  },
  {
    name: workflowSite.deprovision,
    kind: "workflow_job_template",
    nodes: [{ identifier: "machine", template: "osac-remove-machine" }]
  }
]

const isLaunch = (request: WireRequest): boolean =>
  request.method === "POST" && request.url.pathname.endsWith("/launch/")

/** Looks at the cluster before a launch takes effect. */
const witnessed =
  (
    handler: WireHandler,
    kubernetes: SimulatedKubernetes.SimulatedKubernetes,
    launches: Array<LaunchSight>
  ): WireHandler =>
  (request) =>
    Effect.gen(function* () {
      if (isLaunch(request)) {
        const event = objectAt(Result.getOrUndefined(parseJson(request.body)), "extra_vars", "ansible_eda", "event")
        const namespace = stringAt(event, "payload", "metadata", "namespace") ?? ""
        const name = stringAt(event, "payload", "metadata", "name") ?? ""
        const stored = yield* kubernetes.object(namespace, name)
        const intent = parseJson(stringAt(stored, "metadata", "annotations", `${GROUP}/launch-intent`) ?? "")
        launches.push({
          key: `${namespace}/${name}`,
          launchKey: stringAt(event, "meta", "uuid") ?? "",
          finalizers: stringsAt(stored, "metadata", "finalizers"),
          intentKey: stringAt(Result.getOrUndefined(intent), "key")
        })
      }
      return yield* handler(request)
    })

const followed =
  (handler: WireHandler, looks: ReadonlyArray<Effect.Effect<void>>): WireHandler =>
  (request) =>
    request.method === "GET" ? handler(request) : Effect.tap(handler(request), () => Effect.all(looks))

const asAnybody =
  (handler: WireHandler): WireHandler =>
  (request) =>
    handler({ ...request, headers: { ...request.headers, authorization: "Bearer everybody" } })

/** Ends with the scope. */
export const install = Effect.gen(function* () {
  const crd: unknown = parse(
    readFileSync(new URL("../../k8s/crd/cloudkit.openshift.io_computeinstances.yaml", import.meta.url), "utf8")
  )
  const kubernetes = yield* SimulatedKubernetes.make({
    crds: [crd],
    namespaces: [workflowSite.namespace],
    tokens: {
      everybody: { user: "you", groups: ["system:masters"] },
      ...Object.fromEntries([jobSite, workflowSite].map((site) => [site.token, operatorUser(site)]))
    }
  })
  const aap = yield* SimulatedAap.make({ templates })
  const launches: Array<LaunchSight> = []
  const looks: Array<Effect.Effect<void>> = []
  const cluster = followed(kubernetes.handler, looks)
  const kubernetesWire = yield* withFaults(cluster)
  const aapWire = yield* withFaults(witnessed(aap.handler, kubernetes, launches))
  const installation: Installation = {
    kubernetes,
    aap,
    kubernetesUrl: (yield* serve(kubernetesWire.handler)).url,
    openUrl: (yield* serve(asAnybody(cluster))).url,
    aapUrl: `${(yield* serve(aapWire.handler)).url}/api/controller`,
    kubernetesExchanges: kubernetesWire.exchanges,
    aapExchanges: aapWire.exchanges,
    launches,
    afterWrites: (look) => Effect.sync(() => void looks.push(look))
  }
  return installation
})

/** JSON is YAML too. Without a token, no user. */
export const kubeconfig = (server: string, namespace: string, token: string | undefined): string => {
  const user = token === undefined ? {} : { user: "operator" }
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "demo",
    clusters: [{ name: "demo", cluster: { server } }],
    contexts: [{ name: "demo", context: { cluster: "demo", namespace, ...user } }],
    users: token === undefined ? [] : [{ name: "operator", user: { token } }]
  })
}
