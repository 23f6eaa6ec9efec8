/**
 * HTTP towards a provider's server, with the trust and the bounds that the provider's configuration asks for.
 *
 * Redirects are not followed, so that a credential never reaches a host nobody named. Proxies are those of the environment.
 */
import { Context, type Effect, type Scope } from "effect"
import type { HttpClient } from "effect/http"

export interface OutboundOptions {
  /** URL of the server; decides whether a proxy leads there. */
  readonly server: string
  /** PEM certificates that are trusted besides those the platform trusts. */
  readonly authorities: ReadonlyArray<string>
  /** Whether a certificate nobody vouches for is refused. Off only when somebody asked for it in so many words. */
  readonly verify: boolean
  /** How many connections may be open at once. */
  readonly connections: number
}

export class Outbound extends Context.Service<
  Outbound,
  {
    /** A client with a pool of its own, closed with the scope. */
    readonly client: (options: OutboundOptions) => Effect.Effect<HttpClient.HttpClient, never, Scope.Scope>
  }
>()("cloudkit-operator/ports/Outbound") {}
