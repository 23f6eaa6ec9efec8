/**
 * Credentials from kubeconfig files, by the rules of kubectl: of several files the first word counts, paths are relative
 * to the file they stand in, data wins over a path, a token file over a token.
 *
 * client-node's `KubeConfig` applies the result: client certificates, exec plugins, OIDC. It is given one cluster and
 * one user, in a form that it reads as kubectl would.
 */
import { existsSync } from "node:fs"
import type { RequestOptions } from "node:https"
import { dirname, isAbsolute, join } from "node:path"
import { KubeConfig, loadYaml } from "@kubernetes/client-node"
import { Effect, Option } from "effect"
import {
  bearerFromFile,
  type Credential,
  type CredentialSource,
  CredentialsError,
  readText,
  type TlsMaterial
} from "./Credential.ts"
import { isRecord, type UnknownRecord } from "./KubernetesJson.ts"

/** What the files say together, about the current context. */
interface Selected {
  readonly cluster: UnknownRecord
  readonly user: UnknownRecord
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined)

const without = (record: UnknownRecord, ...keys: ReadonlyArray<string>): UnknownRecord =>
  Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)))

/** The YAML parser's message quotes the lines around an error, tokens and all: only its place is told. */
const parseFile = (file: string) =>
  Effect.flatMap(readText(file, "kubeconfig"), (content) =>
    Effect.try({
      try: (): unknown => loadYaml<unknown>(content),
      catch: (error) => {
        const mark = isRecord(error) && isRecord(error.mark) ? error.mark : {}
        const where = typeof mark.line === "number" ? `, line ${mark.line + 1}` : ""
        return new CredentialsError({ message: `the kubeconfig ${file} is not valid YAML${where}` })
      }
    })
  ).pipe(
    Effect.filterOrFail(isRecord, () => new CredentialsError({ message: `the kubeconfig ${file} is not a mapping` }))
  )

/** One entry of `clusters` or `users`, with its paths made absolute and its alternatives decided. */
const resolvePaths = (entry: UnknownRecord, directory: string): UnknownRecord => {
  const paths = ["certificate-authority", "client-certificate", "client-key", "tokenFile"].flatMap((key) => {
    const path = text(entry[key])
    if (path === undefined || text(entry[`${key}-data`]) !== undefined) return []
    return [[key, isAbsolute(path) ? path : join(directory, path)]]
  })
  const rest = without(entry, "certificate-authority", "client-certificate", "client-key", "tokenFile")
  const exec = isRecord(entry.exec) ? { exec: resolveCommand(entry.exec, directory) } : {}
  return { ...rest, ...Object.fromEntries(paths), ...exec }
}

/** A command with a slash in it is a path beside the kubeconfig; one without is looked up in PATH. */
const resolveCommand = (exec: UnknownRecord, directory: string): UnknownRecord => {
  const command = text(exec.command)
  const path = command?.includes("/") === true && !isAbsolute(command) ? join(directory, command) : command
  return path === undefined ? exec : { ...exec, command: path }
}

const named = (file: UnknownRecord, list: string, item: string, name: string): UnknownRecord | undefined => {
  const entries = Array.isArray(file[list]) ? file[list] : []
  const entry = entries.find((it) => isRecord(it) && it.name === name)
  return isRecord(entry) && isRecord(entry[item]) ? entry[item] : undefined
}

/** The first file that has it says what it is. */
const firstOf = <A>(
  files: ReadonlyArray<string>,
  contents: ReadonlyArray<UnknownRecord>,
  pick: (content: UnknownRecord, file: string) => A | undefined
) => {
  for (const [index, content] of contents.entries()) {
    const found = pick(content, files[index] ?? "")
    if (found !== undefined) return found
  }
  return undefined
}

const select = Effect.fnUntraced(function* (files: ReadonlyArray<string>) {
  const present = files.filter((file) => existsSync(file))
  const all = files.join(", ")
  const wrong = (message: string) => new CredentialsError({ message: `${message} (kubeconfig: ${all})` })
  if (present.length === 0) return yield* wrong("none of the files that KUBECONFIG names exists")
  const contents = yield* Effect.forEach(present, parseFile)
  const find = (list: string, item: string, name: string) =>
    firstOf(present, contents, (content, file) => {
      const entry = named(content, list, item, name)
      return entry === undefined ? undefined : resolvePaths(entry, dirname(file))
    })
  const current = firstOf(present, contents, (content) => text(content["current-context"]))
  if (current === undefined) {
    return yield* wrong("no current-context is set: choose one with kubectl config use-context NAME")
  }
  const context = find("contexts", "context", current)
  if (context === undefined) return yield* wrong(`the current-context "${current}" does not exist`)
  const cluster = find("clusters", "cluster", text(context.cluster) ?? "")
  const server = text(cluster?.server)
  if (cluster === undefined || server === undefined || !/^https?:$/.test(URL.parse(server)?.protocol ?? "")) {
    return yield* wrong(`the context "${current}" names no cluster with a server URL (https://HOST:PORT)`)
  }
  const user = text(context.user) === undefined ? {} : find("users", "user", text(context.user) ?? "")
  if (user === undefined) return yield* wrong(`the user of the context "${current}" does not exist`)
  const selected: Selected = { cluster: { ...cluster, server: server.replace(/\/+$/, "") }, user }
  return selected
})

