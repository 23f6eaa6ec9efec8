import { chmodSync, readFileSync } from "node:fs"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { credentialsFrom, directory, kubeconfig } from "./credentialFiles.ts"

const pluginApi = "client.authentication.k8s.io/v1"

/** An exec plugin: a Node program of this body, which may call `answer(status)`. */
const plugin = Effect.fnUntraced(function* (body: string, exec: Readonly<Record<string, unknown>> = {}) {
  const files = yield* directory
  const program = `#!${process.execPath}
const fs = require("node:fs")
const answer = (status) => console.log(JSON.stringify({ kind: "ExecCredential", apiVersion: "${pluginApi}", status }))
${body}
`
  chmodSync(files.write("bin/plugin.cjs", program), 0o755)
  const user = { exec: { apiVersion: pluginApi, command: "./bin/plugin.cjs", ...exec } }
  const cluster = { "certificate-authority-data": Buffer.from("CA").toString("base64") }
  return { files, KUBECONFIG: files.write("config", kubeconfig(user, cluster)) }
})

it.live(
  "an exec plugin gives token and client certificate, and is told which version to speak and what it asked for",
  () =>
    Effect.gen(function* () {
      const { files, KUBECONFIG } = yield* plugin(
        `fs.writeFileSync(__dirname + "/said", process.env.KUBERNETES_EXEC_INFO + process.env.EXTRA + process.argv[2])
       answer({ token: "from-plugin", clientCertificateData: "CERT", clientKeyData: "KEY" })`,
        { args: ["--flag"], env: [{ name: "EXTRA", value: "more" }], provideClusterInfo: true }
      )
      const credential = yield* (yield* credentialsFrom({ KUBECONFIG })).current
      assert.deepStrictEqual(credential.headers, { authorization: "Bearer from-plugin" })
      assert.deepStrictEqual(credential.tls, { ca: "CA", cert: "CERT", key: "KEY" })
      const said = readFileSync(files.path("bin/said"), "utf8")
      assert.match(
        said,
        /"apiVersion":"client\.authentication\.k8s\.io\/v1".*"server":"https:\/\/api\.test:6443".*more--flag$/
      )
    })
)

it.live("an exec plugin runs again only after its token was refused", () =>
  Effect.gen(function* () {
    const { KUBECONFIG } = yield* plugin(
      `const file = __dirname + "/count"
       const count = fs.existsSync(file) ? Number(fs.readFileSync(file, "utf8")) + 1 : 1
       fs.writeFileSync(file, String(count))
       answer({ token: "token-" + count })`
    )
    const credentials = yield* credentialsFrom({ KUBECONFIG })
    const first = yield* credentials.current
    assert.strictEqual((yield* credentials.current).headers.authorization, "Bearer token-1")
    yield* credentials.drop(first)
    assert.strictEqual((yield* credentials.current).headers.authorization, "Bearer token-2")
  })
)

it.live("an exec plugin that fails is named with its own words", () =>
  Effect.gen(function* () {
    const { KUBECONFIG } = yield* plugin(`console.error("please log in first"); process.exit(3)`)
    const error = yield* Effect.flip(credentialsFrom({ KUBECONFIG }))
    assert.include(error.message, "bin/plugin.cjs")
    assert.include(error.message, "please log in first")
  })
)

it.live("an exec plugin that does not exist is named", () =>
  Effect.gen(function* () {
    const { KUBECONFIG } = yield* plugin("", { command: "./bin/missing" })
    const error = yield* Effect.flip(credentialsFrom({ KUBECONFIG }))
    assert.include(error.message, "bin/missing")
    assert.include(error.message, "ENOENT")
  })
)

it.live("output of an exec plugin that is no ExecCredential is never quoted", () =>
  Effect.gen(function* () {
    for (const output of ["confidential", '{"token": "confidential"}', "null"]) {
      const { KUBECONFIG } = yield* plugin(`console.log(${JSON.stringify(output)})`)
      const error = yield* Effect.flip(credentialsFrom({ KUBECONFIG }))
      assert.include(error.message, "not an ExecCredential")
      assert.notInclude(JSON.stringify(error) + String(error.stack), "confidential")
    }
  })
)
