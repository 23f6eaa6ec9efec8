/** Choices that the same seed makes again, in the same order. What they meet is up to the machine. */
export interface Chance {
  readonly happens: (probability: number) => boolean
  /** A whole number, both ends included. */
  readonly between: (from: number, to: number) => number
  readonly oneOf: <A>(values: readonly [A, ...ReadonlyArray<A>]) => A
}

/** The generator known as mulberry32. */
export const chanceOf = (seed: number): Chance => {
  let state = seed | 0
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (from: number, to: number) => from + Math.floor(next() * (to - from + 1))
  return {
    happens: (probability) => next() < probability,
    between,
    oneOf: (values) => values[between(0, values.length - 1)] ?? values[0]
  }
}
