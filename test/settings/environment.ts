/** Environments that are configured well, and how the settings are read from one. */
import { ConfigProvider, Effect } from "effect"
import { registry } from "../../src/providers/registry.ts"
import { loadSettings, type Settings } from "../../src/Settings.ts"
import type { SettingsError } from "../../src/settings/Problem.ts"

export type Environment = Readonly<Record<string, string>>

export const load = (env: Environment): Effect.Effect<Settings, SettingsError> =>
  Effect.provideService(loadSettings(registry), ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))

export const aap: Environment = {
  CLOUDKIT_PROVISIONING_PROVIDER: "aap",
  CLOUDKIT_AAP_URL: "https://aap.example.com/api/controller",
  CLOUDKIT_AAP_TOKEN: "t0ken-of-aap",
  CLOUDKIT_AAP_PROVISION_TEMPLATE: "create-vm",
  CLOUDKIT_AAP_DEPROVISION_TEMPLATE: "delete-vm"
}

export const eda: Environment = {
  CLOUDKIT_COMPUTE_INSTANCE_PROVISION_WEBHOOK: "http://eda:5000/create",
  CLOUDKIT_COMPUTE_INSTANCE_DEPROVISION_WEBHOOK: "http://eda:5000/delete"
}

/** Reads one group of variables from an environment. */
export const readFrom = <A, E>(env: Environment, read: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.provideService(read, ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))
