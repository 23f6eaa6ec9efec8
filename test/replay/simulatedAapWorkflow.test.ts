/** Workflow jobs of the simulated AAP, in virtual time. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as Aap from "../support/SimulatedAap.ts"
import { ask, launch, playing, rows, variables } from "./asking.ts"

const nodesOfTwo: Aap.Options = {
  templates: [
    { name: "one", asks: [] },
    { name: "two" },
    {
      name: "both",
      kind: "workflow_job_template",
      nodes: [
        { identifier: "a", template: "one", success: ["b"] },
        { identifier: "b", template: "two" }
      ]
    }
  ]
}
const startWorkflow = (aap: Aap.SimulatedAap) =>
  ask(aap, "POST workflow_job_templates/9/launch/", variables("u1", "k1"))

describe("a workflow job", () => {
  it.effect("runs its nodes in turn, with its own variables whatever they prompt for", () =>
    Effect.gen(function* () {
      const aap = yield* playing({}, nodesOfTwo)
      yield* startWorkflow(aap)
      yield* TestClock.adjust("1 hour")
      const [workflow, first, second] = yield* aap.ledger
      expect(workflow).toMatchObject({ kind: "workflow_job", status: "successful" })
      expect(second).toMatchObject({ created: first?.finished, launchKey: "k1", launchType: "workflow", workflow: 1 })
      expect(workflow?.finished).toBe(second?.finished)
      expect(Aap.overlaps(yield* aap.ledger)).toEqual([])
      expect((yield* ask(aap, "GET jobs/1/")).json).toEqual({ detail: "No Job matches the given query." })
    })
  )

  it.effect("fails when a node fails that nobody follows", () =>
    Effect.gen(function* () {
      const aap = yield* playing({ ends: "failed" }, nodesOfTwo)
      yield* startWorkflow(aap)
      yield* TestClock.adjust("1 hour")
      expect((yield* ask(aap, "GET workflow_jobs/1/")).json).toMatchObject({
        status: "failed",
        job_explanation: "No error handling paths found, marking workflow as failed"
      })
      const nodes = rows(yield* ask(aap, "GET workflow_jobs/1/workflow_nodes/"))
      expect(nodes.map(({ do_not_run }) => do_not_run)).toEqual([false, true])
    })
  )

  it.effect("is canceled in two steps: its manager's next round, then the end of every child", () =>
    Effect.gen(function* () {
      const aap = yield* playing({ runningFor: "1 hour", cancelTakes: "30 seconds" }, nodesOfTwo)
      yield* startWorkflow(aap)
      yield* TestClock.adjust("1 minute")
      expect((yield* ask(aap, "POST workflow_jobs/1/cancel/")).status).toBe(202)
      yield* TestClock.adjust("59 seconds")
      expect((yield* ask(aap, "GET workflow_jobs/1/")).json.status).toBe("running")
      expect((yield* ask(aap, "POST workflow_jobs/1/cancel/")).status).toBe(202)
      yield* TestClock.adjust("1 second")
      const ledger = yield* aap.ledger
      expect(ledger.map(({ status, finished }) => [status, finished])).toEqual([
        ["canceled", 120_000],
        ["canceled", 120_000]
      ])
    })
  )

  it.effect("that is to be canceled starts no further node", () =>
    Effect.gen(function* () {
      const aap = yield* playing({ runningFor: "10 seconds", cancelTakes: "1 minute" }, nodesOfTwo)
      yield* startWorkflow(aap)
      yield* TestClock.adjust("5 seconds")
      yield* ask(aap, "POST workflow_jobs/1/cancel/")
      yield* TestClock.adjust("1 hour")
      expect((yield* aap.ledger).map(({ status, finished }) => [status, finished])).toEqual([
        ["canceled", 65_000],
        ["successful", 12_000]
      ])
    })
  )

  it.effect("is what a sliced job template launches", () =>
    Effect.gen(function* () {
      const aap = yield* playing({}, { templates: [{ name: "sliced", slices: 3 }] })
      const answer = yield* launch(aap)
      expect(answer.headers.location).toBe("/api/v2/workflow_jobs/1/")
      expect(answer.json).toMatchObject({ workflow_job: 1, type: "workflow_job", is_sliced_job: true, job_template: 7 })
    })
  )
})
