/** The operator as a process against Event-Driven Ansible as it is deployed: a real ansible-rulebook runs real playbooks. */
import { renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, it, layer } from "@effect/vitest"
import { Context, Effect, Exit, Layer, type Scope } from "effect"
import { LONG_TEST } from "../support/eventually.ts"
import { at, condition, verdict } from "../support/expectations.ts"
import { type JsonObject, stringsAt } from "../support/kubernetes/Json.ts"
import { freePort } from "../support/ports.ts"
import { isPresent, leftOut } from "./home.ts"
import { type Operator, startOperator } from "./Operator.ts"
import { temporaryFolder } from "./Process.ts"
import { type Resource, watched } from "./Resource.ts"
import { make, type Rulebook, TOKEN } from "./Rulebook.ts"
import * as Site from "./Site.ts"

const FINALIZER = "cloudkit.openshift.io/computeinstance"
const PLAYBOOK_FINALIZER = "cloudkit.openshift.io/computeinstance-aap"
const BUILT = "cloudkit.openshift.io/reconciled-config-version"

const CREATE = "POST /create-compute-instance 200 cloudkit-operator"
const DELETE = "POST /delete-compute-instance 200 cloudkit-operator"
const REJECTED = "POST /create-compute-instance 401 cloudkit-operator"

class Eda extends Context.Service<Eda, Rulebook>()("cloudkit-operator/test/rulebook/Eda") {
  static readonly layer = Layer.effect(
    Eda,
    Effect.gen(function* () {
      return yield* make(yield* Site.Here, yield* freePort)
    })
  )
}

interface Stage {
  readonly site: Site.Site
  readonly eda: Rulebook
  readonly vm: Resource
  readonly startOperator: Effect.Effect<Operator, never, Scope.Scope>
  readonly putToken: (token: string) => Effect.Effect<void>
  /** The requests that reached the webhook since the stage was set. */
  readonly requests: () => ReadonlyArray<string>
}

/** What both sides said, where a story goes wrong. */
const explained = (eda: Rulebook, started: ReadonlyArray<Operator>) =>
  Effect.addFinalizer((exit) =>
    Effect.sync(() => {
      if (Exit.isFailure(exit))
        process.stderr.write([...started.map((operator) => operator.said()), eda.said()].join("\n────\n"))
    })
  )

/** A namespace of its own with an operator for it, and a ComputeInstance that is yet to be created. */
const stageFor = Effect.fnUntraced(function* (name: string) {
  const site = yield* Site.Here
  const eda = yield* Eda
  const folder = yield* temporaryFolder
  const namespace = `for-${name}`
  const answer = yield* site.cluster.ask("/api/v1/namespaces", {
    method: "POST",
    body: { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }
  })
  assert.strictEqual(answer.status, 201, answer.text)
  const tokenFile = join(folder, "token")
  const earlier = eda.requests().length
  const started: Array<Operator> = []
  yield* explained(eda, started)
  return {
    site,
    eda,
    vm: yield* watched(site.cluster, namespace, name),
    startOperator: Effect.tap(startOperator(site, { namespace, webhooks: eda.url, tokenFile, folder }), (operator) =>
      Effect.sync(() => started.push(operator))
    ),
    // as a mounted Secret is replaced: never half
    putToken: (token) =>
      Effect.sync(() => {
        writeFileSync(`${tokenFile}.new`, token)
        renameSync(`${tokenFile}.new`, tokenFile)
      }),
    requests: () => eda.requests().slice(earlier)
  } satisfies Stage
})

const phase = (object: JsonObject): string | undefined => {
  const found = at(object, "status", "phase")
  return typeof found === "string" ? found : undefined
}
const isReady = (object: JsonObject): boolean => phase(object) === "Ready"
const isRequested = (object: JsonObject): boolean => at(object, "status", "provisionJob", "state") === "Unknown"
const isHeld = (object: JsonObject): boolean => stringsAt(object, "metadata", "finalizers").includes(PLAYBOOK_FINALIZER)

