/** The recovery procedures: stuck, failed, duplicated, crashed. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { eventually } from "../../support/eventually.ts"
import { fromUnknown, type Json, listAt, numberAt, stringAt } from "../../support/kubernetes/Json.ts"
import { followBlock, type Script } from "../Script.ts"
import { OPERATOR_TOKEN, PROVISION, type Site } from "../Site.ts"
import { assertLogged, type Story } from "../Story.ts"
import { deployAap, order } from "./deploying.ts"

const state = (object: Json | undefined, job = "provisionJob") => stringAt(object, "status", job, "state")
const phase = (object: Json | undefined) => stringAt(object, "status", "phase")
const idOf = (object: Json | undefined, job = "provisionJob") => stringAt(object, "status", job, "id") ?? ""

/** An operator with one machine under construction. */
const building = Effect.fnUntraced(function* (site: Site, name: string) {
  const operator = yield* deployAap(site)
  yield* order(site, name)
  yield* eventually("a running job", site.object(name), (object) => state(object) === "Running")
  return operator
})

const asksAap = (s: Script, expected: string) =>
  Effect.gen(function* () {
    yield* s.run("AAP_JOB_ID=")
    assert.strictEqual(yield* s.run("curl"), expected)
  })

const stuck: Story = {
  name: "a ComputeInstance that does not get on is looked at here and in AAP, and given up by taking its finalizer off",
  blocks: [39, 40],
  tell: (site) =>
    Effect.gen(function* () {
      const values = { "<name>": "stuck-ci" }
      yield* building(site, "stuck-ci")
      yield* followBlock(site, 39, values, (s) =>
        Effect.gen(function* () {
          assert.strictEqual(stringAt(fromUnknown(JSON.parse(yield* s.run("| jq"))), "state"), "Running")
          yield* asksAap(s, '"running"')
        })
      )
      yield* site.aap.setStatus(Number(idOf(yield* site.object("stuck-ci"))), "failed", "the node went away")
      const failed = yield* eventually("Failed", site.object("stuck-ci"), (object) => phase(object) === "Failed")
      assert.include(stringAt(failed, "status", "provisionJob", "message"), "the node went away")
      yield* followBlock(site, 40, values, (s) =>
        Effect.gen(function* () {
          yield* asksAap(s, '""')
          yield* s.run("kubectl patch")
          yield* s.run("kubectl delete")
        })
      )
      assert.isUndefined(yield* site.object("stuck-ci"))
      assert.strictEqual((yield* site.aap.ledger).length, 1)
    })
}

const blocked: Story = {
  name: "a failed deprovision keeps the object, says why, and lets it go when a person takes the finalizer off",
  blocks: [27, 41, 42, 47],
  tell: (site) =>
    Effect.gen(function* () {
      const name = "blocked-ci"
      const values = { "<name>": name }
      yield* building(site, name)
      yield* site.end(PROVISION)
      yield* eventually("Ready", site.object(name), (object) => phase(object) === "Ready")
      yield* site.shell.run(`kubectl delete computeinstance ${name} --wait=false`)
      const deleting = yield* eventually(
        "a job",
        site.object(name),
        (one) => state(one, "deprovisionJob") === "Running"
      )
      yield* site.aap.setStatus(Number(idOf(deleting, "deprovisionJob")), "failed", "quota service unavailable")
      const isBlocked = (one: Json) => stringAt(one, "type") === "DeletionBlocked" && stringAt(one, "status") === "True"
      const kept = yield* eventually("DeletionBlocked", site.object(name), (object) =>
        listAt(object ?? null, "status", "conditions").some(isBlocked)
      )
      assert.strictEqual(phase(kept), "Deleting")
      yield* assertLogged(site, name, [/^deprovision job failed: AAP job failed: .*quota service unavailable/u])
      yield* followBlock(site, 41, values, (s) =>
        Effect.gen(function* () {
          const job = fromUnknown(JSON.parse(yield* s.run("| jq")))
          assert.strictEqual(stringAt(job, "state"), "Failed")
          assert.include(stringAt(job, "message"), "quota service unavailable")
          yield* asksAap(s, '""')
        })
      )
      yield* followBlock(site, 42, values, (s) =>
        Effect.gen(function* () {
          yield* s.run("kubectl patch")
          assert.include((yield* s.attempt("kubectl delete")).output, "NotFound")
          assert.include((yield* s.attempt("kubectl get")).output, "NotFound")
        })
      )
    })
}

