/** What parent and workers say to each other. */

/** To a worker: the schedules of these seeds. */
export interface Batch {
  readonly from: number
  readonly count: number
}

/** From a worker: what it played. `broken` is the seed that broke a promise; the worker stopped there. */
export interface Report {
  readonly lives: number
  readonly faults: Readonly<Record<string, number>>
  readonly broken: number | undefined
}

const has = (value: unknown, ...keys: ReadonlyArray<string>): boolean =>
  typeof value === "object" && value !== null && keys.every((key) => key in value)

export const isBatch = (value: unknown): value is Batch => has(value, "from", "count")
export const isReport = (value: unknown): value is Report => has(value, "lives", "faults")
