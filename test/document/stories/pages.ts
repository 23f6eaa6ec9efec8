/** The product's own pages about trouble and migration: every command in them. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { eventually } from "../../support/eventually.ts"
import { fromUnknown, type Json, listAt, stringAt, stringsAt } from "../../support/kubernetes/Json.ts"
import { followSection, type Script } from "../Script.ts"
import { DEPROVISION, PROVISION, type Site } from "../Site.ts"
import type { Story } from "../Story.ts"
import { deployAap, deployEda, order } from "./deploying.ts"
import { launchedByHand } from "./recovery.ts"

const TROUBLE = "docs/troubleshooting.md"
const MIGRATION = "docs/migration.md"
const NAME = "vm-1"

const parsed = (text: string) => fromUnknown(JSON.parse(text))
const phase = (object: Json | undefined) => stringAt(object, "status", "phase")
const idOf = (object: Json | undefined) => stringAt(object, "status", "provisionJob", "id") ?? ""

const has = (object: Json | undefined, type: string): boolean =>
  listAt(object ?? null, "status", "conditions").some(
    (one) => stringAt(one, "type") === type && stringAt(one, "status") === "True"
  )

const becomes = (site: Site, what: string, holds: (object: Json | undefined) => boolean, name = NAME) =>
  eventually(`${name} ${what}`, site.object(name), holds)

/** A machine whose first playbook failed. */
const failing = Effect.fnUntraced(function* (site: Site) {
  const failure = { host: "localhost", task: "Create the machine", message: "quota exceeded" }
  yield* deployAap(site)
  yield* site.aap.play(({ n }) => (n === 1 ? { runningFor: "300 millis", ends: "failed", failure } : { ends: "never" }))
  yield* order(site, NAME)
  yield* becomes(site, "Failed", (object) => phase(object) === "Failed")
})

const looking = (s: Script) =>
  Effect.gen(function* () {
    yield* s.run(`get ci ${NAME}`)
    assert.include(yield* s.run("conditions"), '"Stalled"')
    assert.include(yield* s.run("provisionJob"), "quota exceeded")
    assert.strictEqual(yield* s.run("deprovisionJob"), "")
    assert.include(yield* s.run("describe"), "quota exceeded")
    assert.include(yield* s.run("status.phase!=Ready"), NAME)
  })

const reading = (s: Script) =>
  Effect.gen(function* () {
    assert.include(yield* s.run(`grep ${NAME}`), "triggering provisioning")
    // the cluster is told of the end first, and then the log
    yield* s.until("level", (said) => said.includes('"level":"warn"'))
    yield* s.until('"AAP"', (said) => said.includes("AAP job failed: "))
    assert.include(yield* s.run("checking provision job status"), '"state":"Pending"')
  })

const asking = (s: Script) =>
  Effect.gen(function* () {
    yield* s.run("AAP_URL=")
    yield* s.run("AAP_TOKEN=")
    assert.strictEqual(stringAt(parsed(yield* s.run("/me/")), "username"), "operator")
    assert.include(yield* s.run("unified_job_templates"), PROVISION)
    yield* s.run("AAP_JOB_ID=")
    assert.match(yield* s.run("unified_jobs"), /^"failed"\n/u)
    assert.include(yield* s.run("job_events"), "Create the machine")
  })

/** A second run goes well, if a detour is made to the job that should be followed. */
const recovering = Effect.fnUntraced(function* (site: Site) {
  const section = (heading: string, steps: (s: Script) => Effect.Effect<void>, values = {}) =>
    followSection(site, TROUBLE, heading, values, steps)
  yield* section("A job failed", (s) =>
    Effect.gen(function* () {
      yield* s.run("retry-requested-at")
      yield* becomes(site, "followed again", (object) => idOf(object) === "2")
      const other = yield* launchedByHand(site)
      const values = { "<job to stop>": "2", "<job to follow>": String(other) }
      yield* section("The wrong job is followed", (choice) => choose(choice, site, other), values)
      yield* site.end(PROVISION)
      yield* s.run("kubectl wait")
    })
  )
  yield* site.shell.run(`kubectl delete ci ${NAME} --wait=false`)
})

const choose = (s: Script, site: Site, other: number) =>
  Effect.gen(function* () {
    assert.include(yield* s.run("status.jobs"), '"jobID": "2"')
    yield* s.run("/cancel/")
    yield* s.run("adopt-job")
    yield* becomes(site, "follows the other job", (object) => idOf(object) === String(other))
  })

const deletion = (s: Script, site: Site) =>
  Effect.gen(function* () {
    yield* s.run("retry-requested-at")
    yield* becomes(site, "tried again", (object) => !has(object, "DeletionBlocked"))
    yield* s.run("kubectl patch")
    yield* becomes(site, "gone", (object) => object === undefined)
  })

