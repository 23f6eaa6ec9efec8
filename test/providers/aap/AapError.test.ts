/** What AAP, the things in front of it and the network answer, and what the operator makes of it. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import type { AapError } from "../../../src/providers/aap/AapError.ts"
import { type Answer, fromAnswer, unreadable } from "../../../src/providers/aap/ErrorTranslation.ts"
import { toProviderError } from "../../../src/providers/aap/ProviderErrors.ts"

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5)
const JSON_TYPE = { "content-type": "application/json" }
const HTML_TYPE = { "content-type": "text/html; charset=utf-8" }

const answer = (status: number, body: unknown, headers: Answer["headers"] = JSON_TYPE): Answer => ({
  status,
  headers,
  body: typeof body === "string" ? body : JSON.stringify(body)
})
const html = (status: number, title: string): Answer =>
  answer(status, `<html>\r\n<head><title>${title}</title></head><body><center>nginx</center></body></html>`, HTML_TYPE)

/** As the condition of a launch tells it. */
const told = (error: AapError) => {
  const { reason, message, applied, retryAfter } = toProviderError({
    operation: "launch",
    launch: true,
    template: "create-vm"
  })(error)
  return { tag: error._tag, reason, message, applied, ...(retryAfter === undefined ? {} : { retryAfter }) }
}
const answered = (given: Answer) => told(fromAnswer(given, NOW))

describe("a common refusal of AAP becomes", () => {
  it("Unauthorized for 401, without AAP's misleading text", () =>
    assert.deepStrictEqual(
      answered(
        answer(401, {
          detail: "Authentication credentials were not provided. To establish a login session, visit /api/login/."
        })
      ),
      {
        tag: "Unauthorized",
        reason: "CredentialsRejected",
        message: "AAP rejects the token (401 Unauthorized)",
        applied: "no"
      }
    ))

  it("Forbidden for 403, naming the role that is missing", () =>
    assert.deepStrictEqual(answered(answer(403, { detail: "You do not have permission to perform this action." })), {
      tag: "Forbidden",
      reason: "PermissionDenied",
      message:
        "AAP denies the token's user template 'create-vm' (403 Forbidden): grant it execute, and use a token with write scope: You do not have permission to perform this action.",
      applied: "no"
    }))

  it("NotFound for a 404 in AAP's own JSON", () =>
    assert.deepStrictEqual(answered(answer(404, { detail: "No JobTemplate matches the given query." })), {
      tag: "NotFound",
      reason: "TemplateNotFound",
      message: "Template 'create-vm' not found (404 Not Found): No JobTemplate matches the given query.",
      applied: "no"
    }))

  it("NotTheApi for a 404 that is a page, which had no effect either", () =>
    assert.deepStrictEqual(answered(html(404, "Not Found")), {
      tag: "NotTheApi",
      reason: "ProviderMisaddressed",
      message: `What answers at CLOUDKIT_AAP_URL is not AAP's API: HTML ("Not Found") instead of JSON (404 Not Found)`,
      applied: "no"
    }))

  it("nothing AAP said for a 404 in somebody else's JSON", () =>
    assert.strictEqual(answered(answer(404, { message: "no Route matched with those values" })).tag, "MalformedJson"))

  it("MethodNotAllowed for 405 in AAP's own JSON", () =>
    assert.deepStrictEqual(answered(answer(405, { detail: 'Method "POST" not allowed.' })), {
      tag: "MethodNotAllowed",
      reason: "LaunchRefused",
      message: 'AAP does not allow this now (405 Method Not Allowed): Method "POST" not allowed.',
      applied: "no"
    }))

  it("not MethodNotAllowed for a 405 that is a page", () =>
    assert.strictEqual(answered(html(405, "405 Not Allowed")).tag, "NotTheApi"))
})

describe("a less common refusal of AAP becomes", () => {
  it("Conflict for 409", () =>
    assert.deepStrictEqual(
      answered(
        answer(409, { error: "Resource is being used by running jobs.", active_jobs: [{ id: 5, type: "job" }] })
      ),
      {
        tag: "Conflict",
        reason: "LaunchRefused",
        message:
          "AAP reports a conflict (409 Conflict): Resource is being used by running jobs.; active_jobs: id: 5; type: job",
        applied: "no"
      }
    ))

  it("Gone for 410", () => {
    const { tag, reason, applied } = answered(answer(410, { detail: "This API has been removed." }))
    assert.deepStrictEqual({ tag, reason, applied }, { tag: "Gone", reason: "LaunchRefused", applied: "no" })
  })
})

describe("a request for patience becomes", () => {
  it("TooManyRequests for 429, with the patience it asks for in seconds", () =>
    assert.deepStrictEqual(answered(answer(429, "slow down", { "retry-after": "17", "content-type": "text/plain" })), {
      tag: "TooManyRequests",
      reason: "ProviderOverloaded",
      message: "AAP asks for patience (429 Too Many Requests): slow down",
      applied: "no",
      retryAfter: 17_000
    }))

  it("TooManyRequests with the patience it asks for as a date", () =>
    assert.strictEqual(
      answered(answer(429, "", { "retry-after": "Fri, 02 Jan 2026 03:05:05 GMT" })).retryAfter,
      60_000
    ))

  it("TooManyRequests with at most ten minutes of patience, and none where the header means nothing", () => {
    assert.strictEqual(answered(answer(429, "", { "retry-after": "86400" })).retryAfter, 600_000)
    assert.strictEqual(answered(answer(429, "", { "retry-after": "Thu, 01 Jan 2026 00:00:00 GMT" })).retryAfter, 0)
    assert.isUndefined(answered(answer(429, "", { "retry-after": "soon" })).retryAfter)
  })

  it("Overloaded for AAP's own 503 with Retry-After, which was not applied", () =>
    assert.deepStrictEqual(answered(answer(503, { detail: "Busy." }, { ...JSON_TYPE, "retry-after": "5" })), {
      tag: "Overloaded",
      reason: "ProviderOverloaded",
      message: "AAP asks for patience (503 Service Unavailable): Busy.",
      applied: "no",
      retryAfter: 5_000
    }))
})

