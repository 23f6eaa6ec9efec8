/**
 * What the EDA provider needs to know to work: plain values, read and checked by whoever composes the program.
 *
 * Without webhooks it still observes what was launched earlier. The token is an effect, asked before every call, so that a
 * rotated Secret needs no restart.
 */
import { Context, type Duration, type Effect, type Option, type Redacted } from "effect"

/** The settings of one EDA, as `CLOUDKIT_COMPUTE_INSTANCE_*_WEBHOOK` and `CLOUDKIT_EDA_*` give them. */
export interface EdaSettingsShape {
  /** Where each operation is asked for; http or https. */
  readonly webhooks: { readonly provision: Option.Option<string>; readonly deprovision: Option.Option<string> }
  /** The least time between two calls of one webhook for one object; zero for none. */
  readonly minimumRequestInterval: Duration.Duration
  /** How long a playbook is given to signal its end before it is no longer waited for. */
  readonly settlePeriod: Duration.Duration
  /** The bearer token as it is now, where the webhooks want one. */
  readonly token: Option.Option<Effect.Effect<Redacted.Redacted>>
}

export class EdaSettings extends Context.Service<EdaSettings, EdaSettingsShape>()(
  "cloudkit-operator/providers/eda/EdaSettings"
) {}
