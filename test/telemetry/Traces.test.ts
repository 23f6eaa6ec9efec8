/** Traces: nothing without the standard variables, the whole course of a pass with them, and never a secret. */
import { assert, it } from "@effect/vitest"
import { ConfigProvider, Context, Effect, Layer, Logger, References, Schema, type Scope, Tracer } from "effect"
import { TestClock } from "effect/testing"
import { describe, vi } from "vitest"
import * as Traces from "../../src/adapters/http/Traces.ts"
import { logging } from "../../src/telemetry/Logging.ts"
import { waitedForProcessor, withoutWaiting } from "../support/eventually.ts"
import { makeWorld } from "../support/World.ts"
import { collector, spansIn } from "./collector.ts"

const environment = (env: Readonly<Record<string, string>>) => ConfigProvider.layer(ConfigProvider.fromEnv({ env }))

/** Runs something under the traces that the environment asks for, and lets everything be sent. */
const traced = <A, E>(env: Readonly<Record<string, string>>, effect: Effect.Effect<A, E>) =>
  Effect.provide(effect, Traces.layer("0.1.0").pipe(Layer.provide(environment(env))))

const work = Effect.void.pipe(
  Effect.withSpan("inner", { attributes: { computeinstance: "default/vm-1" } }),
  Effect.withSpan("outer")
)

const lineOf = Schema.decodeUnknownSync(
  Schema.fromJsonString(
    Schema.Struct({
      msg: Schema.String,
      trace_id: Schema.optionalKey(Schema.String),
      span_id: Schema.optionalKey(Schema.String)
    })
  )
)

const warnings = (said: Array<string>) =>
  Logger.layer([Logger.make(({ logLevel, message }) => void said.push(`${logLevel}: ${String(message)}`))])

