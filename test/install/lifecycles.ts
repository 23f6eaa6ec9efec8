/** Whole lifecycles with the operator's own token, and what it asked for compared with what it was granted. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { administratorOf } from "../document/Cluster.ts"
import { type Json, stringAt } from "../support/kubernetes/Json.ts"
import * as SimulatedAap from "../support/SimulatedAap.ts"
import * as SimulatedEda from "../support/SimulatedEda.ts"
import { json, serve, type WireHandler } from "../support/Wire.ts"
import { type BenchShape, OPERATOR, overlay } from "./Bench.ts"
import { becomes, isGone, operate, phaseIs, putSecret, says, stopped } from "./Operating.ts"

type Check = (bench: BenchShape) => Effect.Effect<void, never, Scope.Scope>

const PROVISION = "osac-create-compute-instance"
const DEPROVISION = "osac-delete-compute-instance"
/** As OpenShift gives one, and the image's own. */
const ARBITRARY = 1_000_650_000
const OWN = 65_532

const order = (bench: BenchShape, name: string) =>
  bench.apply({
    apiVersion: "cloudkit.openshift.io/v1alpha1",
    kind: "ComputeInstance",
    metadata: { name, namespace: "default" },
    spec: { name, vcpu: 2, memory: 4096, disk: 40 }
  })

const remove = (bench: BenchShape, name: string) => bench.kubectl("delete", "ci", name, "--wait=false")

const nameIn = (payload: unknown): string => {
  const known: Json = JSON.parse(JSON.stringify(payload))
  return stringAt(known, "metadata", "name") ?? ""
}

const failure = { host: "localhost", task: "Ask for the machine", message: "quota exceeded" }

/** `fails` is not built, and the first job that is to tear `blocks` down fails. */
const playing = () => {
  const failed = new Set<string>()
  return ({ payload, template }: SimulatedAap.Launch): SimulatedAap.Playbook => {
    const fate = `${nameIn(payload)} ${template}`
    const fails = [`fails ${PROVISION}`, `blocks ${DEPROVISION}`].includes(fate) && !failed.has(fate)
    if (fails) failed.add(fate)
    return {
      pendingFor: 0,
      runningFor: "500 millis",
      ...(fails ? { ends: "failed", failure } : { ends: "successful" })
    }
  }
}

/** Somebody changes the object while its launch is under way, so that the record is written by a second, fresh view. */
const disturbed =
  (bench: BenchShape, handler: WireHandler): WireHandler =>
  (request) =>
    request.method === "POST" && request.url.pathname.endsWith("/launch/") && request.body.includes('"first"')
      ? Effect.andThen(bench.kubectl("annotate", "ci", "first", `note=${Date.now()}`, "--overwrite"), handler(request))
      : handler(request)

const aapSite = Effect.fnUntraced(function* (bench: BenchShape) {
  const aap = yield* SimulatedAap.make()
  yield* aap.play(playing())
  const { url } = yield* serve(disturbed(bench, aap.handler))
  yield* putSecret(bench, "cloudkit-config", {
    CLOUDKIT_AAP_URL: url,
    CLOUDKIT_AAP_PROVISION_TEMPLATE: PROVISION,
    CLOUDKIT_AAP_DEPROVISION_TEMPLATE: DEPROVISION,
    CLOUDKIT_AAP_STATUS_POLL_INTERVAL: "1s",
    NO_PROXY: "127.0.0.1"
  })
  return aap
})

