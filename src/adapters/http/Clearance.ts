/**
 * Holds back requests that have no clearance any more. Asked twice: before a request is handed to the pool of connections,
 * and again when it has a connection and its first byte is about to be written. Getting a connection takes time, and a
 * process may be stopped for minutes meanwhile.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import type { Dispatcher } from "@effect/platform-node/Undici"
import { Effect } from "effect"
import { HttpClient, HttpClientError, type HttpClientRequest } from "effect/http"
import { type Clear, Clearance, HELD_BACK } from "../../ports/Clearance.ts"
import { Unanswered } from "../../ports/Unanswered.ts"
import { forwarding } from "./forwarding.ts"

/** Reads like a connection that was never made: nothing was sent. */
const heldBack = () =>
  Object.assign(new Error("held back: this replica no longer leads, or the launch is no longer fresh"), {
    code: HELD_BACK,
    syscall: "connect"
  })

const refusal = (request: HttpClientRequest.HttpClientRequest) =>
  new HttpClientError.HttpClientError({
    reason: new HttpClientError.TransportError({ request, cause: heldBack() })
  })

/** Travels with a request to where it is written; nothing but an instance of it is believed there. */
class Permission {
  readonly isClear: Clear

  constructor(isClear: Clear) {
    this.isClear = isClear
  }
}

/** A client whose requests need the clearance of the fiber that makes them. */
export const cleared = (client: HttpClient.HttpClient): HttpClient.HttpClient =>
  HttpClient.transform(client, (response, request) =>
    Effect.flatMap(Clearance, (isClear) =>
      isClear()
        ? Effect.updateService(response, NodeHttpClient.UndiciOptions, (options) =>
            Object.assign({}, options, { permission: new Permission(isClear) })
          )
        : Effect.fail(refusal(request))
    )
  )

/**
 * For the pool that such a client uses: asks again on the connection, in the moment of writing. What fails after that moment is
 * told apart from what fails before it.
 */
export const lastLook: Dispatcher.DispatcherComposeInterceptor = (dispatch) => (options, handler) => {
  const permission = "permission" in options ? options.permission : undefined
  if (!(permission instanceof Permission)) return dispatch(options, handler)
  let written = false
  return dispatch(options, {
    ...forwarding(handler),
    onRequestStart: (controller, context) => {
      written = permission.isClear()
      if (written) handler.onRequestStart?.(controller, context)
      else controller.abort(heldBack())
    },
    onResponseError: (controller, error) =>
      handler.onResponseError?.(controller, written ? new Unanswered(error) : error)
  })
}
