/** What a broken or missing connection means: its code word for word, and whether anything can have been applied. */
import { assert, describe, it } from "@effect/vitest"
import { Unanswered } from "../../../src/ports/Unanswered.ts"
import { fromTransport } from "../../../src/providers/aap/ErrorTranslation.ts"
import { toProviderError } from "../../../src/providers/aap/ProviderErrors.ts"

const socket = (code: string, syscall?: string) => Object.assign(new Error("boom 10.0.0.5:41234"), { code, syscall })

/** As the condition of a launch tells it. */
const lost = (error: unknown) => {
  const found = fromTransport(error)
  const { reason, message, applied } = toProviderError({ operation: "launch", launch: true })(found)
  return { tag: found._tag, reason, message, applied }
}

describe("silence becomes", () => {
  for (const code of ["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "UND_ERR_CONNECT_TIMEOUT"]) {
    it(`Unreachable for ${code}, which sent nothing`, () =>
      assert.deepStrictEqual(lost(socket(code)), {
        tag: "Unreachable",
        reason: "ProviderUnreachable",
        message: `AAP cannot be reached (${code})`,
        applied: "no"
      }))
  }

  it("Unreachable for what fails while connecting, the first of several addresses tried included", () => {
    assert.strictEqual(lost(socket("EHOSTUNREACH", "connect")).applied, "no")
    assert.strictEqual(lost(new AggregateError([socket("ETIMEDOUT", "connect")])).tag, "Unreachable")
    assert.strictEqual(lost(socket("ETIMEDOUT", "read")).applied, "unknown")
  })

  for (const code of [
    "CERT_HAS_EXPIRED",
    "SELF_SIGNED_CERT_IN_CHAIN",
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    "ERR_TLS_CERT_ALTNAME_INVALID",
    "ERR_SSL_WRONG_VERSION_NUMBER",
    "EPROTO"
  ]) {
    it(`TlsFailure for ${code}, with the code word for word, which sent nothing`, () =>
      assert.deepStrictEqual(lost(socket(code)), {
        tag: "TlsFailure",
        reason: "ProviderUnreachable",
        message: `TLS to AAP failed (${code}): check CLOUDKIT_AAP_CA_FILE and AAP's certificate`,
        applied: "no"
      }))
  }

  it("ConnectionReset for a TLS error of a connection in use", () =>
    assert.deepStrictEqual(lost(socket("ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC")).applied, "unknown"))

  for (const code of ["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"]) {
    it(`ConnectionReset for ${code}, which may have been applied`, () =>
      assert.deepStrictEqual(lost({ reason: { cause: socket(code) } }), {
        tag: "ConnectionReset",
        reason: "ProviderUnreachable",
        message: `The connection to AAP was lost (${code})`,
        applied: "unknown"
      }))
  }

  for (const code of ["EPROTO", "ERR_SSL_WRONG_VERSION_NUMBER", "CERT_HAS_EXPIRED", "ENOTFOUND", "ECONNREFUSED"]) {
    it(`ConnectionReset for ${code} once the request was written: it may have been applied`, () =>
      assert.deepStrictEqual(lost({ reason: { cause: new Unanswered(socket(code, "connect")) } }), {
        tag: "ConnectionReset",
        reason: "ProviderUnreachable",
        message: `The connection to AAP was lost (${code})`,
        applied: "unknown"
      }))
  }

  it("ConnectionReset for an error without a code, which may have been applied", () => {
    assert.deepStrictEqual(lost(new Error("?")).applied, "unknown")
    assert.deepStrictEqual(lost(undefined).message, "The connection to AAP was lost (UNKNOWN)")
  })
})
