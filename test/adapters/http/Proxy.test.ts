import { assert, it } from "@effect/vitest"
import { Option } from "effect"
import { proxyFor } from "../../../src/adapters/http/Proxy.ts"

const decided = (server: string, none: string): boolean =>
  Option.isSome(
    proxyFor(server, { https: Option.some("http://proxy.test:3128"), http: Option.none(), none: Option.some(none) })
  )

const direct: ReadonlyArray<readonly [server: string, noProxy: string]> = [
  ["https://localhost:6443", ""],
  ["https://127.0.0.1:6443", ""],
  ["https://[::1]:6443", ""],
  ["https://10.0.0.1", "10.0.0.1"],
  ["https://172.30.0.1", ".svc, 172.30.0.0/16"],
  ["https://[fd00::1]", "fd00::/8"],
  ["https://api.example.com", "example.com"],
  ["https://API.example.com", "Example.COM"],
  ["https://api.example.com", ".example.com"],
  ["https://api.example.com", "*.example.com"],
  ["https://api.example.com:6443", "api.example.com:6443"],
  ["https://api.example.com", "api.example.com:443"],
  ["https://anything.test", "other.test,*"],
  ["http://plain.test", ""]
]
for (const [server, noProxy] of direct) {
  it(`${server} is reached directly with NO_PROXY "${noProxy}"`, () => assert.isFalse(decided(server, noProxy)))
}

const proxied: ReadonlyArray<readonly [server: string, noProxy: string]> = [
  ["https://api.example.com", ""],
  ["https://api.example.com", "ample.com"],
  ["https://example.com", ".example.com"],
  ["https://api.example.com:6443", "api.example.com:443"],
  ["https://10.1.0.1", "10.0.0.0/16"],
  ["https://10.0.0.1", "10.0.0.0/99, nonsense/8, :, /"],
  ["https://10.0.0.10", "10.0.0.1"]
]
for (const [server, noProxy] of proxied) {
  it(`${server} is reached through the proxy with NO_PROXY "${noProxy}"`, () => assert.isTrue(decided(server, noProxy)))
}

it("a proxy without a scheme is an HTTP proxy", () => {
  const settings = { https: Option.some("proxy.test:3128"), http: Option.none(), none: Option.none() }
  assert.deepStrictEqual(proxyFor("https://api.test", settings), Option.some("http://proxy.test:3128"))
})
