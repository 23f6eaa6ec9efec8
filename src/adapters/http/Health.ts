/**
 * Answers the kubelet's probes on a port of their own: `/livez` (and `/healthz`) while the process does its work, `/readyz`
 * once it can. A probe that fails says why in its body.
 */
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Effect, Layer, Option } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import type { ServeError } from "effect/http/HttpServerError"

export interface Probes {
  /** Why the process should be restarted, if it should. */
  readonly alive: Effect.Effect<Option.Option<string>>
  /** Why it cannot serve yet, if it cannot. */
  readonly ready: Effect.Effect<Option.Option<string>>
}

const answer = (probe: Effect.Effect<Option.Option<string>>) =>
  Effect.map(
    probe,
    Option.match({
      onNone: () => HttpServerResponse.text("ok\n"),
      onSome: (why) => HttpServerResponse.text(`${why}\n`, { status: 503 })
    })
  )

export const layer = (port: number, probes: Probes): Layer.Layer<never, ServeError> => {
  const routes = Layer.mergeAll(
    HttpRouter.add("GET", "/livez", answer(probes.alive)),
    HttpRouter.add("GET", "/healthz", answer(probes.alive)),
    HttpRouter.add("GET", "/readyz", answer(probes.ready))
  )
  return HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provide(NodeHttpServer.layer(createServer, { port, gracefulShutdownTimeout: "1 second" }))
  )
}
