/**
 * Ports of this machine for processes that are about to be started.
 *
 * Taken from below the range out of which the system serves connections, one after the other from a place of chance: what
 * was free a moment ago is then still free when a slow process gets to it, however many others start meanwhile.
 */
import { createServer } from "node:net"
import { Effect } from "effect"

const FIRST = 10_240
const LAST = 32_767

let next = FIRST + Math.floor(Math.random() * (LAST - FIRST))

const isFree = (port: number): Effect.Effect<boolean> =>
  Effect.callback((resume) => {
    const server = createServer()
    server.once("error", () => resume(Effect.succeed(false)))
    server.listen(port, "127.0.0.1", () => server.close(() => resume(Effect.succeed(true))))
  })

/** A port nobody listens on, and another one each time. */
export const freePort: Effect.Effect<number> = Effect.suspend(() => {
  next = next === LAST ? FIRST : next + 1
  const port = next
  return Effect.flatMap(isFree(port), (free) => (free ? Effect.succeed(port) : freePort))
})
