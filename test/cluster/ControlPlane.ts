/**
 * A real control plane, etcd and kube-apiserver, on free loopback ports for as long as a scope lasts.
 *
 * The binaries come from the folder in `KUBEBUILDER_ASSETS` (`setup-envtest use -p path` prints one). ConfigMaps are served
 * without a watch cache, so that a compaction of etcd is felt at once: elsewhere the cache remembers longer than etcd.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { generateKeyPairSync } from "node:crypto"
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Data, Effect, Layer, Schedule, Scope } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import { fromUnknown, numberAt, stringAt } from "../support/kubernetes/Json.ts"
import { freePort } from "../support/ports.ts"

/** The control plane does not come up, or a request to its parts fails. */
export class ControlPlaneError extends Data.TaggedError("ControlPlaneError")<{
  readonly message: string
  readonly cause?: unknown
}> {}

export interface ControlPlane {
  readonly url: string
  /** Trusts the server's certificate. */
  readonly client: HttpClient.HttpClient
  /** Of kube-apiserver. */
  readonly pid: () => number
  /** The file of the certificate authority. */
  readonly certificate: string
  /** Compacts etcd up to its present revision. */
  readonly compact: Effect.Effect<void, ControlPlaneError>
  /** Kills kube-apiserver, does something while it is gone, and starts it again with these further flags; etcd stays. */
  readonly restarted: (
    meanwhile: Effect.Effect<void>,
    ...flags: ReadonlyArray<string>
  ) => Effect.Effect<void, ControlPlaneError>
}

export interface Options {
  /** The folder with the binaries. */
  readonly assets: string
  /** Lines of a token file: `token,user,uid,"group,group"`. */
  readonly tokens: ReadonlyArray<string>
  /** Where every request is written down, one JSON object a line; nowhere if absent. */
  readonly audit?: string
  /** Of kube-apiserver, besides those that it always has. */
  readonly flags?: ReadonlyArray<string>
}

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "control-plane-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

const ended = (child: ChildProcess): Effect.Effect<void> =>
  Effect.callback((resume) => {
    if (hasEnded(child)) resume(Effect.void)
    else child.once("exit", () => resume(Effect.void))
  })

const stopped = (child: ChildProcess): Effect.Effect<void> =>
  Effect.sync(() => child.kill("SIGTERM")).pipe(
    Effect.andThen(ended(child)),
    Effect.timeoutOrElse({
      duration: "10 seconds",
      orElse: () =>
        Effect.andThen(
          Effect.sync(() => child.kill("SIGKILL")),
          ended(child)
        )
    })
  )

/** Runs a binary until the scope closes; what it says goes to a file. */
const running = (binary: string, args: ReadonlyArray<string>, log: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const file = openSync(log, "w")
      const child = spawn(binary, args, { stdio: ["ignore", file, file] })
      closeSync(file)
      return child
    }),
    stopped
  )

const lastWords = (log: string): string => readFileSync(log, "utf8").trim().split("\n").slice(-5).join("\n")

const etcdArguments = (folder: string, client: number, peer: number): ReadonlyArray<string> => [
  ...["--data-dir", join(folder, "etcd")],
  ...["--listen-client-urls", `http://127.0.0.1:${client}`, "--advertise-client-urls", `http://127.0.0.1:${client}`],
  ...["--listen-peer-urls", `http://127.0.0.1:${peer}`, "--initial-advertise-peer-urls", `http://127.0.0.1:${peer}`],
  ...["--initial-cluster", `default=http://127.0.0.1:${peer}`],
  ...["--unsafe-no-fsync", "--log-level", "error"]
]

const serverArguments = (folder: string, etcd: number, port: number): ReadonlyArray<string> => [
  ...["--etcd-servers", `http://127.0.0.1:${etcd}`, "--watch-cache-sizes", "configmaps#0"],
  ...["--bind-address", "127.0.0.1", "--secure-port", String(port), "--cert-dir", join(folder, "certs")],
  ...["--service-cluster-ip-range", "10.0.0.0/24", "--service-account-issuer", "https://kubernetes.default.svc"],
  ...[
    "--service-account-key-file",
    join(folder, "sa.key"),
    "--service-account-signing-key-file",
    join(folder, "sa.key")
  ],
  ...["--token-auth-file", join(folder, "tokens.csv"), "--authorization-mode", "RBAC"],
  ...["--disable-admission-plugins", "ServiceAccount"]
]

