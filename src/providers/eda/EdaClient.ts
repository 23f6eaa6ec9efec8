/**
 * An EDA webhook as far as the operator uses it: one POST of one JSON body, and whether it was accepted.
 *
 * Guarantees: sent once and never repeated; over within ten seconds; a body that the receiver would refuse for its size
 * does not leave; redirects are never followed; the token is asked for anew, goes to the configured address only, and
 * appears in no log, message or cause, and neither do user name, password and query of the address.
 */
import { Clock, Context, Duration, Effect, Layer, Option, Redacted, type Schema, Stream } from "effect"
import { HttpClient, HttpClientRequest, type HttpClientResponse } from "effect/http"
import { edaMetrics } from "../../telemetry/Metrics.ts"
import { BodyTooLarge, type EdaError, Timeout } from "./EdaError.ts"
import { EdaSettings, type EdaSettingsShape } from "./EdaSettings.ts"
import { type Answer, fromAnswer, fromTransport } from "./ErrorTranslation.ts"

const REQUEST_TIMEOUT = Duration.seconds(10)

/** Bytes of UTF-8. The receiver takes this many, and not one more. */
const LARGEST_BODY = 1_048_576

/** An answer is the path, or a short complaint. Whatever is longer is a page, of which only the title matters. */
const ENOUGH = 65_536

/** The address as it may be shown: host and path. */
export const placeOf = (webhook: string): string => {
  const url = URL.parse(webhook)
  return url === null ? "an invalid address" : `${url.host}${url.pathname}`
}

/** What must not be shown although a receiver may repeat it. */
const secretsOf = (webhook: string, token: string): ReadonlyArray<string> => {
  const url = URL.parse(webhook)
  const own = url === null ? [] : [url.username, url.password, url.search.slice(1)]
  return [token, ...own, ...own.map(decoded)].filter((secret) => secret !== "")
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return ""
  }
}

const without = (secrets: ReadonlyArray<string>, text: string): string =>
  secrets.reduce((cleaned, secret) => cleaned.replaceAll(secret, "[redacted]"), text)

const requestOf = (webhook: string, body: Uint8Array, token: string) =>
  HttpClientRequest.post(webhook).pipe(
    HttpClientRequest.setHeaders({
      "user-agent": "cloudkit-operator",
      ...(token === "" ? {} : { authorization: `Bearer ${token}` })
    }),
    HttpClientRequest.bodyUint8Array(body, "application/json")
  )

/** The beginning of the body, or as much of it as came. Whether the call was accepted does not depend on it. */
const readSome = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<string> =>
  Effect.suspend(() => {
    let size = 0
    let text = ""
    return response.stream.pipe(
      Stream.takeUntil((chunk) => {
        size += chunk.byteLength
        return size >= ENOUGH
      }),
      Stream.decodeText,
      Stream.runForEach((chunk) =>
        Effect.sync(() => {
          text += chunk
        })
      ),
      Effect.ignore,
      Effect.map(() => text.slice(0, ENOUGH))
    )
  })

const logged = (webhook: string) => ({
  answer: ({ status }: Answer) =>
    status >= 200 && status < 300
      ? Effect.logDebug("the EDA webhook accepted a request", { webhook: placeOf(webhook), status })
      : Effect.logWarning("the EDA webhook refused a request", { webhook: placeOf(webhook), status }),
  failure: (error: EdaError) =>
    Effect.logWarning("the EDA webhook did not answer a request", {
      webhook: placeOf(webhook),
      error: error._tag,
      ...("code" in error ? { code: error.code } : {})
    })
})

/** The client's own spans would show the whole address, in which there may be a secret. */
const untraced = Effect.provideService(HttpClient.TracerDisabledWhen, () => true)

/** One exchange within the time there is. The head of an answer decides; a body that does not come in time is left. */
const exchange = (http: HttpClient.HttpClient, request: HttpClientRequest.HttpClientRequest) =>
  Effect.suspend(() => {
    let head: Answer | undefined
    const exchanged = Effect.gen(function* () {
      const response = yield* Effect.mapError(untraced(http.execute(request)), fromTransport)
      head = { status: response.status, headers: { ...response.headers }, body: "" }
      return { ...head, body: yield* readSome(response) }
    })
    return Effect.timeoutOrElse(exchanged, {
      duration: REQUEST_TIMEOUT,
      orElse: (): Effect.Effect<Answer, EdaError> =>
        head === undefined
          ? Effect.fail(new Timeout({ detail: `no answer within ${Duration.format(REQUEST_TIMEOUT)}` }))
          : Effect.succeed(head)
    })
  })

const encoder = new TextEncoder()

const makePost = (settings: EdaSettingsShape, http: HttpClient.HttpClient) => {
  const currentToken = Option.match(settings.token, {
    onNone: () => Effect.succeed(""),
    onSome: Effect.map((token) => Redacted.value(token))
  })

  return Effect.fnUntraced(function* (
    webhook: string,
    body: { readonly [key: string]: Schema.Json }
  ): Effect.fn.Return<void, EdaError> {
    const bytes = encoder.encode(JSON.stringify(body))
    if (bytes.byteLength > LARGEST_BODY) return yield* new BodyTooLarge({ limit: LARGEST_BODY })
    const token = yield* currentToken
    const log = logged(webhook)
    const answer = yield* exchange(http, requestOf(webhook, bytes, token)).pipe(
      Effect.tap(({ status }) => edaMetrics.requests.add({ code: String(status) })),
      Effect.tapError(() => edaMetrics.requests.add({ code: "<error>" })),
      Effect.withSpan(
        "eda webhook",
        { kind: "client", attributes: { "http.request.method": "POST" } },
        { captureStackTrace: false }
      ),
      Effect.tap(log.answer),
      Effect.tapError(log.failure)
    )
    if (answer.status >= 200 && answer.status < 300) return
    const secrets = secretsOf(webhook, token)
    const location = answer.headers.location
    return yield* fromAnswer(
      {
        status: answer.status,
        headers: { ...answer.headers, ...(location === undefined ? {} : { location: without(secrets, location) }) },
        body: without(secrets, answer.body)
      },
      yield* Clock.currentTimeMillis
    )
  })
}

export class EdaClient extends Context.Service<
  EdaClient,
  {
    /** Sends the body to the webhook, once, and succeeds when it was accepted. */
    readonly post: ReturnType<typeof makePost>
  }
>()("cloudkit-operator/providers/eda/EdaClient") {
  static readonly layer = Layer.effect(
    EdaClient,
    Effect.gen(function* () {
      return EdaClient.of({ post: makePost(yield* EdaSettings, yield* HttpClient.HttpClient) })
    })
  )
}
