/** A worker of the soak: plays the schedules of the seeds it is given, and reports. */
import { scheduleOf } from "../../test/support/schedules.ts"
import { play } from "../../test/support/schedulesPlay.ts"
import { type Batch, isBatch, type Report } from "./schedulesMessages.ts"

const playBatch = async ({ count, from }: Batch): Promise<Report> => {
  const faults: Record<string, number> = {}
  for (let seed = from; seed < from + count; seed++) {
    const outcome = await play(scheduleOf(seed))
    for (const [fault, times] of Object.entries(outcome.faults)) faults[fault] = (faults[fault] ?? 0) + times
    if (outcome.violations.length > 0) return { lives: seed - from + 1, faults, broken: seed }
  }
  return { lives: count, faults, broken: undefined }
}

process.on("message", (message: unknown) => {
  if (!isBatch(message)) return
  playBatch(message).then(
    (report) => process.send?.(report),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    }
  )
})
