/** The real operator as a process of its own, with webhooks as its provider, for one namespace. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Effect, Schedule, type Scope } from "effect"
import { HttpClient } from "effect/http"
import { freePort } from "../support/ports.ts"
import { inherited, type Process, start } from "./Process.ts"
import type { Site } from "./Site.ts"

export interface Options {
  readonly namespace: string
  /** Where the rulebook listens. */
  readonly webhooks: string
  readonly tokenFile: string
  /** For its kubeconfig and what it logs. */
  readonly folder: string
}

export interface Operator extends Process {
  /** It has seen every object of its namespace. */
  readonly isReady: Effect.Effect<void>
}

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url))

const kubeconfig = (site: Site, namespace: string): string =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "here",
    clusters: [
      {
        name: "here",
        cluster: {
          server: site.url,
          ...(site.certificate === "" ? {} : { "certificate-authority": site.certificate })
        }
      }
    ],
    contexts: [{ name: "here", context: { cluster: "here", namespace, user: "operator" } }],
    users: [{ name: "operator", user: { token: site.operatorToken } }]
  })

const answering = (url: string): Effect.Effect<void> =>
  HttpClient.get(url).pipe(
    Effect.flatMap(({ status }) => (status === 200 ? Effect.void : Effect.fail("not ready"))),
    Effect.retry({ schedule: Schedule.spaced("50 millis"), times: 2400 }),
    Effect.orDie,
    Effect.provide(NodeHttpClient.layerUndici)
  )

export const startOperator = (site: Site, options: Options): Effect.Effect<Operator, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { folder, namespace, tokenFile, webhooks } = options
    const config = join(folder, "kubeconfig")
    writeFileSync(config, kubeconfig(site, namespace), { mode: 0o600 })
    const health = yield* freePort
    const operator = yield* start({
      command: process.execPath,
      parameters: [main],
      env: {
        ...inherited(),
        KUBECONFIG: config,
        CLOUDKIT_PROVISIONING_PROVIDER: "eda",
        CLOUDKIT_COMPUTE_INSTANCE_PROVISION_WEBHOOK: `${webhooks}/create-compute-instance`,
        CLOUDKIT_COMPUTE_INSTANCE_DEPROVISION_WEBHOOK: `${webhooks}/delete-compute-instance`,
        CLOUDKIT_EDA_TOKEN_FILE: tokenFile,
        CLOUDKIT_COMPUTE_INSTANCE_NAMESPACE: namespace,
        CLOUDKIT_HEALTH_PORT: String(health),
        CLOUDKIT_METRICS_PORT: String(yield* freePort),
        CLOUDKIT_LOG_LEVEL: "debug"
      },
      log: join(folder, `operator-${health}.log`)
    })
    return { ...operator, isReady: answering(`http://127.0.0.1:${health}/readyz`) }
  })
