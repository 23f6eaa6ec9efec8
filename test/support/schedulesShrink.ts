/**
 * Makes a schedule that breaks a promise as small as can be: whole parts of it are left out, then single commands, and what
 * stays is made plainer, as long as the same kind of violation is found.
 */
import type { Command, Schedule } from "./schedules.ts"
import { type Outcome, play } from "./schedulesPlay.ts"

export interface Shrunk {
  readonly schedule: Schedule
  readonly outcome: Outcome
  /** How many schedules were played for it. */
  readonly tried: number
}

/** Numbers and names aside, what is said. */
const kindOf = (violation: string): string =>
  violation
    .replaceAll(/\{.*\}|\[.*\]/gu, "")
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}[^ ]*|\d+(\.\d+)?/gu, "")
    .replaceAll(/"[^"]*"|\([^)]*\)/gu, "")

/** Parts of the list left out, the largest first. */
const without = function* <A>(list: ReadonlyArray<A>): Generator<ReadonlyArray<A>> {
  for (let size = Math.ceil(list.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < list.length; from += size) yield list.toSpliced(from, size)
  }
}

const plainer = (command: Command): ReadonlyArray<Command> => {
  switch (command.do) {
    case "wait":
      return [1, 10, 75].filter((seconds) => seconds < command.seconds).map((seconds) => ({ do: "wait", seconds }))
    case "aap":
    case "eda":
    case "kubernetes":
      return command.times === 1 ? [] : [{ ...command, times: 1 }]
    default:
      return []
  }
}

const candidates = function* (schedule: Schedule): Generator<Schedule> {
  const { commands, crashes = [], plays } = schedule
  for (const fewer of without(commands)) yield { ...schedule, commands: fewer }
  for (const fewer of without(crashes)) yield { ...schedule, crashes: fewer }
  if (plays.some((play) => play !== "quick")) yield { ...schedule, plays: ["quick"] }
  if (plays.length > 1) for (const fewer of without(plays)) if (fewer.length > 0) yield { ...schedule, plays: fewer }
  for (const [index, command] of commands.entries()) {
    for (const plain of plainer(command)) yield { ...schedule, commands: commands.with(index, plain) }
  }
}

/** The smallest schedule found with so many attempts that is broken as this one is; itself if it is sound. */
export const shrink = async (broken: Schedule, attempts = 400): Promise<Shrunk> => {
  let schedule = broken
  let outcome = await play(broken)
  let tried = 1
  const kinds = new Set(outcome.violations.map(kindOf))
  const isSame = (other: Outcome) => other.violations.some((violation) => kinds.has(kindOf(violation)))

  const step = async (): Promise<boolean> => {
    for (const candidate of candidates(schedule)) {
      if (tried >= attempts) return false
      tried += 1
      const played = await play(candidate)
      if (!isSame(played)) continue
      schedule = candidate
      outcome = played
      return true
    }
    return false
  }

  while (kinds.size > 0 && (await step()));
  return { schedule, outcome, tried }
}
