/**
 * A Pod without a kubelet: the operator out of the image's contents, with the variables, files and folders that the Deployment
 * gives it.
 *
 * Where this process may make mount namespaces (as root on Linux), the container is one: the image's files and the system's
 * programs, all read-only, and nothing to write to but the declared emptyDirs; the user and the group are whatever is asked
 * for, without any capability. Elsewhere the same process runs as an ordinary one, with its paths moved. The network is
 * always this machine's.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { closeSync, mkdirSync, mkdtempSync, openSync, writeFileSync } from "node:fs"
import { hostname } from "node:os"
import { join } from "node:path"
import { assert } from "@effect/vitest"
import { Deferred, Effect, type Scope } from "effect"
import type { Image } from "../../scripts/image/contents.ts"
import { type Json, listAt, objectAt, stringAt } from "../support/kubernetes/Json.ts"

export interface Contents extends Image {
  /** The folder that holds the files. */
  readonly folder: string
}

/** What a kubelet finds at the API server. */
export interface Found {
  /** The Pod's spec. */
  readonly spec: Json
  /** The decoded data of a Secret, if it exists. */
  readonly secret: (name: string) => Readonly<Record<string, string>> | undefined
  readonly namespace: string
  readonly server: URL
  readonly certificate: string
  readonly token: string
}

export interface PodOptions {
  readonly uid: number
  /** Variables besides those of the Deployment. */
  readonly env?: Readonly<Record<string, string>>
  /** What to run in the place of the image's entrypoint. */
  readonly command?: ReadonlyArray<string>
}

export interface Pod {
  /** As a kubelet ends it; answers how it ended. */
  readonly stop: Effect.Effect<number | string>
  readonly ended: Effect.Effect<number | string>
  /** Where what is mounted lies on this machine, by its path in the container. */
  readonly folders: ReadonlyMap<string, string>
}

const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"

/** Says in words why containers cannot be made here; nothing where they can. */
export const obstacle: string | undefined = (() => {
  if (process.platform !== "linux") return "this is not Linux"
  if (process.getuid?.() !== 0) return "only root may start a process as any other user"
  try {
    execFileSync("unshare", ["--mount", "--propagation", "private", "mount", "-t", "tmpfs", "none", "/mnt"])
    return undefined
  } catch {
    return "unshare may not mount here"
  }
})()

interface Mount {
  /** Where it is in the container. */
  readonly path: string
  readonly folder: string
  readonly writable: boolean
}

const writeFolder = (folder: string, files: Readonly<Record<string, string>>): void => {
  mkdirSync(folder, { recursive: true })
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content, { mode: 0o644 })
}

/** The files of a volume. */
const filled = (volume: Json, found: Found, folder: string): boolean => {
  const secretName = stringAt(volume, "secret", "secretName")
  if (secretName === undefined) {
    assert.isDefined(objectAt(volume).emptyDir, `this volume is not understood: ${JSON.stringify(volume)}`)
    mkdirSync(folder, { mode: 0o777 })
    execFileSync("chmod", ["777", folder])
    return true
  }
  const data = found.secret(secretName) ?? assert.fail(`the Pod waits for the Secret ${secretName}`)
  const items = listAt(volume, "secret", "items").map((item): readonly [string, string] => {
    const key = stringAt(item, "key") ?? ""
    return [stringAt(item, "path") ?? "", data[key] ?? assert.fail(`the Secret ${secretName} has no key ${key}`)]
  })
  writeFolder(folder, Object.fromEntries(items))
  return false
}

const mountsOf = (found: Found, container: Json, home: string): ReadonlyArray<Mount> => {
  const serviceAccount = join(home, "service-account")
  writeFolder(serviceAccount, { token: found.token, "ca.crt": found.certificate, namespace: found.namespace })
  const mounts = listAt(container, "volumeMounts").map((mount): Mount => {
    const name = stringAt(mount, "name") ?? ""
    const volume = listAt(found.spec, "volumes").find((one) => stringAt(one, "name") === name) ?? null
    const folder = join(home, name)
    return { path: stringAt(mount, "mountPath") ?? "", folder, writable: filled(volume, found, folder) }
  })
  return [...mounts, { path: SERVICE_ACCOUNT, folder: serviceAccount, writable: false }]
}

const variableOf = (found: Found, one: Json): string => {
  const secret = stringAt(one, "valueFrom", "secretKeyRef", "name")
  if (secret === undefined) return stringAt(one, "value") ?? ""
  const key = stringAt(one, "valueFrom", "secretKeyRef", "key") ?? ""
  return found.secret(secret)?.[key] ?? assert.fail(`there is no Secret ${secret} with a key ${key}`)
}

const environmentOf = (found: Found, container: Json, image: Image): Record<string, string> => {
  const given = listAt(container, "envFrom").map((one) => found.secret(stringAt(one, "secretRef", "name") ?? "") ?? {})
  const own = listAt(container, "env").map((one): readonly [string, string] => [
    stringAt(one, "name") ?? "",
    variableOf(found, one)
  ])
  return {
    ...image.env,
    HOSTNAME: hostname(),
    KUBERNETES_SERVICE_HOST: found.server.hostname,
    KUBERNETES_SERVICE_PORT: found.server.port,
    ...Object.assign({}, ...given),
    ...Object.fromEntries(own)
  }
}

