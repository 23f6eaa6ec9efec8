/** Ansible Automation Platform, as the registry knows it. */
import { Duration, Effect, Layer, Option, Result } from "effect"
import { contentsOf } from "../../settings/Files.ts"
import type { OperatorSettings } from "../../settings/OperatorVariables.ts"
import { SettingsError } from "../../settings/Problem.ts"
import type { Configured, ProviderModule } from "../Module.ts"
import * as AapProvider from "./AapProvider.ts"
import { AapSettings } from "./AapSettings.ts"
import * as BaseUrl from "./BaseUrl.ts"
import { type AapEnvironment, aapSettings, aapVariables, aapWarnings } from "./Variables.ts"

/** Besides the request's own time, a launch takes at most the send window and AAP's longest request. */
const BESIDES_THE_REQUEST = Duration.seconds(10 + 125)

const quietPeriodWarnings = (operator: OperatorSettings, settings: AapEnvironment): ReadonlyArray<string> => {
  const least = Duration.sum(BESIDES_THE_REQUEST, settings.requestTimeout)
  return Duration.isLessThan(operator.launchQuietPeriod, least)
    ? [
        `CLOUDKIT_AAP_LAUNCH_QUIET_PERIOD is ${Duration.format(operator.launchQuietPeriod)}, and a launch may take ${Duration.format(least)}: one whose answer was lost could be sent twice.`
      ]
    : []
}

const wrongAddress = (why: string): SettingsError =>
  new SettingsError({
    problems: [{ kind: "Malformed", variable: "CLOUDKIT_AAP_URL", found: "another address", expected: why }]
  })

const configured = Effect.fnUntraced(function* (settings: AapEnvironment) {
  const { origin } = yield* Effect.fromResult(Result.mapError(BaseUrl.parse(settings.url), wrongAddress))
  const authorities = yield* contentsOf(settings.caFiles)
  const provider: Configured = {
    outbound: {
      server: origin,
      authorities,
      verify: !settings.insecureSkipVerify,
      connections: settings.maxConcurrentRequests
    },
    layer: AapProvider.layer.pipe(Layer.orDie, Layer.provide(Layer.succeed(AapSettings, settings))),
    pollInterval: Option.some(settings.pollInterval),
    warnings: (operator) => [...aapWarnings(settings), ...quietPeriodWarnings(operator, settings)]
  }
  return provider
})

export const aap: ProviderModule = {
  name: "aap",
  title: "AAP, provider `aap`",
  variables: aapVariables,
  configure: () => Effect.flatMap(aapSettings, configured)
}
