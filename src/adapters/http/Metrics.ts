/**
 * Answers Prometheus on a port of its own: `/metrics`, in the text format 0.0.4. Everything that is declared is there from
 * the first scrape on, as far as its labels can be listed.
 */
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Effect, Layer } from "effect"
import { HttpRouter } from "effect/http"
import type { ServeError } from "effect/http/HttpServerError"
import { PrometheusMetrics } from "effect/observability"
import { declared } from "../../telemetry/Metrics.ts"

const register = Effect.forEach(declared, (metric) => metric.register, { discard: true })

export const layer = (port: number): Layer.Layer<never, ServeError> =>
  HttpRouter.serve(PrometheusMetrics.layerHttp({ path: "/metrics" }), {
    disableLogger: true,
    disableListenLog: true
  }).pipe(
    Layer.provide(NodeHttpServer.layer(createServer, { port, gracefulShutdownTimeout: "1 second" })),
    Layer.provide(Layer.effectDiscard(register))
  )
