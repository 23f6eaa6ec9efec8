/** Kubeconfigs, token files and the environment that names them, in a directory that goes away with the test. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { ConfigProvider, Effect } from "effect"
import { loadCredentials } from "../../../src/adapters/kubernetes/Credentials.ts"

export const directory = Effect.acquireRelease(
  Effect.sync(() => {
    const root = mkdtempSync(join(tmpdir(), "cloudkit-credentials-"))
    return {
      root,
      path: (name: string) => join(root, name),
      /** Writes a file, JSON unless it is text already, and answers its path. */
      write: (name: string, content: unknown): string => {
        const file = join(root, name)
        mkdirSync(dirname(file), { recursive: true })
        writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content))
        return file
      }
    }
  }),
  ({ root }) => Effect.sync(() => rmSync(root, { recursive: true, force: true }))
)

/** A kubeconfig of one cluster and one user; JSON is YAML too. */
export const kubeconfig = (
  user: Readonly<Record<string, unknown>>,
  cluster: Readonly<Record<string, unknown>> = {},
  name = "main"
) => ({
  apiVersion: "v1",
  kind: "Config",
  "current-context": name,
  clusters: [{ name, cluster: { server: "https://api.test:6443", ...cluster } }],
  users: [{ name, user }],
  contexts: [{ name, context: { cluster: name, user: name } }]
})

export const environment = (env: Readonly<Record<string, string>>) =>
  ConfigProvider.layer(ConfigProvider.fromEnv({ env }))

/** Credentials as this environment gives them; never those of the person who runs the tests. */
export const credentialsFrom = (env: Readonly<Record<string, string>>, serviceAccountDirectory = "/nonexistent") =>
  loadCredentials({ serviceAccountDirectory }).pipe(Effect.provide(environment({ HOME: "/nonexistent", ...env })))