describe("with an endpoint", () => {
  it.live("spans go to the collector as JSON, with the headers that were asked for, by the name of the service", () =>
    Effect.gen(function* () {
      const { received, url } = yield* collector
      yield* traced(
        {
          OTEL_EXPORTER_OTLP_ENDPOINT: url,
          OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
          OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20collector-token",
          OTEL_RESOURCE_ATTRIBUTES: "k8s.cluster.name=production"
        },
        work
      )
      const [one] = received
      assert.isDefined(one)
      if (one === undefined) return
      assert.deepStrictEqual(
        [one.path, one.headers["content-type"], one.headers.authorization],
        ["/v1/traces", "application/json", "Bearer collector-token"]
      )
      const { resource, spans } = spansIn(one)
      assert.deepInclude(resource, {
        "k8s.cluster.name": "production",
        "service.name": "cloudkit-operator",
        "service.version": "0.1.0"
      })
      const [inner, outer] = spans
      assert.deepStrictEqual([inner?.name, outer?.name], ["inner", "outer"])
      assert.deepStrictEqual([inner?.traceId, inner?.parentSpanId], [outer?.traceId, outer?.spanId])
      assert.deepStrictEqual(inner?.attributes, [{ key: "computeinstance", value: { stringValue: "default/vm-1" } }])
    })
  )

  it.live("they are protobuf unless something else is asked for, and the service may be named", () =>
    Effect.gen(function* () {
      const { received, url } = yield* collector
      yield* traced({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${url}/own/path`, OTEL_SERVICE_NAME: "another" }, work)
      assert.deepStrictEqual(
        received.map(({ headers, path }) => [path, headers["content-type"]]),
        [["/own/path", "application/x-protobuf"]]
      )
      const text = received[0]?.body.toString("latin1") ?? ""
      for (const word of ["another", "inner", "outer", "default/vm-1"]) assert.include(text, word)
    })
  )
})

describe("with further variables", () => {
  it.live("another protocol is said to be unknown, and protobuf is sent", () =>
    Effect.gen(function* () {
      const { received, url } = yield* collector
      const said: Array<string> = []
      yield* Effect.provide(
        traced({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, work),
        warnings(said)
      )
      assert.strictEqual(received[0]?.headers["content-type"], "application/x-protobuf")
      assert.include(said.join("\n"), "Warn: traces are sent as http/protobuf")
    })
  )

  it.live("log lines say where they belong to in the traces, and say nothing of it without", () =>
    Effect.gen(function* () {
      const { received, url } = yield* collector
      const write = vi.spyOn(process.stdout, "write").mockReturnValue(true)
      const line = Effect.withSpan(Effect.logInfo("in a span"), "outer").pipe(Effect.provide(logging("json", "Info")))
      yield* traced({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" }, line)
      yield* traced({}, line)
      const [inside, without] = write.mock.calls
        .map(([text]) => lineOf(String(text)))
        .filter(({ msg }) => msg === "in a span")
      write.mockRestore()
      const [span] = received.flatMap((one) => spansIn(one).spans)
      assert.deepStrictEqual([inside?.trace_id, inside?.span_id], [span?.traceId, span?.spanId])
      assert.deepStrictEqual([without?.msg, without?.trace_id], ["in a span", undefined])
    })
  )

  for (const [name, value] of [
    ["OTEL_SDK_DISABLED", "true"],
    ["OTEL_TRACES_EXPORTER", "none"]
  ] as const)
    it.live(`${name}=${value} turns them off`, () =>
      Effect.gen(function* () {
        const { received, url } = yield* collector
        const enabled = yield* traced(
          { OTEL_EXPORTER_OTLP_ENDPOINT: url, [name]: value },
          Effect.andThen(work, References.TracerEnabled)
        )
        assert.isFalse(enabled)
        assert.deepStrictEqual(received, [])
      })
    )
})

it.live("without an endpoint no span is made", () =>
  Effect.gen(function* () {
    assert.isFalse(yield* traced({}, References.TracerEnabled))
  })
)

it.live("a variable that cannot be understood turns traces off, and what is said of it shows no value", () =>
  Effect.gen(function* () {
    for (const env of [
      { OTEL_EXPORTER_OTLP_ENDPOINT: "not an address, but secret" },
      { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9", OTEL_EXPORTER_OTLP_HEADERS: "authorization=%ZZsecret" },
      { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9", OTEL_SDK_DISABLED: "secret" }
    ]) {
      const said: Array<string> = []
      const enabled = yield* Effect.provide(traced(env, References.TracerEnabled), warnings(said))
      assert.isFalse(enabled, JSON.stringify(env))
      assert.include(said.join("\n"), "Warn: the OTEL_ variables cannot be understood: no traces are sent")
      assert.notInclude(said.join("\n"), "secret")
    }
  })
)

it.live("a collector that is away delays the end of the process by a moment at most", () =>
  Effect.gen(function* () {
    const [begun, waited] = [Date.now(), waitedForProcessor()]
    yield* traced({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" }, work)
    assert.isBelow(withoutWaiting(Date.now() - begun, waitedForProcessor() - waited), 10_000)
  })
)

/** What the collector is sent of a course of events in virtual time. */
const sent = <E>(course: Effect.Effect<void, E, Scope.Scope>) =>
  Effect.gen(function* () {
    const { received, url } = yield* collector
    yield* traced(
      { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" },
      // the processes of a world end with its scope, and their spans with them
      Effect.scoped(course)
    )
    const spans = received.flatMap((one) => spansIn(one).spans)
    const nameOf = (id: string | undefined) => spans.find(({ spanId }) => spanId === id)?.name ?? "none"
    const text = received.map(({ body }) => body.toString("utf8")).join("\n")
    return { spans, text, nested: new Set(spans.map((span) => `${nameOf(span.parentSpanId)} > ${span.name}`)) }
  })

const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40, templateParameters: '{"password":"canary-parameter"}' }
const secrets = ["operator-token", "Bearer operator", "canary", "authorization"]

const assertNoSecret = (text: string) =>
  assert.deepStrictEqual(
    secrets.filter((secret) => text.toLowerCase().includes(secret.toLowerCase())),
    []
  )

describe("a pass", () => {
  it.effect("is a span with the writes and the launch inside of it, and polls are spans of their own", () =>
    Effect.gen(function* () {
      const { nested, spans, text } = yield* sent(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          yield* world.start
          yield* world.user.create("vm-1", spec)
          yield* TestClock.adjust("5 minutes")
        })
      )
      assert.deepStrictEqual([...nested].filter((one) => !/^none > kubernetes POST$/u.test(one)).toSorted(), [
        "none > aap list_jobs",
        "none > reconcile",
        "reconcile > aap find_templates",
        "reconcile > aap launch",
        "reconcile > aap launch_options",
        "reconcile > kubernetes PATCH"
      ])
      const launch = spans.find(({ name }) => name === "aap launch")
      assert.deepStrictEqual(
        launch?.attributes.map(({ key }) => key),
        ["http.request.method", "url.path", "http.response.status_code"]
      )
      assert.deepStrictEqual(spans.find(({ name }) => name === "reconcile")?.attributes, [
        { key: "computeinstance", value: { stringValue: "default/vm-1" } }
      ])
      assertNoSecret(text)
    })
  )

  it.effect("that meets refusals and lost connections shows them, and no credential anywhere", () =>
    Effect.gen(function* () {
      const { spans, text } = yield* sent(
        Effect.gen(function* () {
          const world = yield* makeWorld({ providers: ["aap", "eda"] })
          const echo = JSON.stringify({ detail: "Bearer operator-token is not valid" })
          const headers = { "content-type": "application/json" }
          const harm = { _tag: "Answer", response: { status: 401, headers, body: echo } } as const
          yield* world.aapWire.order({ when: () => true, times: 2, harm })
          yield* world.aapWire.order({
            when: ({ method }) => method === "POST",
            harm: { _tag: "Lose", code: "ECONNRESET", after: true }
          })
          yield* world.start
          yield* world.user.create("vm-1", spec)
          yield* TestClock.adjust("10 minutes")
          const eda = yield* world.startAs("eda", "aap")
          yield* world.user.create("vm-2", { ...spec, name: "vm-2" })
          yield* TestClock.adjust("10 minutes")
          yield* eda.stop
        })
      )
      assert.include(text, "401 Unauthorized")
      assert.include(text, "ConnectionReset")
      assert.isTrue(spans.some(({ name }) => name === "eda webhook"))
      assertNoSecret(text)
    })
  )
})

it.effect("what is off costs no span: the context of a pass holds none", () =>
  Effect.gen(function* () {
    const span = yield* Effect.map(Effect.context<never>(), (context) => Context.getOption(context, Tracer.ParentSpan))
    assert.isTrue(span._tag === "None" || !/^[0-9a-f]{32}$/u.test(span.value.traceId))
  }).pipe(Effect.withSpan("reconcile"), Effect.provideService(References.TracerEnabled, false))
)
