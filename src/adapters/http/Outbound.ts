/** The `Outbound` port over undici: one bounded pool of HTTP/1.1 connections per client. */
import { getCACertificates } from "node:tls"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Agent, type Dispatcher, ProxyAgent } from "@effect/platform-node/Undici"
import { Effect, Layer, Option } from "effect"
import type { HttpClient } from "effect/http"
import { Outbound, type OutboundOptions } from "../../ports/Outbound.ts"
import { proxyFromEnvironment } from "./Proxy.ts"

const open = (options: OutboundOptions, proxy: Option.Option<string>): Dispatcher => {
  const connect = {
    rejectUnauthorized: options.verify,
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
    ...(options.authorities.length === 0 ? {} : { ca: [...getCACertificates("default"), ...options.authorities] })
  }
  const pool = { allowH2: false, connections: options.connections }
  return Option.match(proxy, {
    onNone: () => new Agent({ ...pool, connect }),
    onSome: (uri) => new ProxyAgent({ ...pool, uri, requestTls: connect })
  })
}

const client = Effect.fnUntraced(function* (options: OutboundOptions) {
  const proxy = yield* proxyFromEnvironment(options.server)
  const dispatcher = yield* Effect.acquireRelease(
    Effect.sync(() => open(options, proxy)),
    (opened) => Effect.promise(() => opened.destroy())
  )
  const made: HttpClient.HttpClient = yield* NodeHttpClient.makeUndici.pipe(
    Effect.provideService(NodeHttpClient.Dispatcher, dispatcher)
  )
  return made
})

export const layer: Layer.Layer<Outbound> = Layer.succeed(Outbound, { client })
