/** The real operator as a process of its own, with webhooks as its provider, for one namespace. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Effect, type Scope } from "effect"
import { freePort, inherited, type Process, start } from "./Process.ts"
import type { Site } from "./Site.ts"

export interface Options {
  readonly namespace: string
  /** Where the rulebook listens. */
  readonly webhooks: string
  readonly tokenFile: string
  /** For its kubeconfig and what it logs. */
  readonly folder: string
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

export const startOperator = (site: Site, options: Options): Effect.Effect<Process, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { folder, namespace, tokenFile, webhooks } = options
    const config = join(folder, "kubeconfig")
    writeFileSync(config, kubeconfig(site, namespace), { mode: 0o600 })
    return yield* start({
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
        CLOUDKIT_HEALTH_PORT: String(yield* freePort),
        CLOUDKIT_METRICS_PORT: String(yield* freePort),
        CLOUDKIT_LOG_LEVEL: "debug"
      },
      log: join(folder, "operator.log")
    })
  })
