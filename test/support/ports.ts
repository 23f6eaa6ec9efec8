/**
 * Ports of this machine for processes that are about to be started.
 *
 * Taken from below the range out of which the system serves connections, one after the other from a place that is this
 * process's own, in the part of its test worker: what was free a moment ago is then still free when a slow process gets to
 * it, however many others start meanwhile.
 */
import { createServer } from "node:net"
import { Effect } from "effect"

const FIRST = 10_240
const LAST = 32_767
/** More than there are workers at a time. */
const PARTS = 8

const SIZE = Math.floor((LAST - FIRST + 1) / PARTS)
const begin = FIRST + SIZE * (Number(process.env.VITEST_POOL_ID ?? 0) % PARTS)
/** More than one process takes. */
const APART = 61

let next = (process.pid * APART) % SIZE

const isFree = (port: number): Effect.Effect<boolean> =>
  Effect.callback((resume) => {
    const server = createServer()
    server.once("error", () => resume(Effect.succeed(false)))
    server.listen(port, "127.0.0.1", () => server.close(() => resume(Effect.succeed(true))))
  })

/** A port nobody listens on, and another one each time. */
export const freePort: Effect.Effect<number> = Effect.suspend(() => {
  next = (next + 1) % SIZE
  const port = begin + next
  return Effect.flatMap(isFree(port), (free) => (free ? Effect.succeed(port) : freePort))
})
