import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as fc from "fast-check"
import { at, parse, print } from "../../../src/providers/aap/BaseUrl.ts"

const taken = (text: string): string =>
  Result.match(parse(text), { onFailure: (why) => `refused: ${why}`, onSuccess: print })

describe("CLOUDKIT_AAP_URL", () => {
  const table: ReadonlyArray<readonly [string, string]> = [
    ["aap.example.com", "https://aap.example.com/api/v2/"],
    ["aap.example.com:8443", "https://aap.example.com:8443/api/v2/"],
    ["localhost:8052", "https://localhost:8052/api/v2/"],
    [" https://aap.example.com ", "https://aap.example.com/api/v2/"],
    ["https://aap.example.com/", "https://aap.example.com/api/v2/"],
    ["http://127.0.0.1:8052", "http://127.0.0.1:8052/api/v2/"],
    ["https://aap.example.com/api", "https://aap.example.com/api/v2/"],
    ["https://aap.example.com/api/", "https://aap.example.com/api/v2/"],
    ["https://aap.example.com/api/v2", "https://aap.example.com/api/v2/"],
    ["https://aap.example.com/api/v2/", "https://aap.example.com/api/v2/"],
    ["https://gw.example.com/api/controller", "https://gw.example.com/api/controller/v2/"],
    ["https://gw.example.com/api/controller/", "https://gw.example.com/api/controller/v2/"],
    ["https://gw.example.com/api/controller/v2", "https://gw.example.com/api/controller/v2/"],
    ["gw.example.com/api/controller/v2/", "https://gw.example.com/api/controller/v2/"],
    ["https://proxy.example.com/awx", "https://proxy.example.com/awx/api/v2/"],
    ["https://AAP.Example.com:443//", "https://aap.example.com/api/v2/"],
    ["https://[2001:db8::1]:8443/api", "https://[2001:db8::1]:8443/api/v2/"]
  ]
  for (const [text, expected] of table) {
    it(`takes '${text}' to be ${expected}`, () => assert.strictEqual(taken(text), expected))
  }

  for (const text of [
    "",
    "   ",
    "https://",
    "ftp://aap.example.com",
    "https://a/?x=1",
    "https://a/#/login",
    "ht tp://x"
  ]) {
    it(`refuses '${text}' and says what is expected`, () =>
      assert.match(taken(text), /^refused: .*expected a host such as aap\.example\.com/u))
  }

  it("refuses a password in it, without repeating it", () => {
    assert.match(taken("https://admin:hunter2@aap.example.com"), /^refused: it holds a user name or password/u)
    assert.notInclude(taken("https://admin:hunter2@aap.example.com"), "hunter2")
  })

  const host = fc.domain()
  const path = fc.constantFrom("", "/", "/api", "/api/", "/api/v2", "/api/controller", "/api/controller/v2/", "/awx/")
  it("is taken the same way when what it was taken to be is given again", () =>
    fc.assert(
      fc.property(host, path, (name, suffix) => {
        const first = taken(`https://${name}${suffix}`)
        assert.strictEqual(taken(first), first)
        assert.match(first, /^https:\/\/[^/]+(\/[^/]+)*\/v2\/$/u)
      })
    ))

  it("builds addresses that end in a slash before their query, on the given host, whatever the values", () =>
    fc.assert(
      fc.property(host, path, fc.string({ unit: "binary" }), (name, suffix, value) => {
        const base = Result.getOrThrow(parse(`https://${name}${suffix}`))
        const url = new URL(at(base, "jobs", [["name", value]]))
        assert.strictEqual(url.origin, base.origin)
        assert.isTrue(url.pathname.endsWith("/v2/jobs/"))
        assert.deepStrictEqual([...url.searchParams.keys()], ["name"])
        assert.strictEqual(url.searchParams.get("name"), value.toWellFormed())
      }),
      { numRuns: 30 }
    ))
})