/** Out of reach at first by its token, then by a template; both are mended while the operator runs. */
const aapLifecycles: Check = (bench) =>
  Effect.gen(function* () {
    yield* bench.kubectl("apply", "-k", overlay("aap"))
    const aap = yield* aapSite(bench)
    yield* putSecret(bench, "aap-credentials", { token: "expired-token" })
    const operator = yield* operate(bench, ARBITRARY)
    const all = ["first", "fails", "blocks"]
    yield* Effect.forEach(all, (name) => order(bench, name))
    yield* becomes(bench, "first", "refused", says("Ready", "CredentialsRejected"))
    yield* aap.renameTemplate(DEPROVISION, "renamed")
    // what a kubelet does with a Secret that was changed
    writeFileSync(join(operator.folders.get("/etc/cloudkit/aap") ?? "", "token"), "operator-token")
    yield* becomes(bench, "first", "Ready", phaseIs("Ready"))
    yield* becomes(bench, "fails", "Failed", phaseIs("Failed"))
    yield* becomes(bench, "blocks", "Ready", phaseIs("Ready"))
    yield* Effect.forEach(all, (name) => remove(bench, name))
    yield* becomes(bench, "first", "without a template", says("Ready", "TemplateNotFound"))
    yield* aap.renameTemplate("renamed", DEPROVISION)
    yield* becomes(bench, "blocks", "kept", says("DeletionBlocked", "DeprovisionFailed"))
    const again = `cloudkit.openshift.io/retry-requested-at=${new Date().toISOString()}`
    yield* bench.kubectl("annotate", "ci", "blocks", again)
    yield* Effect.forEach(all, (name) => becomes(bench, name, "gone", isGone))
    assert.strictEqual(yield* operator.probe("/livez"), "200 ok\n")
    yield* stopped(operator)
    assert.notInclude(operator.log(), "operator-token")
  })

/** Calls are refused at times, as by a receiver that has no rulebook. The same refusal again is one Event with a count. */
const edaLifecycles: Check = (bench) =>
  Effect.gen(function* () {
    yield* bench.kubectl("apply", "-k", overlay("eda"))
    const cluster = { handler: administratorOf(bench.plane), origin: bench.plane.url }
    const eda = yield* SimulatedEda.make({ cluster })
    yield* eda.play(() => ({ startsAfter: 0, worksFor: "300 millis", finalizer: "atEnd" }))
    let refusing = true
    const { url } = yield* serve((request) =>
      refusing ? Effect.succeed(json(500, { error: "no rulebook" })) : eda.handler(request)
    )
    yield* putSecret(bench, "cloudkit-config", {
      CLOUDKIT_COMPUTE_INSTANCE_PROVISION_WEBHOOK: `${url}/create-compute-instance`,
      CLOUDKIT_COMPUTE_INSTANCE_DEPROVISION_WEBHOOK: `${url}/delete-compute-instance`,
      NO_PROXY: "127.0.0.1"
    })
    const operator = yield* operate(bench, OWN)
    const change = (vcpu: number) =>
      bench.kubectl("patch", "ci", "signalled", "--type=merge", "-p", `{"spec":{"vcpu":${vcpu}}}`)
    yield* order(bench, "signalled")
    yield* becomes(bench, "signalled", "refused", says("Ready", "ProviderFailure"))
    refusing = false
    // a spec of its own is tried at once
    yield* change(4)
    yield* becomes(bench, "signalled", "Ready", phaseIs("Ready"))
    refusing = true
    yield* change(8)
    yield* becomes(bench, "signalled", "refused again", says("Ready", "ProviderFailure"))
    refusing = false
    yield* remove(bench, "signalled")
    yield* becomes(bench, "signalled", "gone", isGone)
    yield* stopped(operator)
  })

/** The other overlays' rights to the whole cluster are taken away for as long as it takes. */
const namespacedLifecycle: Check = (bench) =>
  Effect.gen(function* () {
    yield* bench.kubectl("delete", "clusterrolebinding", OPERATOR)
    yield* bench.kubectl("apply", "-k", overlay("namespaced"))
    yield* aapSite(bench)
    yield* putSecret(bench, "aap-credentials", { token: "operator-token" })
    const operator = yield* operate(bench, ARBITRARY)
    yield* order(bench, "narrow")
    yield* becomes(bench, "narrow", "Ready", phaseIs("Ready"))
    yield* remove(bench, "narrow")
    yield* becomes(bench, "narrow", "gone", isGone)
    yield* stopped(operator)
  })

export const lifecycles: Readonly<Record<string, Check>> = {
  "AAP: refused, found, built, failed, kept and torn down, as any user with group 0": aapLifecycles,
  "EDA: refused, signalled and torn down, as the image's own user": edaLifecycles,
  "one namespace: the Role there is enough": namespacedLifecycle
}