/** `provision began`, `provision ended`, …, of this object. */
const runs = ({ eda, vm }: Stage): ReadonlyArray<string> =>
  eda.noted(vm.name).map(({ moment, operation }) => `${operation} ${moment}`)

const once = (operation: string): ReadonlyArray<string> => [`${operation} began`, `${operation} ended`]

const complaints = (operator: Operator): ReadonlyArray<string> =>
  operator
    .said()
    .split("\n")
    .filter((line) => line !== "" && !/"level":"(?:info|debug)"/u.test(line))

/** Orders a machine; its playbook is at work, and stays so. */
const whileBuilding = Effect.fnUntraced(function* (stage: Stage) {
  const { vm } = stage
  yield* vm.create({ templateID: "osac.templates.ocp_virt_vm", vcpu: 2 })
  const requested = yield* vm.until("requested", isRequested)
  assert.strictEqual(phase(requested), "Progressing")
  assert.strictEqual(at(requested, "status", "provisionJob", "id"), "eda-webhook-1")
  assert.strictEqual(
    at(requested, "status", "provisionJob", "message"),
    "Webhook accepted; waiting for the playbook's signal"
  )
  assert.strictEqual(verdict(requested, "Ready"), "False JobPending")
  assert.deepStrictEqual(stringsAt(requested, "metadata", "finalizers"), [FINALIZER])
  yield* vm.until("held by the playbook", isHeld)
  assert.deepStrictEqual(runs(stage), ["provision began"])
})

const lives = Effect.gen(function* () {
  const stage = yield* stageFor("lives")
  const { eda, site, vm } = stage
  const readsBefore = yield* site.reads
  yield* stage.putToken(TOKEN)
  const operator = yield* stage.startOperator
  yield* whileBuilding(stage)

  yield* eda.finish("provision", vm.name)
  const ready = yield* vm.until("ready", isReady)
  const version = at(ready, "status", "desiredConfigVersion")
  assert.strictEqual(verdict(ready, "Ready"), "True Provisioned")
  assert.strictEqual(at(ready, "status", "provisionJob", "state"), "Succeeded")
  assert.strictEqual(at(ready, "status", "provisionJob", "message"), "Job completed successfully")
  assert.strictEqual(at(ready, "metadata", "annotations", BUILT), version)
  assert.strictEqual(at(ready, "status", "reconciledConfigVersion"), version)

  // a playbook's signal is not its last task
  yield* eda.until(vm.name, 2)
  yield* vm.change({ vcpu: 4 })
  yield* vm.until("requested again", isRequested)
  const changed = yield* vm.until("ready again", isReady)
  assert.strictEqual(at(changed, "status", "provisionJob", "id"), "eda-webhook-2")
  const second = at(changed, "status", "desiredConfigVersion")
  assert.notStrictEqual(second, version)

  yield* eda.until(vm.name, 4)
  yield* vm.remove
  const leaving = yield* vm.until("deprovisioned", (object) => at(object, "status", "deprovisionJob") !== undefined)
  assert.strictEqual(phase(leaving), "Deleting")
  assert.strictEqual(at(leaving, "status", "deprovisionJob", "id"), "eda-webhook-3")
  assert.strictEqual(verdict(leaving, "Reconciling"), "True Deprovisioning")
  assert.sameMembers([...stringsAt(leaving, "metadata", "finalizers")], [FINALIZER, PLAYBOOK_FINALIZER])
  yield* eda.finish("deprovision", vm.name)
  yield* vm.gone
  yield* eda.until(vm.name, 6)

  assert.deepStrictEqual(vm.story(phase), ["Progressing", "Ready", "Progressing", "Ready", "Deleting"])
  assert.deepStrictEqual(stage.requests(), [CREATE, CREATE, DELETE])
  assert.deepStrictEqual(runs(stage), [...once("provision"), ...once("provision"), ...once("deprovision")])
  const noted = eda.noted(vm.name)
  assert.deepStrictEqual<ReadonlyArray<unknown>>(
    noted.map((line) => line.version),
    [version, version, second, second, second, second]
  )
  assert.deepStrictEqual(new Set(noted.map((line) => line.managed)), new Set([false]))
  assert.deepStrictEqual(complaints(operator), [])
  assert.strictEqual((yield* site.reads) - readsBefore, 1, "one list at the start, and nothing is asked ever after")
})

