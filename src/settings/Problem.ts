/**
 * What is wrong with the configuration, collected into one message that names every variable, what was found and what is
 * expected. A secret never gets as far as this module: `found` is masked where it is made.
 */
import { Data } from "effect"

export type ProblemKind =
  /** Nothing was found where something is needed. */
  | "Missing"
  /** What was found cannot be read as what is expected. */
  | "Malformed"
  /** It can be read, and lies outside of the bounds. */
  | "OutOfRange"
  /** It is none of the words that are allowed. */
  | "NotAllowed"
  /** Two variables contradict each other. */
  | "Contradictory"
  /** A file that it names cannot be read. */
  | "Unreadable"

export interface Problem {
  readonly kind: ProblemKind
  readonly variable: string
  readonly found: string
  readonly expected: string
}

export const MASK = "<redacted>"
const SHOWN = 80

/** The value as it is shown to people: quoted, on one line, bounded, masked if it is a secret. */
export const shown = (value: string, secret: boolean): string => {
  if (secret) return MASK
  return JSON.stringify(value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value)
}

export const print = (problem: Problem): string =>
  `${problem.variable}: found ${problem.found}, expected ${problem.expected}`

/** The operator cannot start with this configuration. */
export class SettingsError extends Data.TaggedError("SettingsError")<{ readonly problems: ReadonlyArray<Problem> }> {
  override get message(): string {
    const count = this.problems.length === 1 ? "1 variable is" : `${this.problems.length} variables are`
    return [`The configuration cannot be used: ${count} wrong.`, ...this.problems.map((it) => `  ${print(it)}`)].join(
      "\n"
    )
  }
}
