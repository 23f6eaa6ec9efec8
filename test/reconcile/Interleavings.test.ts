/**
 * Random courses of events: people, faults on both wires, crashes, several operators, and time. What must hold is stated in
 * `invariants.ts` on the ground truth.
 *
 * `INTERLEAVINGS=5000` plays more schedules, `INTERLEAVINGS_SEED=1` others, and
 * `INTERLEAVINGS_REPLAY='<the schedule that was printed>'` a single one, with its story.
 */
import { assert, it } from "@effect/vitest"
import * as fc from "fast-check"
import { type Schedule, schedules } from "../support/schedules.ts"
import { play, story } from "../support/schedulesPlay.ts"

const { INTERLEAVINGS = "120", INTERLEAVINGS_REPLAY, INTERLEAVINGS_SEED = "20261121" } = process.env

/** Bounds the search for the smallest schedule, which otherwise goes on as long as it finds smaller ones. */
const LONGEST = Number(INTERLEAVINGS) * 3_000

const check = async (schedule: Schedule): Promise<void> => {
  const outcome = await play(schedule)
  if (outcome.violations.length === 0) return
  assert.fail(`${outcome.violations.join("\n")}\nINTERLEAVINGS_REPLAY='${JSON.stringify(schedule)}'\n${story(outcome)}`)
}

it("every course of events launches once, overlaps nothing, forgets nothing, and ends clean", {
  timeout: 3_600_000
}, async () => {
  if (INTERLEAVINGS_REPLAY !== undefined) return check(JSON.parse(INTERLEAVINGS_REPLAY))
  const seed = Number(INTERLEAVINGS_SEED)
  await fc.assert(fc.asyncProperty(schedules(), check), {
    numRuns: Number(INTERLEAVINGS),
    seed,
    verbose: 0,
    interruptAfterTimeLimit: LONGEST,
    markInterruptAsFailure: true
  })
  process.stdout.write(`interleavings: ${INTERLEAVINGS} schedules, seed ${seed}\n`)
})
