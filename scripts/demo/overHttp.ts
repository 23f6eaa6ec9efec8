/** The wire of the simulators' user, with a real socket at its end. */
import { Effect } from "effect"
import { ConnectionLost, type WireHandler } from "../../test/support/Wire.ts"

export const overHttp: WireHandler = ({ body, headers, method, url }) =>
  Effect.tryPromise({
    try: async (signal) => {
      const answer = await fetch(url, { method, headers, signal, ...(body === "" ? {} : { body }) })
      return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() }
    },
    catch: () => new ConnectionLost({ code: "ECONNRESET" })
  })
