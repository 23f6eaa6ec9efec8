/** What a person sees of a ComputeInstance with a stock kubectl on a real API server: conditions to wait for, and Events. */
import { readFileSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { assert, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { stringify } from "yaml"
import { REPORTING_CONTROLLER } from "../../src/adapters/kubernetes/Events.ts"
import * as OperatorProcess from "../document/OperatorProcess.ts"
import { eventually, LONG_TEST } from "../support/eventually.ts"
import * as SimulatedAap from "../support/SimulatedAap.ts"
import { serve } from "../support/Wire.ts"
import { crd, DEPROVISION_TEMPLATE, PROVISION_TEMPLATE } from "../support/World.ts"
import { assets, leftOut, present } from "./assets.ts"
import { type ControlPlane, start } from "./ControlPlane.ts"
import { make } from "./Kubectl.ts"

const TOKEN = "admin-token"

const kubeconfig = ({ certificate, url }: ControlPlane) =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster: { server: url, "certificate-authority": certificate } }],
    users: [{ name: "u", user: { token: TOKEN } }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u", namespace: "default" } }],
    "current-context": "x"
  })

const manifest = (vcpu: number) =>
  stringify({
    apiVersion: "cloudkit.openshift.io/v1alpha1",
    kind: "ComputeInstance",
    metadata: { name: "vm-1" },
    spec: { name: "vm-1", vcpu, memory: 4096, disk: 40, templateID: "osac.templates.small" }
  })

/** A cluster with the CRD, an AAP, an operator, and somebody with kubectl. */
const furnished = Effect.gen(function* () {
  const plane = yield* start({ assets, tokens: [`${TOKEN},admin,1,system:masters`] })
  const kubectl = yield* make(join(assets, "kubectl"), plane.url)
  const config = join(kubectl.home, "kubeconfig")
  writeFileSync(config, kubeconfig(plane))
  const run = (...args: ReadonlyArray<string>) =>
    Effect.map(kubectl.run(args, { KUBECONFIG: config }), ({ code, output }) => {
      assert.strictEqual(code, 0, `kubectl ${args.join(" ")}\n${output}`)
      return output
    })
  const apply = (text: string) => {
    writeFileSync(join(kubectl.home, "manifest.yaml"), text)
    return run("apply", "-f", "manifest.yaml")
  }
  yield* apply(stringify(crd))
  yield* run("wait", "--for=condition=Established", "crd/computeinstances.cloudkit.openshift.io", "--timeout=120s")
  // established is before served
  yield* eventually("ours to be served", kubectl.run(["get", "ci"], { KUBECONFIG: config }), ({ code }) => code === 0)
  const aap = yield* SimulatedAap.make()
  const { url } = yield* serve(aap.handler)
  const log = join(kubectl.home, "log")
  yield* OperatorProcess.start(
    {
      KUBECONFIG: config,
      CLOUDKIT_PROVISIONING_PROVIDER: "aap",
      CLOUDKIT_AAP_URL: url,
      CLOUDKIT_AAP_TOKEN: "operator-token",
      CLOUDKIT_AAP_PROVISION_TEMPLATE: PROVISION_TEMPLATE,
      CLOUDKIT_AAP_DEPROVISION_TEMPLATE: DEPROVISION_TEMPLATE,
      CLOUDKIT_AAP_STATUS_POLL_INTERVAL: "1s"
    },
    log
  )
  return { aap, apply, run, said: () => readFileSync(log, "utf8") }
})

/** Events are written beside the passes: describes until all of them are there. */
const described = (run: (...args: ReadonlyArray<string>) => Effect.Effect<string>, words: ReadonlyArray<RegExp>) =>
  eventually(`events like ${words.join()}`, run("describe", "computeinstance", "vm-1"), (output) =>
    words.every((word) => word.test(output))
  )

/** What the documents tell users of Argo CD to do. */
const teachArgo = Effect.fnUntraced(function* (run: (...args: ReadonlyArray<string>) => Effect.Effect<string>) {
  const file = resolve("k8s/argocd/argocd-cm.yaml")
  yield* run("create", "namespace", "argocd")
  yield* run("create", "configmap", "argocd-cm", "--namespace", "argocd", "--from-literal=url=https://argo.test")
  yield* run("patch", "configmap", "argocd-cm", "--namespace", "argocd", "--patch-file", file)
  const taught = yield* run("get", "configmap", "argocd-cm", "--namespace", "argocd", "-o", "json")
  assert.deepStrictEqual(Object.keys(JSON.parse(taught).data).sort(), [
    "resource.customizations.health.cloudkit.openshift.io_ComputeInstance",
    "url"
  ])
})

const isHere = present("etcd", "kube-apiserver", "kubectl")
const title = "kubectl waits for Ready, for Stalled and for the deletion, and describe shows what happened"

it.live.skipIf(!isHere)(
  isHere ? title : leftOut("kubectl describe and kubectl wait on a real API server"),
  () =>
    Effect.gen(function* () {
      const { aap, apply, run, said } = yield* furnished
      const playbook = { pendingFor: Duration.millis(100), runningFor: Duration.millis(300) }
      yield* aap.play(() => ({ ...playbook, ends: "successful" }))
      yield* apply(manifest(2))
      yield* run("wait", "--for=condition=Ready", "ci/vm-1", "--timeout=120s")
      yield* described(run, [
        /Normal\s+JobLaunched\s.*Launched provision job 1 /u,
        /Normal\s+JobSucceeded\s.*provision job 1: Job completed successfully/u
      ])

      const message = `${"the disk is full – ".repeat(200)}`
      yield* aap.play(() => ({ ...playbook, ends: "failed", failure: { host: "h", task: "t", message } }))
      yield* apply(manifest(4))
      yield* run("wait", "--for=condition=Stalled", "ci/vm-1", "--timeout=120s")
      const failed = yield* described(run, [/Warning\s+JobFailed\s.*AAP job failed: h, task "t": the disk is full/u])
      assert.match(failed, /Reason:\s+JobFailed/u)

      yield* aap.play(() => ({ ...playbook, ends: "successful" }))
      yield* run("delete", "ci/vm-1", "--wait=false")
      yield* run("wait", "--for=delete", "ci/vm-1", "--timeout=120s")

      const format = "jsonpath={range .items[*]}{.reason} {.action} {.reportingController} {.note}{'\\n'}{end}"
      const all = Effect.map(run("get", "events.v1.events.k8s.io", "-o", format), (said) => said.trim().split("\n"))
      const events = yield* eventually(
        "three launches",
        all,
        (seen) => seen.filter((event) => event.startsWith("JobLaunched Launch")).length >= 3
      )
      for (const event of events) {
        const [, , controller, ...note] = event.split(" ")
        assert.strictEqual(controller, REPORTING_CONTROLLER)
        assert.isAtMost(Buffer.byteLength(note.join(" ")), 1_024)
      }
      assert.notInclude(said(), "an event could not be written")
      yield* teachArgo(run)
    }),
  LONG_TEST
)
