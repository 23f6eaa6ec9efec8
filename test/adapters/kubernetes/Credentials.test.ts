import { delimiter } from "node:path"
import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Logger, Option } from "effect"
import { TestClock } from "effect/testing"
import {
  type CredentialSource,
  type CredentialsError,
  remembering
} from "../../../src/adapters/kubernetes/Credential.ts"
import { credentialsFrom, directory, kubeconfig } from "./credentialFiles.ts"

const authorizationOf = (credentials: {
  readonly current: Effect.Effect<{ headers: Readonly<Record<string, string>> }, CredentialsError>
}) => Effect.map(credentials.current, ({ headers }) => headers.authorization)

const base64 = (text: string) => Buffer.from(text).toString("base64")

// ── where from ───────────────────────────────────────────────────────────────────────────────────────────────────────

it.effect("KUBECONFIG comes before the pod's ServiceAccount, which comes before the personal kubeconfig", () =>
  Effect.gen(function* () {
    const files = yield* directory
    const named = files.write("named", kubeconfig({ token: "named" }))
    files.write("home/.kube/config", kubeconfig({ token: "personal" }))
    files.write("pod/token", "pod\n")
    files.write("pod/ca.crt", "THE CA")
    const home = { HOME: files.path("home") }
    const pod = { KUBERNETES_SERVICE_HOST: "10.0.0.1", KUBERNETES_SERVICE_PORT: "6443" }

    const first = yield* credentialsFrom({ ...home, ...pod, KUBECONFIG: named }, files.path("pod"))
    assert.strictEqual(yield* authorizationOf(first), "Bearer named")
    const second = yield* credentialsFrom({ ...home, ...pod }, files.path("pod"))
    assert.strictEqual(second.server, "https://10.0.0.1:6443")
    assert.deepStrictEqual(yield* second.current, { headers: { authorization: "Bearer pod" }, tls: { ca: "THE CA" } })
    const third = yield* credentialsFrom({ ...home, KUBECONFIG: "" }, files.path("pod"))
    assert.strictEqual(yield* authorizationOf(third), "Bearer personal")
  })
)

it.effect("an IPv6 service address gets its brackets", () =>
  Effect.gen(function* () {
    const files = yield* directory
    files.write("token", "t")
    files.write("ca.crt", "ca")
    const credentials = yield* credentialsFrom({ KUBERNETES_SERVICE_HOST: "fd00::1" }, files.root)
    assert.strictEqual(credentials.server, "https://[fd00::1]:443")
  })
)

it.effect("without any of them the error names what was looked for", () =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(credentialsFrom({ HOME: "/nowhere", KUBERNETES_SERVICE_HOST: "10.0.0.1" }))
    for (const word of ["KUBECONFIG", "/nonexistent", "/nowhere/.kube/config", "ServiceAccount"]) {
      assert.include(error.message, word)
    }
  })
)

it.effect("of several kubeconfigs the first word counts, and paths belong to the file they stand in", () =>
  Effect.gen(function* () {
    const files = yield* directory
    files.write("b/token", "from-b")
    files.write("b/ca.pem", "CA of b")
    const a = files.write("a/config", { ...kubeconfig({ token: "of a" }, {}, "a"), "current-context": "main" })
    const b = files.write("b/config", kubeconfig({ tokenFile: "token" }, { "certificate-authority": "ca.pem" }))
    const c = files.write("c/config", kubeconfig({ token: "late" }, { server: "https://late.test" }))
    const KUBECONFIG = [files.path("missing"), a, b, c].join(delimiter)
    const credentials = yield* credentialsFrom({ KUBECONFIG })
    assert.strictEqual(credentials.server, "https://api.test:6443")
    const { headers, tls } = yield* credentials.current
    assert.strictEqual(headers.authorization, "Bearer from-b")
    assert.strictEqual(tls.ca, "CA of b")
  })
)

