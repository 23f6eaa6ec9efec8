/** What the simulated AAP makes of a launch, and what the job's events tell of it. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as Aap from "../support/SimulatedAap.ts"
import { ask, at, ids, rows, variables } from "./asking.ts"

const launch = (aap: Aap.SimulatedAap, body: unknown = {}, token?: string) =>
  ask(aap, "POST job_templates/7/launch/", body, token)

describe("a launch", () => {
  it.effect("keeps numbers as they were written", () =>
    Effect.gen(function* () {
      const aap = yield* Aap.make()
      const answer = yield* launch(aap, '{"extra_vars": {"big": 12345678901234567890, "f": 1.0, "s": "ü", "n": null}}')
      expect(answer.json.extra_vars).toBe('{"big": 12345678901234567890, "f": 1.0, "s": "\\u00fc", "n": null}')
    })
  )

  it.effect("without prompt for variables runs without them and only echoes what it ignored", () =>
    Effect.gen(function* () {
      const aap = yield* Aap.make({ templates: [{ name: "t", asks: [], extraVars: "a: 1" }] })
      const answer = yield* launch(aap, { extra_vars: { b: 2 }, job_type: "check", limit: "" })
      expect(answer).toMatchObject({
        status: 201,
        json: { ignored_fields: { extra_vars: { b: 2 }, job_type: "check" } }
      })
      expect((yield* aap.ledger)[0]?.extraVars).toEqual({ a: 1 })
    })
  )

  it.effect("of a workflow template without prompt is refused and makes no row", () =>
    Effect.gen(function* () {
      const aap = yield* Aap.make({ templates: [{ name: "w", kind: "workflow_job_template", asks: [] }] })
      const answer = yield* ask(aap, "POST workflow_job_templates/7/launch/", { extra_vars: { a: 1 }, limit: "x" })
      expect(answer.status).toBe(400)
      expect(Object.keys(answer.json).toSorted()).toEqual(["extra_vars", "limit"])
      expect(yield* aap.ledger).toEqual([])
    })
  )
})

describe("the fields of a launch", () => {
  it.effect("is refused with the fields that are wrong", () =>
    Effect.gen(function* () {
      const aap = yield* Aap.make({
        templates: [{ name: "t", survey: [{ variable: "n", required: true, type: "integer", max: 100 }] }]
      })
      const refused = (body: unknown) => Effect.map(launch(aap, body), ({ status, json }) => [status, json])
      expect(yield* refused({ extra_vars: { n: 5000 } })).toEqual([
        400,
        { variables_needed_to_start: ["Value 5000 for 'n' is too large (must be no more than 100)."] }
      ])
      expect(yield* refused({ extra_vars: { n: 1 }, job_type: "foo" })).toEqual([
        400,
        { job_type: ['"foo" is not a valid choice.'] }
      ])
      expect(yield* refused({ extra_vars: { n: 1 }, labels: [9] })).toEqual([
        400,
        { labels: ['Invalid pk "9" - object does not exist.'] }
      ])
      expect(yield* refused({ extra_vars: [1] })).toEqual([
        400,
        { extra_vars: [expect.stringContaining("Cannot parse")] }
      ])
      expect(yield* aap.ledger).toEqual([])
    })
  )

  it.effect("carries labels and skip tags that find it again, also after a relaunch", () =>
    Effect.gen(function* () {
      const aap = yield* Aap.make({ templates: [{ name: "t", asks: ["labels", "skip_tags"] }] })
      const label = { name: "k1", organization: 1 }
      expect((yield* ask(aap, "POST labels/", label)).json.id).toBe(1)
      expect(yield* ask(aap, "POST labels/", label)).toMatchObject({
        status: 400,
        json: { __all__: ["Label with this Name and Organization already exists."] }
      })
      expect(ids(yield* ask(aap, "GET labels/?name=k1&organization=1"))).toEqual([1])
      yield* launch(aap, { labels: [1], skip_tags: "k1" })
      yield* launch(aap)
      yield* ask(aap, "POST jobs/1/relaunch/")
      expect(ids(yield* ask(aap, "GET unified_jobs/?labels__name=k1"))).toEqual([1, 3])
      expect(ids(yield* ask(aap, "GET jobs/?skip_tags=k1"))).toEqual([1, 3])
    })
  )
})

describe("job events", () => {
  const failing = (failure: Partial<NonNullable<Aap.Playbook["failure"]>>, ends: "failed" | "successful" = "failed") =>
    Effect.gen(function* () {
      const aap = yield* Aap.make()
      const whole = { host: "localhost", task: "Create the VM", message: "no quota", ...failure }
      yield* aap.play(() => ({ ends, failure: whole, eventsLate: "10 seconds" }))
      yield* launch(aap, variables("u1", "k1"))
      yield* TestClock.adjust("1 minute")
      const [event = {}] = rows(
        yield* ask(aap, "GET jobs/1/job_events/?event__in=runner_on_failed,runner_on_unreachable&order_by=-counter")
      )
      return { aap, event }
    })

  it.effect("name the failed task, its host and the reason", () =>
    Effect.gen(function* () {
      const { aap, event } = yield* failing({})
      expect(event).toMatchObject({ task: "Create the VM", host_name: "localhost", failed: true })
      expect(at(event, "event_data", "res").msg).toBe("no quota")
      expect((yield* ask(aap, "GET jobs/1/stdout/?format=txt")).text).toContain("no quota")
      expect((yield* ask(aap, "GET jobs/1/")).json.host_status_counts).toEqual({ failures: 1 })
    })
  )

  it.effect("tell ignored errors and hide what no_log hides", () =>
    Effect.gen(function* () {
      const { event } = yield* failing({ ignoreErrors: true, noLog: true }, "successful")
      expect(at(event, "event_data").ignore_errors).toBe(true)
      expect(JSON.stringify(event)).not.toContain("no quota")
      expect(at(event, "event_data", "res").censored).toContain("no_log")
    })
  )

  it.effect("come late, counted without a gap, and the job's end does not wait for them", () =>
    Effect.gen(function* () {
      const aap = yield* Aap.make()
      yield* aap.play(() => ({ pendingFor: 0, runningFor: "5 seconds", ends: "successful", eventsLate: "1 hour" }))
      yield* launch(aap)
      yield* TestClock.adjust("5 seconds")
      expect((yield* ask(aap, "GET jobs/1/")).json).toMatchObject({
        status: "successful",
        event_processing_finished: false
      })
      expect((yield* ask(aap, "GET jobs/1/job_events/")).json.count).toBe(0)
      yield* TestClock.adjust("1 hour")
      expect((yield* ask(aap, "GET jobs/1/")).json.event_processing_finished).toBe(true)
      const counters = rows(yield* ask(aap, "GET jobs/1/job_events/?page_size=200")).map(({ counter }) => counter)
      expect(counters).toEqual(counters.map((_, index) => index + 1))
    })
  )

  it.effect("leave stdout over 1 MiB to a download", () =>
    Effect.gen(function* () {
      const aap = yield* Aap.make()
      yield* aap.play(() => ({ ends: "successful", stdoutBytes: 2_000_000 }))
      yield* launch(aap)
      yield* TestClock.adjust("1 minute")
      expect(at((yield* ask(aap, "GET jobs/1/stdout/?format=json")).json).content).toContain("too large to display")
      expect((yield* ask(aap, "GET jobs/1/stdout/?format=txt_download")).text.length).toBe(2_000_000)
    })
  )
})
