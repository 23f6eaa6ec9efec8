/**
 * Where the operator is installed for the demo: a simulated cluster, a simulated AAP and a simulated EDA, each on a loopback
 * port, and what went over them.
 *
 * The operators come through a port of their own, with a token that may do what the operator needs in its namespace and
 * nothing else. People come through a port that lets everybody do everything, as kubectl sends no token over plain HTTP.
 */
import { readFileSync } from "node:fs"
import { Effect, Result } from "effect"
import { parse } from "yaml"
import { GROUP } from "../../src/domain/ComputeInstance.ts"
import { type Exchange, withFaults } from "../../test/support/Faults.ts"
import { type JsonObject, objectAt, parseJson, stringAt, stringsAt } from "../../test/support/kubernetes/Json.ts"
import * as SimulatedAap from "../../test/support/SimulatedAap.ts"
import * as SimulatedEda from "../../test/support/SimulatedEda.ts"
import * as SimulatedKubernetes from "../../test/support/SimulatedKubernetes.ts"
import { serve, type WireHandler, type WireRequest } from "../../test/support/Wire.ts"
import { jobSite, operatorUser, type Site, workflowSite } from "./Site.ts"

export const AAP_TOKEN = "operator-token"

/** What the cluster stored at the very moment AAP or EDA was asked to launch. */
export interface LaunchSight {
  readonly key: string
  readonly launchKey: string
  readonly finalizers: ReadonlyArray<string>
  readonly intentKey: string | undefined
}

export interface Installation {
  readonly kubernetes: SimulatedKubernetes.SimulatedKubernetes
  readonly aap: SimulatedAap.SimulatedAap
  readonly eda: SimulatedEda.SimulatedEda
  /** Of the operators. */
  readonly kubernetesUrl: string
  /** Of people. */
  readonly openUrl: string
  readonly aapUrl: string
  readonly edaUrl: string
  /** What the operators sent, oldest first. */
  readonly kubernetesExchanges: Effect.Effect<ReadonlyArray<Exchange>>
  readonly aapExchanges: Effect.Effect<ReadonlyArray<Exchange>>
  readonly edaExchanges: Effect.Effect<ReadonlyArray<Exchange>>
  readonly launches: ReadonlyArray<LaunchSight>
  /** To be done after every write to the cluster, before its answer leaves: so that nobody misses a revision. */
  readonly afterWrites: (look: Effect.Effect<void>) => Effect.Effect<void>
}

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

const intentKeyIn = (object: JsonObject | undefined): string | undefined => {
  const intent = parseJson(stringAt(object, "metadata", "annotations", `${GROUP}/launch-intent`) ?? "")
  return stringAt(Result.getOrUndefined(intent), "key")
}

/** What a request asks to be done, and under which key: undefined where it asks for nothing. */
type Reading = (
  request: WireRequest
) => { readonly payload: JsonObject; readonly launchKey: string | undefined } | undefined

const launchOfAap: Reading = ({ body, method, url }) => {
  if (method !== "POST" || !url.pathname.endsWith("/launch/")) return undefined
  const event = objectAt(Result.getOrUndefined(parseJson(body)), "extra_vars", "ansible_eda", "event")
  return { payload: objectAt(event, "payload"), launchKey: stringAt(event, "meta", "uuid") }
}

/** An event carries no key but the one in the resource itself. */
const eventOfEda: Reading = ({ body, method }) => {
  if (method !== "POST") return undefined
  const payload = objectAt(Result.getOrUndefined(parseJson(body)))
  return { payload, launchKey: intentKeyIn(payload) }
}

/** Looks at the cluster before a launch takes effect. */
const witnessed =
  (
    handler: WireHandler,
    read: Reading,
    kubernetes: SimulatedKubernetes.SimulatedKubernetes,
    launches: Array<LaunchSight>
  ): WireHandler =>
  (request) =>
    Effect.gen(function* () {
      const reading = read(request)
      if (reading !== undefined) {
        const namespace = stringAt(reading.payload, "metadata", "namespace") ?? ""
        const name = stringAt(reading.payload, "metadata", "name") ?? ""
        const stored = yield* kubernetes.object(namespace, name)
        launches.push({
          key: `${namespace}/${name}`,
          launchKey: reading.launchKey ?? "",
          finalizers: stringsAt(stored, "metadata", "finalizers"),
          intentKey: intentKeyIn(stored)
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

/** With what the operators of these sites need. Ends with the scope. */
export const install = Effect.fnUntraced(function* (sites: ReadonlyArray<Site>) {
  const crd: unknown = parse(
    readFileSync(new URL("../../k8s/crd/cloudkit.openshift.io_computeinstances.yaml", import.meta.url), "utf8")
  )
  const kubernetes = yield* SimulatedKubernetes.make({
    crds: [crd],
    namespaces: sites.map(({ namespace }) => namespace).filter((namespace) => namespace !== "default"),
    tokens: {
      everybody: { user: "you", groups: ["system:masters"] },
      ...Object.fromEntries(sites.map((site) => [site.token, operatorUser(site)]))
    }
  })
  const aap = yield* SimulatedAap.make({ templates })
  const launches: Array<LaunchSight> = []
  const looks: Array<Effect.Effect<void>> = []
  const cluster = followed(kubernetes.handler, looks)
  // playbooks find the cluster without a socket, as people with every right
  const eda = yield* SimulatedEda.make({ cluster: { handler: asAnybody(cluster), origin: "http://kubernetes" } })
  const kubernetesWire = yield* withFaults(cluster)
  const aapWire = yield* withFaults(witnessed(aap.handler, launchOfAap, kubernetes, launches))
  const edaWire = yield* withFaults(witnessed(eda.handler, eventOfEda, kubernetes, launches))
  const installation: Installation = {
    kubernetes,
    aap,
    eda,
    kubernetesUrl: (yield* serve(kubernetesWire.handler)).url,
    openUrl: (yield* serve(asAnybody(cluster))).url,
    aapUrl: `${(yield* serve(aapWire.handler)).url}/api/controller`,
    edaUrl: (yield* serve(edaWire.handler)).url,
    kubernetesExchanges: kubernetesWire.exchanges,
    aapExchanges: aapWire.exchanges,
    edaExchanges: edaWire.exchanges,
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
