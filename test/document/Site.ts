/**
 * Where the documents are tried: a cluster, a simulated AAP and a simulated EDA on loopback ports, a shell for the commands,
 * and the test in the place of the kubelet, which starts the operator with the variables that a document's YAML gives it.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert } from "@effect/vitest"
import { Effect, type Scope, Stream } from "effect"
import { parse, stringify } from "yaml"
import { GROUP, PLURAL, VERSION } from "../../src/domain/ComputeInstance.ts"
import { clusterOf } from "../cluster/contract/Cluster.ts"
import { eventually } from "../support/eventually.ts"
import {
  at,
  fromUnknown,
  isObject,
  type Json,
  type JsonObject,
  listAt,
  objectAt,
  stringAt,
  withAt
} from "../support/kubernetes/Json.ts"
import * as SimulatedAap from "../support/SimulatedAap.ts"
import * as SimulatedEda from "../support/SimulatedEda.ts"
import { inProcess, serve } from "../support/Wire.ts"
import { block } from "./Blocks.ts"
import type { Cluster } from "./Cluster.ts"
import * as OperatorProcess from "./OperatorProcess.ts"
import * as Shell from "./Shell.ts"

export interface Site extends Cluster {
  readonly shell: Shell.Shell
  /** Where the shell is, and files of the documents lie. */
  readonly home: string
  readonly aap: SimulatedAap.SimulatedAap
  readonly eda: SimulatedEda.SimulatedEda
  /** The documents' addresses, namespaces and tokens replaced by the ones that are here. */
  readonly here: (text: string) => string
  /** Lets the newest job of the template end, as soon as it runs. */
  readonly end: (template: string) => Effect.Effect<void>
  /** Writes the manifest of a Deployment with the variables of a block, where the documents have it. */
  readonly writeManifest: (number: number) => Effect.Effect<void>
  /** Starts the operator with the variables of the Deployment that is there, as a kubelet would. */
  readonly operate: Effect.Effect<OperatorProcess.OperatorProcess, never, Scope.Scope>
  readonly object: (name: string) => Effect.Effect<JsonObject | undefined>
  /** Every status that the object ever had, oldest first, as soon as it is gone. */
  readonly life: (name: string) => Effect.Effect<ReadonlyArray<JsonObject>>
  /** What the operators logged so far, one JSON object a line. */
  readonly log: () => ReadonlyArray<JsonObject>
  /** The same, as text. */
  readonly logText: () => string
}

export const OPERATOR_TOKEN = "operator-token"
export const PROVISION = "innabox-create-compute-instance"
export const DEPROVISION = "innabox-delete-compute-instance"

const replacing = (cluster: Cluster, aap: string, eda: string) => {
  const replacements: ReadonlyArray<readonly [string, string]> = [
    ["https://aap.example.com", aap],
    ["https://innabox-aap-example.apps.cluster.example.com", aap],
    ["http://innabox-eda-service:5000", eda],
    ["namespace: default", `namespace: ${cluster.namespace}`],
    ["cloudkit-system", cluster.system],
    ...["your-aap-oauth2-token-here", "YOUR_AAP_TOKEN_HERE", "YOUR_AAP_TOKEN", "your-token-here", "your-token"].map(
      (token): readonly [string, string] => [token, OPERATOR_TOKEN]
    )
  ]
  return (text: string): string => replacements.reduce((so, [from, to]) => so.replaceAll(from, to), text)
}

/** The variables that a container with this `env` would see. */
const environmentOf = Effect.fnUntraced(function* (env: ReadonlyArray<Json>, cluster: Cluster) {
  const variables: Record<string, string> = {}
  for (const one of env) {
    const secret = stringAt(one, "valueFrom", "secretKeyRef", "name")
    const key = stringAt(one, "valueFrom", "secretKeyRef", "key") ?? ""
    const name = stringAt(one, "name") ?? ""
    variables[name] = stringAt(one, "value") ?? ""
    if (secret === undefined) continue
    const { body } = yield* cluster.ask("GET", `/api/v1/namespaces/${cluster.system}/secrets/${secret}`)
    const found = stringAt(body, "data", key) ?? assert.fail(`there is no Secret ${secret} with a key ${key}`)
    variables[name] = Buffer.from(found, "base64").toString("utf8")
  }
  return variables
})

const ELECTION = "CLOUDKIT_LEADER_ELECT"

/** There is one replica, and one that is killed need not be waited for, unless a story sets the variable. */
const alone = { [ELECTION]: "false" }

/** What only the test wants of the operator. */
const besides = (cluster: Cluster, home: string) => ({
  KUBECONFIG: join(home, "kubeconfig"),
  CLOUDKIT_COMPUTE_INSTANCE_NAMESPACE: cluster.namespace
})

/** An interval of half a minute would only make the test longer. */
const hurried = (variables: Record<string, string>): Record<string, string> => ({
  ...variables,
  ...("CLOUDKIT_AAP_STATUS_POLL_INTERVAL" in variables ? { CLOUDKIT_AAP_STATUS_POLL_INTERVAL: "1s" } : {})
})

const DEPLOYMENT = "cloudkit-operator-controller-manager"

/**
 * The Deployment of the product, with the variables that a block of the document gives its container. Whether there is an
 * election is left to the stories.
 */