it.effect("a kubeconfig that cannot be used is refused in words that say what to change", () =>
  Effect.gen(function* () {
    const files = yield* directory
    const good = kubeconfig({})
    const cases: ReadonlyArray<readonly [content: unknown, said: string]> = [
      [{ ...good, "current-context": "" }, "kubectl config use-context"],
      [{ ...good, "current-context": "prod" }, '"prod" does not exist'],
      [{ ...good, users: [] }, 'the user of the context "main" does not exist'],
      [{ ...good, clusters: [] }, "names no cluster with a server URL"],
      [kubeconfig({}, { server: "api.test:6443" }), "names no cluster with a server URL"],
      [[1], "is not a mapping"],
      ["", "is not valid YAML"]
    ]
    for (const [content, said] of cases) {
      const file = files.write("config", content)
      const error = yield* Effect.flip(credentialsFrom({ KUBECONFIG: file }))
      assert.include(error.message, said)
      assert.include(error.message, file)
    }
    const error = yield* Effect.flip(credentialsFrom({ KUBECONFIG: files.path("gone") }))
    assert.include(error.message, files.path("gone"))
  })
)

it.effect("an error about a kubeconfig never quotes it", () =>
  Effect.gen(function* () {
    const files = yield* directory
    const file = files.write("config", "users:\n- name: x\n  user:\n    token: confidential\n   bad: 1\n")
    const error = yield* Effect.flip(credentialsFrom({ KUBECONFIG: file }))
    assert.include(error.message, "line 5")
    assert.notInclude(JSON.stringify(error) + String(error.stack) + String(error.cause), "confidential")
  })
)

// ── which kind ───────────────────────────────────────────────────────────────────────────────────────────────────────

it.effect("a user may have a token, a password, a client certificate as data or as files, or nothing", () =>
  Effect.gen(function* () {
    const files = yield* directory
    const load = (user: Readonly<Record<string, unknown>>, cluster: Readonly<Record<string, unknown>> = {}) =>
      Effect.flatMap(
        credentialsFrom({ KUBECONFIG: files.write("config", kubeconfig(user, cluster)) }),
        (it) => it.current
      )

    assert.deepStrictEqual((yield* load({ token: "t" })).headers, { authorization: "Bearer t" })
    const basic = { authorization: `Basic ${base64("me:pass")}` }
    assert.deepStrictEqual((yield* load({ username: "me", password: "pass" })).headers, basic)
    const data = { "client-certificate-data": base64("CERT"), "client-key-data": base64("KEY") }
    const trust = { "certificate-authority-data": base64("CA"), "tls-server-name": "kubernetes.test" }
    assert.deepStrictEqual(yield* load(data, trust), {
      headers: {},
      tls: { ca: "CA", cert: "CERT", key: "KEY", servername: "kubernetes.test" }
    })
    files.write("cert.pem", "CERT IN FILE")
    files.write("key.pem", "KEY IN FILE")
    assert.deepStrictEqual((yield* load({ "client-certificate": "cert.pem", "client-key": "key.pem" })).tls, {
      cert: "CERT IN FILE",
      key: "KEY IN FILE"
    })
    assert.deepStrictEqual(yield* load({}, { "insecure-skip-tls-verify": true }), {
      headers: {},
      tls: { rejectUnauthorized: false }
    })
    const impersonated = yield* load({ token: "t", as: "jane" })
    assert.strictEqual(impersonated.headers["impersonate-user"], "jane")
  })
)

it.effect("data wins over a path and a token file over a token, as with kubectl", () =>
  Effect.gen(function* () {
    const files = yield* directory
    const user = {
      token: "stale",
      tokenFile: files.write("token", "fresh"),
      "client-key-data": base64("KEY"),
      "client-key": "/gone"
    }
    const credentials = yield* credentialsFrom({ KUBECONFIG: files.write("config", kubeconfig(user)) })
    const { headers, tls } = yield* credentials.current
    assert.strictEqual(headers.authorization, "Bearer fresh")
    assert.strictEqual(tls.key, "KEY")
  })
)

it.effect("plain HTTP, as kubectl proxy offers, works, and a proxy-url is handed on", () =>
  Effect.gen(function* () {
    const files = yield* directory
    const cluster = { server: "http://127.0.0.1:8001/", "proxy-url": "http://proxy.test:3128" }
    const credentials = yield* credentialsFrom({ KUBECONFIG: files.write("config", kubeconfig({}, cluster)) })
    assert.strictEqual(credentials.server, "http://127.0.0.1:8001")
    assert.deepStrictEqual(credentials.proxyUrl, Option.some("http://proxy.test:3128"))
  })
)

