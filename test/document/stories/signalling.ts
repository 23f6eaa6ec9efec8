/** The EDA provider, and the way from it to AAP and back. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { parse as parseYaml } from "yaml"
import { PLAYBOOK_FINALIZERS } from "../../../src/domain/ComputeInstance.ts"
import { eventually } from "../../support/eventually.ts"
import { at, fromUnknown, type Json, listAt, stringAt, stringsAt } from "../../support/kubernetes/Json.ts"
import { block, commandsIn } from "../Blocks.ts"
import { followBlock } from "../Script.ts"
import { DEPROVISION, PROVISION, type Site } from "../Site.ts"
import type { Story } from "../Story.ts"
import { deployEda, order } from "./deploying.ts"

const phase = (object: Json | undefined) => stringAt(object, "status", "phase")
const job = (object: Json | undefined, field: string) => stringAt(object, "status", "provisionJob", field)

const becomes = (site: Site, name: string, wanted: string) =>
  eventually(`${name} ${wanted}`, site.object(name), (object) => phase(object) === wanted)

const backward: Story = {
  name: "scenario 4: under EDA the job is a numbered webhook call, Unknown until the playbook's annotation makes it Ready",
  blocks: [10, 11, 32],
  tell: (site) =>
    Effect.gen(function* () {
      yield* deployEda(site)
      const looked = yield* Deferred.make<void>()
      yield* site.eda.playNext({ begins: Deferred.await(looked), startsAfter: 0, worksFor: 0, finalizer: "atEnd" })
      const name = "test-ci-eda"
      yield* followBlock(site, 32, {}, (s) =>
        Effect.gen(function* () {
          assert.strictEqual(yield* s.run("kubectl get deployment"), "eda")
          yield* s.run("kubectl apply")
          assert.strictEqual(yield* s.until("provisionJob.id", (output) => output !== ""), "eda-webhook-1")
          assert.strictEqual(yield* s.run("provisionJob.state"), "Unknown")
          yield* Deferred.succeed(looked, undefined)
          const signalled = yield* s.until("reconciled-config-version", (output) => output !== "")
          assert.strictEqual(signalled, stringAt(yield* site.object(name), "status", "desiredConfigVersion"))
          assert.strictEqual(yield* s.until("phase", (output) => output === "Ready"), "Ready")
        })
      )
      const held = yield* eventually("the finalizer", site.object(name), (object) =>
        stringsAt(object, "metadata", "finalizers").some((one) => PLAYBOOK_FINALIZERS.includes(one))
      )
      assert.strictEqual(job(held, "state"), "Succeeded")
      assert.isFalse(at(held, "status", "provisionJob", "blockDeletionOnFailure"))
      assert.deepStrictEqual(yield* site.aap.ledger, [])
    })
}

const verification: Story = {
  name: "the verification of an EDA deployment finds the webhook, its job in the log, and the playbook's annotation",
  blocks: [9, 10, 11, 12],
  tell: (site) =>
    Effect.gen(function* () {
      yield* followBlock(site, 9, {}, (s) =>
        Effect.gen(function* () {
          yield* s.leaveOut("kubectl apply", "the receiver of the webhooks is the simulated one")
          yield* s.leaveOut("kubectl get pods", "there are no pods without a kubelet; the webhook answers instead")
        })
      )
      yield* deployEda(site)
      yield* followBlock(site, 12, {}, (s) =>
        Effect.gen(function* () {
          yield* s.leaveOut("kubectl get svc", "the receiver is not in the cluster")
          assert.notStrictEqual(yield* s.run("kubectl run"), "")
          yield* s.run("kubectl apply")
          yield* s.inBackground("-w")
          yield* becomes(site, "test-ci", "Ready")
          assert.include(yield* s.run('grep "eda-webhook"'), '"jobID":"eda-webhook-1"')
          const signalled = yield* s.run("reconciled-config-version")
          assert.strictEqual(signalled, stringAt(yield* site.object("test-ci"), "status", "desiredConfigVersion"))
        })
      )
      assert.deepStrictEqual(
        (yield* site.eda.webhooks).map((webhook) => webhook.path),
        ["health", "create-compute-instance"]
      )
    })
}

/** The variables are changed by another manifest, as an editor would; the restart is the document's own. */
const redeploy = Effect.fnUntraced(function* (site: Site, number: number) {
  yield* site.writeManifest(number)
  assert.strictEqual((yield* site.shell.run("kubectl apply -f config/manager/manager.yaml")).code, 0)
})

