/**
 * The HTTP client towards a provider: one bounded pool of HTTP/1.1 connections, with the trust that its configuration asks
 * for and the proxy that the environment names. Redirects are not followed, so that a credential never reaches a host
 * nobody named. What has no clearance does not leave, and answers are read to their limit.
 */
import { getCACertificates } from "node:tls"
import { Agent, type Dispatcher, ProxyAgent } from "@effect/platform-node/Undici"
import { Effect, Layer, Option } from "effect"
import { HttpClient } from "effect/http"
import type { Outbound } from "../../ports/Outbound.ts"
import { limited } from "./AnswerLimit.ts"
import { cleared, lastLook } from "./Clearance.ts"
import { proxyFromEnvironment } from "./Proxy.ts"

const open = (outbound: Outbound, proxy: Option.Option<string>): Dispatcher => {
  const connect = {
    rejectUnauthorized: outbound.verify,
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
    ...(outbound.authorities.length === 0 ? {} : { ca: [...getCACertificates("default"), ...outbound.authorities] })
  }
  const pool = { allowH2: false, connections: outbound.connections }
  return Option.match(proxy, {
    onNone: () => new Agent({ ...pool, connect }),
    onSome: (uri) => new ProxyAgent({ ...pool, uri, requestTls: connect })
  })
}

const make = Effect.fnUntraced(function* (outbound: Outbound) {
  const proxy = yield* proxyFromEnvironment(outbound.server)
  const dispatcher = yield* Effect.acquireRelease(
    Effect.sync(() => open(outbound, proxy)),
    (opened) => Effect.promise(() => opened.destroy())
  )
  return cleared(yield* limited(dispatcher.compose(lastLook)))
})

export const layer = (outbound: Outbound): Layer.Layer<HttpClient.HttpClient> =>
  Layer.merge(
    Layer.effect(HttpClient.HttpClient, make(outbound)),
    Layer.succeed(HttpClient.TracerDisabledWhen, () => true)
  )
