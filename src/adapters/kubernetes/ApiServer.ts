/**
 * One exchange with the API server: JSON in, JSON out, every failure a typed reason.
 *
 * Bounded in time and in size. A read that meets a 401 is repeated once with a credential read anew; nothing else is ever
 * repeated here, a write least of all. A write without clearance does not leave. No message shows a credential.
 */
import { Clock, Context, Duration, Effect, Exit, Layer, Option, type Schema, Stream } from "effect"
import { HttpClient, HttpClientRequest, type HttpClientResponse } from "effect/http"
import { Clearance, HELD_BACK } from "../../ports/Clearance.ts"
import {
  KubernetesError,
  type KubernetesReason,
  ServerFailure,
  Unauthorized,
  Unreachable
} from "../../ports/KubernetesClient.ts"
import { kubernetesMetrics } from "../../telemetry/Metrics.ts"
import { type FindProxy, makeConnection } from "./Connection.ts"
import type { CredentialsError, HeaderSource, RequestHeaders } from "./Credential.ts"
import { type CredentialsOptions, loadCredentials } from "./Credentials.ts"
import {
  type Circumstances,
  describeBody,
  presentable,
  type Refusal,
  reasonOfRefusal,
  reasonOfSilence,
  timedOut
} from "./Failures.ts"

export interface Call {
  /** For error messages: verb and object. */
  readonly operation: string
  readonly method: "GET" | "POST" | "PUT" | "PATCH"
  /** From the root of the API server, its segments encoded: `/apis/…`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: { readonly contentType: string; readonly json: Schema.Json }
  /** The most bytes of an answer that are read; more is a failure. */
  readonly maxBytes: number
}

export interface ApiServerOptions {
  /** Base URL, with or without a path; no trailing slash. */
  readonly server: string
  readonly headers: HeaderSource
  /** Version of the operator, for the User-Agent. */
  readonly version: string
  /** For a whole exchange, and for the opening of a stream. Default 30 s. */
  readonly requestTimeout?: Duration.Input
}

/** A stream of bytes that ends with the connection, and what its reader needs to translate what it finds in it. */
export interface OpenStream {
  readonly bytes: Stream.Stream<Uint8Array, KubernetesReason>
  readonly circumstances: Circumstances
}

interface Shape {
  readonly call: (call: Call) => Effect.Effect<Schema.Json, KubernetesError>
  /** A streamed answer: the opening is bounded in time, what follows is not. */
  readonly open: (call: Call) => Effect.Effect<OpenStream, KubernetesError>
}

const MAX_REFUSAL_BYTES = 64 * 1024

const isJson = (contentType: string): boolean => contentType === "" || /[/+]json\b/.test(contentType)

/** So short a word is no secret, and to cut it out would garble every message. */
const MIN_SECRET_LENGTH = 8

/** The values that must not be shown: of an Authorization header the part after the scheme. */
const secretsOf = (headers: RequestHeaders): ReadonlyArray<string> =>
  Object.entries(headers)
    .filter(([name]) => name.toLowerCase() === "authorization")
    .map(([, value]) => value.slice(value.indexOf(" ") + 1))
    .filter((secret) => secret.length >= MIN_SECRET_LENGTH)

/** The size that the answer says it has; connections end answers that do not keep to it. */
const statedSize = (headers: Readonly<Record<string, string | undefined>>): number =>
  Number(headers["content-length"] ?? Number.POSITIVE_INFINITY)

/** Reads at most `maxBytes`; `complete` is false when there was more, which is then left unread and the connection closed. */
const readText = Effect.fnUntraced(function* (response: HttpClientResponse.HttpClientResponse, maxBytes: number) {
  // most answers are small and say so: a stream around them would cost more than they do
  if (statedSize(response.headers) <= maxBytes) return { text: yield* response.text, complete: true }
  const chunks: Array<Uint8Array> = []
  let size = 0
  yield* response.stream.pipe(
    Stream.takeUntil((chunk) => {
      size += chunk.byteLength
      return size > maxBytes
    }),
    Stream.runForEach((chunk) => Effect.sync(() => chunks.push(chunk)))
  )
  const bytes = Buffer.concat(chunks)
  return { text: bytes.subarray(0, maxBytes).toString("utf8"), complete: size <= maxBytes }
})