/** Who asked for what, and what became of it, but no bodies. */
const auditArguments = (folder: string, log: string | undefined): ReadonlyArray<string> => {
  if (log === undefined) return []
  const policy = join(folder, "audit-policy.json")
  const rules = { omitStages: ["RequestReceived"], rules: [{ level: "Metadata" }] }
  writeFileSync(policy, JSON.stringify({ apiVersion: "audit.k8s.io/v1", kind: "Policy", ...rules }))
  return ["--audit-policy-file", policy, "--audit-log-path", log]
}

const clientOf = Effect.fnUntraced(function* (certificate: string) {
  const ca = yield* Effect.try({
    try: () => readFileSync(certificate, "utf8"),
    catch: (cause) => new ControlPlaneError({ message: "kube-apiserver has no certificate yet", cause })
  })
  // over HTTP/2 undici throws, where nobody can catch it, when a server is killed that streams are open to
  const context = yield* Layer.build(NodeHttpClient.layerUndiciOptions({ connect: { ca }, allowH2: false }))
  return yield* HttpClient.HttpClient.pipe(Effect.provideContext(context))
})

const readiness = (client: HttpClient.HttpClient, url: string): Effect.Effect<void, ControlPlaneError> =>
  client.execute(HttpClientRequest.get(`${url}/readyz`)).pipe(
    Effect.mapError((cause) => new ControlPlaneError({ message: "kube-apiserver does not answer", cause })),
    Effect.flatMap((response) =>
      response.status === 200
        ? Effect.void
        : Effect.fail(new ControlPlaneError({ message: `kube-apiserver is not ready (${response.status})` }))
    )
  )

const patiently = { schedule: Schedule.spaced("200 millis"), times: 900 }

/** etcd speaks JSON too: its gateway takes the revision to compact to. */
const compaction = (port: number): Effect.Effect<void, ControlPlaneError, HttpClient.HttpClient> =>
  Effect.gen(function* () {
    const client = yield* HttpClient.HttpClient
    const call = (path: string, body: string) =>
      client
        .execute(
          HttpClientRequest.bodyText(
            HttpClientRequest.post(`http://127.0.0.1:${port}${path}`),
            body,
            "application/json"
          )
        )
        .pipe(Effect.flatMap((response) => response.text))
    const found = fromUnknown(JSON.parse(yield* call("/v3/kv/range", '{"key":"AA=="}')))
    const revision = stringAt(found, "header", "revision") ?? numberAt(found, "header", "revision")
    yield* call("/v3/kv/compaction", JSON.stringify({ revision, physical: true }))
  }).pipe(Effect.mapError((cause) => new ControlPlaneError({ message: "etcd does not compact", cause })))

export const start = (options: Options): Effect.Effect<ControlPlane, ControlPlaneError, Scope.Scope> =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const [etcdPort, peerPort, port] = [yield* freePort, yield* freePort, yield* freePort]
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
    writeFileSync(join(folder, "sa.key"), privateKey.export({ type: "pkcs1", format: "pem" }), { mode: 0o600 })
    writeFileSync(join(folder, "tokens.csv"), `${options.tokens.join("\n")}\n`, { mode: 0o600 })
    const etcdLog = join(folder, "etcd.log")
    const serverLog = join(folder, "kube-apiserver.log")
    yield* running(join(options.assets, "etcd"), etcdArguments(folder, etcdPort, peerPort), etcdLog)
    const args = [...serverArguments(folder, etcdPort, port), ...auditArguments(folder, options.audit)]
    const serving = (flags: ReadonlyArray<string>) =>
      running(join(options.assets, "kube-apiserver"), [...args, ...flags], serverLog)
    let server = yield* serving(options.flags ?? [])
    const url = `https://127.0.0.1:${port}`
    const alive = (problem: ControlPlaneError) => problem.message !== "" && !hasEnded(server)
    const described = (problem: ControlPlaneError) =>
      new ControlPlaneError({ message: `${problem.message}; it said:\n${lastWords(serverLog)}`, cause: problem })
    const certificate = join(folder, "certs", "apiserver.crt")
    const client = yield* clientOf(certificate).pipe(
      Effect.retry({ ...patiently, while: alive }),
      Effect.mapError(described)
    )
    const ready = readiness(client, url).pipe(Effect.retry({ ...patiently, while: alive }), Effect.mapError(described))
    yield* ready
    const plain = yield* Layer.build(NodeHttpClient.layerUndici)
    const scope = yield* Effect.scope
    const restarted: ControlPlane["restarted"] = (meanwhile, ...flags) =>
      Effect.gen(function* () {
        server.kill("SIGKILL")
        yield* ended(server)
        yield* meanwhile
        server = yield* serving(flags)
        yield* ready
      }).pipe(Scope.provide(scope))
    const compact = Effect.provideContext(compaction(etcdPort), plain)
    return { url, client, pid: () => server.pid ?? 0, certificate, compact, restarted }
  })
