/** An operator that is deployed as the design document says, the test being its kubelet. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { followBlock } from "../Script.ts"
import type { Site } from "../Site.ts"

export const deployAap = Effect.fnUntraced(function* (site: Site) {
  yield* followBlock(site, 13, {}, (s) => Effect.asVoid(s.run("kubectl create secret")))
  yield* site.writeManifest(14)
  yield* followBlock(site, 15, {}, (s) => Effect.asVoid(s.run("kubectl apply")))
  return yield* site.operate
})

export const deployEda = Effect.fnUntraced(function* (site: Site) {
  yield* site.writeManifest(10)
  yield* followBlock(site, 11, {}, (s) => Effect.asVoid(s.run("kubectl apply")))
  return yield* site.operate
})

/** Creates a ComputeInstance beside those of the documents. */
export const order = Effect.fnUntraced(function* (site: Site, name: string) {
  const manifest = {
    apiVersion: "cloudkit.openshift.io/v1alpha1",
    kind: "ComputeInstance",
    metadata: { name, namespace: site.namespace },
    spec: { name, vcpu: 2, memory: 4096, disk: 40 }
  }
  const applied = yield* site.shell.run(`kubectl apply -f - <<EOF\n${JSON.stringify(manifest)}\nEOF`)
  assert.strictEqual(applied.code, 0, applied.output)
})