const survives = Effect.gen(function* () {
  const stage = yield* stageFor("survives")
  const { eda, vm } = stage
  yield* stage.putToken(TOKEN)
  const first = yield* stage.startOperator
  yield* whileBuilding(stage)
  yield* first.kill
  const second = yield* stage.startOperator
  yield* second.isReady
  yield* eda.finish("provision", vm.name)
  yield* vm.until("ready", isReady)
  assert.deepStrictEqual(stage.requests(), [CREATE])

  yield* eda.until(vm.name, 2)
  yield* vm.remove
  yield* eda.until(vm.name, 3)
  yield* second.kill
  yield* eda.finish("deprovision", vm.name)
  yield* vm.until("let go by the playbook", (object) => !isHeld(object))
  yield* stage.startOperator
  yield* vm.gone
  yield* eda.until(vm.name, 4)
  assert.deepStrictEqual(stage.requests(), [CREATE, DELETE])
  assert.deepStrictEqual(runs(stage), [...once("provision"), ...once("deprovision")])
})

const recovers = Effect.gen(function* () {
  const stage = yield* stageFor("recovers")
  const { eda, vm } = stage
  const wrong = "not-the-token-of-the-webhook"
  yield* stage.putToken(wrong)
  const operator = yield* stage.startOperator
  yield* eda.finish("provision", vm.name)
  yield* vm.create({ name: "vm" })
  const refused = yield* vm.until("rejected", (object) => verdict(object, "Reconciling") === "True CredentialsRejected")
  assert.include(String(condition(refused, "Reconciling")?.message), "401 Unauthorized")
  assert.strictEqual(at(refused, "status", "provisionJob"), undefined)

  yield* stage.putToken(TOKEN)
  const ready = yield* vm.until("ready", isReady)
  yield* eda.until(vm.name, 2)
  assert.strictEqual(at(ready, "status", "provisionJob", "id"), "eda-webhook-1")
  assert.deepStrictEqual(runs(stage), once("provision"))
  assert.deepStrictEqual(stage.requests().slice(-2), [REJECTED, CREATE])
  assert.deepStrictEqual(new Set(stage.requests().slice(0, -1)), new Set([REJECTED]))
  for (const secret of [wrong, TOKEN]) assert.notInclude(operator.said(), secret)
})

const stories: ReadonlyArray<
  readonly [name: string, story: Effect.Effect<void, never, Eda | Site.Here | Scope.Scope>]
> = [
  ["one webhook and one run of a playbook for each operation, and nothing is ever polled", lives],
  ["an operator that is killed while a playbook runs calls nobody again, and learns of the end all the same", survives],
  ["a rejected token is said, and a rotated one is used without a restart, once", recovers]
]

if (isPresent)
  layer(Layer.provideMerge(Eda.layer, Site.layer), { excludeTestServices: true, timeout: "5 minutes" })(
    `ansible-rulebook on ${Site.what}`,
    (it) => {
      for (const [name, story] of stories) it.effect(name, () => story, LONG_TEST)
    }
  )
else {
  const line = leftOut("the operator against a real ansible-rulebook")
  it("says what is left out without ANSIBLE_RULEBOOK_HOME, and how to have it", () => {
    assert.include(line, "pip install -r test/rulebook/requirements.txt")
  })
}
