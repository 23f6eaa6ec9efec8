/** A stand-in for an OpenTelemetry collector: takes traces over HTTP, and shows what it was sent. */
import { createServer } from "node:http"
import { Effect, Schema, type Scope } from "effect"
import { listening } from "../support/loopback.ts"

const Value = Schema.Struct({
  stringValue: Schema.optionalKey(Schema.String),
  intValue: Schema.optionalKey(Schema.Union([Schema.Finite, Schema.String]))
})
const Attributes = Schema.Array(Schema.Struct({ key: Schema.String, value: Value }))
const Traces = Schema.fromJsonString(
  Schema.Struct({
    resourceSpans: Schema.Array(
      Schema.Struct({
        resource: Schema.Struct({ attributes: Attributes }),
        scopeSpans: Schema.Array(
          Schema.Struct({
            spans: Schema.Array(
              Schema.Struct({
                name: Schema.String,
                traceId: Schema.String,
                spanId: Schema.String,
                parentSpanId: Schema.optionalKey(Schema.String),
                attributes: Attributes
              })
            )
          })
        )
      })
    )
  })
)

export interface Received {
  readonly path: string
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: Buffer
}

export interface Collector {
  readonly url: string
  readonly received: ReadonlyArray<Received>
}

/** The spans in a body of JSON, and the attributes of their resource. */
export const spansIn = ({ body }: Received) => {
  const { resourceSpans } = Schema.decodeSync(Traces)(body.toString("utf8"))
  return {
    resource: Object.fromEntries(
      resourceSpans.flatMap(({ resource }) => resource.attributes.map(({ key, value }) => [key, value.stringValue]))
    ),
    spans: resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
  }
}

export const collector: Effect.Effect<Collector, never, Scope.Scope> = Effect.gen(function* () {
  const received: Array<Received> = []
  const server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      received.push({ path: request.url ?? "", headers: request.headers, body: Buffer.concat(chunks) })
      response.writeHead(200, { "content-type": "application/json" }).end("{}")
    })
  })
  const port = yield* listening(server)
  return { url: `http://127.0.0.1:${port}`, received }
})
