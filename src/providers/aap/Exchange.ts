/**
 * One request to AAP and its answer, whatever the answer's status.
 *
 * Guarantees: sent once; over within the request timeout, the answer's body included; at most `LARGEST` bytes are read;
 * the token is asked for anew, goes to the configured host only, and appears in no log, message or cause.
 */
import { Clock, Duration, Effect, Exit, Option, Redacted, type Schema } from "effect"
import { HttpClient, HttpClientRequest, type HttpClientResponse } from "effect/http"
import { AnswerLimit, tooLarge } from "../../ports/AnswerLimit.ts"
import { Unanswered } from "../../ports/Unanswered.ts"
import { aapMetrics } from "../../telemetry/Metrics.ts"
import { type AapError, Timeout, TooLarge } from "./AapError.ts"
import type { AapSettingsShape } from "./AapSettings.ts"
import * as BaseUrl from "./BaseUrl.ts"
import { type Answer, fromAnswer, fromTransport } from "./ErrorTranslation.ts"
import { plain, without } from "./PlainText.ts"

export interface Call {
  /** As in the metrics. */
  readonly operation: string
  readonly method: "GET" | "POST"
  /** Below the API's prefix, without slashes at its ends: `jobs/7/cancel`. */
  readonly resource: string
  readonly query?: ReadonlyArray<readonly [string, string]>
  readonly body?: Schema.Json
}

const isSuccess = (status: number): boolean => status >= 200 && status < 300

/** 200 jobs with the largest payload a resource may have are below this. */
const LARGEST = 64 * 1_048_576

/** A success that says where to find what it made is one without its body, too. */
const readBody = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<string, AapError> => {
  const { headers, status } = response
  const suffices = isSuccess(status) && (headers.location ?? "") !== ""
  return Effect.catch(response.text, (error) => {
    if (suffices) return Effect.succeed("")
    return Effect.fail(
      Option.isSome(tooLarge(error)) ? new TooLarge({ limit: LARGEST }) : fromTransport(new Unanswered(error))
    )
  })
}

/** AAP, or what stands before it, may repeat in its answer what it was sent. */
const redacted = (answer: Answer, token: string): Answer => ({
  status: answer.status,
  headers: Object.fromEntries(
    Object.entries(answer.headers).map(([name, value]) => [name, value === undefined ? value : without(token, value)])
  ),
  body: without(token, answer.body)
})

const logged = (call: Call) => {
  const fields = { method: call.method, path: call.resource }
  return {
    answer: (answer: Answer) => {
      const said = { ...fields, status: answer.status, requestId: plain(answer.headers["x-api-request-id"] ?? "", 100) }
      // reads are many, and say nothing that the job's own lines do not
      if (isSuccess(answer.status))
        return (call.method === "GET" ? Effect.logDebug : Effect.logInfo)("AAP answered", said)
      return answer.status === 404 || answer.status === 405
        ? Effect.logInfo("AAP refused a request", said)
        : Effect.logWarning("AAP refused a request", said)
    },
    failure: (error: AapError) =>
      Effect.logWarning("AAP did not answer a request", {
        ...fields,
        error: error._tag,
        ...("code" in error ? { code: error.code } : {})
      })
  }
}

/** Counts the request by its answer, and how long that took. */
const measured = Effect.fnUntraced(function* (call: Call, send: Effect.Effect<Answer, AapError>) {
  const { operation } = call
  const begun = yield* Clock.monotonicTimeNanos
  return yield* Effect.onExit(
    send,
    Effect.fnUntraced(function* (exit) {
      const took = Number((yield* Clock.monotonicTimeNanos) - begun) / 1_000_000_000
      yield* aapMetrics.requests.add({ operation, code: Exit.isSuccess(exit) ? String(exit.value.status) : "<error>" })
      yield* aapMetrics.duration.observe({ operation }, took)
    })
  )
})

/** Shows the request in traces: what was asked for and how it was answered, nothing of what was sent. */
const traced =
  ({ method, operation, resource }: Call) =>
  (answer: Effect.Effect<Answer, AapError>): Effect.Effect<Answer, AapError> =>
    answer.pipe(
      Effect.tap(({ status }) => Effect.annotateCurrentSpan("http.response.status_code", status)),
      Effect.withSpan(
        `aap ${operation}`,
        { kind: "client", attributes: { "http.request.method": method, "url.path": resource } },
        { captureStackTrace: false }
      )
    )

/** The client's own spans would show addresses and headers, and cost more than the request. */
const untraced = Effect.provideService(HttpClient.TracerDisabledWhen, () => true)

const requestOf = (base: BaseUrl.BaseUrl, call: Call, token: string): HttpClientRequest.HttpClientRequest => {
  const request = HttpClientRequest.make(call.method)(BaseUrl.at(base, call.resource, call.query)).pipe(
    HttpClientRequest.setHeaders({
      accept: "application/json",
      authorization: `Bearer ${token}`,
      "user-agent": "cloudkit-operator"
    })
  )
  return call.body === undefined
    ? request
    : HttpClientRequest.bodyText(request, JSON.stringify(call.body), "application/json")
}

export const make = (settings: AapSettingsShape, base: BaseUrl.BaseUrl, http: HttpClient.HttpClient) => {
  const late = new Timeout({ detail: `no answer within ${Duration.format(settings.requestTimeout)}` })

  const send = Effect.fnUntraced(function* (call: Call): Effect.fn.Return<Answer, AapError> {
    const token = Redacted.value(yield* settings.token)
    const exchanged = Effect.gen(function* () {
      const response = yield* Effect.mapError(untraced(http.execute(requestOf(base, call, token))), fromTransport)
      return { status: response.status, headers: { ...response.headers }, body: yield* readBody(response) }
    })
    const answer = yield* exchanged.pipe(
      Effect.provideService(AnswerLimit, LARGEST),
      Effect.timeoutOrElse({ duration: settings.requestTimeout, orElse: () => Effect.fail(late) })
    )
    return redacted(answer, token)
  })

  /** The answer, whatever its status. */
  const answer = (call: Call): Effect.Effect<Answer, AapError> => {
    const log = logged(call)
    return measured(call, send(call)).pipe(Effect.tap(log.answer), Effect.tapError(log.failure), traced(call))
  }

  /** The answer to a request that succeeded. */
  const success = Effect.fnUntraced(function* (call: Call): Effect.fn.Return<Answer, AapError> {
    const got = yield* answer(call)
    if (!isSuccess(got.status)) return yield* fromAnswer(got, yield* Clock.currentTimeMillis)
    return got
  })

  return { success }
}
