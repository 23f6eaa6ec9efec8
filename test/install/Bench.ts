/**
 * Where the manifests are tried: a real kube-apiserver that enforces RBAC and Pod Security and writes down every request, and
 * a stock kubectl. There are no controllers and no kubelet: what they would do is done by the tests, and said.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { assert } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { imageContents } from "../../scripts/image/contents.ts"
import { assets } from "../cluster/assets.ts"
import { type ControlPlane, start } from "../cluster/ControlPlane.ts"
import { make as makeKubectl, type Outcome } from "../cluster/Kubectl.ts"
import { fromUnknown, type Json, type JsonObject, objectAt } from "../support/kubernetes/Json.ts"
import type { Contents } from "./Pod.ts"

export interface BenchShape {
  readonly plane: ControlPlane
  /** A folder of its own, where kubectl runs. */
  readonly home: string
  /** The file that says who is who, for kubectl and for the operator. */
  readonly kubeconfigOf: (user: string, token: string) => string
  /** As an administrator; must succeed. */
  readonly kubectl: (...args: ReadonlyArray<string>) => Effect.Effect<string>
  /** The administrator's kubeconfig. */
  readonly admin: string
  /** Writes a manifest where kubectl runs. */
  readonly write: (file: string, object: Json) => string
  /** As whoever, however it ends. */
  readonly attempt: (kubeconfig: string, ...args: ReadonlyArray<string>) => Effect.Effect<Outcome>
  /** Applies objects as they are. */
  readonly apply: (...objects: ReadonlyArray<Json>) => Effect.Effect<string>
  readonly get: (...args: ReadonlyArray<string>) => Effect.Effect<JsonObject>
  /** The requests so far, as the API server wrote them down. */
  readonly audit: () => ReadonlyArray<Json>
  /** What is in the image, assembled when it is first asked for. */
  readonly contents: Effect.Effect<Contents>
}

export const SYSTEM = "cloudkit-system"
export const OPERATOR = "cloudkit-operator-controller-manager"
export const overlay = (name: string): string => resolve("k8s/overlays", name)

const ADMIN = "admin-token"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "cloudkit-install-"))),
  (home) => Effect.sync(() => rmSync(home, { recursive: true, force: true }))
)

const kubeconfig = (plane: ControlPlane, token: string) => ({
  apiVersion: "v1",
  kind: "Config",
  "current-context": "here",
  clusters: [{ name: "here", cluster: { server: plane.url, "certificate-authority": plane.certificate } }],
  contexts: [{ name: "here", context: { cluster: "here", user: "somebody", namespace: "default" } }],
  users: [{ name: "somebody", user: { token } }]
})

const parsedLines = (file: string): ReadonlyArray<Json> =>
  readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => fromUnknown(JSON.parse(line)))

const assembled = (folder: string): Effect.Effect<Contents> =>
  Effect.sync(() => ({ ...imageContents(resolve("."), folder), folder }))

const makeBench = Effect.gen(function* () {
  const home = yield* temporary
  const log = join(home, "audit.log")
  const plane = yield* start({ assets, tokens: [`${ADMIN},admin,1,system:masters`], audit: log })
  const { home: folder, run } = yield* makeKubectl(join(assets, "kubectl"), plane.url)
  const kubeconfigOf = (user: string, token: string) => {
    const file = join(home, `${user}.kubeconfig`)
    writeFileSync(file, JSON.stringify(kubeconfig(plane, token)), { mode: 0o600 })
    return file
  }
  const admin = kubeconfigOf("admin", ADMIN)
  const attempt = (config: string, ...args: ReadonlyArray<string>) => run(args, { KUBECONFIG: config })
  const kubectl = (...args: ReadonlyArray<string>) =>
    Effect.map(attempt(admin, ...args), ({ code, output }) => {
      assert.strictEqual(code, 0, `kubectl ${args.join(" ")}\n${output}`)
      return output
    })
  const write = (file: string, object: Json) => {
    writeFileSync(join(folder, file), JSON.stringify(object))
    return file
  }
  const shape: BenchShape = {
    plane,
    home,
    kubeconfigOf,
    admin,
    write,
    kubectl,
    attempt,
    apply: (...objects) =>
      Effect.suspend(() =>
        kubectl("apply", "-f", write("list.json", { apiVersion: "v1", kind: "List", items: objects }))
      ),
    get: (...args) =>
      Effect.map(kubectl("get", ...args, "-o", "json"), (output) =>
        // kubectl says nothing at all of what it may ignore
        objectAt(fromUnknown(JSON.parse(output === "" ? "{}" : output)))
      ),
    audit: () => parsedLines(log),
    contents: yield* Effect.cached(assembled(join(home, "image")))
  }
  return shape
})

/** One for all tests. */
export class Bench extends Context.Service<Bench, BenchShape>()("cloudkit-operator/test/install/Bench") {
  static readonly layer = Layer.effect(Bench, makeBench)
}

/** A kubeconfig of the operator's ServiceAccount, with a token as the kubelet would get one. */
export const asOperator = Effect.fnUntraced(function* ({ kubeconfigOf, kubectl }: BenchShape) {
  const token = (yield* kubectl("create", "token", OPERATOR, "-n", SYSTEM)).trim()
  return { token, kubeconfig: kubeconfigOf("operator", token) }
})
