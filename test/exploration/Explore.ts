/**
 * Explores every course of events of a configuration, the shortest ones first, so that the first violation that is found has
 * the shortest schedule there is.
 *
 * A schedule is a list of the names of its moves, and plays again from that list alone.
 */
import type { Configuration } from "./Configurations.ts"
import { ending } from "./Fairness.ts"
import { brokenBy } from "./invariants.ts"
import { type Move, moves } from "./Moves.ts"
import { passesRun } from "./Pass.ts"
import { initial, nameOf, type State } from "./State.ts"
import { NOTHING } from "./Versions.ts"
import { makeVisited } from "./Visited.ts"

export interface Violation {
  readonly wrong: ReadonlyArray<string>
  readonly schedule: ReadonlyArray<string>
  /** What followed when all faults had stopped, where it took that to see it. */
  readonly afterwards: ReadonlyArray<string>
}

export interface Result {
  readonly configuration: string
  readonly states: number
  readonly transitions: number
  readonly depth: number
  /** Courses that were followed until they came to rest. */
  readonly endings: number
  /** Distinct prefixes of passes that the production code ran. */
  readonly passes: number
  readonly milliseconds: number
  /** Every state within the bounds was reached. */
  readonly complete: boolean
  readonly violation: Violation | undefined
}

export interface Limits {
  readonly states: number
  /** Of so many states one is followed to its end. */
  readonly endingOfEvery: number
}

/** Where each state came from, in the order in which they were found. */
const makeTrail = () => {
  const parents: Array<number> = [-1]
  const names: Array<number> = [-1]
  const known = new Map<string, number>()
  const words: Array<string> = []
  return {
    add: (parent: number, name: string): number => {
      let word = known.get(name)
      if (word === undefined) {
        word = words.length
        known.set(name, word)
        words.push(name)
      }
      parents.push(parent)
      names.push(word)
      return parents.length - 1
    },
    to: (index: number): ReadonlyArray<string> => {
      const schedule: Array<string> = []
      for (let at = index; at > 0; at = parents[at] ?? 0) schedule.unshift(words[names[at] ?? 0] ?? "")
      return schedule
    }
  }
}

const defectOf = (state: State): ReadonlyArray<string> =>
  state.processes.flatMap(({ pass }) => (pass?.defect === undefined ? [] : [`a bug: ${pass.defect}`]))

const brokenOf = (before: State, move: Move, configuration: Configuration): ReadonlyArray<string> => [
  ...brokenBy({ before, after: move.state, launched: move.launched, configuration }),
  ...defectOf(move.state)
]

const alikeIn = ({ profiles: [a, b] }: Configuration): boolean => a === b

interface Place {
  readonly state: State
  readonly index: number
}

export const explore = (configuration: Configuration, limits: Limits): Result => {
  const begun = performance.now()
  const passes = passesRun()
  const alike = alikeIn(configuration)
  const visited = makeVisited()
  const trail = makeTrail()
  const first = initial(configuration.left, configuration.begins())
  visited.add(nameOf(first, alike))
  let layer: ReadonlyArray<Place> = [{ state: first, index: 0 }]
  const counts = { transitions: 0, depth: 0, endings: 0 }

  const result = (complete: boolean, violation: Violation | undefined): Result => ({
    configuration: configuration.name,
    states: visited.size(),
    ...counts,
    passes: passesRun() - passes,
    milliseconds: performance.now() - begun,
    complete,
    violation
  })

  while (layer.length > 0) {
    const following: Array<Place> = []
    for (const { index, state } of layer) {
      for (const move of moves(state, configuration)) {
        counts.transitions += 1
        const wrong = brokenOf(state, move, configuration)
        if (wrong.length > 0) return result(false, { wrong, schedule: [...trail.to(index), move.name], afterwards: [] })
        if (!visited.add(nameOf(move.state, alike))) continue
        const place = { state: move.state, index: trail.add(index, move.name) }
        following.push(place)
        if (place.index % limits.endingOfEvery !== 0) continue
        counts.endings += 1
        const end = ending(move.state, configuration)
        if (end.wrong.length > 0)
          return result(false, { wrong: end.wrong, schedule: trail.to(place.index), afterwards: end.steps })
      }
      if (visited.size() >= limits.states) return result(false, undefined)
    }
    layer = following
    counts.depth += 1
  }
  return result(true, undefined)
}

/** What came of it, in one line. */
export const line = (result: Result): string => {
  const { complete, configuration, depth, endings, milliseconds, passes, states, transitions } = result
  const reach = complete ? "complete within its bounds" : "cut off"
  return [
    `${configuration}: ${states} states, ${transitions} transitions, ${depth} deep, ${reach};`,
    `${endings} followed to their end; ${passes} passes of the operator; ${(milliseconds / 1_000).toFixed(1)} s`
  ].join(" ")
}

export interface Played {
  readonly states: ReadonlyArray<{
    readonly name: string
    readonly state: State
    readonly wrong: ReadonlyArray<string>
  }>
  readonly end: ReturnType<typeof ending>
}

/** Plays a schedule. Fails with a word on the first move that cannot happen. */
export const replay = (configuration: Configuration, schedule: ReadonlyArray<string>): Played => {
  const states: Array<Played["states"][number]> = []
  let state = initial(configuration.left, configuration.begins())
  for (const name of schedule) {
    const move = moves(state, configuration).find((one) => one.name === name)
    if (move === undefined) {
      const possible = moves(state, configuration).map((one) => one.name)
      throw new Error(`"${name}" cannot happen after ${states.length} moves; what can: ${possible.join(", ")}`)
    }
    states.push({ name, state: move.state, wrong: brokenOf(state, move, configuration) })
    state = move.state
  }
  return { states, end: ending(state, configuration) }
}

const where = ({ flights, jobs, stored }: State): string => {
  const inStore = stored === NOTHING ? "gone" : `version ${stored.id}${stored.deleting ? ", being deleted" : ""}`
  const running = jobs.map(({ id, key, purged, state }) => `job ${id} ${key} ${state}${purged ? ", purged" : ""}`)
  return [inStore, ...running, ...flights.map(({ key }) => `on its way: ${key}`)].join("; ")
}

/** What went wrong, how to see it again, and how it came to it. */
export const story = (configuration: Configuration, { afterwards, schedule, wrong }: Violation): string => {
  const moved = replay(configuration, schedule).states.map(({ name, state }) => `  ${name.padEnd(28)} ${where(state)}`)
  return [
    ...wrong,
    `EXPLORE_REPLAY="${configuration.name}: ${schedule.join(", ")}" npm run explore`,
    ...moved,
    ...(afterwards.length === 0 ? [] : [`  and when all faults had stopped: ${afterwards.slice(-40).join(", ")}`])
  ].join("\n")
}
