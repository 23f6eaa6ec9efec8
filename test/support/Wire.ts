/**
 * The wire of the simulators: one handler of HTTP exchanges, served either on a loopback port or as an in-process
 * `HttpClient` whose every wait is an Effect, so that a whole cluster and a whole AAP live in virtual time.
 *
 * A handler never throws. What a real network does to a connection is a typed failure, `ConnectionLost`.
 */
import { createServer } from "node:http"
import { Cause, Data, Effect, Exit, Inspectable, Option, Pipeable, type Schema, type Scope, Stream } from "effect"
import {
  Cookies,
  Headers,
  HttpClient,
  HttpClientError,
  type HttpClientRequest,
  type HttpClientResponse
} from "effect/http"
import * as Response from "effect/http/HttpClientResponse"
import * as IncomingMessage from "effect/http/HttpIncomingMessage"
import { AnswerLimit, AnswerTooLarge } from "../../src/ports/AnswerLimit.ts"
import { listening } from "./loopback.ts"

/** A request as a simulator sees it. Header names are lower case. */
export interface WireRequest {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** An answer. A string body is sent whole; a stream is sent as it comes (a watch). */
export interface WireResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Stream.Stream<string, ConnectionLost>
}

/**
 * The connection ended without an answer. `code` is the one Node reports: `ECONNRESET`, `ECONNREFUSED`, `ENOTFOUND`,
 * `CERT_HAS_EXPIRED`, … A handler fails with it before or after it changed its state: that is what makes a launch ambiguous.
 */
export class ConnectionLost extends Data.TaggedError("ConnectionLost")<{ readonly code: string }> {}

export type WireHandler = (request: WireRequest) => Effect.Effect<WireResponse, ConnectionLost>

export const json = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): WireResponse => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(body)
})

export const text = (status: number, body: string, contentType = "text/plain; charset=utf-8"): WireResponse => ({
  status,
  headers: { "content-type": contentType },
  body
})

// ── in process ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Node's own error shape, so that code which looks at `cause.code` is tested with what it will meet. */
const socketError = (code: string): Error => Object.assign(new Error(`socket error ${code}`), { code })

class WireClientResponse extends Pipeable.Class implements HttpClientResponse.HttpClientResponse {
  readonly [IncomingMessage.TypeId]: typeof IncomingMessage.TypeId = IncomingMessage.TypeId
  readonly [Response.TypeId]: typeof Response.TypeId = Response.TypeId
  readonly remoteAddress = Option.none<string>()
  readonly cookies = Cookies.empty
  readonly request: HttpClientRequest.HttpClientRequest
  readonly url: string
  readonly source: WireResponse
  /** The most bytes of the body that are read. */
  readonly limit: number

  constructor(request: HttpClientRequest.HttpClientRequest, url: string, source: WireResponse, limit: number) {
    super()
    this.limit = limit
    this.request = request
    this.url = url
    this.source = source
  }

  get status(): number {
    return this.source.status
  }
  get headers(): Headers.Headers {
    return Headers.fromInput(this.source.headers)
  }
  toJSON(): unknown {
    return { _id: "WireClientResponse", status: this.status, url: this.url }
  }
  override toString(): string {
    return JSON.stringify(this.toJSON())
  }
  [Inspectable.NodeInspectSymbol](): unknown {
    return this.toJSON()
  }
  private readonly decodeError = (cause: unknown) =>
    new HttpClientError.HttpClientError({
      reason: new HttpClientError.DecodeError({ request: this.request, response: this, cause })
    })
  get stream(): Stream.Stream<Uint8Array, HttpClientError.HttpClientError> {
    const body = this.source.body
    let size = 0
    return (typeof body === "string" ? Stream.make(body) : body).pipe(
      Stream.mapError((lost) => this.decodeError(socketError(lost.code))),
      Stream.encodeText,
      Stream.mapEffect((chunk) => {
        size += chunk.byteLength
        return size > this.limit ? Effect.fail(this.decodeError(new AnswerTooLarge(this.limit))) : Effect.succeed(chunk)
      })
    )
  }
  get text(): Effect.Effect<string, HttpClientError.HttpClientError> {
    return Stream.mkString(Stream.decodeText(this.stream))
  }
  get json(): Effect.Effect<Schema.Json, HttpClientError.HttpClientError> {
    return Effect.flatMap(this.text, (body) =>
      Effect.try({ try: (): Schema.Json => (body === "" ? null : JSON.parse(body)), catch: this.decodeError })
    )
  }
  get arrayBuffer(): Effect.Effect<ArrayBuffer, HttpClientError.HttpClientError> {
    return Effect.map(this.text, (body) => {
      const bytes = new TextEncoder().encode(body)
      const copy = new ArrayBuffer(bytes.byteLength)
      new Uint8Array(copy).set(bytes)
      return copy
    })
  }
  get urlParamsBody(): Effect.Effect<never> {
    return Effect.die(new Error("the simulated wire has no form bodies"))
  }
  get formData(): Effect.Effect<never> {
    return Effect.die(new Error("the simulated wire has no form bodies"))
  }
  get upgrade(): Effect.Effect<never> {
    return Effect.die(new Error("the simulated wire has no upgrades"))
  }
}

