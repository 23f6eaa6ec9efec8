/** The overlays on a real API server: every object is accepted, and is what the documents say it is. */
import { readdirSync } from "node:fs"
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { eventually } from "../support/eventually.ts"
import { at, type Json, listAt, objectAt, stringAt } from "../support/kubernetes/Json.ts"
import { type BenchShape, OPERATOR, overlay, SYSTEM } from "./Bench.ts"

type Check = (bench: BenchShape) => Effect.Effect<void>

/** Kinds of the monitoring stack, as far as they are kept. */
const stub = (group: string, plural: string, kind: string) => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `${plural}.${group}` },
  spec: {
    group,
    scope: "Namespaced",
    names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } }
      }
    ]
  }
})
const monitoring = [
  stub("monitoring.coreos.com", "servicemonitors", "ServiceMonitor"),
  stub("monitoring.coreos.com", "prometheusrules", "PrometheusRule")
]

const deployment = ({ get }: BenchShape) => get("deployment", OPERATOR, "-n", SYSTEM)
const templateOf = (object: Json): Json => at(object, "spec", "template") ?? null
const managerOf = (object: Json): Json => listAt(templateOf(object), "spec", "containers")[0] ?? null
const variables = (object: Json) =>
  Object.fromEntries(
    listAt(managerOf(object), "env").map((one): readonly [string, string] => [
      stringAt(one, "name") ?? "",
      stringAt(one, "value") ?? ""
    ])
  )

/** What each overlay is for. */
const overlays: Readonly<Record<string, Check>> = {
  aap: (bench) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(variables(yield* deployment(bench)), {
        CLOUDKIT_LEADER_ELECT: "true",
        CLOUDKIT_PROVISIONING_PROVIDER: "aap",
        CLOUDKIT_AAP_TOKEN_FILE: "/etc/cloudkit/aap/token"
      })
    }),
  eda: (bench) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(variables(yield* deployment(bench)), {
        CLOUDKIT_LEADER_ELECT: "true",
        CLOUDKIT_PROVISIONING_PROVIDER: "eda"
      })
      assert.notInclude(JSON.stringify(templateOf(yield* deployment(bench))), "aap-credentials")
    }),
  ha: (bench) =>
    Effect.gen(function* () {
      assert.strictEqual(at(yield* deployment(bench), "spec", "replicas"), 2)
      const budget = yield* bench.get("poddisruptionbudget", OPERATOR, "-n", SYSTEM)
      assert.strictEqual(at(budget, "spec", "minAvailable"), 1)
      const selected = objectAt(budget, "spec", "selector", "matchLabels")
      assert.deepInclude(objectAt(templateOf(yield* deployment(bench)), "metadata", "labels"), selected)
    }),
  namespaced: (bench) =>
    Effect.gen(function* () {
      assert.strictEqual(variables(yield* deployment(bench)).CLOUDKIT_COMPUTE_INSTANCE_NAMESPACE, "default")
      assert.deepStrictEqual(
        listAt(yield* bench.get("role", OPERATOR, "-n", "default"), "rules"),
        listAt(yield* bench.get("clusterrole", OPERATOR), "rules")
      )
      yield* bench.kubectl("delete", "role,rolebinding", OPERATOR, "-n", "default")
      const rendered = yield* bench.kubectl("kustomize", overlay("namespaced"))
      assert.notMatch(rendered, /kind: ClusterRoleBinding/u)
      assert.notInclude(rendered, "THE-NAMESPACE")
    })
}

const present = readdirSync("k8s/overlays")

const pod = (object: Json, containerSecurity?: Json): Json => {
  const template = templateOf(object)
  const spec = objectAt(template, "spec")
  const containers = listAt(spec, "containers").map((container) => ({
    ...objectAt(container),
    ...(containerSecurity === undefined ? {} : { securityContext: containerSecurity })
  }))
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...objectAt(template, "metadata"), name: "like-the-deployment", namespace: SYSTEM },
    spec: { ...spec, containers }
  }
}

