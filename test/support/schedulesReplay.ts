/** A schedule from outside: the line that was printed when it broke something. */
import { Schema } from "effect"
import type { Schedule } from "./schedules.ts"

/** What tells a schedule from any other JSON; whoever writes one by hand is told by the play what is wrong with the rest. */
const isSchedule = (value: unknown): value is Schedule =>
  typeof value === "object" && value !== null && "commands" in value && Array.isArray(value.commands) && "as" in value

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Unknown))

export const scheduleIn = (line: string): Schedule => {
  const found = decode(line)
  if (!isSchedule(found)) throw new Error(`this is no schedule: ${line}`)
  return found
}

/** The line that replays it. */
export const lineOf = (schedule: Schedule): string => `SCHEDULE='${JSON.stringify(schedule)}'`
