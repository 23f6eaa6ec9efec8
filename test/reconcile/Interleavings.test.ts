/**
 * Random courses of events, each a whole life: people, faults on all wires, lying watches, clocks that disagree, crashes,
 * several operators, changes of the provider, and time. What must hold is stated in `test/support/invariants*.ts` on the
 * ground truth. A schedule that breaks it is made as small as can be, and printed as a line that replays it.
 *
 * `SCHEDULES=5000` plays more of them, `SCHEDULES_SEED=1` others, and `SCHEDULE='<the line>'` a single one, with its story.
 * `npm run soak -- --schedules N` plays any number on all cores.
 */
import { assert, it } from "@effect/vitest"
import { scheduleOf } from "../support/schedules.ts"
import { play } from "../support/schedulesPlay.ts"
import { lineOf, scheduleIn } from "../support/schedulesReplay.ts"
import { shrink } from "../support/schedulesShrink.ts"
import { story } from "../support/schedulesStory.ts"

const { SCHEDULE, SCHEDULES = "500", SCHEDULES_SEED = "20261121" } = process.env

it("every course of events launches once, overlaps nothing, forgets nothing, and ends clean", {
  timeout: 3_600_000
}, async () => {
  if (SCHEDULE !== undefined) {
    const outcome = await play(scheduleIn(SCHEDULE))
    process.stdout.write(`${story(outcome)}\n`)
    return assert.deepStrictEqual(outcome.violations, [])
  }
  const first = Number(SCHEDULES_SEED)
  const count = Number(SCHEDULES)
  const faults = new Map<string, number>()
  for (let seed = first; seed < first + count; seed++) {
    const schedule = scheduleOf(seed)
    const outcome = await play(schedule)
    for (const [fault, times] of Object.entries(outcome.faults)) faults.set(fault, (faults.get(fault) ?? 0) + times)
    if (outcome.violations.length === 0) continue
    const smallest = await shrink(schedule)
    const words = smallest.outcome.violations.join("\n")
    assert.fail(`seed ${seed}\n${words}\n${lineOf(smallest.schedule)}\n${story(smallest.outcome)}`)
  }
  const total = [...faults.values()].reduce((sum, times) => sum + times, 0)
  const kinds = [...faults].toSorted((a, b) => b[1] - a[1]).map(([fault, times]) => `${fault} ${times}`)
  process.stdout.write(`schedules: ${count} from seed ${first}, ${total} faults: ${kinds.join(", ")}\n`)
  assert.isAtLeast(total / count, 3)
})
