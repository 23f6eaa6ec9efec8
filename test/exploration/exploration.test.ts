/**
 * Every course of events of a small world, for as many as fit into half a minute: the small configurations, each completely.
 *
 * `npm run explore` explores larger ones; `EXPLORE_STATES=200000 vitest run test/exploration` explores them here too, up to so
 * many states each.
 */
import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { configurations } from "./Configurations.ts"
import { explore, line, replay, story } from "./Explore.ts"
import { invariants } from "./invariants.ts"

const { EXPLORE_STATES } = process.env
const states = Number(EXPLORE_STATES ?? "20000")
const endingOfEvery = EXPLORE_STATES === undefined ? 8 : 2
const chosen = configurations.filter(({ small }) => small || EXPLORE_STATES !== undefined)

describe("from every state that can be reached, and in it, what is promised holds", () => {
  it.each(chosen)("$name", { timeout: 3_600_000 }, (configuration) => {
    const result = explore(configuration, { states, endingOfEvery })
    process.stdout.write(`exploration: ${line(result)}\n`)
    if (result.violation !== undefined) assert.fail(story(configuration, result.violation))
    if (configuration.small) assert.isTrue(result.complete, "not every state within the bounds was reached")
  })
})

it("a launch that is on its way for longer than the quiet period breaks the promise, by a schedule that plays again", () => {
  const configuration = configurations.find(({ beyond }) => beyond)
  if (configuration === undefined) return assert.fail("no configuration goes beyond the bound")
  const strict = { ...configuration, strict: true } as const
  const { violation } = explore(strict, { states, endingOfEvery })
  assert.match(violation?.wrong[0] ?? "", /^I1: job 1 .* and job 2 were launched under one key$/u)
  const { end, states: played } = replay(strict, violation?.schedule ?? [])
  assert.deepStrictEqual([...(played.at(-1)?.wrong ?? []), ...end.wrong].slice(0, 1), violation?.wrong.slice(0, 1))
})

it("the documentation states the invariants in the same words", () => {
  const page = readFileSync("docs/exactly-once.md", "utf8")
  const stated = page.split("\n").filter((row) => /^\| I\d \|/u.test(row))
  assert.deepStrictEqual(
    stated,
    invariants.map(({ id, words }) => `| ${id} | ${words} |`)
  )
})
