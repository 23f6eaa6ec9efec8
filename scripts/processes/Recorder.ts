/**
 * Counts what goes over a simulated wire, by kind, and remembers when: the times are those of the process that answers, in
 * milliseconds since 1970 with fractions, so that several processes of one machine can be compared.
 */
import { Effect } from "effect"
import type { Exchange } from "../../test/support/Faults.ts"
import type { WireHandler, WireRequest } from "../../test/support/Wire.ts"

/** One request: when it arrived, when its answer was ready, and what it was. */
export interface Recorded {
  readonly began: number
  readonly ended: number
  readonly kind: string
  readonly status: number
  readonly path: string
}

export interface Recorder {
  readonly handler: WireHandler
  readonly counts: () => Readonly<Record<string, number>>
  /** Answered with an error, by kind and status. */
  readonly refusals: () => Readonly<Record<string, number>>
  readonly requests: (kind: string) => ReadonlyArray<Recorded>
  readonly reset: () => void
}

/** The wall clock with fractions of a millisecond. */
export const timeNow = (): number => performance.timeOrigin + performance.now()

const exchangeOf = (request: WireRequest, status: number): Exchange => ({
  method: request.method,
  path: request.url.pathname,
  query: request.url.search,
  userAgent: request.headers["user-agent"] ?? "",
  status
})

/** Beyond this many, requests are counted but their times forgotten. */
const REMEMBERED = 500_000

export const makeRecorder = (kindOf: (exchange: Exchange) => string, inner: WireHandler): Recorder => {
  const counts = new Map<string, number>()
  const refusals = new Map<string, number>()
  const log: Array<Recorded> = []
  const add = (to: Map<string, number>, key: string) => to.set(key, (to.get(key) ?? 0) + 1)

  const record = (request: WireRequest, began: number, status: number) => {
    const kind = kindOf(exchangeOf(request, status))
    add(counts, kind)
    if (status >= 400 || status === 0) add(refusals, `${kind} ${status}`)
    if (log.length < REMEMBERED) log.push({ began, ended: timeNow(), kind, status, path: request.url.pathname })
  }

  return {
    handler: (request) =>
      Effect.suspend(() => {
        const began = timeNow()
        return Effect.onExit(inner(request), (exit) =>
          Effect.sync(() => record(request, began, exit._tag === "Success" ? exit.value.status : 0))
        )
      }),
    counts: () => Object.fromEntries(counts),
    refusals: () => Object.fromEntries(refusals),
    requests: (kind) => log.filter((one) => one.kind === kind),
    reset: () => {
      counts.clear()
      refusals.clear()
      log.length = 0
    }
  }
}
