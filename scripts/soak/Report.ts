/** An outcome in lines, and the exit code it deserves. */
import { isSound, type Options, type Outcome } from "./processes.ts"
import { type Case, countsOf } from "./Verdict.ts"

/** More histories than this help nobody. */
const SHOWN = 5

const table = (rows: ReadonlyArray<readonly [string, number]>): ReadonlyArray<string> =>
  rows.map(([name, times]) => `${String(times).padStart(8)}  ${name}`)

const told = ({ broken, history, name }: Case): ReadonlyArray<string> => [
  "",
  `${name}:`,
  ...broken.map(({ kind, words }) => `  ${kind}: ${words}`),
  history
]

const isWhole = (outcome: Outcome, options: Options): boolean =>
  outcome.lives >= options.lives && outcome.killsInWindow >= options.kills

const conclusion = (outcome: Outcome, options: Options): string => {
  if (!isSound(outcome))
    return `promises were broken (seed ${options.seed}); logs of the operators: ${outcome.directory}`
  return isWhole(outcome, options)
    ? "nothing was launched twice, lost, left behind or stuck"
    : `nothing was launched twice, lost, left behind or stuck, but the time was up before ${options.lives} lives and ${options.kills} kills in the midst of a launch: give it more --seconds`
}

export const reportOf = (outcome: Outcome, options: Options): string =>
  [
    `${outcome.lives} lives, ${outcome.jobs} jobs, ${outcome.seconds} s`,
    `${outcome.kills} kills, ${outcome.killsInWindow} of them in the midst of a launch:`,
    ...table(outcome.killsByPlace),
    `${outcome.faults.reduce((sum, [, times]) => sum + times, 0)} faults:`,
    ...table(outcome.faults.toSorted(([, a], [, b]) => b - a)),
    "judged by the ground truth, objects:",
    ...table(countsOf(outcome.cases)),
    ...outcome.problems,
    ...outcome.cases.slice(0, SHOWN).flatMap(told),
    ...(outcome.cases.length > SHOWN
      ? [
          `and others: ${outcome.cases
            .slice(SHOWN)
            .map(({ name }) => name)
            .join(", ")}`
        ]
      : []),
    conclusion(outcome, options)
  ].join("\n")

/** 1: a promise was broken. 2: none was, but it was tried less often than asked for. */
export const exitCodeOf = (outcome: Outcome, options: Options): number => {
  if (!isSound(outcome)) return 1
  return isWhole(outcome, options) ? 0 : 2
}
