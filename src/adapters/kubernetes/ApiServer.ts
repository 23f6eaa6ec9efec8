/**
 * One exchange with the API server: JSON in, JSON out, every failure a typed reason.
 *
 * Bounded in time and in size. A read that meets a 401 is repeated once with a credential read anew; nothing else is ever
 * repeated here, a write least of all. A write without clearance does not leave. No message shows a credential.
 */
import { Clock, Context, Duration, Effect, Exit, Layer, Option, type Schema, Stream } from "effect"
import { HttpClient, type HttpClientError, HttpClientRequest, type HttpClientResponse } from "effect/http"
import { AnswerLimit, tooLarge } from "../../ports/AnswerLimit.ts"
import { Clearance, HELD_BACK } from "../../ports/Clearance.ts"
import {
  KubernetesError,
  type KubernetesReason,
  ServerFailure,
  Unauthorized,
  Unreachable
} from "../../ports/KubernetesClient.ts"
import { kubernetesMetrics } from "../../telemetry/Metrics.ts"
import { type Http, makeConnection } from "./Connection.ts"
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

export interface Question {
  /** For error messages: verb and object. */
  readonly operation: string
  readonly method: "GET" | "POST" | "PUT" | "PATCH"
  /** From the root of the API server, its segments encoded: `/apis/…`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: { readonly contentType: string; readonly json: Schema.Json }
}

export interface Call extends Question {
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
  /** A streamed answer: the opening is bounded in time; what follows is bounded by its reader. */
  readonly open: (question: Question) => Effect.Effect<OpenStream, KubernetesError>
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

/** The beginning of an answer that is too large is enough to say what it is; the rest is left unread and the connection closed. */
const readSome = Effect.fnUntraced(function* (response: HttpClientResponse.HttpClientResponse) {
  const chunks: Array<Uint8Array> = []
  let size = 0
  yield* response.stream.pipe(
    Stream.takeUntil((chunk) => {
      size += chunk.byteLength
      return size > MAX_REFUSAL_BYTES
    }),
    Stream.runForEach((chunk) => Effect.sync(() => chunks.push(chunk)))
  )
  return Buffer.concat(chunks).subarray(0, MAX_REFUSAL_BYTES).toString("utf8")
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

const requestOf = (wire: Wire, call: Question, headers: RequestHeaders): HttpClientRequest.HttpClientRequest => {
  const request = HttpClientRequest.make(call.method)(`${wire.options.server}${call.path}`, {
    headers: { ...headers, accept: "application/json", "user-agent": `cloudkit-operator/${wire.options.version}` },
    ...(call.query === undefined ? {} : { urlParams: call.query })
  })
  return call.body === undefined
    ? request
    : HttpClientRequest.bodyText(request, JSON.stringify(call.body.json), call.body.contentType)
}

const heldBack = new Unreachable({ code: HELD_BACK, message: "this replica does not lead, and so writes nothing" })

const counted = ({ method }: Question, exit: Exit.Exit<HttpClientResponse.HttpClientResponse, unknown>) =>
  kubernetesMetrics.requests.add({ method, code: Exit.isSuccess(exit) ? String(exit.value.status) : "<error>" })

/** Sends, and lets only a success through. Client spans cost more than the request itself, so there are none. */
const send = Effect.fnUntraced(function* (wire: Wire, call: Question, headers: RequestHeaders) {
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
  const text = yield* Effect.catch(readSome(response), silence)
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

const failureOf = ({ status }: HttpClientResponse.HttpClientResponse, known: Circumstances, message: string) =>
  new ServerFailure({ status, message: presentable(message, known.secrets), retryAfter: Option.none() })

/** Something that is no API server, or stands before it, answered. */
const notJson = (response: HttpClientResponse.HttpClientResponse, text: string, known: Circumstances) => {
  const found = describeBody(response.headers["content-type"] ?? "", text)
  const question = "Is the server URL right, or is a proxy between?"
  return failureOf(response, known, `${known.server} answered ${response.status} with ${found}. ${question}`)
}

/** A success is JSON within its bounds, or it is none. */
const readJson = Effect.fnUntraced(function* (response: HttpClientResponse.HttpClientResponse, known: Circumstances) {
  const text = yield* Effect.mapError(response.text, (error) =>
    Option.match(tooLarge(error), {
      onNone: () => reasonOfSilence(error, known),
      onSome: ({ message }) => failureOf(response, known, message)
    })
  )
  if (!isJson(response.headers["content-type"] ?? "")) return yield* notJson(response, text, known)
  return yield* Effect.try({
    try: (): Schema.Json => JSON.parse(text),
    // The parser's own message quotes the text, which may be confidential.
    catch: () => failureOf(response, known, `${known.server} answered ${response.status} with JSON that does not parse`)
  })
})

/** A page of HTML has no lines worth waiting for: it is read at once, to say what it is. */
const openStream = Effect.fnUntraced(function* (response: HttpClientResponse.HttpClientResponse, known: Circumstances) {
  const silence = (error: HttpClientError.HttpClientError) => reasonOfSilence(error, known)
  if (!isJson(response.headers["content-type"] ?? "")) {
    return yield* notJson(response, yield* Effect.mapError(readSome(response), silence), known)
  }
  return { bytes: Stream.mapError(response.stream, silence), circumstances: known }
})

/** `use` on a successful answer; a read gets a second chance when its credential turned stale. */
const exchange = <A>(wire: Wire, call: Question, use: Use<A>): Effect.Effect<A, KubernetesError> => {
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
const traced = <A, E>({ method, operation }: Question, call: Effect.Effect<A, E>): Effect.Effect<A, E> =>
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
        call: (call) => traced(call, Effect.provideService(exchange(wire, call, readJson), AnswerLimit, call.maxBytes)),
        open: (question) => exchange(wire, question, openStream)
      }
    })

  /** The API server that the environment names, over one pool of connections. */
  static readonly layer = (
    options: CredentialsOptions & {
      readonly version: string
      readonly requestTimeout?: Duration.Input
      readonly http: Http
    }
  ): Layer.Layer<ApiServer, CredentialsError> =>
    Layer.effect(
      ApiServer,
      Effect.gen(function* () {
        const credentials = yield* loadCredentials(options)
        const connection = yield* makeConnection(credentials, options.http)
        return yield* ApiServer.make({ ...options, server: credentials.server, headers: connection.headers }).pipe(
          Effect.provideService(HttpClient.HttpClient, connection.client)
        )
      })
    )
}
