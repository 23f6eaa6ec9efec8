/**
 * Ends answers that are larger than whoever asked wants to read (see the port) with the first byte too many, and their
 * connection with them.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import type { Dispatcher } from "@effect/platform-node/Undici"
import { Effect } from "effect"
import { HttpClient } from "effect/http"
import { AnswerLimit, AnswerTooLarge } from "../../ports/AnswerLimit.ts"
import { forwarding } from "./forwarding.ts"

/** Travels with a request to where its answer arrives; nothing but an instance of it is believed there. */
class Limit {
  readonly bytes: number

  constructor(bytes: number) {
    this.bytes = bytes
  }
}

const cutOff: Dispatcher.DispatcherComposeInterceptor = (dispatch) => (options, handler) => {
  const limit = "limit" in options ? options.limit : undefined
  if (!(limit instanceof Limit)) return dispatch(options, handler)
  let size = 0
  return dispatch(options, {
    ...forwarding(handler),
    onResponseData: (controller, chunk) => {
      size += chunk.byteLength
      if (size > limit.bytes) controller.abort(new AnswerTooLarge(limit.bytes))
      else handler.onResponseData?.(controller, chunk)
    }
  })
}

/** A client over the pool whose answers are bounded by the limit of the fiber that asks. */
export const limited = (pool: Dispatcher): Effect.Effect<HttpClient.HttpClient> =>
  Effect.map(
    Effect.provideService(NodeHttpClient.makeUndici, NodeHttpClient.Dispatcher, pool.compose(cutOff)),
    HttpClient.transform((response) =>
      Effect.flatMap(AnswerLimit, (bytes) =>
        Number.isFinite(bytes)
          ? Effect.updateService(response, NodeHttpClient.UndiciOptions, (options) =>
              Object.assign({}, options, { limit: new Limit(bytes) })
            )
          : response
      )
    )
  )
