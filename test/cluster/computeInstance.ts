/**
 * What a Kubernetes API server makes of our CustomResourceDefinition: which specs it accepts, in what words it refuses the
 * others, and what an upgrade from the earlier operator finds. Held against the simulator and against a real one.
 */
import { readFileSync } from "node:fs"
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { parse } from "yaml"
import { fromUnknown, type Json, listAt, objectAt, stringAt } from "../support/kubernetes/Json.ts"
import { type Cluster, merge } from "./contract/Cluster.ts"

export const computeInstanceCrd: Json = fromUnknown(
  parse(readFileSync("k8s/crd/cloudkit.openshift.io_computeinstances.yaml", "utf8"))
)

const all = "/apis/cloudkit.openshift.io/v1alpha1/namespaces/default/computeinstances"

const create = (cluster: Cluster, name: string, spec: unknown) =>
  cluster.ask(all, {
    method: "POST",
    body: { apiVersion: "cloudkit.openshift.io/v1alpha1", kind: "ComputeInstance", metadata: { name }, spec }
  })

const created = Effect.fnUntraced(function* (cluster: Cluster, name: string) {
  const answer = yield* create(cluster, name, { templateID: "t" })
  assert.strictEqual(answer.status, 201, answer.text)
})

const patchStatus = (cluster: Cluster, name: string, status: unknown) =>
  cluster.ask(`${all}/${name}/status`, { method: "PATCH", type: merge, body: { status } })

const long = (characters: number): string => `{${" ".repeat(characters - 2)}}`

const accepted: ReadonlyArray<readonly [what: string, spec: unknown]> = [
  ["only a name", { name: "vm-1" }],
  ["only a template", { templateID: "osac.templates.ocp_virt_vm" }],
  ["a machine of any size", { name: "big", vcpu: 100_000, memory: 1_073_741_824, disk: 1 }],
  ["parameters with white space around them", { name: "a", templateParameters: ' \n{"a": 1}\n' }],
  ["the longest parameters", { name: "a", templateParameters: long(262_144) }],
  ["a time of restart", { name: "a", restartRequestedAt: "2026-02-12T10:00:00Z" }]
]

const refused: ReadonlyArray<readonly [what: string, spec: unknown, message: string]> = [
  ["no spec", undefined, "spec: Required value"],
  ["an empty spec", {}, "at least one of name and templateID must be set"],
  ["only a size", { vcpu: 1 }, "at least one of name and templateID must be set"],
  ["a name that is no DNS label", { name: "Vm_1" }, "spec.name in body should match"],
  ["a name that is too long", { name: "a".repeat(64) }, "spec.name: Too long: may not be more than 63 bytes"],
  ["a template that begins with a digit", { templateID: "1x" }, "spec.templateID in body should match"],
  ["no CPU", { name: "a", vcpu: 0 }, "spec.vcpu in body should be greater than or equal to 1"],
  ["memory as a quantity", { name: "a", memory: "4Gi" }, "spec.memory in body must be of type integer"],
  ["half a disk", { name: "a", disk: 0.5 }, "spec.disk in body must be of type integer"],
  ["a list of parameters", { name: "a", templateParameters: "[]" }, "must be a JSON object, such as"],
  ["empty parameters", { name: "a", templateParameters: "" }, "must be a JSON object, such as"],
  ["half an object of parameters", { name: "a", templateParameters: "{" }, "must be a JSON object, such as"],
  ["endless parameters", { name: "a", templateParameters: long(262_145) }, "may not be more than 262144 bytes"],
  ["a restart at no time", { name: "a", restartRequestedAt: "soon" }, "must be of type date-time"]
]

export interface Expectation {
  readonly name: string
  readonly check: (cluster: Cluster) => Effect.Effect<void>
}

const specs: ReadonlyArray<Expectation> = [
  ...accepted.map(([what, spec], index) => ({
    name: `takes a ComputeInstance with ${what}`,
    check: Effect.fnUntraced(function* (cluster: Cluster) {
      const answer = yield* create(cluster, `good-${index}`, spec)
      assert.strictEqual(answer.status, 201, answer.text)
    })
  })),
  ...refused.map(([what, spec, message], index) => ({
    name: `refuses a ComputeInstance with ${what}, and says: ${message}`,
    check: Effect.fnUntraced(function* (cluster: Cluster) {
      const answer = yield* create(cluster, `bad-${index}`, spec)
      assert.strictEqual(answer.status, 422, answer.text)
      assert.include(stringAt(answer.body, "message"), message)
    })
  }))
]

const statuses: ReadonlyArray<Expectation> = [
  {
    name: "selects ComputeInstances by phase",
    check: Effect.fnUntraced(function* (cluster) {
      yield* created(cluster, "selected")
      yield* patchStatus(cluster, "selected", { phase: "Ready" })
      const ready = yield* cluster.ask(`${all}?fieldSelector=status.phase%3DReady`)
      const others = yield* cluster.ask(`${all}?fieldSelector=status.phase%21%3DReady`)
      assert.include(ready.text, '"selected"')
      assert.notInclude(others.text, '"selected"')
    })
  },
  {
    name: "shows phase, readiness, reason, and the latest job: the deprovision job once there is one",
    check: Effect.fnUntraced(function* (cluster) {
      yield* created(cluster, "shown")
      yield* patchStatus(cluster, "shown", {
        phase: "Deleting",
        conditions: [{ type: "Ready", status: "False", reason: "Deprovisioning", message: "being torn down" }],
        jobs: [
          { jobID: "7", type: "provision", state: "Canceled", provider: "aap" },
          { jobID: "8", type: "deprovision", state: "Running", provider: "aap" }
        ]
      })
      const accept = "application/json;as=Table;g=meta.k8s.io;v=v1"
      const { body } = yield* cluster.ask(`${all}/shown`, { accept })
      const [row = null] = listAt(body, "rows")
      const cells = listAt(objectAt({ row }, "row"), "cells")
      assert.deepStrictEqual(cells.slice(0, 6), ["shown", "Deleting", "False", "Deprovisioning", "8", "Running"])
      assert.deepStrictEqual(cells.slice(7), ["aap", "being torn down"])
    })
  },
  {
    name: "refuses a phase that there is none of",
    check: Effect.fnUntraced(function* (cluster) {
      yield* created(cluster, "phased")
      const answer = yield* patchStatus(cluster, "phased", { phase: "Running" })
      assert.strictEqual(answer.status, 422, answer.text)
    })
  },
  {
    name: "keeps what the earlier operator wrote into the status",
    check: Effect.fnUntraced(function* (cluster) {
      yield* created(cluster, "earlier")
      const status = {
        tenantReference: { name: "tenant-1", namespace: "default" },
        virtualMachineReference: { namespace: "default", kubeVirtVirtualMachineName: "vm" },
        lastRestartedAt: "2026-02-12T10:00:00Z",
        jobs: [
          {
            jobID: "eda-webhook-1",
            type: "provision",
            state: "Unknown",
            message: "m",
            timestamp: "2026-02-12T10:00:00Z",
            blockDeletionOnFailure: false
          }
        ]
      }
      const answer = yield* patchStatus(cluster, "earlier", status)
      assert.deepStrictEqual<unknown>(answer.body.status, status)
    })
  }
]

export const computeInstances: ReadonlyArray<Expectation> = [...specs, ...statuses]
