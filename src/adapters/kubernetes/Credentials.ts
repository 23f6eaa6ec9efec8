/**
 * Where the API server is and what proves who we are: `KUBECONFIG`, else the ServiceAccount of the pod, else
 * `~/.kube/config`, else an error that says what was looked for.
 */
import { existsSync } from "node:fs"
import { isIPv6 } from "node:net"
import { homedir } from "node:os"
import { delimiter, join } from "node:path"
import { Config, Effect, Option } from "effect"
import {
  bearerFromFile,
  type CredentialSource,
  type Credentials,
  CredentialsError,
  readText,
  remembering
} from "./Credential.ts"

export interface CredentialsOptions {
  /** Where the kubelet mounts the ServiceAccount's token and CA. */
  readonly serviceAccountDirectory?: string
}

export const SERVICE_ACCOUNT_DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount"

const inCluster = (directory: string, host: string, port: string): CredentialSource => ({
  server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
  proxyUrl: Option.none(),
  read: Effect.gen(function* () {
    const authorization = yield* bearerFromFile(join(directory, "token"))
    const ca = yield* readText(join(directory, "ca.crt"), "CA of the cluster")
    return { headers: { authorization }, tls: { ca } }
  }),
  forget: Effect.void
})

const environment = Config.all({
  kubeconfig: Config.option(Config.String("KUBECONFIG")),
  host: Config.option(Config.String("KUBERNETES_SERVICE_HOST")),
  port: Config.option(Config.String("KUBERNETES_SERVICE_PORT")),
  home: Config.option(Config.String("HOME"))
})

/** client-node takes 80 MiB of memory: a pod, which has no kubeconfig, never loads it. */
const fromKubeconfig = (files: ReadonlyArray<string>) =>
  Effect.flatMap(
    Effect.promise(() => import("./Kubeconfig.ts")),
    ({ kubeconfigSource }) => kubeconfigSource(files)
  )

const findSource = Effect.fnUntraced(function* (options: CredentialsOptions) {
  const env = yield* Effect.mapError(environment, (error) => new CredentialsError({ message: error.message }))
  const directory = options.serviceAccountDirectory ?? SERVICE_ACCOUNT_DIRECTORY
  const named = Option.getOrElse(env.kubeconfig, () => "")
    .split(delimiter)
    .filter((file) => file !== "")
  if (named.length > 0) return yield* fromKubeconfig(named)
  const host = Option.getOrElse(env.host, () => "")
  const mounted = existsSync(join(directory, "token"))
  if (host !== "" && mounted)
    return inCluster(
      directory,
      host,
      Option.getOrElse(env.port, () => "443")
    )
  const personal = join(
    Option.getOrElse(env.home, () => homedir()),
    ".kube",
    "config"
  )
  if (existsSync(personal)) return yield* fromKubeconfig([personal])
  return yield* new CredentialsError({
    message: [
      "no credentials for a Kubernetes API server: KUBECONFIG is not set,",
      host === "" ? "KUBERNETES_SERVICE_HOST is not set (not in a pod)," : `there is no token in ${directory},`,
      `and there is no ${personal}.`,
      "Set KUBECONFIG to the path of a kubeconfig, or run as a pod with a ServiceAccount"
    ].join(" ")
  })
})

/** Finds the source and reads it once, so that a wrong one stops the start. */
export const loadCredentials = (options: CredentialsOptions): Effect.Effect<Credentials, CredentialsError> =>
  Effect.map(findSource(options), remembering).pipe(Effect.tap((credentials) => credentials.current))