/** Root, contents, user and mounts in, and then there is no way back. */
const SCRIPT = `set -eu
root=$1 contents=$2 uid=$3; shift 3
mount -t tmpfs -o mode=755 none "$root"
cp -a "$contents/." "$root/"
for folder in usr bin sbin lib lib64; do
  if [ -L "/$folder" ]; then cp -P "/$folder" "$root/$folder"
  elif [ -d "/$folder" ]; then mkdir -p "$root/$folder"; mount --rbind "/$folder" "$root/$folder"; mount -o remount,bind,ro "$root/$folder"; fi
done
mkdir -p "$root/proc" "$root/dev" "$root/etc"
mount -t proc none "$root/proc" 2> /dev/null || mount --rbind /proc "$root/proc"
cp /etc/ld.so.cache /etc/hosts "$root/etc/" 2> /dev/null || true
for device in null zero random urandom; do touch "$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; done
while [ "$1" != -- ]; do
  mkdir -p "$root$2"; mount --bind "$3" "$root$2"; mount -o "remount,bind,nosuid,nodev,$1" "$root$2"; shift 3
done
shift
mount -o remount,ro "$root"
cd "$root"
exec chroot "$root" /usr/bin/setpriv --reuid "$uid" --regid 0 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all -- "$@"
`

const contained = (
  contents: Contents,
  mounts: ReadonlyArray<Mount>,
  uid: number,
  command: ReadonlyArray<string>,
  home: string
) => {
  const root = join(home, "root")
  mkdirSync(root)
  const binds = mounts.flatMap(({ folder, path, writable }) => [writable ? "rw" : "ro", path, folder])
  const script = ["sh", "-c", SCRIPT, "pod", root, contents.folder, String(uid), ...binds, "--", ...command]
  return ["unshare", "--mount", "--propagation", "private", ...script]
}

/** Without a container, files are where they were written. */
const moved = (mounts: ReadonlyArray<Mount>, value: string): string => {
  const mount = mounts.find(({ path }) => value.startsWith(`${path}/`))
  return mount === undefined ? value : `${mount.folder}${value.slice(mount.path.length)}`
}

const uncontained = (
  contents: Contents,
  found: Found,
  env: Record<string, string>,
  mounts: ReadonlyArray<Mount>,
  home: string
) => {
  const kubeconfig = join(home, "kubeconfig")
  const cluster = {
    server: found.server.origin,
    "certificate-authority-data": Buffer.from(found.certificate).toString("base64")
  }
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      ...{ apiVersion: "v1", kind: "Config", "current-context": "here" },
      clusters: [{ name: "here", cluster }],
      contexts: [{ name: "here", context: { cluster: "here", user: "operator" } }],
      users: [{ name: "operator", user: { token: found.token } }]
    })
  )
  const paths = Object.entries(env).map(([name, value]): readonly [string, string] => [name, moved(mounts, value)])
  return {
    argv: contents.entrypoint.map((word) => (word.startsWith("/") ? join(contents.folder, word) : word)),
    env: { ...Object.fromEntries(paths), KUBECONFIG: kubeconfig, POD_NAMESPACE: found.namespace }
  }
}

const spawned = (argv: ReadonlyArray<string>, env: Readonly<Record<string, string>>, log: string): ChildProcess => {
  const [program = "", ...args] = argv
  const output = openSync(log, "a")
  const child = spawn(program, args, { env, stdio: ["ignore", output, output] })
  closeSync(output)
  return child
}

/** Lives as long as the scope at most. What it says on either output is added to the file. */
export const start = (
  contents: Contents,
  found: Found,
  options: PodOptions,
  log: string
): Effect.Effect<Pod, never, Scope.Scope> =>
  Effect.gen(function* () {
    const home = mkdtempSync(join(contents.folder, "..", "pod-"))
    execFileSync("chmod", ["755", home])
    const container = listAt(found.spec, "containers")[0] ?? null
    const mounts = mountsOf(found, container, home)
    const env = { ...environmentOf(found, container, contents), ...options.env }
    const command = options.command ?? contents.entrypoint
    const { argv, env: given } =
      obstacle === undefined
        ? { argv: contained(contents, mounts, options.uid, command, home), env }
        : uncontained(contents, found, env, mounts, home)
    const ended = yield* Deferred.make<number | string>()
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const started = spawned(argv, given, log)
        started.once("exit", (code, signal) => Deferred.doneUnsafe(ended, Effect.succeed(code ?? signal ?? "unknown")))
        return started
      }),
      (started) =>
        Effect.andThen(
          Effect.sync(() => started.kill("SIGKILL")),
          Deferred.await(ended)
        )
    )
    return {
      stop: Effect.andThen(
        Effect.sync(() => child.kill("SIGTERM")),
        Deferred.await(ended)
      ),
      ended: Deferred.await(ended),
      folders: new Map(mounts.map(({ folder, path }) => [path, folder]))
    }
  })
