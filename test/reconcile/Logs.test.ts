/** What the operator logs of a course of events: a line for each change, none for what stays as it is. */
import { assert, it } from "@effect/vitest"
import { Effect, Logger, References } from "effect"
import { TestClock } from "effect/testing"
import type { Playbook } from "../support/SimulatedAap.ts"
import { json } from "../support/Wire.ts"
import { makeWorld } from "../support/World.ts"
import { spec } from "./courses.ts"

interface Line {
  readonly level: string
  readonly said: string
  readonly fields: Readonly<Record<string, unknown>>
}

const isFields = (part: unknown): part is Readonly<Record<string, unknown>> =>
  typeof part === "object" && part !== null && !Array.isArray(part)

const listening = () => {
  const lines: Array<Line> = []
  const logger = Logger.make<unknown, void>(({ fiber, logLevel, message }) => {
    const parts = Array.isArray(message) ? message : [message]
    const fields = Object.assign({ ...fiber.getRef(References.CurrentLogAnnotations) }, ...parts.filter(isFields))
    lines.push({ level: logLevel, said: parts.filter((part) => typeof part === "string").join(" "), fields })
  })
  return { lines, layer: Logger.layer([logger]) }
}

/** The operator's lines about jobs of an object whose every job goes like this. */
const courseOf = (playbook: Playbook) => {
  const { layer, lines } = listening()
  return Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => playbook)
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("10 minutes")
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("10 minutes")
    return lines
  }).pipe(Effect.provide(layer))
}

const about = (lines: ReadonlyArray<Line>) =>
  lines
    .filter(({ said }) =>
      /^(provision|deprovision) job (still|succeeded|failed|canceled|is gone|triggered)/u.test(said)
    )
    .map(({ fields, said }) => `${said} (${String(fields.jobID)} ${String(fields.state)})`)

const slow = { pendingFor: "1 minute", runningFor: "2 minutes" } as const

it.effect("each state of each job is one line, however often it is looked at", () =>
  Effect.gen(function* () {
    const lines = yield* courseOf({ ...slow, ends: "successful" })
    assert.deepStrictEqual(about(lines), [
      "provision job triggered (1 Pending)",
      "provision job still running (1 Running)",
      "provision job succeeded (1 Succeeded)",
      "deprovision job triggered (2 Pending)",
      "deprovision job still running (2 Running)",
      "deprovision job succeeded (2 Succeeded)"
    ])
    for (const { fields, said } of lines.filter((line) => line.fields.jobID !== undefined)) {
      assert.strictEqual(fields.computeinstance, "default/vm-1", said)
    }
  })
)

it.effect("a failure is one line with its reason, and one Warning for the person it needs", () =>
  Effect.gen(function* () {
    const failure = { host: "h", task: "t", message: "disk full" }
    const lines = yield* courseOf({ ...slow, ends: "failed", failure })
    const failed = lines.filter(({ said }) => said.startsWith("provision job failed"))
    assert.deepStrictEqual(
      failed.map(({ level, said }) => [level, said]),
      [["Info", 'provision job failed: AAP job failed: h, task "t": disk full']]
    )
    const kept = lines.filter(({ fields }) => fields.reason === "DeprovisionFailed")
    assert.deepStrictEqual(
      kept.map(({ level }) => level),
      ["Warn"]
    )
  })
)

it.effect("a refusal of AAP is a Warning that names AAP's id of the request, the method and the path", () => {
  const { layer, lines } = listening()
  return Effect.gen(function* () {
    const world = yield* makeWorld()
    const response = json(500, { detail: "A server error has occurred." }, { "x-api-request-id": "f00d\u001b[2J" })
    yield* world.aapWire.order({ when: () => true, harm: { _tag: "Answer", response } })
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("1 second")
    const [warning] = lines.filter(({ said }) => said === "AAP refused a request")
    assert.strictEqual(warning?.level, "Warn")
    assert.deepInclude(warning?.fields, {
      method: "GET",
      path: "unified_job_templates",
      status: 500,
      requestId: "f00d [2J"
    })
  }).pipe(Effect.provide(layer))
})