/** What an exec plugin is told: which version of the protocol to speak, and of which cluster, if it asked for that. */
const execInfo = (exec: UnknownRecord, cluster: UnknownRecord): string =>
  JSON.stringify({
    kind: "ExecCredential",
    apiVersion: exec.apiVersion,
    spec: {
      interactive: false,
      ...(exec.provideClusterInfo === true
        ? {
            cluster: {
              server: cluster.server,
              "tls-server-name": cluster["tls-server-name"],
              "insecure-skip-tls-verify": cluster["insecure-skip-tls-verify"],
              "certificate-authority-data": cluster["certificate-authority-data"]
            }
          }
        : {})
    }
  })

const withExecInfo = (user: UnknownRecord, cluster: UnknownRecord): UnknownRecord => {
  if (!isRecord(user.exec)) return user
  const env = Array.isArray(user.exec.env) ? user.exec.env : []
  const info = { name: "KUBERNETES_EXEC_INFO", value: execInfo(user.exec, cluster) }
  return { ...user, exec: { ...user.exec, env: [...env, info] } }
}

const kubeConfigOf = ({ cluster, user }: Selected): KubeConfig => {
  const config = new KubeConfig()
  // The proxy is our connection's business. KubeConfig refuses plain HTTP unless certificates are not to be checked.
  const plain = String(cluster.server).startsWith("http:") ? { "insecure-skip-tls-verify": true } : {}
  const named = <A>(item: string, value: A) => [{ name: "it", [item]: value }]
  config.loadFromString(
    JSON.stringify({
      clusters: named("cluster", { ...without(cluster, "proxy-url"), ...plain }),
      users: named(
        "user",
        withExecInfo(without(user, "tokenFile", ...(user.tokenFile === undefined ? [] : ["token"])), cluster)
      ),
      contexts: named("context", { cluster: "it", user: "it" }),
      "current-context": "it"
    })
  )
  return config
}

/** A plugin's own words may be shown, but not what a parser quotes of its output: that is the token. */
const applyFailed = (user: UnknownRecord) => (error: unknown) => {
  const command = isRecord(user.exec) ? text(user.exec.command) : undefined
  const what = command === undefined ? "the user's credential" : `the exec plugin ${command}`
  const why =
    error instanceof SyntaxError || error instanceof TypeError
      ? "its output is not an ExecCredential"
      : error instanceof Error && error.message !== ""
        ? error.message.trim().slice(0, 500)
        : "no reason given"
  return new CredentialsError({ message: `${what} failed: ${why}` })
}

const pem = (value: unknown): string | undefined => (Buffer.isBuffer(value) ? value.toString("utf8") : text(value))

const tlsOf = (options: RequestOptions): TlsMaterial => {
  const entries = Object.entries({
    ca: pem(options.ca),
    cert: pem(options.cert),
    key: pem(options.key),
    servername: text(options.servername),
    rejectUnauthorized: options.rejectUnauthorized
  })
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

const headersOf = (options: RequestOptions): Record<string, string> => {
  const basic: Record<string, string> =
    typeof options.auth === "string" ? { authorization: `Basic ${Buffer.from(options.auth).toString("base64")}` } : {}
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (typeof value === "string") basic[name.toLowerCase()] = value
  }
  return basic
}

const apply = Effect.fnUntraced(function* (selected: Selected, config: KubeConfig) {
  const options: RequestOptions = {}
  yield* Effect.tryPromise({ try: () => config.applyToHTTPSOptions(options), catch: applyFailed(selected.user) })
  const tokenFile = text(selected.user.tokenFile)
  const bearer = tokenFile === undefined ? {} : { authorization: yield* bearerFromFile(tokenFile) }
  const credential: Credential = { headers: { ...headersOf(options), ...bearer }, tls: tlsOf(options) }
  // client-node takes an empty answer of a plugin for an anonymous user; requests would then fail as 401 or 403.
  const proof = credential.headers.authorization ?? credential.tls.cert
  if (isRecord(selected.user.exec) && proof === undefined) return yield* applyFailed(selected.user)(new TypeError())
  return credential
})

/** The source for the current context of these files. The server is fixed; everything else is read anew after `forget`. */
export const kubeconfigSource = Effect.fnUntraced(function* (files: ReadonlyArray<string>) {
  const first = yield* select(files)
  const prepared = (selected: Selected) => ({ selected, config: kubeConfigOf(selected) })
  let loaded: ReturnType<typeof prepared> | undefined = prepared(first)
  const source: CredentialSource = {
    server: String(first.cluster.server),
    proxyUrl: Option.fromNullishOr(text(first.cluster["proxy-url"])),
    read: Effect.gen(function* () {
      loaded ??= prepared(yield* select(files))
      return yield* apply(loaded.selected, loaded.config)
    }),
    forget: Effect.sync(() => {
      loaded = undefined
    })
  }
  return source
})
