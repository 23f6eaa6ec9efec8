/** What a webhook, the things in front of it and the network answer, and what the operator makes of it. */
import { assert, describe, it } from "@effect/vitest"
import { Unanswered } from "../../../src/ports/Unanswered.ts"
import type { EdaError } from "../../../src/providers/eda/EdaError.ts"
import { type Answer, fromAnswer, fromTransport } from "../../../src/providers/eda/ErrorTranslation.ts"
import { toProviderError } from "../../../src/providers/eda/ProviderErrors.ts"

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5)

const answer = (status: number, body = "", headers: Answer["headers"] = {}): Answer => ({ status, headers, body })

/** As the condition of a launch tells it. */
const told = (error: EdaError) => {
  const { reason, message, applied, retryAfter } = toProviderError("provision")(error)
  return { tag: error._tag, reason, message, applied, ...(retryAfter === undefined ? {} : { retryAfter }) }
}
const answered = (...given: Parameters<typeof answer>) => told(fromAnswer(answer(...given), NOW))

/** What is answered, and what the condition then says. */
const refusals = [
  [
    "BadRequest for 400, with the receiver's words",
    answer(400, "Invalid JSON payload"),
    "BadRequest",
    "LaunchRefused",
    "The EDA webhook refuses the request (400 Bad Request): Invalid JSON payload"
  ],
  [
    "BadRequest for the 400 of an event stream that does not exist",
    answer(400, '{"detail":"bad uuid specified"}'),
    "BadRequest",
    "LaunchRefused",
    "The EDA webhook refuses the request (400 Bad Request): bad uuid specified"
  ],
  [
    "Unauthorized for 401, with what to look at",
    answer(401, "401: Missing authorization token"),
    "Unauthorized",
    "CredentialsRejected",
    "The EDA webhook rejects the token (401 Unauthorized): check CLOUDKIT_EDA_TOKEN_FILE: Missing authorization token"
  ],
  [
    "Forbidden for the 403 of an event stream",
    answer(403, '{"detail":"Token mismatch, check your token"}'),
    "Forbidden",
    "PermissionDenied",
    "The EDA webhook denies the call (403 Forbidden): check CLOUDKIT_EDA_TOKEN_FILE, and what stands in front of the webhook: Token mismatch, check your token"
  ],
  [
    "NotFound for 404, naming the variable",
    answer(404, "<html><head><title>404 Not Found</title></head><body>nginx</body></html>"),
    "NotFound",
    "ProviderMisaddressed",
    "There is no EDA webhook at the address (404 Not Found): correct CLOUDKIT_COMPUTE_INSTANCE_PROVISION_WEBHOOK"
  ],
  [
    "MethodNotAllowed for 405, naming the variable",
    answer(405, "405: Method Not Allowed"),
    "MethodNotAllowed",
    "ProviderMisaddressed",
    "What answers at the address is no EDA webhook (405 Method Not Allowed): correct CLOUDKIT_COMPUTE_INSTANCE_PROVISION_WEBHOOK"
  ],
  [
    "PayloadTooLarge for 413, with what to shorten",
    answer(413, "Maximum request body size 1048576 exceeded."),
    "PayloadTooLarge",
    "LaunchRefused",
    "The resource is larger than the EDA webhook accepts (413 Payload Too Large): shorten spec.templateParameters or the annotations, or raise the limit of the proxy in front of it: Maximum request body size 1048576 exceeded."
  ],
  [
    "ServerFailure for 500, without saying the status twice",
    answer(500, "500 Internal Server Error\n\nServer got itself in trouble"),
    "ServerFailure",
    "ProviderFailure",
    "The EDA webhook failed (500 Internal Server Error): Server got itself in trouble"
  ],
  [
    "Unauthorized for another scheme, whose words are no secret",
    answer(401, "Only Bearer type is accepted"),
    "Unauthorized",
    "CredentialsRejected",
    "The EDA webhook rejects the token (401 Unauthorized): check CLOUDKIT_EDA_TOKEN_FILE: Only Bearer type is accepted"
  ],
  [
    "ServerFailure for the 503 of a route without a receiver behind it",
    answer(503, "<html><body><h1>Application is not available</h1></body></html>"),
    "ServerFailure",
    "ProviderFailure",
    "The EDA webhook failed (503 Service Unavailable)"
  ]
] as const

describe("a refusal, which is sure to have had no effect, becomes", () => {
  for (const [title, given, tag, reason, message] of refusals) {
    it(title, () => assert.deepStrictEqual(told(fromAnswer(given, NOW)), { tag, reason, message, applied: "no" }))
  }
})

describe("a request for patience becomes", () => {
  it("TooManyRequests for 429, with the patience it asks for in seconds", () =>
    assert.deepStrictEqual(answered(429, "slow down", { "retry-after": "17" }), {
      tag: "TooManyRequests",
      reason: "ProviderOverloaded",
      message: "The EDA webhook asks for patience (429 Too Many Requests): slow down",
      applied: "no",
      retryAfter: 17_000
    }))

  it("the same for a date, never negative and never longer than ten minutes", () => {
    const wait = (header: string) => answered(429, "", { "retry-after": header }).retryAfter
    assert.strictEqual(wait("Fri, 02 Jan 2026 03:05:05 GMT"), 60_000)
    assert.strictEqual(wait("Fri, 02 Jan 2026 03:00:00 GMT"), 0)
    assert.strictEqual(wait("86400"), 600_000)
    assert.strictEqual(wait("soon"), undefined)
  })

  it("an overload for 503 with Retry-After", () => {
    const { reason, applied, retryAfter } = answered(503, "", { "retry-after": "5" })
    assert.deepStrictEqual(
      { reason, applied, retryAfter },
      {
        reason: "ProviderOverloaded",
        applied: "no",
        retryAfter: 5_000
      }
    )
  })
})

