/** Event-Driven Ansible, as the registry knows it. */
import { Effect, Layer, Option } from "effect"
import { contentsOf } from "../../settings/Files.ts"
import type { Configured, ProviderModule } from "../Module.ts"
import * as EdaProvider from "./EdaProvider.ts"
import { EdaSettings } from "./EdaSettings.ts"
import { type EdaEnvironment, edaSettings, edaSettingsToLaunch, edaVariables } from "./Variables.ts"

const configured = Effect.fnUntraced(function* (settings: EdaEnvironment) {
  const authorities = yield* contentsOf(settings.caFiles)
  const { deprovision, provision } = settings.webhooks
  const provider: Configured = {
    outbound: {
      // who only observes calls nobody
      server: Option.getOrElse(
        Option.orElse(provision, () => deprovision),
        () => "http://localhost"
      ),
      authorities,
      verify: true,
      connections: EdaProvider.CONCURRENT_CALLS
    },
    layer: EdaProvider.layer.pipe(Layer.provide(Layer.succeed(EdaSettings, settings))),
    pollInterval: Option.none(),
    warnings: () => []
  }
  return provider
})

export const eda: ProviderModule = {
  name: "eda",
  title: "Event-Driven Ansible, provider `eda`",
  variables: edaVariables,
  configure: (launches) => Effect.flatMap(launches ? edaSettingsToLaunch : edaSettings, configured)
}
