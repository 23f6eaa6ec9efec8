/** Why a job failed, in the best words there are. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import { taskFailure } from "../../../src/providers/aap/FailureReason.ts"
import type { Harm } from "../../support/Faults.ts"
import type { Playbook } from "../../support/SimulatedAap.ts"
import { json } from "../../support/Wire.ts"
import { adminToken, count, follow, makeRig, PROVISION } from "./Rig.ts"

const isEvents = (request: { readonly method: string; readonly url: URL }) =>
  request.url.pathname.endsWith("/job_events/")
const isNodes = (request: { readonly method: string; readonly url: URL }) =>
  request.url.pathname.endsWith("/workflow_nodes/")

const failure = { host: "localhost", task: "Create the VM", message: "quota exceeded" }

/** What the object is told of a job that ends like this. */
const told = Effect.fnUntraced(function* (playbook: Partial<Playbook>, harm?: Harm, times = 100) {
  const rig = yield* makeRig()
  yield* rig.aap.play(() => ({ ends: "failed", ...playbook }))
  const { seen } = yield* follow(rig, [1])
  if (harm !== undefined) yield* rig.wire.order({ when: isEvents, times, harm })
  yield* TestClock.adjust("30 seconds")
  yield* TestClock.adjust("15 seconds")
  const found = yield* seen(1)
  return { state: found?.state, detail: found?.detail, finished: found?.finishedAt !== undefined, rig, seen }
})

describe("a failed job is told with", () => {
  it.effect("what the failed task said", () =>
    Effect.gen(function* () {
      const { state, detail, finished } = yield* told({ failure })
      assert.deepStrictEqual(
        { state, detail, finished },
        { state: "Failed", detail: 'AAP job failed: localhost, task "Create the VM": quota exceeded', finished: true }
      )
    })
  )

  it.effect("the same for a job that AAP calls an error", () =>
    Effect.gen(function* () {
      const { state, detail } = yield* told({ ends: "error", failure })
      assert.deepStrictEqual(
        [state, detail],
        ["Failed", 'AAP job failed: localhost, task "Create the VM": quota exceeded']
      )
    })
  )

  it.effect("the scheduler's explanation when no task failed", () =>
    Effect.gen(function* () {
      const { detail } = yield* told({ explanation: "Job terminated due to timeout" })
      assert.strictEqual(detail, "AAP job failed: Job terminated due to timeout")
    })
  )

  it.effect("the explanation when the only failed task was to be ignored", () =>
    Effect.gen(function* () {
      const { detail } = yield* told({ failure: { ...failure, ignoreErrors: true }, explanation: "Shutdown." })
      assert.strictEqual(detail, "AAP job failed: Shutdown.")
    })
  )

  it.effect("the last lines of the traceback when there is nothing else", () =>
    Effect.gen(function* () {
      const traceback = "Traceback (most recent call last):\n  File a\n  File b\nRuntimeError: no receptor\n"
      const { detail } = yield* told({ ends: "error", traceback })
      assert.strictEqual(detail, "AAP job failed: File a; File b; RuntimeError: no receptor")
    })
  )

  it.effect("where to look when AAP has no words at all", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* told({})).detail, "AAP job failed: no reason given, see job 1 in AAP")
    })
  )

  it.effect("what came late: events are stored after the job's end is known", () =>
    Effect.gen(function* () {
      const { detail } = yield* told({ failure, runningFor: "25 seconds", eventsLate: "8 seconds" })
      assert.strictEqual(detail, 'AAP job failed: localhost, task "Create the VM": quota exceeded')
    })
  )
})

describe("a failure is never hidden", () => {
  const faults = [
    ["denied", { _tag: "Answer", response: json(403, { detail: "No." }) }],
    ["failing", { _tag: "Answer", response: json(500, { detail: "No." }) }],
    ["unreadable", { _tag: "Answer", response: json(200, { results: 7 }) }],
    ["unreachable", { _tag: "Lose", code: "ECONNRESET" }]
  ] as const
  for (const [name, harm] of faults) {
    it.effect(`because the events are ${name}`, () =>
      Effect.gen(function* () {
        const { detail, state } = yield* told({ failure, explanation: "See stdout." }, harm)
        assert.deepStrictEqual([state, detail], ["Failed", "AAP job failed: See stdout."])
      })
    )
  }

  it.effect("for longer than a minute because AAP is silent about the reason", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig({ settings: { requestTimeout: Duration.minutes(10) } })
      yield* rig.aap.play(() => ({ ends: "failed", failure, explanation: "See stdout." }))
      const { seen } = yield* follow(rig, [1])
      yield* rig.wire.order({ when: isEvents, times: 9, harm: { _tag: "Hang" } })
      yield* TestClock.adjust("30 seconds")
      yield* TestClock.adjust("58 seconds")
      assert.isUndefined(yield* seen(1))
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual((yield* seen(1))?.detail, "AAP job failed: See stdout.")
    })
  )

  it.effect("and its reason is looked for once, beside the rounds, which go on", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      yield* rig.aap.play(({ n }) => (n === 1 ? { ends: "failed", failure } : { ends: "never" }))
      const { stateOf } = yield* follow(rig, [1, 2])
      yield* rig.wire.order({ when: isEvents, times: 5, harm: { _tag: "Delay", by: "20 seconds", after: true } })
      yield* TestClock.adjust("31 seconds")
      assert.isUndefined(yield* stateOf(1))
      assert.strictEqual(yield* stateOf(2), "Running")
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(yield* stateOf(1), "Failed")
      assert.strictEqual(yield* count(rig.wire, isEvents), 1)
    })
  )
})

