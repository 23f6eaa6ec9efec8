/**
 * A third provider, to show what one takes: this folder and a line in a registry. Its jobs are done at once, and it can
 * neither search nor cancel.
 */
import { Effect, Layer, Option, Stream } from "effect"
import { ProvisioningProvider } from "../../../src/ports/ProvisioningProvider.ts"
import type { ProviderModule } from "../../../src/providers/Module.ts"
import { text } from "../../../src/settings/Kind.ts"
import { required, together } from "../../../src/settings/Variable.ts"

const variables = {
  shelf: required("THIRD_SHELF", text("shelf", "the name of a shelf", 64), { description: "Where machines come from." })
}

export const layerOf = (shelf: string): Layer.Layer<ProvisioningProvider> =>
  Layer.sync(ProvisioningProvider, () => {
    let taken = 0
    return ProvisioningProvider.of({
      name: "third",
      blockDeletionOnFailure: true,
      prepare: () =>
        Effect.succeed({
          template: shelf,
          send: () =>
            Effect.sync(() => ({
              id: `${shelf}-${++taken}`,
              kind: undefined,
              state: "Running",
              detail: "",
              unusable: Option.none()
            }))
        }),
      track: (_, jobs) =>
        Effect.succeed({
          seen: new Map(jobs.map(({ id }) => [id, { state: "Succeeded", detail: "", gone: false }])),
          problem: Option.none()
        }),
      forget: () => Effect.void,
      recognises: (id) => id.startsWith(`${shelf}-`),
      changes: Stream.never
    })
  })

export const third: ProviderModule = {
  name: "third",
  title: "A third provider",
  variables,
  configure: () =>
    Effect.map(together(Object.values(variables), Effect.all(variables)), ({ shelf }) => ({
      outbound: { server: "http://localhost", authorities: [], verify: true, connections: 1 },
      layer: layerOf(shelf),
      pollInterval: Option.none(),
      warnings: () => []
    }))
}
