/** The lifecycle under AAP: scenarios 1 to 3, the verification of a deployment, and what its status and log say. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { eventually } from "../../support/eventually.ts"
import { at, fromUnknown, type Json, numberAt, stringAt } from "../../support/kubernetes/Json.ts"
import { block } from "../Blocks.ts"
import { followBlock } from "../Script.ts"
import { DEPROVISION, OPERATOR_TOKEN, PROVISION, type Site } from "../Site.ts"
import { assertBetween, assertLogged, courseOf, messagesAbout, phasesOf, type Story } from "../Story.ts"
import { deployAap } from "./deploying.ts"

const parsed = (text: string) => fromUnknown(JSON.parse(text))

const stateOf = (object: Json | undefined, job: string) => stringAt(object, "status", job, "state")

/** The Secret of the design document, applied as it says, read back as its troubleshooting table says. */
const applySecret = Effect.fnUntraced(function* (site: Site) {
  writeFileSync(join(site.home, "aap-credentials-secret.yaml"), site.here(block(6).text))
  yield* followBlock(site, 7, {}, (s) => Effect.asVoid(s.run("kubectl apply")))
  const command = `kubectl get secret aap-credentials -n ${site.system} -o jsonpath='{.data.token}' | base64 -d`
  assert.strictEqual((yield* site.shell.run(command)).output, OPERATOR_TOKEN)
})

const succeeds: Story = {
  name: "scenario 1: a ComputeInstance is provisioned and deprovisioned, each state and message seen on the way",
  blocks: [1, 6, 7, 14, 15, 24, 25, 26, 29, 48],
  tell: (site) =>
    Effect.gen(function* () {
      yield* applySecret(site)
      yield* site.writeManifest(14)
      yield* followBlock(site, 15, {}, (s) => Effect.asVoid(s.run("kubectl apply")))
      yield* site.operate
      const name = "test-ci-success"
      yield* followBlock(site, 29, {}, (s) =>
        Effect.gen(function* () {
          yield* s.run("kubectl apply")
          yield* eventually(
            "a running job",
            site.object(name),
            (object) => stateOf(object, "provisionJob") === "Running"
          )
          yield* site.end(PROVISION)
          yield* s.until("provisionJob", (output) => output.includes('"state": "Succeeded"'))
          yield* s.until("{.status.phase}", (output) => output === "Ready")
          yield* readStatus(site, name)
          yield* s.inBackground("kubectl delete")
          yield* s.until("deprovisionJob", (output) => output.includes('"state": "Running"'))
          assertBothJobs(yield* site.object(name))
          yield* site.end(DEPROVISION)
          yield* eventually("the end", site.object(name), (object) => object === undefined)
          const gone = yield* s.attempt("kubectl get computeinstance")
          assert.notStrictEqual(gone.code, 0)
          assert.include(gone.output, "NotFound")
        })
      )
      const statuses = yield* site.life(name)
      assert.deepStrictEqual(courseOf(statuses, "provisionJob"), [
        "Pending: Job queued",
        "Running: Job running",
        "Succeeded: Job completed successfully"
      ])
      assert.deepStrictEqual(courseOf(statuses, "deprovisionJob").slice(0, 2), [
        "Pending: Deprovision job triggered",
        "Running: Deprovisioning in progress"
      ])
      assert.deepStrictEqual(phasesOf(statuses), ["Progressing", "Ready", "Deleting"])
      yield* assertLogged(site, name, [...block(26).text.split("\n").slice(0, 4), "deprovision job triggered"])
      yield* assertLogged(site, name, [
        "checking provision job before deprovision",
        "provision job already terminal",
        "deprovision job succeeded"
      ])
      const ledger = yield* site.aap.ledger
      assert.deepStrictEqual(
        ledger.map((job) => `${job.template} ${job.status}`),
        [`${PROVISION} successful`, `${DEPROVISION} successful`]
      )
    })
}

/** Each command that reads the status, against what is stored. */
const readStatus = Effect.fnUntraced(function* (site: Site, name: string) {
  const status = at(yield* site.object(name), "status")
  yield* followBlock(site, 25, { "<name>": name }, (s) =>
    Effect.gen(function* () {
      const yaml = yield* s.run("-o yaml")
      for (const field of ["phase: Ready", "provisionJob:", "conditions:"]) assert.include(yaml, field)
      assert.deepStrictEqual(parsed(yield* s.run("provisionJob")), at(status, "provisionJob"))
      assert.strictEqual(yield* s.run("provisionJob.state"), "Succeeded")
      assert.strictEqual(yield* s.run("deprovisionJob"), "")
    })
  )
})

