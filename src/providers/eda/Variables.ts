/**
 * The variables of the EDA provider. What it launched earlier is observed without any of them; only launching needs the
 * webhooks.
 */
import { Effect, Option } from "effect"
import { readable, tokenIn } from "../../settings/Files.ts"
import { address, duration, text } from "../../settings/Kind.ts"
import type { Problem, SettingsError } from "../../settings/Problem.ts"
import { missing, optional, together, withDefault } from "../../settings/Variable.ts"
import type { EdaSettingsShape } from "./EdaSettings.ts"

/** What the environment says of EDA. */
export interface EdaEnvironment extends EdaSettingsShape {
  /** Certificate authorities to trust besides the public ones; each file was readable. */
  readonly caFiles: ReadonlyArray<string>
}

const path = text("path", "the path of a readable file", 4_096)
const webhook = address(
  "the address of an EDA webhook, such as http://eda.example.com:5000/create-compute-instance, without user name and password",
  false
)

export const edaVariables = {
  provision: optional("COMPUTE_INSTANCE_PROVISION_WEBHOOK", webhook, {
    description: "Webhook that provisions. Required when the provider is `eda`."
  }),
  deprovision: optional("COMPUTE_INSTANCE_DEPROVISION_WEBHOOK", webhook, {
    description: "Webhook that deprovisions. Required when the provider is `eda`."
  }),
  minimumRequestInterval: withDefault("MINIMUM_REQUEST_INTERVAL", duration("0s", "24h"), "0", {
    description: "The least time between two calls of one webhook for one object."
  }),
  settlePeriod: withDefault("EDA_SETTLE_PERIOD", duration("1s", "24h"), "10m", {
    description: "How long the deletion of an object waits for the signal of a playbook that was asked to provision it."
  }),
  tokenFile: optional("EDA_TOKEN_FILE", path, {
    description: "File that holds the bearer token of the webhooks; re-read when it changes."
  }),
  caFile: optional("EDA_CA_FILE", path, {
    description: "PEM file of certificate authorities to trust besides the public ones."
  })
}

const readings = {
  ...edaVariables,
  tokenFile: tokenIn(edaVariables.tokenFile),
  caFile: readable(edaVariables.caFile)
}

export const edaSettings: Effect.Effect<EdaEnvironment, SettingsError> = Effect.map(
  together(Object.values(readings), Effect.all(readings)),
  (found) => ({
    webhooks: { provision: found.provision, deprovision: found.deprovision },
    minimumRequestInterval: found.minimumRequestInterval,
    settlePeriod: found.settlePeriod,
    token: found.tokenFile,
    caFiles: Option.toArray(found.caFile)
  })
)

/** What is missing for launching, which only the active provider does. */
const launchingNeeds = (name: "provision" | "deprovision"): Effect.Effect<void, Problem> =>
  Effect.flatMap(Effect.option(edaVariables[name]), (found) =>
    Option.isSome(found) && Option.isNone(found.value)
      ? Effect.fail(missing(edaVariables[name].declaration, ", because the provider is eda"))
      : Effect.void
  )

/** As `edaSettings`, with everything that launching needs. */
export const edaSettingsToLaunch: Effect.Effect<EdaEnvironment, SettingsError> = Effect.andThen(
  together(
    [...Object.values(readings), launchingNeeds("provision"), launchingNeeds("deprovision")],
    Effect.all([launchingNeeds("provision"), launchingNeeds("deprovision")])
  ),
  edaSettings
)
