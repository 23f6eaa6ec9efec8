/**
 * One pool of connections to the API server, replaced when its TLS material changes; requests under way finish on the
 * old one.
 *
 * HTTP/1.1 on purpose: a request that times out takes its connection with it. Over HTTP/2 all requests would share one
 * connection, and one that died silently would fail all of them until the kernel gives up, many minutes later.
 */
import { Agent, Dispatcher, ProxyAgent } from "@effect/platform-node/Undici"
import { Effect, Option, type Scope } from "effect"
import type { HttpClient } from "effect/http"
import {
  type Credential,
  type Credentials,
  CredentialsError,
  type HeaderSource,
  type RequestHeaders,
  type TlsMaterial
} from "./Credential.ts"

export interface Connection {
  readonly client: HttpClient.HttpClient
  readonly headers: HeaderSource
}

const open = (tls: TlsMaterial, proxy: Option.Option<string>): Dispatcher => {
  // Shorter than the idle limits of cloud load balancers, which drop connections without a word.
  const connect = { ...tls, keepAlive: true, keepAliveInitialDelay: 30_000 }
  return Option.match(proxy, {
    onNone: () => new Agent({ allowH2: false, connect }),
    onSome: (uri) => new ProxyAgent({ uri, allowH2: false, requestTls: connect })
  })
}

const same = (one: TlsMaterial, other: TlsMaterial): boolean =>
  one === other ||
  (one.ca === other.ca &&
    one.cert === other.cert &&
    one.key === other.key &&
    one.servername === other.servername &&
    one.rejectUnauthorized === other.rejectUnauthorized)

/** A dispatcher that stays the same for its user while the pool behind it changes. */
class ReplaceablePool extends Dispatcher {
  readonly #proxy: Option.Option<string>
  #tls: TlsMaterial
  #pool: Dispatcher
  readonly #retired = new Set<Dispatcher>()

  constructor(tls: TlsMaterial, proxy: Option.Option<string>) {
    super()
    this.#proxy = proxy
    this.#tls = tls
    this.#pool = open(tls, proxy)
  }

  adopt(tls: TlsMaterial): void {
    if (same(tls, this.#tls)) return
    const old = this.#pool
    this.#tls = tls
    this.#pool = open(tls, this.#proxy)
    this.#retired.add(old)
    const done = () => this.#retired.delete(old)
    old.close().then(done, done)
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    return this.#pool.dispatch(options, handler)
  }

  async destroyAll(): Promise<void> {
    await Promise.allSettled([this.#pool, ...this.#retired].map((pool) => pool.destroy()))
  }
}

/** The headers of the current credential; taking them also puts its certificates to use. */
const headerSource = (credentials: Credentials, pool: ReplaceablePool): HeaderSource => {
  const owner = new WeakMap<RequestHeaders, Credential>()
  return {
    current: Effect.map(credentials.current, (credential) => {
      pool.adopt(credential.tls)
      owner.set(credential.headers, credential)
      return credential.headers
    }),
    drop: (refused) => {
      const credential = owner.get(refused)
      return credential === undefined ? Effect.void : credentials.drop(credential)
    }
  }
}

/** What is the same for every server. */
export interface Http {
  /** Which proxy leads to a server; the kubeconfig's own `proxy-url` wins. */
  readonly findProxy: (server: string) => Effect.Effect<Option.Option<string>>
  /** A client over a pool, which reads of an answer what its limit allows. */
  readonly over: (pool: Dispatcher) => Effect.Effect<HttpClient.HttpClient>
}

export const makeConnection = (
  credentials: Credentials,
  { findProxy, over }: Http
): Effect.Effect<Connection, CredentialsError, Scope.Scope> =>
  Effect.gen(function* () {
    const { tls } = yield* credentials.current
    const proxy = Option.isSome(credentials.proxyUrl) ? credentials.proxyUrl : yield* findProxy(credentials.server)
    const pool = yield* Effect.acquireRelease(
      Effect.try({
        try: () => new ReplaceablePool(tls, proxy),
        // Neither a private key nor a proxy's password may show.
        catch: () =>
          new CredentialsError({ message: "the proxy URL or the TLS material of the kubeconfig is not usable" })
      }),
      (opened) => Effect.promise(() => opened.destroyAll())
    )
    return { client: yield* over(pool), headers: headerSource(credentials, pool) }
  })
