import { stripVTControlCharacters } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import { Observation } from "../../scripts/demo/Observation.ts"
import { frame } from "../../scripts/demo/View.ts"

const object = (phase: string, message: string) => ({
  metadata: { namespace: "default", name: "vm-1" },
  status: {
    phase,
    provisionJob: { id: "7", state: "Running", message },
    conditions: [{ type: "Ready", status: "False", reason: "JobRunning", message }]
  }
})

const lines = (observation: Observation, width: number) =>
  frame(observation, 3_000, width).map((line) => stripVTControlCharacters(line))

describe("the picture on a terminal", () => {
  it("has a row for every resource, with what its status says", () => {
    const observation = new Observation(0)
    observation.look(1_000, [object("Progressing", "Job running")], [])
    const row = lines(observation, 120).find((line) => line.startsWith("default/vm-1"))
    assert.deepStrictEqual(row?.trim().split(/ {2,}/u), ["default/vm-1", "Progressing", "JobRunning", "Job running"])
  })

  it("keeps the row of a resource that is gone, and says so", () => {
    const observation = new Observation(0)
    observation.look(1_000, [object("Deleting", "Job running")], [])
    observation.look(2_000, [], [])
    const row = lines(observation, 120).find((line) => line.startsWith("default/vm-1"))
    assert.deepStrictEqual(row?.trim().split(/ {2,}/u), ["default/vm-1", "gone"])
  })

  it("is never wider than the terminal, and always of the same height, so that it can be drawn over", () => {
    const observation = new Observation(0)
    observation.look(1_000, [object("Progressing", "x".repeat(500))], [])
    const before = lines(observation, 60)
    for (const message of "abcdefghijklmnop") observation.look(2_000, [object("Progressing", message)], [])
    const after = lines(observation, 60)
    assert.strictEqual(after.length, before.length)
    assert.isAtMost(Math.max(...[...before, ...after].map((line) => line.length)), 60)
  })
})

describe("the journal", () => {
  it("has one line for every change, and none for a look that found nothing new", () => {
    const observation = new Observation(1_000)
    observation.look(2_000, [object("Progressing", "Job queued")], [])
    observation.look(3_000, [object("Progressing", "Job queued")], [])
    observation.look(4_000, [object("Progressing", "Job running")], [])
    assert.deepStrictEqual(
      observation.journal.map(({ at, text }) => `${at} ${text}`),
      [
        "1000 Progressing (JobRunning)  job 7 Running: Job queued",
        "3000 Progressing (JobRunning)  job 7 Running: Job running"
      ]
    )
  })
})
