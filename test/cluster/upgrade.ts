/**
 * A cluster where the earlier operator was: its definition and the objects it left, recorded whole. Then the page's commands
 * of an upgrade, and the operator, which goes on where the other one stopped.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { eventually } from "../support/eventually.ts"
import {
  at,
  fromUnknown,
  type Json,
  type JsonObject,
  listAt,
  numberAt,
  objectAt,
  stringAt,
  stringsAt,
  withAt
} from "../support/kubernetes/Json.ts"
import { json, serve } from "../support/Wire.ts"
import { assets } from "./assets.ts"
import type { ControlPlane } from "./ControlPlane.ts"
import { earlierCrd } from "./earlierCrd.ts"
import { make as makeKubectl } from "./Kubectl.ts"
import { collectionOf, makeScene, type Scene, says } from "./Scene.ts"

const FOLDER = "test/fixtures/earlier-operator"
const VERSION = "cfd490dd9e0eef4b"
const PLAYBOOK = "cloudkit.openshift.io/computeinstance-aap"
const RETIRED = "cloudkit.openshift.io/computeinstance-feedback"
/** What its definition had room for, and these recordings do not show. */
const BESIDES = {
  lastRestartedAt: "2026-11-21T11:40:00Z",
  virtualMachineReference: { kubeVirtVirtualMachineName: "vm-7", namespace: "bench" }
}
/** Recordings of objects whose job AAP still runs; the template's id by the type of the job. */
const LIVE: Readonly<Record<string, "provision" | "deprovision">> = {
  "aap-running": "provision",
  "aap-deleting": "deprovision"
}
const TEMPLATES = { provision: 7, deprovision: 8 }

const recordings: ReadonlyMap<string, Json> = new Map(
  readdirSync(FOLDER).map((file) => [
    file.replace(".json", ""),
    fromUnknown(JSON.parse(readFileSync(join(FOLDER, file), "utf8")))
  ])
)

const kubectlFor = Effect.fnUntraced(function* (plane: ControlPlane, kubeconfig: JsonObject) {
  const { home, run } = yield* makeKubectl(join(assets, "kubectl"), plane.url)
  const config = join(home, "admin.kubeconfig")
  writeFileSync(config, JSON.stringify(kubeconfig))
  writeFileSync(join(home, "earlier.json"), JSON.stringify(earlierCrd))
  return (...args: ReadonlyArray<string>) =>
    Effect.map(run(args, { KUBECONFIG: config }), ({ code, output }) => {
      assert.strictEqual(code, 0, `kubectl ${args.join(" ")}\n${output}`)
      return output
    })
})

/** The job that the earlier operator launched and still waits for: it carries no key of ours. */
const launched = Effect.fnUntraced(function* ({ aap }: Scene, type: "provision" | "deprovision", object: Json) {
  const { name, namespace, uid } = objectAt(object, "metadata")
  const answer = yield* aap.handler({
    method: "POST",
    url: new URL(`http://aap.test/api/v2/job_templates/${TEMPLATES[type]}/launch/`),
    headers: { authorization: "Bearer admin-token", "content-type": "application/json" },
    body: JSON.stringify({
      extra_vars: { ansible_eda: { event: { payload: { metadata: { name, namespace, uid } } } } }
    })
  })
  return String(numberAt(fromUnknown(JSON.parse(String(answer.body))), "id"))
}, Effect.orDie)

/** As it was left, but for the ids of this AAP. */
const imported = Effect.fnUntraced(function* (scene: Scene, name: string, recording: Json) {
  const { annotations = {} } = objectAt(recording, "metadata")
  const finalizers = [...stringsAt(recording, "metadata", "finalizers"), ...(name === "aap-deleting" ? [RETIRED] : [])]
  const made = yield* scene.create(name, { annotations, finalizers }, objectAt(recording, "spec"))
  assert.strictEqual(made.status, 201, JSON.stringify(made.body))
  const live = LIVE[name]
  const id = live === undefined ? undefined : yield* launched(scene, live, made.body)
  const jobs = listAt(recording, "status", "jobs").map((job) =>
    id !== undefined && stringAt(job, "type") === live ? withAt(objectAt(job), ["jobID"], id) : job
  )
  const status = { ...objectAt(recording, "status"), jobs, ...(name === "aap-provisioned" ? BESIDES : {}) }
  const path = `${collectionOf(scene.cluster)}/${name}/status`
  const patched = yield* scene.cluster.ask("PATCH", path, { status })
  assert.strictEqual(patched.status, 200, JSON.stringify(patched.body))
  if (at(recording, "metadata", "deletionTimestamp") !== undefined) yield* scene.remove(name)
})

const names = [...recordings.keys()]

const all = (scene: Scene) =>
  Effect.map(
    Effect.forEach(names, scene.object),
    (objects) => new Map(names.map((name, n) => [name, objects[n] ?? {}]))
  )

