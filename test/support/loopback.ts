/** Servers of tests, on free ports of 127.0.0.1. */
import type { Server, Socket } from "node:net"
import { Effect, type Scope } from "effect"

/** Listens until the scope closes; then every connection ends, too. Answers the port; `seen` gets all connections there ever are. */
export const listening = (server: Server, seen?: Set<Socket>): Effect.Effect<number, never, Scope.Scope> => {
  const open = new Set<Socket>()
  return Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.on("connection", (socket: Socket) => {
        seen?.add(socket)
        open.add(socket)
        socket.once("close", () => open.delete(socket))
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
    }),
    () =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        for (const socket of open) socket.destroy()
      })
  )
}