/** Everything an exchange needs, fixed when the service is made. */
interface Wire {
  readonly client: HttpClient.HttpClient
  readonly options: ApiServerOptions
  readonly timeout: Duration.Duration
  /** Scheme, host and port: what messages may name of the server URL. */
  readonly origin: string
}

const circumstances = (wire: Wire, headers: RequestHeaders): Effect.Effect<Circumstances> =>
  Effect.map(Clock.currentTimeMillis, (now) => ({ now, server: wire.origin, secrets: secretsOf(headers) }))

const requestOf = (wire: Wire, call: Call, headers: RequestHeaders): HttpClientRequest.HttpClientRequest => {
  const request = HttpClientRequest.make(call.method)(`${wire.options.server}${call.path}`, {
    headers: { ...headers, accept: "application/json", "user-agent": `cloudkit-operator/${wire.options.version}` },
    ...(call.query === undefined ? {} : { urlParams: call.query })
  })
  return call.body === undefined
    ? request
    : HttpClientRequest.bodyText(request, JSON.stringify(call.body.json), call.body.contentType)
}

const heldBack = new Unreachable({ code: HELD_BACK, message: "this replica does not lead, and so writes nothing" })

const counted = ({ method }: Call, exit: Exit.Exit<HttpClientResponse.HttpClientResponse, unknown>) =>
  kubernetesMetrics.requests.add({ method, code: Exit.isSuccess(exit) ? String(exit.value.status) : "<error>" })

/** Sends, and lets only a success through. Client spans cost more than the request itself, so there are none. */
const send = Effect.fnUntraced(function* (wire: Wire, call: Call, headers: RequestHeaders) {
  const silence = (error: unknown) =>
    Effect.flatMap(circumstances(wire, headers), (known) => Effect.fail(reasonOfSilence(error, known)))
  const isClear = yield* Clearance
  if (call.method !== "GET" && !isClear()) return yield* heldBack
  const response = yield* wire.client.execute(requestOf(wire, call, headers)).pipe(
    Effect.onExit((exit) => counted(call, exit)),
    Effect.catch(silence),
    Effect.provideService(HttpClient.TracerDisabledWhen, () => true)
  )
  if (response.status >= 200 && response.status < 300) return response
  const { text } = yield* Effect.catch(readText(response, MAX_REFUSAL_BYTES), silence)
  const refusal: Refusal = {
    status: response.status,
    contentType: response.headers["content-type"] ?? "",
    body: text,
    retryAfter: Option.fromNullishOr(response.headers["retry-after"]),
    location: Option.fromNullishOr(response.headers.location)
  }
  return yield* reasonOfRefusal(refusal, yield* circumstances(wire, headers))
})

type Use<A> = (
  response: HttpClientResponse.HttpClientResponse,
  known: Circumstances
) => Effect.Effect<A, KubernetesReason>

/** A success is JSON within its bounds, or it is none. */
const readJson = Effect.fnUntraced(function* (
  maxBytes: number,
  response: HttpClientResponse.HttpClientResponse,
  known: Circumstances
) {
  const { status, headers } = response
  const failure = (message: string) =>
    new ServerFailure({ status, message: presentable(message, known.secrets), retryAfter: Option.none() })
  const { text, complete } = yield* Effect.mapError(readText(response, maxBytes), (error) =>
    reasonOfSilence(error, known)
  )
  if (!complete) return yield* failure(`the answer is larger than ${maxBytes} bytes, the most that is read`)
  const contentType = headers["content-type"] ?? ""
  if (!isJson(contentType)) {
    const found = describeBody(contentType, text)
    return yield* failure(
      `${known.server} answered ${status} with ${found}. Is the server URL right, or is a proxy between?`
    )
  }
  return yield* Effect.try({
    try: (): Schema.Json => JSON.parse(text),
    // The parser's own message quotes the text, which may be confidential.
    catch: () => failure(`${known.server} answered ${status} with JSON that does not parse`)
  })
})

