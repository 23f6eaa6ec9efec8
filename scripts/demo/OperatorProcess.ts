/**
 * The real operator as a process of its own, configured by environment variables and nothing else.
 *
 * It lives as long as the scope: told to end by SIGTERM, made to after a while. What it logs goes to a file.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Data, Deferred, Effect, type Scope } from "effect"
import { freePort } from "../../test/support/ports.ts"
import * as SimulatedEda from "../../test/support/SimulatedEda.ts"
import { AAP_TOKEN, type Installation, kubeconfig } from "./Installation.ts"
import { LONGEST_STOP } from "./patience.ts"
import type { ProviderName, Site } from "./Site.ts"

/** How a process ended: its exit code, or the signal that ended it. */
export type End = number | string

export class OperatorDied extends Data.TaggedError("OperatorDied")<{ readonly message: string }> {}

export interface OperatorProcess {
  readonly site: Site
  readonly log: string
  /** Fails when the process ends by itself. */
  readonly died: Effect.Effect<never, OperatorDied>
  /** Ends it as Kubernetes would, and says how it ended. */
  readonly stop: Effect.Effect<End>
}

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url))

/** The command of DEMO_OPERATOR; `node` is the Node that runs the demo. */
const command = (): readonly [string, ReadonlyArray<string>] => {
  const [program = "node", ...rest] = (process.env.DEMO_OPERATOR ?? "").split(/\s+/u).filter((word) => word !== "")
  return [program === "node" ? process.execPath : program, rest.length === 0 && program === "node" ? [main] : rest]
}

/** Nothing of the operator's own variables comes in from outside. */
const inherited = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(CLOUDKIT|OSAC|DEMO)_|^KUBECONFIG$/u.test(name)))

/** What each provider wants to know. */
const variables: Readonly<Record<ProviderName, (site: Site, installation: Installation) => NodeJS.ProcessEnv>> = {
  aap: (site, { aapUrl }) => ({
    CLOUDKIT_AAP_URL: aapUrl,
    CLOUDKIT_AAP_TOKEN: AAP_TOKEN,
    CLOUDKIT_AAP_PROVISION_TEMPLATE: site.provision,
    CLOUDKIT_AAP_DEPROVISION_TEMPLATE: site.deprovision,
    CLOUDKIT_AAP_STATUS_POLL_INTERVAL: "1s"
  }),
  eda: (_, { edaUrl }) => ({
    CLOUDKIT_COMPUTE_INSTANCE_PROVISION_WEBHOOK: `${edaUrl}/${SimulatedEda.PROVISION_PATH}`,
    CLOUDKIT_COMPUTE_INSTANCE_DEPROVISION_WEBHOOK: `${edaUrl}/${SimulatedEda.DEPROVISION_PATH}`,
    // so that nobody has to wait ten minutes for what a playbook never says
    CLOUDKIT_EDA_SETTLE_PERIOD: "10s"
  })
}

const environment = (
  site: Site,
  provider: ProviderName,
  installation: Installation,
  config: string,
  ports: readonly [number, number]
): NodeJS.ProcessEnv => ({
  ...inherited(),
  // both ends are on this machine, whatever proxy leads out of it
  NO_PROXY: "127.0.0.1",
  no_proxy: "127.0.0.1",
  KUBECONFIG: config,
  CLOUDKIT_PROVISIONING_PROVIDER: provider,
  CLOUDKIT_COMPUTE_INSTANCE_NAMESPACE: site.namespace,
  ...Object.assign({}, ...site.configured.map((name) => variables[name](site, installation))),
  CLOUDKIT_HEALTH_PORT: String(ports[0]),
  CLOUDKIT_METRICS_PORT: String(ports[1])
})

const lastLines = (log: string): string => readFileSync(log, "utf8").trimEnd().split("\n").slice(-3).join("\n  ")

const launched = (env: NodeJS.ProcessEnv, log: string) =>
  Effect.sync(() => {
    const output = openSync(log, "a")
    const [program, parameters] = command()
    const child = spawn(program, parameters, { env, stdio: ["ignore", output, output] })
    closeSync(output)
    const kill = () => child.kill("SIGKILL")
    // should this process end without its scopes being closed
    process.once("exit", kill)
    child.once("exit", () => process.removeListener("exit", kill))
    return child
  })

const stopChild = (child: ChildProcess, ended: Deferred.Deferred<End>) =>
  Effect.suspend(() => {
    child.kill("SIGTERM")
    return Effect.timeoutOrElse(Deferred.await(ended), {
      duration: LONGEST_STOP,
      orElse: () =>
        Effect.suspend(() => {
          child.kill("SIGKILL")
          return Deferred.await(ended)
        })
    })
  })

export const startOperator = (
  site: Site,
  provider: ProviderName,
  installation: Installation,
  directory: string
): Effect.Effect<OperatorProcess, never, Scope.Scope> =>
  Effect.gen(function* () {
    const config = join(directory, `${site.name}.kubeconfig`)
    const log = join(directory, `${site.name}.log`)
    writeFileSync(config, kubeconfig(installation.kubernetesUrl, site.namespace, site.token))
    const env = environment(site, provider, installation, config, [yield* freePort, yield* freePort])
    const ended = yield* Deferred.make<End>()
    const child = yield* Effect.acquireRelease(
      Effect.tap(launched(env, log), (started) =>
        Effect.sync(() => {
          started.once("error", (error) => Deferred.doneUnsafe(ended, Effect.succeed(error.message)))
          started.once("exit", (code, signal) =>
            Deferred.doneUnsafe(ended, Effect.succeed(code ?? signal ?? "unknown"))
          )
        })
      ),
      (started) => stopChild(started, ended)
    )
    const died = Effect.flatMap(
      Deferred.await(ended),
      (end) => new OperatorDied({ message: `${site.name} ended by itself (${end}):\n  ${lastLines(log)}` })
    )
    return { site, log, died, stop: stopChild(child, ended) }
  })
