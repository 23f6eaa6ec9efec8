/**
 * What the AAP provider needs to know to work: plain values, read and checked by whoever composes the program.
 *
 * The token is an effect, asked before every request, so that a rotated Secret needs no restart.
 */
import { Context, type Duration, type Effect, type Option, type Redacted } from "effect"

/** The settings of one AAP, as `CLOUDKIT_AAP_*` gives them. */
export interface AapSettingsShape {
  /** `CLOUDKIT_AAP_URL`; see `BaseUrl` for what is accepted. */
  readonly url: string
  /** The bearer token as it is now. */
  readonly token: Effect.Effect<Redacted.Redacted>
  /** Names of the templates, job templates or workflow job templates alike. */
  readonly templates: { readonly provision: string; readonly deprovision: string }
  /** Decides between templates of one name in several organizations. */
  readonly organization: Option.Option<string>
  readonly pollInterval: Duration.Duration
  readonly requestTimeout: Duration.Duration
  /** How many requests may be under way at once, launches included. */
  readonly maxConcurrentRequests: number
}

export class AapSettings extends Context.Service<AapSettings, AapSettingsShape>()(
  "cloudkit-operator/providers/aap/AapSettings"
) {}
