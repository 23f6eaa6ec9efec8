/** The process as a whole: what it says when it cannot go on, and a token that is replaced under its feet. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import * as OperatorProcess from "./document/OperatorProcess.ts"
import { eventually, LONG_TEST } from "./support/eventually.ts"
import { at } from "./support/expectations.ts"
import * as SimulatedAap from "./support/SimulatedAap.ts"
import * as SimulatedKubernetes from "./support/SimulatedKubernetes.ts"
import { makeUser } from "./support/User.ts"
import { serve } from "./support/Wire.ts"
import { crd, DEPROVISION_TEMPLATE, PROVISION_TEMPLATE } from "./support/World.ts"

const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "cloudkit-process-"))),
  (home) => Effect.sync(() => rmSync(home, { recursive: true, force: true }))
)

const kubeconfig = (server: string) =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster: { server } }],
    users: [{ name: "u", user: { token: "canary-of-the-cluster" } }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x"
  })

const aapVariables = (url: string): Readonly<Record<string, string>> => ({
  CLOUDKIT_PROVISIONING_PROVIDER: "aap",
  CLOUDKIT_AAP_URL: url,
  CLOUDKIT_AAP_PROVISION_TEMPLATE: PROVISION_TEMPLATE,
  CLOUDKIT_AAP_DEPROVISION_TEMPLATE: DEPROVISION_TEMPLATE,
  CLOUDKIT_AAP_STATUS_POLL_INTERVAL: "1s",
  CLOUDKIT_LOG_LEVEL: "debug"
})

it.live(
  "a token file that is replaced is read again: the job that runs is followed to its end, without a restart",
  () =>
    Effect.gen(function* () {
      const home = yield* folder
      const [log, tokenFile] = [join(home, "log"), join(home, "token")]
      const kubernetes = yield* SimulatedKubernetes.make({ crds: [crd] })
      const cluster = yield* serve(kubernetes.handler)
      const aap = yield* SimulatedAap.make()
      yield* aap.play(() => ({ pendingFor: Duration.millis(100), ends: "never" }))
      yield* aap.issueToken("operator", "canary-before")
      const { url } = yield* serve(aap.handler)
      writeFileSync(join(home, "kubeconfig"), kubeconfig(cluster.url))
      writeFileSync(tokenFile, "canary-before\n")
      const variables = {
        ...aapVariables(url),
        CLOUDKIT_AAP_TOKEN_FILE: tokenFile,
        KUBECONFIG: join(home, "kubeconfig")
      }
      const operator = yield* OperatorProcess.start(variables, log)
      yield* makeUser(kubernetes.handler, cluster.url).create("vm-1", spec)
      const phase = Effect.map(kubernetes.object("default", "vm-1"), (object) => at(object, "status"))
      yield* eventually("Running", phase, (status) => at(status, "provisionJob", "state") === "Running")

      yield* aap.issueToken("operator", "canary-after")
      yield* aap.revokeToken("canary-before")
      yield* eventually(
        "the refusal",
        Effect.sync(() => readFileSync(log, "utf8")),
        (said) => said.includes('"status":401')
      )
      writeFileSync(tokenFile, "canary-after\n")
      yield* aap.setStatus(1, "successful")
      yield* eventually("Ready", phase, (status) => at(status, "phase") === "Ready")
      assert.strictEqual((yield* aap.ledger).length, 1)
      assert.strictEqual(yield* operator.stop, 0)
      const said = readFileSync(log, "utf8")
      assert.include(said, "changed and is in use now")
      assert.notInclude(said, "canary")
    }),
  LONG_TEST
)

const broken: ReadonlyArray<readonly [string, Readonly<Record<string, string>>, string, string]> = [
  [
    "variables that are wrong",
    {
      ...aapVariables("https://somebody:canary-password@aap.example.com"),
      CLOUDKIT_AAP_TOKEN: "canary token\nX-Evil: 1",
      CLOUDKIT_EDA_TOKEN_FILE: "/nowhere",
      CLOUDKIT_COMPUTE_INSTANCE_PROVISION_WEBHOOK: "ftp://somebody:canary-hook@eda/",
      HTTPS_PROXY: "http://somebody:canary-proxy@[::bad"
    },
    kubeconfig("https://127.0.0.1:1"),
    "CLOUDKIT_AAP_URL"
  ],
  [
    "a kubeconfig that cannot be read",
    { ...aapVariables("https://127.0.0.1:1"), CLOUDKIT_AAP_TOKEN: "canary-of-aap" },
    `${kubeconfig("https://127.0.0.1:1").slice(0, -2)}: {{ canary`,
    "kubeconfig"
  ],
  [
    "a kubeconfig with a password in its server",
    { ...aapVariables("https://127.0.0.1:1"), CLOUDKIT_AAP_TOKEN: "canary-of-aap" },
    kubeconfig("https://somebody:canary-password@[::bad"),
    "server"
  ],
  [
    "a proxy with a password that is no address",
    {
      ...aapVariables("https://aap.example.com"),
      CLOUDKIT_AAP_TOKEN: "canary-of-aap",
      NO_PROXY: "",
      no_proxy: "",
      HTTPS_PROXY: "http://somebody:canary-proxy@[::bad"
    },
    kubeconfig("https://kubernetes.example.com"),
    ""
  ]
]

for (const [name, variables, config, word] of broken) {
  it.live(`${name} ends the process with words, and with no secret in them`, () =>
    Effect.gen(function* () {
      const home = yield* folder
      const log = join(home, "log")
      writeFileSync(join(home, "kubeconfig"), config)
      const operator = yield* OperatorProcess.start({ ...variables, KUBECONFIG: join(home, "kubeconfig") }, log)
      const code = yield* operator.ended
      const said = readFileSync(log, "utf8")
      assert.strictEqual(code, 1, said)
      assert.include(said, word)
      assert.isAbove(said.length, 20)
      assert.notInclude(said, "canary")
    })
  )
}
