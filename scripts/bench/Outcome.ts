/** What a row of the benchmark finds out, and whether it may be believed. */

export interface Measure {
  readonly what: string
  readonly value: number
  readonly unit: "" | "ms" | "s" | "MiB" | "% of a core"
  /** What is to be reached; nothing if it is told for comparison only. */
  readonly target?: number
}

/** What was true beside the measurement, for whoever judges it. */
export interface Beside {
  /** Share of one core that the busiest simulator used. */
  readonly simulator: number
  /** Share of the whole machine that was used by others than the benchmark. */
  readonly others: number
}

export interface Outcome {
  readonly row: string
  readonly n: number
  readonly measures: ReadonlyArray<Measure>
  readonly beside: Beside
  /** A picture of what was measured, as SVG. */
  readonly picture?: string
}

/** Times and shares depend on who else uses the machine; counts and memory do not. */
const isTime = ({ unit }: Measure): boolean => unit === "ms" || unit === "s" || unit === "% of a core"

const SATURATED = 0.9
const NOISY = 0.25

/** Why the times of a row say nothing about the operator; undefined when they do. */
export const voidBecause = ({ beside }: Outcome): string | undefined => {
  if (beside.simulator > SATURATED) return `a simulator used ${Math.round(beside.simulator * 100)} % of a core`
  return beside.others > NOISY ? `others used ${Math.round(beside.others * 100)} % of the machine` : undefined
}

export type Verdict = "met" | "missed" | "void" | ""

export const verdictOf = (outcome: Outcome, measure: Measure): Verdict => {
  if (measure.target === undefined) return ""
  if (measure.value <= measure.target) return "met"
  return isTime(measure) && voidBecause(outcome) !== undefined ? "void" : "missed"
}

export const percentile = (values: ReadonlyArray<number>, share: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}