describe("a failure of AAP becomes", () => {
  it("ServerFailure for any other 503, which may have been applied", () => {
    assert.deepStrictEqual(answered(html(503, "Application is not available")), {
      tag: "ServerFailure",
      reason: "ProviderFailure",
      message: "AAP failed (503 Service Unavailable): Application is not available",
      applied: "unknown"
    })
    assert.strictEqual(answered(answer(503, { detail: "x" })).applied, "unknown")
    const page = answer(503, "<html></html>", { ...HTML_TYPE, "retry-after": "5" })
    assert.strictEqual(answered(page).applied, "unknown")
  })

  for (const status of [500, 502, 504]) {
    it(`ServerFailure for ${status}, which may have been applied`, () => {
      const { tag, applied } = answered(html(status, "nginx"))
      assert.deepStrictEqual({ tag, applied }, { tag: "ServerFailure", applied: "unknown" })
    })
  }

  it("ServerFailure with the words of the gateway, without addresses and request ids", () =>
    assert.strictEqual(
      answered(
        answer(503, "upstream connect error: 10.1.2.3:41234, request 22172db5c66d4dc3af008e2fc8a8284d\u0000\n", {
          "content-type": "text/plain"
        })
      ).message,
      "AAP failed (503 Service Unavailable): upstream connect error: 10.1.2.3, request …"
    ))

  it("Timeout for 408, which may have been applied", () => {
    const { tag, reason, applied } = answered(answer(408, ""))
    assert.deepStrictEqual(
      { tag, reason, applied },
      { tag: "Timeout", reason: "ProviderUnreachable", applied: "unknown" }
    )
  })
})

describe("a refused request becomes", () => {
  it("BadRequest for 400, with the field errors in words, lists and strings alike", () => {
    assert.strictEqual(
      answered(answer(400, { inventory: ['Invalid pk "9" - object does not exist.'], hosts: "none", __all__: ["No."] }))
        .message,
      'AAP refuses the request (400 Bad Request): inventory: Invalid pk "9" - object does not exist.; hosts: none; No.'
    )
    const { tag, reason, applied } = answered(answer(400, { variables_needed_to_start: ["'n' value missing"] }))
    assert.deepStrictEqual({ tag, reason, applied }, { tag: "BadRequest", reason: "LaunchRefused", applied: "no" })
  })

  it("a template that refuses variables for the 400 a workflow template answers", () =>
    assert.strictEqual(
      answered(
        answer(400, {
          extra_vars: [
            "Variables payload are not allowed on launch. Check the Prompt on Launch setting on the Workflow Job Template to include Extra Variables."
          ]
        })
      ).reason,
      "TemplateRefusesVariables"
    ))

  it("BadRequest for the other 4xx, page or not, which were not applied", () => {
    for (const status of [402, 406, 413, 415, 422, 431, 451]) {
      const { tag, applied } = answered(html(status, "413 Request Entity Too Large"))
      assert.deepStrictEqual({ tag, applied }, { tag: "BadRequest", applied: "no" })
    }
    assert.include(answered(html(413, "413 Request Entity Too Large")).message, "413 Payload Too Large")
  })
})

describe("something that is not AAP becomes", () => {
  it("Redirected for 3xx, which may have been applied, without the query that may hold secrets", () =>
    assert.deepStrictEqual(answered(answer(302, "", { location: "https://sso.example.com/login?next=/secret" })), {
      tag: "Redirected",
      reason: "ProviderMisaddressed",
      message:
        "AAP's address redirects to 'https://sso.example.com/login' (302 Found), which is not followed: correct CLOUDKIT_AAP_URL",
      applied: "unknown"
    }))

  it("NotTheApi for a success that is a page, which may have been applied", () =>
    assert.deepStrictEqual(told(unreadable(html(201, "Log in"))), {
      tag: "NotTheApi",
      reason: "ProviderMisaddressed",
      message: `What answers at CLOUDKIT_AAP_URL is not AAP's API: HTML ("Log in") instead of JSON (201 Created)`,
      applied: "unknown"
    }))

  it("MalformedJson for a success that is cut off, which may have been applied", () =>
    assert.deepStrictEqual(told(unreadable(answer(201, '{"id": 4'))), {
      tag: "MalformedJson",
      reason: "ProviderMisaddressed",
      message: "AAP's answer is not the JSON it promises (201 Created)",
      applied: "unknown"
    }))
})

describe("whatever comes becomes", () => {
  it("a message of one line and at most a kilobyte, whatever the body", () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 300, max: 599 }),
        fc.string({ unit: "binary", maxLength: 2000 }),
        fc.boolean(),
        (status, body, asJson) => {
          const { message } = answered(answer(status, asJson ? { detail: body } : body))
          assert.isAtMost(new TextEncoder().encode(message).byteLength, 1024)
          assert.notMatch(message, /\p{Cc}/u)
        }
      ),
      { numRuns: 30 }
    ))

  it("a message without the credential that a page repeats", () =>
    assert.notInclude(
      answered(answer(500, { detail: "headers: Authorization: Bearer s3cr3t-token-value" })).message,
      "s3cr3t"
    ))
})