/** The commands of docs/install.md under "Upgrade". */
const upgraded = Effect.fnUntraced(function* (scene: Scene, kubectl: Effect.Success<ReturnType<typeof kubectlFor>>) {
  const page = readFileSync("docs/install.md", "utf8")
  assert.include(page, "kubectl apply -k k8s/overlays/aap\n")
  assert.include(
    yield* kubectl("apply", "-k", resolve("k8s/overlays/aap")),
    "computeinstances.cloudkit.openshift.io configured"
  )
  yield* eventually(
    "the new definition to be served",
    scene.cluster.ask("GET", `${collectionOf(scene.cluster)}?fieldSelector=status.phase%3DReady`),
    ({ status }) => status === 200
  )
})

/** Both providers are there: this one launches, the other one's signals are awaited. */
export const earlierCluster = Effect.fnUntraced(function* (plane: ControlPlane, token: string) {
  let webhooks = 0
  const { url } = yield* serve(() => Effect.sync(() => json(200, webhooks++)))
  const scene = yield* makeScene(plane, {
    name: "bench",
    token,
    env: {
      CLOUDKIT_LEADER_ELECT: "false",
      CLOUDKIT_COMPUTE_INSTANCE_PROVISION_WEBHOOK: `${url}/create-compute-instance`,
      CLOUDKIT_COMPUTE_INSTANCE_DEPROVISION_WEBHOOK: `${url}/delete-compute-instance`
    }
  })
  yield* scene.aap.play(() => ({ ends: "never" }))
  const kubectl = yield* kubectlFor(plane, scene.cluster.kubeconfig)
  yield* kubectl("apply", "-f", "earlier.json")
  yield* kubectl("wait", "--for=condition=Established", "crd/computeinstances.cloudkit.openshift.io", "--timeout=120s")
  yield* eventually(
    "the definition to be served",
    scene.cluster.ask("GET", collectionOf(scene.cluster)),
    ({ status }) => status === 200
  )
  for (const [name, recording] of recordings) yield* imported(scene, name, recording)
  const before = yield* all(scene)
  yield* upgraded(scene, kubectl)
  return { ...scene, before, webhooks: () => webhooks }
})
type Earlier = Effect.Success<ReturnType<typeof earlierCluster>>

const phaseOf = (object: Json | undefined) => stringAt(object, "status", "phase")

/** What the earlier operator knew and nobody may take away; what happened since comes on top. */
const known = (object: JsonObject) => ({
  spec: at(object, "spec"),
  tenant: at(object, "metadata", "annotations", "cloudkit.openshift.io/tenant"),
  desired: at(object, "status", "desiredConfigVersion"),
  references: ["tenantReference", "virtualMachineReference", "lastRestartedAt"].map((field) =>
    at(object, "status", field)
  ),
  jobs: listAt(object, "status", "jobs").map((job) =>
    ["jobID", "type", "timestamp", "blockDeletionOnFailure"].map((field) => at(job, field))
  )
})

const PHASES: Readonly<Record<string, string>> = {
  "aap-deleting": "Deleting",
  "aap-failed": "Failed",
  "aap-provisioned": "Ready",
  "aap-running": "Progressing",
  "eda-deleting": "Deleting",
  "eda-provisioned": "Ready",
  "eda-requested": "Progressing"
}

/** What everything waits for, comes. */
const goOn = Effect.fnUntraced(function* (scene: Earlier) {
  const { aap, before, isGone, isReady, patch } = scene
  for (const { id } of yield* aap.ledger) yield* aap.setStatus(id, "successful")
  yield* patch("eda-requested", {
    metadata: { annotations: { "cloudkit.openshift.io/reconciled-config-version": VERSION } }
  })
  const finalizers = stringsAt(before.get("eda-deleting"), "metadata", "finalizers")
  yield* patch("eda-deleting", { metadata: { finalizers: finalizers.filter((one) => one !== PLAYBOOK) } })
  yield* Effect.forEach(["aap-running", "eda-requested"], isReady)
  yield* Effect.forEach(["aap-deleting", "eda-deleting"], isGone)
})

/** Nothing is launched, nothing is pruned, and what was under way goes on. */
export const upgrade = Effect.fnUntraced(function* (scene: Earlier) {
  const { aap, becomes, before, patch } = scene
  assert.deepStrictEqual(yield* all(scene), before, "a new definition takes nothing from what is stored")
  const note = yield* patch("aap-running", { metadata: { annotations: { note: "mine" } } })
  assert.strictEqual(note.status, 200, JSON.stringify(note.body))
  yield* says(yield* scene.replica("successor"), "working")
  for (const name of names) yield* becomes(name, `${PHASES[name]}`, (object) => phaseOf(object) === PHASES[name])
  const after = yield* all(scene)
  for (const [name, object] of before) assert.deepStrictEqual(known(after.get(name) ?? {}), known(object), name)
  yield* goOn(scene)
  assert.strictEqual((yield* aap.ledger).length, Object.keys(LIVE).length, "launches nothing")
  assert.strictEqual(scene.webhooks(), 0, "calls nobody")
})