/** A page of HTML has no lines worth waiting for: it is read at once, to say what it is. */
const openStream = Effect.fnUntraced(function* (response: HttpClientResponse.HttpClientResponse, known: Circumstances) {
  if (!isJson(response.headers["content-type"] ?? "")) yield* readJson(MAX_REFUSAL_BYTES, response, known)
  const bytes = Stream.mapError(response.stream, (error) => reasonOfSilence(error, known))
  return { bytes, circumstances: known }
})

/** `use` on a successful answer; a read gets a second chance when its credential turned stale. */
const exchange = <A>(wire: Wire, call: Call, use: Use<A>): Effect.Effect<A, KubernetesError> => {
  // A credential that cannot be had is as good as a refused one: nobody is asked without it.
  const current = Effect.mapError(
    wire.options.headers.current,
    (error) => new Unauthorized({ message: presentable(error.message, []) })
  )
  const attempt = Effect.fnUntraced(function* (headers: RequestHeaders) {
    return yield* use(yield* send(wire, call, headers), yield* circumstances(wire, headers))
  })
  const again = (refused: Unauthorized, headers: RequestHeaders) =>
    Effect.andThen(
      wire.options.headers.drop(headers),
      call.method === "GET" ? Effect.flatMap(current, attempt) : Effect.fail(refused)
    )
  return current.pipe(
    Effect.flatMap((headers) =>
      Effect.catchTag(attempt(headers), "Unauthorized", (refused) => again(refused, headers))
    ),
    Effect.timeoutOrElse({
      duration: wire.timeout,
      orElse: () => Effect.fail(timedOut(wire.origin, Duration.toMillis(wire.timeout)))
    }),
    Effect.mapError((reason) => new KubernetesError({ operation: call.operation, reason }))
  )
}

/** Writes are shown in traces; reads are many, and lists and watches are not part of a pass. */
const traced = <A, E>({ method, operation }: Call, call: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  method === "GET"
    ? call
    : call.pipe(
        Effect.withSpan(
          `kubernetes ${method}`,
          { kind: "client", attributes: { "http.request.method": method, operation } },
          { captureStackTrace: false }
        )
      )

export class ApiServer extends Context.Service<ApiServer, Shape>()("cloudkit-operator/adapters/kubernetes/ApiServer") {
  /** Over whatever `HttpClient` is there. */
  static readonly make = (options: ApiServerOptions): Effect.Effect<Shape, never, HttpClient.HttpClient> =>
    Effect.map(HttpClient.HttpClient, (client) => {
      const wire: Wire = {
        client,
        options,
        timeout: Duration.fromInputUnsafe(options.requestTimeout ?? "30 seconds"),
        origin: URL.parse(options.server)?.origin ?? "the API server"
      }
      return {
        call: (call) =>
          traced(
            call,
            exchange(wire, call, (response, known) => readJson(call.maxBytes, response, known))
          ),
        open: (call) => exchange(wire, call, openStream)
      }
    })

  /** The API server that the environment names, over one pool of connections. */
  static readonly layer = (
    options: CredentialsOptions & {
      readonly version: string
      readonly requestTimeout?: Duration.Input
      readonly proxy: FindProxy
    }
  ): Layer.Layer<ApiServer, CredentialsError> =>
    Layer.effect(
      ApiServer,
      Effect.gen(function* () {
        const credentials = yield* loadCredentials(options)
        const connection = yield* makeConnection(credentials, options.proxy)
        return yield* ApiServer.make({ ...options, server: credentials.server, headers: connection.headers }).pipe(
          Effect.provideService(HttpClient.HttpClient, connection.client)
        )
      })
    )
}
