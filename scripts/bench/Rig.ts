/**
 * An operator between simulators, each a process of its own: what every row of the benchmark begins with.
 */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { Duration, Effect, Option, Schedule, type Scope } from "effect"
import { freePort } from "../../test/support/ports.ts"
import { DEPROVISION_PATH, PROVISION_PATH } from "../../test/support/SimulatedEda.ts"
import { DEPROVISION, PROVISION } from "../processes/Aap.ts"
import { type Child, lastWords, ProcessFailed, start } from "../processes/Child.ts"
import { OPERATOR_TOKEN, startRealKubernetes } from "../processes/RealKubernetes.ts"
import { type Simulator, startSimulator } from "../processes/Simulators.ts"
import { image } from "./Image.ts"
import type { ProviderName } from "./Row.ts"

export interface Options {
  readonly directory: string
  /** The command that starts the operator. */
  readonly operator: ReadonlyArray<string>
  readonly kubernetes: "kubernetes" | "lean-kubernetes" | "real"
  /** Who launches; AAP unless told. */
  readonly provider?: ProviderName
  readonly pollInterval: Duration.Duration
  /** In MiB, of the operator; the manifest's unless told. */
  readonly memoryLimit?: number
  /** Besides what every row sets. */
  readonly env?: NodeJS.ProcessEnv
}

export interface Rig {
  readonly options: Options
  readonly kubernetes: Simulator
  readonly aap: Simulator
  /** Where EDA launches. */
  readonly eda: Option.Option<Simulator>
  /** The certificate authority of a real API server. */
  readonly certificate: Option.Option<string>
}

export interface Operator {
  readonly child: Child
  /** When it was started, on the machine's clock. */
  readonly startedAt: number
  readonly health: string
}

const authority = (file: string) => ({ "certificate-authority": file })

const kubeconfig = (server: string, certificate: Option.Option<string>): string =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "bench",
    clusters: [
      {
        name: "bench",
        cluster: { server, ...Option.match(certificate, { onNone: () => ({}), onSome: authority }) }
      }
    ],
    contexts: [{ name: "bench", context: { cluster: "bench", namespace: "default", user: "operator" } }],
    users: [{ name: "operator", user: { token: OPERATOR_TOKEN } }]
  })

/** Nothing of an operator's variables comes in from outside. */
export const inherited = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(CLOUDKIT|OSAC)_|^KUBECONFIG$/u.test(name)))

const seconds = (duration: Duration.Duration): string => `${Duration.toMillis(duration)}ms`

/** Each variable under both names: a rival may know the one or the other. */
const bothNames = (variables: Readonly<Record<string, string>>): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) => [
      [`CLOUDKIT_${name}`, value],
      [`OSAC_${name}`, value]
    ])
  )

const serverOf = (options: Options) =>
  options.kubernetes === "real"
    ? Effect.map(startRealKubernetes(options.directory), ({ certificate, server }) => ({
        kubernetes: server,
        certificate: Option.some(certificate)
      }))
    : Effect.map(startSimulator(options.kubernetes, options.directory), (kubernetes) => ({
        kubernetes,
        certificate: Option.none<string>()
      }))

export const makeRig = (options: Options): Effect.Effect<Rig, ProcessFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const { certificate, kubernetes } = yield* serverOf(options)
    const aap = yield* startSimulator("aap", options.directory)
    const eda =
      options.provider === "eda"
        ? Option.some(yield* startSimulator("eda", options.directory, kubernetes.open))
        : Option.none()
    return { options, kubernetes, aap, eda, certificate }
  })

const webhooks = ({ url }: Simulator) => ({
  PROVISIONING_PROVIDER: "eda",
  COMPUTE_INSTANCE_PROVISION_WEBHOOK: `${url}/${PROVISION_PATH}`,
  COMPUTE_INSTANCE_DEPROVISION_WEBHOOK: `${url}/${DEPROVISION_PATH}`
})

/** The environment of the image belongs to what the image runs. */
const ownEnvironment = ({ memoryLimit, operator }: Options): NodeJS.ProcessEnv =>
  operator.join(" ") === image.command.join(" ") ? image.env(memoryLimit) : {}

const answersReady = (url: string, child: Child): Effect.Effect<void, ProcessFailed> =>
  Effect.tryPromise({
    try: (signal) => fetch(url, { signal }),
    catch: () => new ProcessFailed({ message: `the operator does not answer ${url}:\n  ${lastWords(child.log)}` })
  }).pipe(
    Effect.flatMap(({ status }) =>
      status === 200
        ? Effect.void
        : new ProcessFailed({ message: `the operator is not ready:\n  ${lastWords(child.log)}` })
    )
  )

/** Starts the operator; it lives as long as the scope. */
export const startOperator = ({
  aap,
  certificate,
  eda,
  kubernetes,
  options
}: Rig): Effect.Effect<Operator, never, Scope.Scope> =>
  Effect.gen(function* () {
    const config = join(options.directory, "kubeconfig")
    writeFileSync(config, kubeconfig(kubernetes.url, certificate))
    const [healthPort, metricsPort] = [yield* freePort, yield* freePort]
    const [program = "", ...parameters] = options.operator
    const startedAt = performance.timeOrigin + performance.now()
    const child = yield* start({
      name: "operator",
      program: program === "node" ? process.execPath : program,
      parameters,
      log: join(options.directory, "operator.log"),
      readsOutput: false,
      env: {
        ...inherited(),
        ...ownEnvironment(options),
        NO_PROXY: "127.0.0.1",
        no_proxy: "127.0.0.1",
        KUBECONFIG: config,
        ...bothNames({
          PROVISIONING_PROVIDER: "aap",
          COMPUTE_INSTANCE_NAMESPACE: "default",
          AAP_URL: `${aap.url}/api/controller`,
          AAP_TOKEN: "operator-token",
          AAP_PROVISION_TEMPLATE: PROVISION.name,
          AAP_DEPROVISION_TEMPLATE: DEPROVISION.name,
          AAP_STATUS_POLL_INTERVAL: seconds(options.pollInterval),
          HEALTH_PORT: String(healthPort),
          METRICS_PORT: String(metricsPort),
          ...Option.match(eda, { onNone: () => ({}), onSome: webhooks })
        }),
        ...options.env
      }
    })
    return { child, startedAt, health: `http://127.0.0.1:${healthPort}` }
  })

/** Suspends until the operator says that it is ready. */
export const ready = ({ child, health }: Operator): Effect.Effect<void, ProcessFailed> =>
  answersReady(`${health}/readyz`, child).pipe(Effect.retry({ schedule: Schedule.spaced("50 millis"), times: 1200 }))
