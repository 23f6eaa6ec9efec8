/** The words and figures that the benchmark prints. */
import type { Wanted } from "./Arguments.ts"
import { type Measure, type Outcome, verdictOf, voidBecause } from "./Outcome.ts"
import type { machine } from "./Proc.ts"
import type { Row } from "./Row.ts"

const figure = (value: number): string =>
  Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0)

const withUnit = (value: number, unit: Measure["unit"]): string => `${figure(value)}${unit === "" ? "" : ` ${unit}`}`

export const missedIn = (outcome: Outcome): number =>
  outcome.measures.filter((measure) => verdictOf(outcome, measure) === "missed").length

export const heading = (facts: ReturnType<typeof machine>, wanted: Wanted): string =>
  [
    `operator  ${wanted.operator.join(" ")}`,
    `machine   ${facts.cpu}, ${facts.cores} cores, ${facts.memoryGiB} GiB, Linux ${facts.kernel}, Node ${facts.node}`,
    "",
    ""
  ].join("\n")

export const table = (row: Row, outcome: Outcome): string => {
  const lines = outcome.measures.map((measure) => {
    const target = measure.target === undefined ? "" : `≤ ${withUnit(measure.target, measure.unit)}`
    return `  ${measure.what.padEnd(48)} ${withUnit(measure.value, measure.unit).padStart(16)}  ${target.padEnd(18)} ${verdictOf(outcome, measure)}`
  })
  const why = voidBecause(outcome)
  const { others, simulator } = outcome.beside
  const besides = `  busiest simulator ${figure(100 * simulator)} % of a core, others ${figure(100 * others)} % of the machine`
  return [
    `${row.name}: ${row.title}, n = ${outcome.n.toLocaleString("en")}`,
    ...lines,
    besides + (why === undefined ? "" : `; times are void: ${why}`),
    "",
    ""
  ].join("\n")
}
