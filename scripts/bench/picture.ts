/** Draws how times are distributed: for each series, which share of them took at most how long, on a logarithmic scale. */
import { percentile } from "./Outcome.ts"

export interface Series {
  readonly name: string
  /** Milliseconds. */
  readonly values: ReadonlyArray<number>
}

const WIDTH = 920
const PLOT = { left: 60, right: 640, top: 50, bottom: 400 }
const COLOURS = ["#0b5fa5", "#c2410c", "#15803d", "#7e22ce", "#b91c1c", "#0f766e", "#a16207", "#334155"]

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")

const inWords = (milliseconds: number): string => {
  if (milliseconds >= 1000) return `${Number((milliseconds / 1000).toPrecision(3))} s`
  return `${Number(milliseconds.toPrecision(3))} ms`
}

/** Powers of ten that enclose every value. */
const rangeOf = (series: ReadonlyArray<Series>): readonly [number, number] => {
  const exponents = series.flatMap(({ values }) => values.map((value) => Math.log10(Math.max(1, value))))
  const low = Math.floor(Math.min(...exponents))
  return [low, Math.max(low + 1, Math.ceil(Math.max(...exponents)))]
}

const text = (x: number, y: number, words: string, more = ""): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${escaped(words)}</text>`

/** An SVG of its own, readable on light ground. */
export const distribution = (title: string, given: ReadonlyArray<Series>): string => {
  const series = given.filter(({ values }) => values.length > 0)
  const [low, high] = rangeOf(series)
  const x = (value: number) =>
    PLOT.left + ((Math.log10(Math.max(1, value)) - low) / (high - low)) * (PLOT.right - PLOT.left)
  const y = (share: number) => PLOT.bottom - share * (PLOT.bottom - PLOT.top)
  const verticals = Array.from({ length: high - low + 1 }, (_, step) => 10 ** (low + step)).flatMap((value) => [
    `<path class="grid" d="M${x(value).toFixed(1)} ${PLOT.top}V${PLOT.bottom}"/>`,
    text(x(value), PLOT.bottom + 20, inWords(value), 'text-anchor="middle"')
  ])
  const horizontals = [0, 0.25, 0.5, 0.75, 1].flatMap((share) => [
    `<path class="grid" d="M${PLOT.left} ${y(share).toFixed(1)}H${PLOT.right}"/>`,
    text(PLOT.left - 8, y(share) + 4, `${100 * share} %`, 'text-anchor="end"')
  ])
  const curves = series.flatMap(({ name, values }, index) => {
    const colour = COLOURS[index % COLOURS.length] ?? ""
    const sorted = values.toSorted((a, b) => a - b)
    const steps = sorted.map((value, n) => `H${x(value).toFixed(1)}V${y((n + 1) / sorted.length).toFixed(1)}`)
    const row = PLOT.top + 40 * index
    const figures = [0.5, 0.95, 0.99].map((share) => `p${100 * share} ${inWords(percentile(values, share))}`)
    return [
      `<path fill="none" stroke="${colour}" stroke-width="2" d="M${x(sorted[0] ?? 1).toFixed(1)} ${PLOT.bottom}${steps.join("")}"/>`,
      text(PLOT.right + 20, row, name, `fill="${colour}" font-weight="bold"`),
      text(PLOT.right + 20, row + 16, figures.join(", "))
    ]
  })
  const height = Math.max(PLOT.bottom + 40, PLOT.top + 40 * series.length + 10)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    "<style>.grid{stroke:#d4d4d8;fill:none}</style>",
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    text(PLOT.left, 28, title, 'font-size="16"'),
    ...verticals,
    ...horizontals,
    ...curves,
    "</svg>",
    ""
  ].join("\n")
}