it.effect("a token file that is missing, empty or no token stops the start with its name, not its content", () =>
  Effect.gen(function* () {
    const files = yield* directory
    const config = files.write("config", kubeconfig({ tokenFile: "token" }))
    const load = Effect.flip(credentialsFrom({ KUBECONFIG: config }))
    assert.include((yield* load).message, "ENOENT")
    for (const content of ["\n", "two words", "bad\u0000byte"]) {
      files.write("token", content)
      const { message } = yield* load
      assert.include(message, files.path("token"))
      if (content.trim() !== "") assert.notInclude(message, content)
    }
  })
)

// ── rotation ─────────────────────────────────────────────────────────────────────────────────────────────────────────

it.effect("a rotated token file is picked up within 30 s, and at once when the old token is refused", () =>
  Effect.gen(function* () {
    const files = yield* directory
    files.write("ca.crt", "ca")
    files.write("token", "one")
    const credentials = yield* credentialsFrom({ KUBERNETES_SERVICE_HOST: "10.0.0.1" }, files.root)
    files.write("token", "two")
    yield* TestClock.adjust("29 seconds")
    assert.strictEqual(yield* authorizationOf(credentials), "Bearer one")
    yield* TestClock.adjust("1 second")
    const refused = yield* credentials.current
    assert.strictEqual(refused.headers.authorization, "Bearer two")
    files.write("token", "three")
    yield* credentials.drop(refused)
    assert.strictEqual(yield* authorizationOf(credentials), "Bearer three")
  })
)

it.effect("a kubeconfig that was rewritten is read anew after its token was refused", () =>
  Effect.gen(function* () {
    const files = yield* directory
    const KUBECONFIG = files.write("config", kubeconfig({ token: "one" }))
    const credentials = yield* credentialsFrom({ KUBECONFIG })
    files.write("config", kubeconfig({ token: "two" }))
    yield* credentials.drop(yield* credentials.current)
    assert.strictEqual(yield* authorizationOf(credentials), "Bearer two")
  })
)

it.effect("a credential that cannot be read again for a moment is used on, with a warning", () =>
  Effect.gen(function* () {
    const logged: Array<string> = []
    const logger = Logger.layer([Logger.make(({ message }) => logged.push(String(message)))])
    const files = yield* directory
    files.write("ca.crt", "ca")
    files.write("token", "one")
    const credentials = yield* credentialsFrom({ KUBERNETES_SERVICE_HOST: "10.0.0.1" }, files.root)
    files.write("token", "")
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(yield* Effect.provide(authorizationOf(credentials), logger), "Bearer one")
    assert.isTrue(logged.some((it) => it.includes("is empty")))
    yield* credentials.drop(yield* credentials.current)
    assert.include((yield* Effect.flip(credentials.current)).message, "is empty")
  })
)

/** A source that hands out numbered tokens and counts how often it was read. */
const numbered = (read: Effect.Effect<void, CredentialsError>) => {
  let reads = 0
  const source: CredentialSource = {
    server: "https://api.test",
    proxyUrl: Option.none(),
    read: Effect.map(read, () => {
      reads += 1
      return { headers: { authorization: `Bearer ${reads}` }, tls: {} }
    }),
    forget: Effect.void
  }
  return { credentials: remembering(source), reads: () => reads }
}

it.effect("many requests that meet a refused credential together read it anew only once", () =>
  Effect.gen(function* () {
    const { credentials, reads } = numbered(Effect.sleep("1 second"))
    const first = yield* Effect.forkChild(credentials.current, { startImmediately: true })
    yield* TestClock.adjust("1 second")
    const refused = yield* Fiber.join(first)
    const many = yield* Effect.forEach(
      Array.from({ length: 20 }),
      () => Effect.andThen(credentials.drop(refused), credentials.current),
      { concurrency: "unbounded" }
    ).pipe(Effect.forkChild({ startImmediately: true }))
    yield* TestClock.adjust("1 second")
    const after = yield* Fiber.join(many)
    yield* credentials.drop(refused)
    assert.deepStrictEqual(
      new Set([...after, yield* credentials.current].map((it) => it.headers.authorization)),
      new Set(["Bearer 2"])
    )
    assert.strictEqual(reads(), 2)
  })
)

it.effect("a source that never answers is given up after 30 s", () =>
  Effect.gen(function* () {
    const { credentials } = numbered(Effect.never)
    const asked = yield* Effect.forkChild(Effect.flip(credentials.current), { startImmediately: true })
    yield* TestClock.adjust("30 seconds")
    assert.include((yield* Fiber.join(asked)).message, "30 s")
  })
)
