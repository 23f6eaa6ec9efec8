/**
 * Sends traces to an OpenTelemetry collector where the standard `OTEL_*` variables ask for it; otherwise no span is even
 * made. Variables that cannot be understood turn traces off, with a warning: they are never a reason not to work.
 */
import { Config, ConfigProvider, Effect, Layer, Option, References, Schema } from "effect"
import { OtlpSerialization, OtlpTracer } from "effect/observability"
import * as Outbound from "./Outbound.ts"

const off: Layer.Layer<never> = Layer.succeed(References.TracerEnabled, false)

/** Where the standard has a default and the exporter has none. */
const defaults = ConfigProvider.fromEnv({
  env: { OTEL_TRACES_EXPORTER: "otlp", OTEL_SERVICE_NAME: "cloudkit-operator" }
})

const withDefaults = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.updateService(effect, ConfigProvider.ConfigProvider, (provider) => ConfigProvider.orElse(provider, defaults))

/** The collector, if there is one to be told. */
const endpoint = Config.all({
  disabled: Config.Boolean("OTEL_SDK_DISABLED").pipe(Config.withDefault(false)),
  exporters: Config.Array(Schema.String, "OTEL_TRACES_EXPORTER"),
  url: Config.option(
    Config.URL("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").pipe(
      Config.orElse(() => Config.URL("OTEL_EXPORTER_OTLP_ENDPOINT"))
    )
  )
}).pipe(Config.map(({ disabled, exporters, url }) => (disabled || !exporters.includes("otlp") ? Option.none() : url)))

/** As the standard has it: protobuf, unless JSON is asked for. */
const protocol = Config.String("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL").pipe(
  Config.orElse(() => Config.String("OTEL_EXPORTER_OTLP_PROTOCOL")),
  Config.withDefault("http/protobuf")
)

const serialization = Effect.flatMap(protocol, (wanted) => {
  if (wanted === "http/json") return Effect.succeed(OtlpSerialization.layerJson)
  const said =
    wanted === "http/protobuf"
      ? Effect.void
      : Effect.logWarning(
          "traces are sent as http/protobuf: no other OTEL_EXPORTER_OTLP_PROTOCOL than that and http/json"
        )
  return Effect.as(said, OtlpSerialization.layerProtobuf)
})

const exporting = Effect.fnUntraced(function* (url: URL, version: string) {
  const format = yield* serialization
  const outbound = { server: url.origin, authorities: [], verify: true, connections: 2 }
  yield* Effect.logInfo("traces are sent to a collector", { collector: url.origin })
  return OtlpTracer.layerFromConfig({ resource: { serviceVersion: version } }).pipe(
    Layer.provide(Layer.merge(format, Outbound.layer(outbound)))
  )
})

export const layer = (version: string): Layer.Layer<never> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const collector = yield* endpoint
      return yield* Layer.build(Option.isNone(collector) ? off : yield* exporting(collector.value, version))
    }).pipe(
      withDefaults,
      // the cause may quote a header, which is where the credential of a collector is
      Effect.catchCause(() =>
        Effect.andThen(
          Effect.logWarning("the OTEL_ variables cannot be understood: no traces are sent"),
          Layer.build(off)
        )
      )
    )
  )