/** The structure that the status is said to have. */
const assertBothJobs = (object: Parameters<typeof at>[0]): void => {
  for (const [job, state, message, blocks] of [
    ["provisionJob", "Succeeded", "Job completed successfully", false],
    ["deprovisionJob", "Running", "Deprovisioning in progress", true]
  ] as const) {
    assert.match(stringAt(object, "status", job, "id") ?? "", /^\d+$/u)
    assert.strictEqual(stringAt(object, "status", job, "state"), state)
    assert.strictEqual(stringAt(object, "status", job, "message"), message)
    assert.strictEqual(at(object, "status", job, "blockDeletionOnFailure"), blocks)
  }
  assert.strictEqual(stringAt(object, "status", "phase"), "Deleting")
}

const canceled: Story = {
  name: "scenario 2: a deletion during provisioning cancels the job, waits for its end, and deprovisions",
  blocks: [13, 15, 27, 28, 30],
  tell: (site) =>
    Effect.gen(function* () {
      yield* deployAap(site)
      const name = "test-ci-cancel"
      yield* followBlock(site, 30, {}, (s) =>
        Effect.gen(function* () {
          yield* s.run("kubectl apply")
          yield* eventually(
            "a running job",
            site.object(name),
            (object) => stateOf(object, "provisionJob") === "Running"
          )
          yield* s.inBackground("kubectl delete")
          yield* s.until("provisionJob.state", (output) => output === "Canceled")
          assert.match(yield* s.until("deprovisionJob.id", (output) => output !== ""), /^\d+$/u)
          const words = ["provision job is running, attempting to cancel", "canceled provision job"]
          yield* s.until('grep "cancel"', (said) => words.every((one) => said.includes(`"msg":"${one}"`)))
          yield* site.end(DEPROVISION)
          yield* eventually("the end", site.object(name), (object) => object === undefined)
          assert.include((yield* s.attempt("kubectl get")).output, "NotFound")
        })
      )
      yield* assertLogged(site, name, [
        "provision job triggered",
        "checking provision job before deprovision",
        "provision job is running, attempting to cancel",
        "canceled provision job",
        "deprovisioning not ready, requeueing",
        "provision job canceled",
        "provision job already terminal",
        "deprovision job triggered",
        "deprovision job succeeded"
      ])
      const known = new Set(site.log().map((line) => stringAt(line, "msg")))
      for (const line of block(27).text.split("\n").slice(0, 7)) assert.include([...known], line)
      const [provision, deprovision] = yield* site.aap.ledger
      assert.strictEqual(provision?.status, "canceled")
      assert.isAtLeast(deprovision?.created ?? 0, provision?.finished ?? Number.POSITIVE_INFINITY)
      yield* greps(site, name)
    })
}

/** The filters of the monitoring section. */
const greps = Effect.fnUntraced(function* (site: Site, name: string) {
  yield* followBlock(site, 28, { "test-ci": name }, (s) =>
    Effect.gen(function* () {
      const before = site.logText().trimEnd().split("\n")
      assertBetween(before, (yield* s.run("-f")).split("\n"), site.logText().trimEnd().split("\n"))
      const known = messagesAbout(site, name)
      const about = (yield* s.run('grep "')).split("\n").map((line) => stringAt(parsed(line), "msg") ?? "")
      assertBetween(known, about, messagesAbout(site, name))
      assert.include(yield* s.run('grep "provision"'), "triggering provisioning")
      assert.include(yield* s.run('grep "AAP"'), `${site.here("https://aap.example.com")}/api/controller/v2/`)
    })
  )
})

const fails: Story = {
  name: "scenario 3: a failed provision job is explained in the status, and its object is still deprovisioned",
  blocks: [31, 36, 37],
  tell: (site) =>
    Effect.gen(function* () {
      yield* deployAap(site)
      const failure = { host: "localhost", task: "Create the machine", message: "quota exceeded" }
      yield* site.aap.play(({ template }) => ({
        ...{ pendingFor: "300 millis", runningFor: "1 second", traceback: "Traceback: quota" },
        ...(template === PROVISION ? { ends: "failed" as const, failure } : { ends: "never" as const })
      }))
      const name = "test-ci-fail"
      yield* followBlock(site, 31, {}, (s) =>
        Effect.gen(function* () {
          yield* s.run("kubectl apply")
          const job = parsed(yield* s.until("provisionJob", (output) => output.includes('"Failed"')))
          assert.match(stringAt(job, "message") ?? "", /^AAP job failed: .*Create the machine.*quota exceeded/u)
          assert.isFalse(at(job, "blockDeletionOnFailure"))
          assert.strictEqual(yield* s.until("{.status.phase}", (output) => output === "Failed"), "Failed")
          yield* s.run("AAP_JOB_ID=")
          assert.strictEqual(yield* s.run("result_traceback"), '"Traceback: quota"')
          yield* askAap(site, name)
          yield* s.inBackground("kubectl delete")
          const deprovision = yield* s.until("deprovisionJob", (output) => output !== "")
          assert.match(stringAt(parsed(deprovision), "id") ?? "", /^\d+$/u)
          yield* site.end(DEPROVISION)
        })
      )
      yield* eventually("the end", site.object(name), (object) => object === undefined)
      yield* assertLogged(site, name, [
        /^provision job failed: AAP job failed: .*quota exceeded/u,
        "deprovision job triggered"
      ])
      yield* readLogs(site, name)
    })
}