describe("11. details are read only when a job failed", () => {
  it.effect("a success costs no more than its rounds", () =>
    Effect.gen(function* () {
      const { rig, state } = yield* told({ ends: "successful" })
      assert.strictEqual(state, "Succeeded")
      assert.deepStrictEqual(
        (yield* rig.wire.exchanges).filter(({ path }) => !path.endsWith("/unified_jobs/")),
        []
      )
    })
  )
})

describe("a failed workflow", () => {
  const workflow = Effect.fnUntraced(function* (playbook: Playbook) {
    const rig = yield* makeRig({
      aap: {
        templates: [
          { name: "child", id: 15 },
          {
            name: PROVISION,
            kind: "workflow_job_template",
            id: 14,
            nodes: [{ identifier: "first", template: "child" }]
          }
        ]
      },
      settings: { token: Effect.succeed(adminToken) }
    })
    yield* rig.aap.play(({ kind }) => (kind === "job" ? playbook : { ends: "successful" }))
    return { rig, ...(yield* follow(rig, [1])) }
  })

  it.effect("is told with what its first failed job said", () =>
    Effect.gen(function* () {
      const { seen } = yield* workflow({ ends: "failed", failure })
      for (let round = 0; round < 3; round++) yield* TestClock.adjust("45 seconds")
      assert.strictEqual(
        (yield* seen(1))?.detail,
        'AAP job failed: job 2 (child): localhost, task "Create the VM": quota exceeded'
      )
    })
  )

  it.effect("is told with its own explanation when its jobs cannot be read", () =>
    Effect.gen(function* () {
      const { rig, seen } = yield* workflow({ ends: "failed", failure })
      const denied = json(403, { detail: "No." })
      yield* rig.wire.order({ when: isNodes, times: 9, harm: { _tag: "Answer", response: denied } })
      for (let round = 0; round < 3; round++) yield* TestClock.adjust("45 seconds")
      assert.match((yield* seen(1))?.detail ?? "", /^AAP job failed: No error handling path/u)
    })
  )
})

describe("the failed task", () => {
  const event = (res: object, more: object = {}) => ({
    event: "runner_on_failed",
    host_name: "db1",
    task: "t",
    event_data: { res, ...more }
  })
  const words = (...events: Parameters<typeof taskFailure>[0]) => Option.getOrElse(taskFailure(events), () => "")

  it("is the last one that counts", () =>
    assert.strictEqual(
      words(event({ msg: "a" }, { ignore_errors: true }), event({ msg: "b" }), event({ msg: "c" })),
      'db1, task "t": b'
    ))
  it("of a loop is the item that failed, not the sum of them", () =>
    assert.strictEqual(
      words(event({ msg: "One or more items failed" }), event({ msg: "disk 2 full" })),
      'db1, task "t": disk 2 full'
    ))
  it("says what it says in lists and objects, too", () =>
    assert.strictEqual(words(event({ msg: ["a", { b: 1 }] })), 'db1, task "t": a b: 1'))
  it("says the last line of the module's trace where the message says nothing", () =>
    assert.strictEqual(
      words(
        event({
          msg: "MODULE FAILURE\nSee stdout/stderr for the exact error",
          module_stderr: "Traceback\nKeyError: 'x'\n"
        })
      ),
      `db1, task "t": KeyError: 'x'`
    ))
  it("says its stderr, or the last line of its output, where there is no message", () => {
    assert.strictEqual(words(event({ stderr: "boom" })), 'db1, task "t": boom')
    assert.strictEqual(words({ ...event({}), stdout: "fatal: [db1]\r\nUNREACHABLE!" }), 'db1, task "t": UNREACHABLE!')
    assert.strictEqual(words({ event: "runner_on_unreachable", host_name: "db1" }), "db1: host unreachable")
    assert.strictEqual(words({ event: "runner_on_failed" }), "no message")
  })
  it("keeps hidden what no_log hides", () =>
    assert.strictEqual(
      words(event({ censored: "the output has been hidden", msg: "s3cret" })),
      'db1, task "t": its output is hidden by no_log'
    ))
  it("is bounded, and of one line", () => {
    const long = words(event({ msg: `a\u0007\n${"ü".repeat(5000)}` }))
    assert.isAtMost(new TextEncoder().encode(long).byteLength, 1024)
    assert.notMatch(long, /\p{Cc}/u)
  })
})