export const applying: Readonly<Record<string, Check>> = {
  "every overlay is accepted by the API server, one over the other, and says its provider": (bench) =>
    Effect.gen(function* () {
      yield* bench.apply(...monitoring)
      yield* bench.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=120s")
      const known = bench.attempt(bench.admin, "get", "servicemonitors,prometheusrules", "-n", "default")
      yield* eventually("what is established to be served", known, ({ code }) => code === 0)
      assert.includeMembers(present, Object.keys(overlays))
      for (const name of present) {
        yield* bench.kubectl("apply", "-k", overlay(name))
        yield* overlays[name]?.(bench) ?? Effect.void
      }
      yield* bench.kubectl("apply", "-k", overlay("aap"))
    }),
  "the Deployment has the names that the design document prints": (bench) =>
    Effect.gen(function* () {
      const found = yield* deployment(bench)
      assert.strictEqual(stringAt(managerOf(found), "name"), "manager")
      assert.deepStrictEqual(listAt(managerOf(found), "envFrom"), [
        { secretRef: { name: "cloudkit-config", optional: true } }
      ])
      const ports = listAt(managerOf(found), "ports").map((port) => [at(port, "name"), at(port, "containerPort")])
      assert.deepStrictEqual(ports, [
        ["metrics", 8080],
        ["health", 8081]
      ])
      const grace = at(templateOf(found), "spec", "terminationGracePeriodSeconds")
      assert.isAtLeast(typeof grace === "number" ? grace : 0, 120)
    }),
  "the metrics Service and the NetworkPolicies select the Deployment's pods": (bench) =>
    Effect.gen(function* () {
      const labels = objectAt(templateOf(yield* deployment(bench)), "metadata", "labels")
      const service = yield* bench.get("service", "cloudkit-operator-metrics", "-n", SYSTEM)
      assert.deepInclude(labels, objectAt(service, "spec", "selector"))
      const policies = listAt(yield* bench.get("networkpolicy", "-n", SYSTEM), "items")
      assert.isAtLeast(policies.length, 2)
      for (const policy of policies) {
        assert.deepInclude(labels, objectAt(policy, "spec", "podSelector", "matchLabels"))
      }
      const dns = policies
        .flatMap((policy) => listAt(policy, "spec", "egress"))
        .flatMap((rule) => listAt(rule, "ports"))
        .map((port) => `${at(port, "port")}/${stringAt(port, "protocol")}`)
      assert.includeMembers(dns, ["53/UDP", "53/TCP", "5353/UDP", "5353/TCP", "443/TCP", "6443/TCP"])
    }),
  "a Pod made from the Deployment passes Pod Security restricted, and one that may be root does not": (bench) =>
    Effect.gen(function* () {
      const namespace = yield* bench.get("namespace", SYSTEM)
      assert.strictEqual(stringAt(namespace, "metadata", "labels", "pod-security.kubernetes.io/enforce"), "restricted")
      const found = yield* deployment(bench)
      const security = objectAt(managerOf(found), "securityContext")
      assert.strictEqual(at(security, "readOnlyRootFilesystem"), true)
      assert.notInclude(JSON.stringify(templateOf(found)), "runAsUser")
      const dryRun = (object: Json) =>
        Effect.gen(function* () {
          yield* Effect.sync(() => bench.write("pod.json", object))
          return yield* bench.attempt(bench.admin, "apply", "--dry-run=server", "-f", "pod.json")
        })
      const good = yield* dryRun(pod(found))
      assert.strictEqual(good.code, 0, good.output)
      assert.notInclude(good.output, "Warning")
      const bad = yield* dryRun(pod(found, { ...security, allowPrivilegeEscalation: true }))
      assert.include(bad.output, 'violates PodSecurity "restricted')
    })
}
