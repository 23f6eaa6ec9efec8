/**
 * What a provider's folder offers to the registry: its variables, and itself once they were read. Nothing else of a
 * provider is known outside of its folder.
 */
import type { Duration, Effect, Layer, Option } from "effect"
import type { HttpClient } from "effect/http"
import type { Outbound } from "../ports/Outbound.ts"
import type { ProvisioningProvider } from "../ports/ProvisioningProvider.ts"
import type { OperatorSettings } from "../settings/OperatorVariables.ts"
import type { SettingsError } from "../settings/Problem.ts"
import type { Declaration } from "../settings/Variable.ts"

/** A provider whose variables were read and found to be right. */
export interface Configured {
  /** What it asks of its HTTP client. */
  readonly outbound: Outbound
  readonly layer: Layer.Layer<ProvisioningProvider, never, HttpClient.HttpClient>
  /** How often what no event announces is looked at again; none if it never looks. */
  readonly pollInterval: Option.Option<Duration.Duration>
  /** What a person should know although nothing is wrong. */
  readonly warnings: (operator: OperatorSettings) => ReadonlyArray<string>
}

export interface ProviderModule {
  /** As in `CLOUDKIT_PROVISIONING_PROVIDER` and in the records. */
  readonly name: string
  /** Heading of its variables in the documentation. */
  readonly title: string
  readonly variables: Readonly<Record<string, { readonly declaration: Declaration }>>
  /** Reads its variables. Only the provider that launches needs all of them. */
  readonly configure: (launches: boolean) => Effect.Effect<Configured, SettingsError>
}
