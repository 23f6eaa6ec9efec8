/**
 * Kills the operator at every request of a script, before it leaves and when its answer is on the way; alone, and a second
 * time at a request made after it came back.
 */
import { assert, it } from "@effect/vitest"
import type { Crash, Schedule } from "../support/schedules.ts"
import { type Outcome, play } from "../support/schedulesPlay.ts"
import { lineOf } from "../support/schedulesReplay.ts"
import { story } from "../support/schedulesStory.ts"

/** How many pairs of each script are played; `all` takes hours. */
const { CRASH_PAIRS = "4", CRASH_SEED = "1" } = process.env

const both = (request: number): ReadonlyArray<Crash> => [
  { request, after: false },
  { request, after: true }
]

const requestsAfter = (crash: Crash, outcome: Outcome): ReadonlyArray<number> =>
  Array.from({ length: Math.max(0, outcome.requests - crash.request) }, (_, index) => crash.request + 1 + index)

/** One life with these deaths in it, which must go as well as one without. */
const live = async (script: Schedule, crashes: ReadonlyArray<Crash>): Promise<Outcome> => {
  const schedule = { ...script, crashes }
  const outcome = await play(schedule)
  if (outcome.violations.length > 0) {
    assert.fail(`${outcome.violations.join("\n")}\n${lineOf(schedule)}\n${story(outcome)}`)
  }
  return outcome
}

/** Every so many of a list, beginning somewhere. */
const sampled = <A>(all: ReadonlyArray<A>, wanted: number, offset: number): ReadonlyArray<A> => {
  if (wanted >= all.length) return all
  const step = all.length / wanted
  return Array.from({ length: wanted }, (_, index) => all[Math.floor((index * step + offset) % all.length)]).filter(
    (one) => one !== undefined
  )
}

interface Count {
  readonly requests: number
  readonly alone: number
  readonly pairs: number
  readonly allPairs: number
}

/** A death at each request, and so many of the pairs of deaths. Answers how many lives were lived of how many there are. */
const dieEverywhere = async (script: Schedule, pairsWanted: number, offset: number): Promise<Count> => {
  const { requests } = await live(script, [])
  const pairs: Array<ReadonlyArray<Crash>> = []
  let alone = 0
  for (let request = 1; request <= requests; request++) {
    for (const crash of both(request)) {
      const outcome = await live(script, [crash])
      alone += 1
      for (const next of requestsAfter(crash, outcome)) for (const second of both(next)) pairs.push([crash, second])
    }
  }
  const chosen = sampled(pairs, pairsWanted, offset)
  for (const pair of chosen) await live(script, pair)
  return { requests, alone, pairs: chosen.length, allPairs: pairs.length }
}

/** One test for each script. */
export const dying = (scripts: Readonly<Record<string, Schedule>>) => {
  for (const [name, script] of Object.entries(scripts)) {
    it(`${name}: whenever the operator dies, once or twice, nothing is launched twice, lost or left behind`, {
      timeout: 24 * 3_600_000
    }, async () => {
      const wanted = CRASH_PAIRS === "all" ? Number.POSITIVE_INFINITY : Number(CRASH_PAIRS)
      const { allPairs, alone, pairs, requests } = await dieEverywhere(script, wanted, Number(CRASH_SEED) * 7)
      process.stdout.write(
        `crashes: ${name}: ${requests} requests, ${alone} of ${2 * requests} single deaths, ${pairs} of ${allPairs} pairs\n`
      )
      assert.strictEqual(alone, 2 * requests)
    })
  }
}