const writeDeployment = (site: Site, env: string): void => {
  const manifest = fromUnknown(parse(readFileSync("k8s/base/deployment.yaml", "utf8")))
  const [container = null] = listAt(manifest, "spec", "template", "spec", "containers")
  const given = listAt(fromUnknown(parse(site.here(env))), "env")
  const kept = listAt(container, "env").filter(
    (one) => at(one, "name") !== ELECTION && given.every((other) => at(other, "name") !== at(one, "name"))
  )
  const containers = [{ ...objectAt(container), env: [...kept, ...given] }]
  const named = withAt(objectAt(manifest), ["metadata", "namespace"], site.system)
  mkdirSync(join(site.home, "config/manager"), { recursive: true })
  writeFileSync(
    join(site.home, "config/manager/manager.yaml"),
    stringify(withAt(named, ["spec", "template", "spec", "containers"], containers))
  )
}

const pathOf = ({ namespace }: Cluster): string => `/apis/${GROUP}/${VERSION}/namespaces/${namespace}/${PLURAL}`

/** What a watch has told of one object. */
interface Told {
  readonly statuses: Array<JsonObject>
  isGone: boolean
}

/** Keeps every status of every object, until the scope closes. Nothing that comes after this is missed. */
const watching = Effect.fnUntraced(function* (cluster: Cluster) {
  const all = new Map<string, Told>()
  const path = pathOf(cluster)
  const since = stringAt((yield* cluster.ask("GET", path)).body, "metadata", "resourceVersion") ?? ""
  const { events } = clusterOf(inProcess(cluster.handler), cluster.url, Effect.void)
  yield* events(`${path}?watch=1&resourceVersion=${since}`).pipe(
    Stream.runForEach(({ object, type }) =>
      Effect.sync(() => {
        const name = stringAt(object, "metadata", "name") ?? ""
        const told = all.get(name) ?? { statuses: [], isGone: false }
        all.set(name, told)
        told.isGone = type === "DELETED"
        const status = at(object, "status")
        if (isObject(status) && JSON.stringify(told.statuses.at(-1)) !== JSON.stringify(status))
          told.statuses.push(status)
      })
    ),
    Effect.forkScoped
  )
  return (name: string) =>
    eventually(
      `the watch to tell of the end of ${name}`,
      Effect.sync(() => all.get(name)),
      (told) => told?.isGone === true
    ).pipe(Effect.map((told): ReadonlyArray<JsonObject> => told?.statuses ?? []))
})

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "cloudkit-document-"))),
  (home) => Effect.sync(() => rmSync(home, { recursive: true, force: true }))
)

const readText = (file: string): string => readFileSync(file, "utf8")

/** A line that is being written is none yet. */
const parsedLines = (text: string): ReadonlyArray<JsonObject> =>
  text
    .split("\n")
    .slice(0, -1)
    .filter((line) => line.startsWith("{"))
    .map((line) => fromUnknown(JSON.parse(line)))
    .filter(isObject)

const endOf = (aap: SimulatedAap.SimulatedAap) => (template: string) =>
  eventually(
    `a running job of ${template}`,
    Effect.map(aap.ledger, (jobs) => jobs.findLast((job) => job.template === template)),
    (job) => job?.status === "running"
  ).pipe(Effect.flatMap((job) => aap.setStatus(job?.id ?? 0, "successful")))

const makeAap = Effect.gen(function* () {
  const aap = yield* SimulatedAap.make({
    templates: [{ name: PROVISION }, { name: DEPROVISION }, { name: "innabox-inspect", kind: "workflow_job_template" }]
  })
  // a job runs until the test lets it end, so that nothing depends on how fast the machine is
  yield* aap.play(() => ({ pendingFor: "500 millis", ends: "never", cancelTakes: "1 second" }))
  return aap
})

/** Ends with the scope, with every process in it. */
export const makeSite = Effect.fnUntraced(function* (cluster: Cluster) {
  const home = yield* temporary
  const log = join(home, "operator.log")
  writeFileSync(log, "")
  writeFileSync(join(home, "kubeconfig"), JSON.stringify(cluster.kubeconfig))
  const aap = yield* makeAap
  const aapUrl = (yield* serve(aap.handler)).url
  const eda = yield* SimulatedEda.make({ cluster: { handler: cluster.handler, origin: cluster.url } })
  yield* eda.play(() => ({ startsAfter: "200 millis", worksFor: "1500 millis", finalizer: "atEnd" }))
  const edaUrl = (yield* serve(eda.handler)).url
  const shell = yield* Shell.open(cluster, home, {
    KUBECONFIG: join(home, "kubeconfig"),
    OPERATOR_LOG: log,
    AAP_URL: `${aapUrl}/api/v2`,
    AAP_TOKEN: OPERATOR_TOKEN
  })
  const here = replacing(cluster, aapUrl, edaUrl)
  const site: Site = {
    ...cluster,
    shell,
    home,
    aap,
    eda,
    here,
    end: endOf(aap),
    writeManifest: (number) => Effect.sync(() => writeDeployment(site, block(number).text)),
    operate: Effect.gen(function* () {
      const { body } = yield* cluster.ask("GET", `/apis/apps/v1/namespaces/${cluster.system}/deployments/${DEPLOYMENT}`)
      const [container = null] = listAt(body, "spec", "template", "spec", "containers")
      const variables = hurried(yield* environmentOf(listAt(container, "env"), cluster))
      return yield* OperatorProcess.start({ ...alone, ...variables, ...besides(cluster, home) }, log)
    }),
    object: (name) =>
      Effect.map(cluster.ask("GET", `${pathOf(cluster)}/${name}`), ({ body, status }) =>
        status === 200 && isObject(body) ? body : undefined
      ),
    life: yield* watching(cluster),
    log: () => parsedLines(readText(log)),
    logText: () => readText(log)
  }
  return site
})