const trouble: Story = {
  name: "every command about trouble with AAP works: look, read, ask, run again, follow another job, let go",
  blocks: [],
  sections: [
    "Look at the resource",
    "Read the log",
    "Ask AAP",
    "A job failed",
    "The wrong job is followed",
    "A deletion does not end"
  ].map((heading) => `${TROUBLE} ${heading}`),
  tell: (site) =>
    Effect.gen(function* () {
      yield* failing(site)
      yield* followSection(site, TROUBLE, "Look at the resource", {}, looking)
      yield* followSection(site, TROUBLE, "Read the log", {}, reading)
      yield* followSection(site, TROUBLE, "Ask AAP", {}, asking)
      yield* recovering(site)
      const last = (template: string) =>
        Effect.map(site.aap.ledger, (jobs) => jobs.findLast((j) => j.template === template))
      const job = yield* eventually("a deprovision", last(DEPROVISION), (one) => one !== undefined)
      yield* site.aap.setStatus(job?.id ?? 0, "failed", "quota service unavailable")
      yield* becomes(site, "blocked", (object) => has(object, "DeletionBlocked"))
      yield* followSection(site, TROUBLE, "A deletion does not end", {}, (s) => deletion(s, site))
    })
}

const silent: Story = {
  name: "every command about a playbook without a signal works: what is awaited, and how to say it in its place",
  blocks: [],
  sections: [`${TROUBLE} A webhook's playbook gives no signal`],
  tell: (site) =>
    Effect.gen(function* () {
      yield* deployEda(site)
      // this playbook holds no finalizer, so that nothing tells of the end of the machine
      yield* site.eda.play(() => ({ startsAfter: 0, worksFor: 0, finalizer: "notAtAll" }))
      yield* order(site, NAME)
      yield* becomes(site, "Ready", (object) => phase(object) === "Ready")
      yield* followSection(site, TROUBLE, "A webhook's playbook gives no signal", {}, (s) =>
        Effect.gen(function* () {
          assert.strictEqual(yield* s.run("desiredConfigVersion"), yield* s.run("reconciled-config-version"))
          assert.deepStrictEqual(parsed(yield* s.run("finalizers")), ["cloudkit.openshift.io/computeinstance"])
          yield* site.shell.run(`kubectl delete ci ${NAME} --wait=false`)
          yield* becomes(site, "blocked", (object) => has(object, "DeletionBlocked"))
          yield* s.run("deprovisioned=true")
          yield* becomes(site, "gone", (object) => object === undefined)
        })
      )
    })
}

const election: Story = {
  name: "every command about the election works: which replica leads, and what the replicas say of it",
  blocks: [],
  sections: [`${TROUBLE} Which replica works`],
  tell: (site) =>
    Effect.gen(function* () {
      const alone = yield* deployAap(site)
      yield* alone.stop
      const elect = `CLOUDKIT_LEADER_ELECT=true POD_NAMESPACE=${site.system}`
      const deployment = `deployment/cloudkit-operator-controller-manager -n ${site.system}`
      const { code, output } = yield* site.shell.run(`kubectl set env ${deployment} ${elect}`)
      assert.strictEqual(code, 0, output)
      yield* site.operate
      yield* eventually("a leader", Effect.sync(site.log), (lines) => lines.some(({ msg }) => msg === "leading"))
      yield* followSection(site, TROUBLE, "Which replica works", {}, (s) =>
        Effect.gen(function* () {
          const holder = yield* s.run("kubectl get lease")
          assert.include(yield* s.run("kubectl logs"), holder)
        })
      )
    })
}

const manifest = `apiVersion: cloudkit.openshift.io/v1alpha1
kind: ComputeInstance
metadata: { name: test-ci }
spec: { name: test-vm, vcpu: 2, memory: 4096, disk: 40 }
`

const migration: Story = {
  name: "every command of the migration works: variables are set, the operator is restarted, and the way back is one command",
  blocks: [],
  sections: ["Switch to AAP", "See that it works", "Go back"].map((heading) => `${MIGRATION} ${heading}`),
  tell: (site) =>
    Effect.gen(function* () {
      const eda = yield* deployEda(site)
      yield* order(site, "old-ci")
      yield* becomes(site, "Ready", (object) => phase(object) === "Ready", "old-ci")
      assert.strictEqual(yield* eda.stop, 0)
      yield* followSection(site, MIGRATION, "Switch to AAP", {}, (s) =>
        Effect.gen(function* () {
          yield* s.run("status.phase!=Ready")
          for (const words of ["create secret", "--from=secret", "PROVISIONING_PROVIDER=aap"]) yield* s.run(words)
        })
      )
      const aap = yield* site.operate
      writeFileSync(join(site.home, "test-compute-instance.yaml"), manifest)
      yield* followSection(site, MIGRATION, "See that it works", {}, (s) =>
        Effect.gen(function* () {
          yield* s.run("kubectl apply")
          assert.match(yield* s.until("provisionJob.id", (output) => output !== ""), /^\d+$/u)
          assert.include(yield* s.run("| jq"), '"provider": "aap"')
          assert.notInclude(yield* s.run("status.phase!=Ready"), "old-ci")
        })
      )
      assert.strictEqual(yield* aap.stop, 0)
      yield* followSection(site, MIGRATION, "Go back", {}, (s) => Effect.asVoid(s.run("PROVIDER=eda")))
      yield* site.operate
      yield* site.end(PROVISION)
      const ready = yield* becomes(site, "Ready", (object) => phase(object) === "Ready", "test-ci")
      assert.include([...stringsAt(ready ?? null, "metadata", "finalizers")], "cloudkit.openshift.io/computeinstance")
      assert.strictEqual((yield* site.eda.webhooks).length, 1)
    })
}

export const pages: ReadonlyArray<Story> = [trouble, silent, election, migration]
