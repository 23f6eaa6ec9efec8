/**
 * `npm run soak -- --schedules N [--jobs J] [--seed S]`: plays N random schedules on all cores and judges each by the ground
 * truth. The first that breaks a promise is made as small as can be and printed as a line that replays it; the exit code is
 * 1 then, and 0 if all is well.
 */
import { parseArgs } from "node:util"
import { soakSchedules } from "./soak/schedules.ts"

const { values } = parseArgs({
  options: {
    schedules: { type: "string" },
    jobs: { type: "string" },
    seed: { type: "string", default: "1" }
  }
})

const whole = (name: string, text: string): number => {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 0) return value
  console.error(`--${name} must be a whole number, found "${text}"`)
  process.exit(2)
}

if (values.schedules === undefined) {
  console.error("usage: npm run soak -- --schedules N [--jobs J] [--seed S]")
  process.exit(2)
}

process.exitCode = await soakSchedules({
  count: whole("schedules", values.schedules),
  seed: whole("seed", values.seed),
  jobs: values.jobs === undefined ? undefined : whole("jobs", values.jobs)
})