describe("a redirect is told without the query of where it leads, and", () => {
  const location = "https://login.example.com/start?rd=s3cret#f"
  for (const [status, phrase, applied] of [
    [301, "Moved Permanently", "no"],
    [307, "Temporary Redirect", "no"],
    [308, "Permanent Redirect", "no"],
    [302, "Found", "unknown"],
    [303, "See Other", "unknown"]
  ] as const) {
    it(`${applied === "no" ? "had no effect" : "may follow upon an effect"} for ${status}`, () =>
      assert.deepStrictEqual(answered(status, "", { location }), {
        tag: "Redirected",
        reason: "ProviderMisaddressed",
        message: `The EDA webhook redirects to 'https://login.example.com/start' (${status} ${phrase}), which is not followed: correct CLOUDKIT_COMPUTE_INSTANCE_PROVISION_WEBHOOK`,
        applied
      }))
  }
})

describe("a proxy that lost patience becomes", () => {
  for (const [status, phrase] of [
    [408, "Request Timeout"],
    [504, "Gateway Timeout"]
  ] as const) {
    it(`Timeout for ${status}, as a busy receiver accepts the event later`, () =>
      assert.deepStrictEqual(answered(status, "x"), {
        tag: "Timeout",
        reason: "ProviderUnreachable",
        message: `The EDA webhook did not answer in time, and may have accepted the request: ${status} ${phrase}`,
        applied: "unknown"
      }))
  }
})

describe("silence becomes", () => {
  const socket = (code: string, syscall?: string) =>
    Object.assign(new Error("boom 10.0.0.5:41234"), { code, ...(syscall === undefined ? {} : { syscall }) })
  const lost = (error: unknown) => told(fromTransport(error))

  for (const code of ["ENOTFOUND", "EAI_AGAIN"]) {
    it(`NameNotResolved for ${code}, which sent nothing`, () =>
      assert.deepStrictEqual(lost(socket(code, "getaddrinfo")), {
        tag: "NameNotResolved",
        reason: "ProviderUnreachable",
        message: `The host of the EDA webhook cannot be found (${code}): check DNS and CLOUDKIT_COMPUTE_INSTANCE_PROVISION_WEBHOOK`,
        applied: "no"
      }))
  }

  for (const code of ["ECONNREFUSED", "UND_ERR_CONNECT_TIMEOUT"]) {
    it(`Unreachable for ${code}, which sent nothing`, () =>
      assert.deepStrictEqual(lost({ reason: { cause: socket(code) } }), {
        tag: "Unreachable",
        reason: "ProviderUnreachable",
        message: `The EDA webhook cannot be reached (${code}): check that EDA runs, and CLOUDKIT_COMPUTE_INSTANCE_PROVISION_WEBHOOK`,
        applied: "no"
      }))
  }

  it("Unreachable for what fails while connecting, the first of several addresses tried included", () => {
    assert.strictEqual(lost(new AggregateError([socket("ETIMEDOUT", "connect")])).tag, "Unreachable")
    assert.strictEqual(lost(socket("ETIMEDOUT", "read")).tag, "ConnectionReset")
  })

  for (const code of ["CERT_HAS_EXPIRED", "SELF_SIGNED_CERT_IN_CHAIN", "ERR_TLS_CERT_ALTNAME_INVALID", "EPROTO"]) {
    it(`TlsFailure for ${code}, with the code word for word, which sent nothing`, () =>
      assert.deepStrictEqual(lost(socket(code)), {
        tag: "TlsFailure",
        reason: "ProviderUnreachable",
        message: `TLS to the EDA webhook failed (${code}): check CLOUDKIT_EDA_CA_FILE and the webhook's certificate`,
        applied: "no"
      }))
  }

  for (const code of ["ECONNRESET", "EPIPE", "UND_ERR_SOCKET", "ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC"]) {
    it(`ConnectionReset for ${code}, which may have been accepted`, () =>
      assert.deepStrictEqual(lost(socket(code)), {
        tag: "ConnectionReset",
        reason: "ProviderUnreachable",
        message: `The connection to the EDA webhook was lost (${code}), and it may have accepted the request`,
        applied: "unknown"
      }))
  }

  for (const code of ["EPROTO", "ERR_SSL_WRONG_VERSION_NUMBER", "ENOTFOUND", "ECONNREFUSED"]) {
    it(`ConnectionReset for ${code} once the request was written: it may have been accepted`, () => {
      const { applied, tag } = lost({ reason: { cause: new Unanswered(socket(code, "connect")) } })
      assert.deepStrictEqual([tag, applied], ["ConnectionReset", "unknown"])
    })
  }

  it("ConnectionReset for an error without a code, and keeps the cause where there is one", () => {
    assert.strictEqual(lost(undefined).applied, "unknown")
    const cause = socket("ECONNRESET")
    const error = fromTransport({ reason: { cause } })
    assert.strictEqual(error._tag === "ConnectionReset" ? error.cause : undefined, cause)
  })
})
