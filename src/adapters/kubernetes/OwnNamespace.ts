/**
 * The namespace that this process runs in, and its name among all processes that ever ran there.
 */
import { randomBytes } from "node:crypto"
import { readFileSync } from "node:fs"
import { hostname } from "node:os"
import { join } from "node:path"
import { Config, Effect, Option } from "effect"
import { CredentialsError } from "./Credential.ts"
import { SERVICE_ACCOUNT_DIRECTORY } from "./Credentials.ts"

const label = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/u

const fromFile = (file: string) =>
  Effect.option(Effect.try({ try: () => readFileSync(file, "utf8").trim(), catch: () => undefined }))

/** `POD_NAMESPACE`, else what the kubelet mounts with the ServiceAccount. */
export const ownNamespace = Effect.fnUntraced(function* (directory = SERVICE_ACCOUNT_DIRECTORY) {
  const given = yield* Effect.orDie(Config.option(Config.String("POD_NAMESPACE")))
  const file = join(directory, "namespace")
  const found = Option.filter(given, (text) => text.trim() !== "")
  const namespace = Option.getOrElse(Option.isSome(found) ? found : yield* fromFile(file), () => "").trim()
  if (label.test(namespace)) return namespace
  const what = namespace === "" ? "is not known" : `cannot be ${JSON.stringify(namespace.slice(0, 80))}`
  return yield* new CredentialsError({
    message: `CLOUDKIT_LEADER_ELECT is true, and the namespace of the Lease ${what}: set POD_NAMESPACE to the namespace the operator runs in, or mount the ServiceAccount (${file}), or set CLOUDKIT_LEADER_ELECT=false and run one replica`
  })
})

/** The host's name is the pod's; the rest tells a process from the one that ran there before. */
export const ownIdentity = Effect.sync(() => `${hostname()}_${randomBytes(5).toString("hex")}`)