const toAap = Effect.fnUntraced(function* (site: Site) {
  yield* followBlock(site, 18, {}, (s) => Effect.asVoid(s.run("kubectl create secret")))
  yield* followBlock(site, 19, {}, (s) => s.leaveOut("kubectl edit", "nobody is there to edit"))
  yield* redeploy(site, 14)
  yield* followBlock(site, 20, {}, (s) => Effect.asVoid(s.run("kubectl rollout restart")))
  return yield* site.operate
})

const back = Effect.fnUntraced(function* (site: Site) {
  yield* followBlock(site, 23, {}, (s) =>
    Effect.gen(function* () {
      yield* s.leaveOut("kubectl edit", "nobody is there to edit")
      yield* redeploy(site, 10)
      yield* s.run("kubectl rollout restart")
    })
  )
  return yield* site.operate
})

const migration: Story = {
  name: "a migration from EDA to AAP leaves what is Ready alone, shows what is not, launches in AAP, and can be taken back",
  blocks: [17, 18, 19, 20, 21, 22, 23],
  tell: (site) =>
    Effect.gen(function* () {
      const [task] = listAt(fromUnknown({ tasks: commandsYaml(17) }), "tasks")
      const [finalizer = ""] = stringsAt(task ?? null, "kubernetes.core.k8s", "definition", "metadata", "finalizers")
      assert.include([...PLAYBOOK_FINALIZERS], finalizer)
      const eda = yield* deployEda(site)
      yield* order(site, "old-ci")
      yield* becomes(site, "old-ci", "Ready")
      yield* site.eda.playNext({ ends: "never" })
      yield* order(site, "slow-ci")
      yield* eventually("a call", site.object("slow-ci"), (object) => job(object, "id") === "eda-webhook-1")
      assert.strictEqual(yield* eda.stop, 0)
      const aap = yield* toAap(site)
      yield* newOne(site)
      yield* followBlock(site, 22, { "<name>": "slow-ci" }, (s) =>
        Effect.gen(function* () {
          const left = yield* s.run("status.phase!=Ready")
          assert.include(left, "slow-ci")
          assert.notInclude(left, "old-ci")
          assert.strictEqual(stringAt(fromUnknown(JSON.parse(yield* s.run("provisionJob"))), "state"), "Unknown")
        })
      )
      assert.strictEqual((yield* site.aap.ledger).length, 1)
      yield* deletedByAap(site)
      assert.strictEqual(yield* aap.stop, 0)
      yield* back(site)
      const ready = yield* eventually("the playbooks' finalizer", site.object("test-ci"), (object) =>
        stringsAt(object, "metadata", "finalizers").some((one) => PLAYBOOK_FINALIZERS.includes(one))
      )
      assert.strictEqual(phase(ready), "Ready")
      assert.strictEqual((yield* site.eda.webhooks).length, 2)
    })
}

const commandsYaml = (number: number): ReadonlyArray<unknown> => parseYaml(block(number).text)

/** The test object of the migration: its job is AAP's. */
const newOne = Effect.fnUntraced(function* (site: Site) {
  const [, manifest = ""] = /<<EOF.*\n([\s\S]*)\nEOF/u.exec(commandsIn(block(12).text)[2] ?? "") ?? []
  writeFileSync(join(site.home, "test-compute-instance.yaml"), site.here(manifest))
  yield* followBlock(site, 21, {}, (s) =>
    Effect.gen(function* () {
      yield* s.run("kubectl apply")
      assert.match(yield* s.until("provisionJob.id", (output) => output !== ""), /^\d+$/u)
      yield* site.end(PROVISION)
      yield* s.until("| jq", (output) => output.includes('"Succeeded"'))
    })
  )
  yield* becomes(site, "test-ci", "Ready")
})

/** What EDA built, AAP tears down, and the playbooks' finalizer goes with ours. */
const deletedByAap = Effect.fnUntraced(function* (site: Site) {
  yield* site.shell.run("kubectl delete computeinstance old-ci --wait=false")
  yield* site.end(DEPROVISION)
  yield* eventually("the end of old-ci", site.object("old-ci"), (object) => object === undefined)
  const jobs = (yield* site.aap.ledger).map((one) => `${one.template} ${one.object?.name} ${one.status}`)
  assert.deepStrictEqual(jobs, [`${PROVISION} test-ci successful`, `${DEPROVISION} old-ci successful`])
})

export const signalling: ReadonlyArray<Story> = [backward, verification, migration]
