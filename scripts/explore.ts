/**
 * Explores every course of events of a small world, in which the operator's own decisions, steps and records run.
 *
 *   npm run explore                            all configurations, up to 1,000,000 states each
 *   npm run explore -- --states 5000000        more of each
 *   npm run explore -- --only "crashed,late"   some configurations
 *   EXPLORE_REPLAY="late: A look, ..." npm run explore
 */
import { parseArgs } from "node:util"
import { type Configuration, configurations } from "../test/exploration/Configurations.ts"
import { explore, line, replay, story } from "../test/exploration/Explore.ts"
import { invariants } from "../test/exploration/invariants.ts"

const { values } = parseArgs({
  options: {
    states: { type: "string", default: "1000000" },
    only: { type: "string" },
    endings: { type: "string", default: "4" }
  }
})

const named = (name: string): Configuration => {
  const found = configurations.find((one) => one.name === name)
  if (found !== undefined) return found
  const names = configurations.map((one) => `"${one.name}"`).join(", ")
  throw new Error(`there is no configuration "${name}"; there are ${names}`)
}

const again = (text: string): void => {
  const colon = text.indexOf(": ")
  const configuration = named(text.slice(0, colon))
  const schedule = text.slice(colon + 2).split(", ")
  const { end, states } = replay(configuration, schedule)
  const wrong = [...states.flatMap((state) => state.wrong), ...end.wrong]
  console.log(story(configuration, { wrong, schedule, afterwards: end.steps }))
  console.log(wrong.length === 0 ? "Nothing is wrong with it." : "Violated.")
  process.exitCode = wrong.length === 0 ? 0 : 1
}

const all = (chosen: ReadonlyArray<Configuration>): void => {
  const limits = { states: Number(values.states), endingOfEvery: Number(values.endings) }
  let [states, transitions] = [0, 0]
  for (const configuration of chosen) {
    const result = explore(configuration, limits)
    console.log(line(result))
    states += result.states
    transitions += result.transitions
    if (result.violation === undefined) continue
    console.log(story(configuration, result.violation))
    process.exitCode = 1
  }
  const verdict = process.exitCode === 1 ? "were looked for, and not all held" : "held in each"
  console.log(`${states} distinct states and ${transitions} transitions; ${invariants.length} invariants ${verdict}`)
}

const { EXPLORE_REPLAY } = process.env
if (EXPLORE_REPLAY !== undefined) again(EXPLORE_REPLAY)
else all(values.only === undefined ? configurations : values.only.split(",").map(named))