/** The commands that ask AAP itself. */
const askAap = Effect.fnUntraced(function* (site: Site, name: string) {
  const id = stringAt(yield* site.object(name), "status", "provisionJob", "id") ?? ""
  yield* followBlock(site, 37, { "<name>": name }, (s) =>
    Effect.gen(function* () {
      for (const variable of ["AAP_URL=", "AAP_TOKEN="]) yield* s.run(variable)
      assert.isString(stringAt(parsed(yield* s.run("ping")), "version"))
      assert.include(yield* s.run("/job_templates/"), `"name": "${PROVISION}"`)
      assert.include(yield* s.run("workflow_job_templates"), '"name": "innabox-inspect"')
      yield* s.run("AAP_JOB_ID=")
      assert.strictEqual(numberAt(parsed(yield* s.run("| jq")), "id"), Number(id))
      assert.match(yield* s.run(".status, .failed, .finished"), /^"failed"\ntrue\n"\d{4}-/u)
      yield* s.run("result_traceback")
      assert.include(yield* s.run("/cancel/"), "You do not have permission")
      const again = `curl -X POST -H "Authorization: Bearer admin-token" "$AAP_URL/jobs/$AAP_JOB_ID/cancel/"`
      assert.include((yield* site.shell.run(again)).output, 'Method \\"POST\\" not allowed.')
      assert.match(yield* s.run("order_by=-id"), new RegExp(`"id": ${id},\\s+"name": "${PROVISION}"`, "u"))
    })
  )
})

const readLogs = Effect.fnUntraced(function* (site: Site, name: string) {
  yield* followBlock(site, 36, { "test-ci": name }, (s) =>
    Effect.gen(function* () {
      yield* s.run("-f")
      assert.include(yield* s.run('grep "'), "provision job triggered")
      yield* s.attempt("grep -i error")
      assert.include(yield* s.run("grep provision"), "triggering provisioning")
      assert.isAtMost((yield* s.run("--tail=100")).split("\n").length, 100)
    })
  )
})

const verification: Story = {
  name: "the verification of an AAP deployment finds AAP, its templates, the job in the status and the same job in AAP",
  blocks: [13, 14, 15, 16, 35, 38],
  tell: (site) =>
    Effect.gen(function* () {
      yield* deployAap(site)
      const name = "test-ci-aap"
      yield* followBlock(site, 16, {}, (s) =>
        Effect.gen(function* () {
          for (const variable of ["AAP_URL=", "AAP_TOKEN="]) yield* s.run(variable)
          assert.isString(stringAt(parsed(yield* s.run("kubectl run")), "version"))
          assert.include(yield* s.run("/job_templates/"), `"name": "${PROVISION}"`)
          assert.include(yield* s.run("workflow_job_templates"), '"name": "innabox-inspect"')
          yield* s.run("kubectl apply")
          yield* s.until("provisionJob", (output) => output.includes('"id"'))
          yield* s.until("watch", (output) => output.includes('"Running"'))
          yield* s.run("AAP_JOB_ID=")
          assert.match(yield* s.run(".status, .failed, .finished"), /^"running"\nfalse\nnull$/u)
          assert.include(yield* s.run('grep "AAP"'), "AAP's API is taken to be at")
        })
      )
      yield* site.end(PROVISION)
      yield* eventually("Ready", site.object(name), (object) => stringAt(object, "status", "phase") === "Ready")
      yield* debug(site, name)
    })
}

const debug = Effect.fnUntraced(function* (site: Site, name: string) {
  const object = yield* site.object(name)
  yield* followBlock(site, 35, { "<name>": name }, (s) =>
    Effect.gen(function* () {
      assert.include(yield* s.run("-o yaml"), "kind: ComputeInstance")
      assert.deepStrictEqual(parsed(yield* s.run("provisionJob")), at(object, "status", "provisionJob"))
      assert.strictEqual(yield* s.run("deprovisionJob"), "")
      assert.strictEqual(yield* s.run("phase"), "Ready")
      assert.deepStrictEqual(parsed(yield* s.run("finalizers")), ["cloudkit.openshift.io/computeinstance"])
      assert.include(yield* s.run("annotations"), '"cloudkit.openshift.io/launch-intent"')
    })
  )
  yield* followBlock(site, 38, {}, (s) =>
    Effect.gen(function* () {
      yield* s.leaveOut("kubectl exec", "there is no pod; what is to be typed in it is typed here")
      assert.isString(stringAt(parsed(yield* s.run("ping")), "version"))
      for (const words of ["nslookup", "openssl", "exit"]) yield* s.leaveOut(words, "of the pod's own network")
    })
  )
})

export const provisioning: ReadonlyArray<Story> = [succeeds, canceled, fails, verification]
