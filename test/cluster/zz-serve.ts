import { Effect } from "effect"
import { make } from "../support/SimulatedKubernetes.ts"
import { serve } from "../support/Wire.ts"
import { writeFileSync } from "node:fs"
await Effect.runPromise(Effect.scoped(Effect.gen(function* () {
  const k = yield* make()
  const { url } = yield* serve((r) => Effect.tap(k.handler(r), (a) => Effect.sync(() => process.stderr.write(`${r.method} ${r.url.pathname}${r.url.search} [${r.headers.accept}] ${r.headers["content-type"] ?? ""} -> ${a.status}\n`))))
  writeFileSync("/tmp/simk8s-probe/kc/config", JSON.stringify({ apiVersion: "v1", kind: "Config", clusters: [{ name: "c", cluster: { server: url } }], users: [{ name: "u", user: { token: "admin-token" } }], contexts: [{ name: "x", context: { cluster: "c", user: "u", namespace: "default" } }], "current-context": "x" }))
  yield* Effect.never
})))
