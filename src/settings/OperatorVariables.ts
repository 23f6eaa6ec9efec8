/**
 * The variables of the operator itself, whatever provider runs the playbooks.
 */
import { type Duration, Effect, type LogLevel, type Option, Result } from "effect"
import { duration, flag, int, matching, oneOf } from "./Kind.ts"
import type { Problem, SettingsError } from "./Problem.ts"
import { optional, together, withDefault } from "./Variable.ts"

export interface OperatorSettings {
  /** Launches; others only observe what they launched earlier. */
  readonly provider: string
  /** Where to look for ComputeInstances; everywhere if absent. */
  readonly namespace: Option.Option<string>
  readonly maxConcurrentReconciles: number
  readonly maxJobHistory: number
  readonly cancelDeadline: Duration.Duration
  readonly jobDeadline: Duration.Duration
  readonly launchQuietPeriod: Duration.Duration
  readonly jobRetention: Duration.Duration
  readonly leaderElect: boolean
  readonly leaseDuration: Duration.Duration
  readonly healthPort: number
  readonly metricsPort: number
  readonly logLevel: LogLevel.LogLevel
  readonly logFormat: "json" | "pretty"
}

const label = matching(
  "namespace",
  "the name of a namespace: at most 63 lower-case letters, digits and hyphens",
  /^(?=.{1,63}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/u
)
const port = int(1, 65_535)
const levels = {
  trace: "Trace",
  debug: "Debug",
  info: "Info",
  warn: "Warn",
  error: "Error"
} as const satisfies Readonly<Record<string, LogLevel.LogLevel>>
const formats = { json: "json", pretty: "pretty" } as const

/** `providers` are the names there are to choose from; the first is the default. */
export const operatorVariables = (providers: readonly [string, ...ReadonlyArray<string>]) => ({
  provider: withDefault(
    "PROVISIONING_PROVIDER",
    oneOf(Object.fromEntries(providers.map((name) => [name, name]))),
    providers[0],
    { description: "The provider that runs the playbooks." }
  ),
  namespace: optional("COMPUTE_INSTANCE_NAMESPACE", label, {
    description: "The namespace whose ComputeInstances are looked after; all namespaces if it is not set."
  }),
  maxConcurrentReconciles: withDefault("MAX_CONCURRENT_RECONCILES", int(1, 256), "64", {
    description:
      "How many objects are worked on at the same time. At most half of them may be launching, and a quarter more looking for an earlier launch first."
  }),
  maxJobHistory: withDefault("MAX_JOB_HISTORY", int(2, 100), "10", {
    description: "How many jobs `status.jobs` keeps. Live jobs and the newest of each type are always kept."
  }),
  cancelDeadline: withDefault("CANCEL_DEADLINE", duration("10s", "24h"), "10m", {
    description: "How long a cancelled job may live on before a Warning says so. The operator goes on asking."
  }),
  jobDeadline: withDefault("JOB_DEADLINE", duration("1m", "8760h"), "24h", {
    description: "How long a job may be alive before a Warning says so. It is never abandoned."
  }),
  launchQuietPeriod: withDefault("AAP_LAUNCH_QUIET_PERIOD", duration("1s", "1h"), "4m", {
    description:
      "How long a launch without an answer is looked for before it may be sent again. At least 10s, plus the request timeout, plus AAP's longest request (125s)."
  }),
  jobRetention: withDefault("AAP_JOB_RETENTION", duration("1h", "8760h"), "24h", {
    description: "How long AAP certainly keeps finished jobs. Must be below AAP's own clean-up."
  }),
  leaderElect: withDefault("LEADER_ELECT", flag, "false", {
    description: "Whether replicas elect the one that works. Every manifest sets it to true."
  }),
  leaseDuration: withDefault("LEASE_DURATION", duration("5s", "5m"), "15s", {
    description: "How long a leader that does not answer is waited for."
  }),
  healthPort: withDefault("HEALTH_PORT", port, "8081", { description: "Port of /livez, /readyz and /healthz." }),
  metricsPort: withDefault("METRICS_PORT", port, "8080", { description: "Port of /metrics." }),
  logLevel: withDefault("LOG_LEVEL", oneOf(levels), "info", {
    description: "The least severe messages that are logged."
  }),
  logFormat: withDefault("LOG_FORMAT", oneOf(formats), "json", {
    description: "One JSON object per line, or text for people."
  })
})

type Ports = Pick<ReturnType<typeof operatorVariables>, "healthPort" | "metricsPort">

/** Two servers cannot listen on one port. */
const metricsPort = (ports: Ports): Effect.Effect<number, Problem> =>
  Effect.gen(function* () {
    const metrics = yield* ports.metricsPort
    const health = yield* Effect.result(ports.healthPort)
    if (Result.isFailure(health) || health.success !== metrics) return metrics
    return yield* Effect.fail<Problem>({
      kind: "Contradictory",
      variable: ports.metricsPort.declaration.name,
      found: `"${metrics}", the same as in ${ports.healthPort.declaration.name}`,
      expected: "two different ports"
    })
  })

export const operatorSettings = (
  providers: readonly [string, ...ReadonlyArray<string>]
): Effect.Effect<OperatorSettings, SettingsError> => {
  const variables = operatorVariables(providers)
  const readings = { ...variables, metricsPort: metricsPort(variables) }
  return together(Object.values(readings), Effect.all(readings))
}