/** A second job for the same object, as from a launch that came through late. Answers its id. */
export const launchedByHand = Effect.fnUntraced(function* (site: Site) {
  const [first] = yield* site.aap.ledger
  const answer = yield* Effect.orDie(
    site.aap.handler({
      method: "POST",
      url: new URL(`http://aap.test/api/v2/job_templates/${first?.templateId}/launch/`),
      headers: { authorization: `Bearer ${OPERATOR_TOKEN}`, "content-type": "application/json" },
      body: JSON.stringify({ extra_vars: first?.extraVars })
    })
  )
  return numberAt(fromUnknown(JSON.parse(String(answer.body))), "id") ?? 0
})

const duplicated: Story = {
  name: "of two jobs for one object a person cancels one, and names the one to follow with an annotation",
  blocks: [43, 44],
  tell: (site) =>
    Effect.gen(function* () {
      const name = "twice-ci"
      yield* building(site, name)
      const first = Number(idOf(yield* site.object(name)))
      const second = yield* launchedByHand(site)
      yield* followBlock(site, 43, { "<name>": name }, (s) =>
        Effect.gen(function* () {
          assert.include(yield* s.run("grep -A 10 provisionJob"), `id: "${first}"`)
          assert.strictEqual(yield* s.run("name__contains"), "", "AAP names a job after its template")
        })
      )
      yield* followBlock(site, 44, { "<name>": name, "<duplicate-job-ids>": String(first) }, (s) =>
        Effect.gen(function* () {
          assert.strictEqual(yield* s.run("results[0]"), "null")
          yield* s.run("for job_id in")
          yield* s.leaveOut("kubectl edit", "the status is a subresource, which an edit leaves as it is")
        })
      )
      const patch = (status: object) =>
        `kubectl patch computeinstance ${name} --type=merge -p '${JSON.stringify({ status })}'`
      yield* site.shell.run(patch({ provisionJob: { id: "99" } }))
      assert.notStrictEqual(idOf(yield* site.object(name)), "99")
      yield* site.shell.run(`kubectl annotate computeinstance ${name} cloudkit.openshift.io/adopt-job=${second}`)
      yield* eventually("the second job", site.object(name), (object) => idOf(object) === String(second))
      yield* site.end(PROVISION)
      yield* eventually("Ready", site.object(name), (object) => phase(object) === "Ready")
      // AAP takes a while to cancel a job, longer than the other one may take to its end
      const jobs = Effect.map(site.aap.ledger, (ledger) => ledger.map((job) => job.status).join())
      yield* eventually("both ends", jobs, (ends) => ends === "canceled,successful")
    })
}

const crashed: Story = {
  name: "a job that outlives a crash of the operator is followed to its end by the next process, and launched once",
  blocks: [45, 46],
  tell: (site) =>
    Effect.gen(function* () {
      const values = { "<name>": "crash-ci" }
      const operator = yield* building(site, "crash-ci")
      yield* operator.kill
      const before = site.log().length
      yield* followBlock(site, 45, values, (s) => asksAap(s, '"running"'))
      yield* site.operate
      yield* followBlock(site, 46, values, (s) => Effect.asVoid(s.until("kubectl logs", () => resumes(site, before))))
      yield* site.end(PROVISION)
      yield* eventually("Ready", site.object("crash-ci"), (object) => phase(object) === "Ready")
      assert.deepStrictEqual(
        (yield* site.aap.ledger).map((job) => job.template),
        [PROVISION]
      )
    })
}

/** The new process says that it looks at the job. */
const resumes = (site: Site, before: number): boolean =>
  site
    .log()
    .slice(before)
    .some(
      (line) => line.msg === "checking provision job status" && line.computeinstance === `${site.namespace}/crash-ci`
    )

export const recovery: ReadonlyArray<Story> = [stuck, blocked, duplicated, crashed]
