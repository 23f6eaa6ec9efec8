/** What people may do: samples are accepted, bad values are refused in words, and nobody but the operator writes a status. */
import { readdirSync, readFileSync } from "node:fs"
import { resolve } from "node:path"
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { eventually } from "../support/eventually.ts"
import { at, type Json, type JsonObject, listAt, objectAt, stringAt, stringsAt } from "../support/kubernetes/Json.ts"
import type { BenchShape } from "./Bench.ts"

type Check = (bench: BenchShape) => Effect.Effect<void>

const instance = (name: string, spec: JsonObject): Json => ({
  apiVersion: "cloudkit.openshift.io/v1alpha1",
  kind: "ComputeInstance",
  metadata: { name, namespace: "default" },
  spec
})

const good: JsonObject = { name: "vm", vcpu: 1, memory: 1024, disk: 10 }

/** A spec that is refused, and what the refusal says. */
const refusals: ReadonlyArray<readonly [JsonObject, string]> = [
  [{ ...good, vcpu: 0 }, "spec.vcpu: Invalid value: 0: spec.vcpu in body should be greater than or equal to 1"],
  [{ ...good, memory: -1 }, "spec.memory in body should be greater than or equal to 1"],
  [{ ...good, disk: 1.5 }, 'spec.disk in body must be of type integer: "number"'],
  [{ ...good, name: "Upper_Case" }, "spec.name in body should match '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'"],
  [{ ...good, name: "a".repeat(64) }, "Too long: may not be more than 63"],
  [{ vcpu: 1, memory: 1, disk: 1 }, "at least one of name and templateID must be set"],
  [{ templateID: "1-bad" }, "spec.templateID in body should match '^[a-zA-Z_][a-zA-Z0-9._]*$'"],
  [{ ...good, templateParameters: "cpu: 2" }, "must be a JSON object, such as '{\"cpu\": 2}'"],
  [{ ...good, restartRequestedAt: "yesterday" }, "spec.restartRequestedAt in body must be of type date-time"],
  [{ ...good, vcpus: 1 }, 'unknown field "spec.vcpus"']
]

/** A token of a ServiceAccount that has one of the roles for people in the namespace. There is no aggregation here. */
const person = Effect.fnUntraced(function* (bench: BenchShape, roles: ReadonlyArray<"view" | "edit">) {
  const name = `person-${roles.join("-")}`
  yield* bench.kubectl("create", "serviceaccount", name, "-n", "default")
  for (const role of roles) {
    yield* bench.kubectl(
      ...["create", "rolebinding", `${name}-${role}`, "-n", "default", `--serviceaccount=default:${name}`],
      `--clusterrole=cloudkit-operator-computeinstances-${role}`
    )
  }
  const config = bench.kubeconfigOf(name, (yield* bench.kubectl("create", "token", name, "-n", "default")).trim())
  // the API server hears of its own roles by a watch
  const verb = roles.includes("edit") ? "create" : "list"
  const can = bench.attempt(config, "auth", "can-i", verb, "ci", "-n", "default")
  yield* eventually(`the rights of ${name}`, can, ({ code }) => code === 0)
  return config
})

const labelsOf = (object: Json) => objectAt(object, "metadata", "labels")

export const users: Readonly<Record<string, Check>> = {
  "every sample is accepted, and says in a comment what it is for": (bench) =>
    Effect.gen(function* () {
      const said = yield* bench.kubectl("apply", "--dry-run=server", "-k", resolve("k8s/samples"))
      const samples = readdirSync("k8s/samples").filter((file) => file !== "kustomization.yaml")
      for (const file of samples) assert.match(readFileSync(`k8s/samples/${file}`, "utf8"), /^# \w/u)
      assert.strictEqual(said.match(/created \(server dry run\)/gu)?.length, samples.length, said)
    }),
  "a bad value is refused at apply, with what is expected": (bench) =>
    Effect.gen(function* () {
      yield* bench.kubectl("apply", "--dry-run=server", "-f", bench.write("good.json", instance("good", good)))
      for (const [spec, words] of refusals) {
        const file = bench.write("bad.json", instance("bad", spec))
        const { code, output } = yield* bench.attempt(bench.admin, "create", "--dry-run=server", "-f", file)
        assert.notStrictEqual(code, 0, output)
        assert.include(output, words)
      }
    }),
  "the roles for people flow into view, edit and admin, and into nothing else": (bench) =>
    Effect.gen(function* () {
      const to = "rbac.authorization.k8s.io/aggregate-to-"
      const aggregated = listAt(
        yield* bench.get("clusterrole", "-l", "app.kubernetes.io/name=cloudkit-operator"),
        "items"
      )
        .map((role): readonly [string, ReadonlyArray<string>] => [
          stringAt(role, "metadata", "name") ?? "",
          Object.keys(labelsOf(role)).filter((key) => key.startsWith(to))
        ])
        .filter(([, labels]) => labels.length > 0)
      assert.deepStrictEqual(Object.fromEntries(aggregated), {
        "cloudkit-operator-computeinstances-edit": [`${to}admin`, `${to}edit`],
        "cloudkit-operator-computeinstances-view": [`${to}admin`, `${to}edit`, `${to}view`]
      })
      for (const role of ["view", "edit", "admin"]) {
        const selectors = listAt(yield* bench.get("clusterrole", role), "aggregationRule", "clusterRoleSelectors")
        assert.deepStrictEqual(selectors, [{ matchLabels: { [`${to}${role}`]: "true" } }])
      }
    }),
  "whoever may view reads and changes nothing": (bench) =>
    Effect.gen(function* () {
      const viewer = yield* person(bench, ["view"])
      const listed = yield* bench.attempt(viewer, "get", "ci", "-n", "default")
      assert.strictEqual(listed.code, 0, listed.output)
      const file = bench.write("viewed.json", instance("viewed", good))
      const refused = yield* bench.attempt(viewer, "create", "-f", file)
      assert.include(refused.output, "cannot create resource")
      const elsewhere = yield* bench.attempt(viewer, "get", "ci", "-n", "kube-system")
      assert.include(elsewhere.output, "forbidden")
    }),
  "whoever may edit orders, changes and deletes, but writes no status": (bench) =>
    Effect.gen(function* () {
      const editor = yield* person(bench, ["view", "edit"])
      const does = (...args: ReadonlyArray<string>) => bench.attempt(editor, ...args)
      const file = bench.write("edited.json", instance("edited", good))
      assert.include((yield* does("apply", "-f", file)).output, "created")
      const change = ["patch", "ci", "edited", "--type=merge", "-p"]
      assert.include((yield* does(...change, '{"spec":{"vcpu":2}}')).output, "patched")
      const forged = '{"status":{"phase":"Ready"}}'
      const refused = yield* does(...change, forged, "--subresource=status")
      assert.include(refused.output, 'cannot patch resource "computeinstances/status"')
      const { output } = yield* does(...change, forged)
      assert.include(output, "patched (no change)")
      assert.isUndefined(at(yield* bench.get("ci", "edited"), "status"))
      assert.include((yield* does("delete", "ci", "edited")).output, "deleted")
      assert.deepStrictEqual(stringsAt(yield* bench.get("ci"), "items"), [])
    })
}