const bodyText = (request: HttpClientRequest.HttpClientRequest): string => {
  const body = request.body
  switch (body._tag) {
    case "Empty":
      return ""
    case "Uint8Array":
      return new TextDecoder().decode(body.body)
    case "Raw":
      return String(body.body)
    default:
      throw new Error(`the simulated wire does not carry ${body._tag} request bodies`)
  }
}

/** A handler as an `HttpClient`: no sockets, no promises, every wait on the current `Clock`. */
export const inProcess = (handler: WireHandler): HttpClient.HttpClient =>
  HttpClient.make((request, url, _, fiber) =>
    handler({
      method: request.method,
      url,
      headers: Object.fromEntries([
        ...Object.entries(request.headers),
        ...("contentType" in request.body &&
        request.body.contentType !== undefined &&
        request.headers["content-type"] === undefined
          ? [["content-type", request.body.contentType]]
          : [])
      ]),
      body: bodyText(request)
    }).pipe(
      Effect.mapError(
        (lost) =>
          new HttpClientError.HttpClientError({
            reason: new HttpClientError.TransportError({ request, cause: socketError(lost.code) })
          })
      ),
      Effect.map((response) => new WireClientResponse(request, url.href, response, fiber.getRef(AnswerLimit)))
    )
  )

/** Several handlers behind one in-process client, told apart by origin (`http://aap.test`, `https://kubernetes.test`). */
export const byOrigin =
  (handlers: Readonly<Record<string, WireHandler>>): WireHandler =>
  (request) => {
    const handler = handlers[request.url.origin]
    return handler === undefined ? Effect.fail(new ConnectionLost({ code: "ENOTFOUND" })) : handler(request)
  }

// ── on a loopback port ───────────────────────────────────────────────────────────────────────────────────────────────

/** Go's server, and so Kubernetes', states the size of an answer only while that is below this. */
export const GO_STATES_SIZE_BELOW = 2048

/** nginx keeps an idle connection for so long, Go's server longer; Node's own five seconds would race with its next request. */
const KEEP_ALIVE_MILLIS = 75_000

/** Serves the handler on a free port of 127.0.0.1 until the scope closes; the URL has no trailing slash. */
export const serve = (
  handler: WireHandler,
  statesSizeBelow = Number.POSITIVE_INFINITY
): Effect.Effect<{ readonly url: string; readonly port: number }, never, Scope.Scope> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<never>()
    const statedSize = (method: string | undefined, body: string): Readonly<Record<string, string>> => {
      const size = Buffer.byteLength(body)
      return method === "HEAD" || size === 0 || size >= statesSizeBelow ? {} : { "content-length": String(size) }
    }
    const server = createServer((incoming, outgoing) => {
      const chunks: Array<Buffer> = []
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk))
      incoming.on("end", () => {
        const headers: Record<string, string> = {}
        for (const [name, value] of Object.entries(incoming.headers)) {
          if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value
        }
        const answer = handler({
          method: incoming.method ?? "GET",
          url: new URL(`http://${incoming.headers.host ?? "127.0.0.1"}${incoming.url ?? "/"}`),
          headers,
          body: Buffer.concat(chunks).toString("utf8")
        }).pipe(
          Effect.flatMap((response) => {
            if (typeof response.body === "string") {
              outgoing.writeHead(response.status, {
                ...statedSize(incoming.method, response.body),
                ...response.headers
              })
              return Effect.sync(() => outgoing.end(response.body))
            }
            outgoing.writeHead(response.status, response.headers)
            outgoing.flushHeaders()
            return Effect.andThen(
              Stream.runForEach(response.body, (line) => Effect.sync(() => outgoing.write(line))),
              Effect.sync(() => outgoing.end())
            )
          })
        )
        const fiber = Effect.runForkWith(context)(answer)
        outgoing.on("close", () => fiber.interruptUnsafe())
        fiber.addObserver((exit) => {
          if (Exit.isSuccess(exit)) return
          if (Cause.hasDies(exit.cause)) process.stderr.write(`simulator defect: ${Cause.pretty(exit.cause)}\n`)
          incoming.socket.resetAndDestroy()
        })
      })
    })
    server.keepAliveTimeout = KEEP_ALIVE_MILLIS
    const port = yield* listening(server)
    return { url: `http://127.0.0.1:${port}`, port }
  })
