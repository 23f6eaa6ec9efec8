/** The operator as installed: the applied Deployment's Pod with the ServiceAccount's own token, and simulated AAP and EDA. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { eventually } from "../support/eventually.ts"
import { at, type Json, type JsonObject, listAt, objectAt, stringAt } from "../support/kubernetes/Json.ts"
import { freePort } from "../support/ports.ts"
import { asOperator, type BenchShape, OPERATOR, SYSTEM } from "./Bench.ts"
import * as Pod from "./Pod.ts"

export interface Operating extends Pod.Pod {
  /** Status and body of a probe. */
  readonly probe: (path: string) => Effect.Effect<string>
  readonly log: () => string
}

const decoded = (secret: Json): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(objectAt(secret, "data")).map(([key, value]) => [
      key,
      Buffer.from(String(value), "base64").toString("utf8")
    ])
  )

/** What a kubelet would ask the API server for. */
export const foundBy = Effect.fnUntraced(function* (bench: BenchShape) {
  const deployment = yield* bench.get("deployment", OPERATOR, "-n", SYSTEM)
  const secrets = listAt(yield* bench.get("secrets", "-n", SYSTEM), "items")
  const { token } = yield* asOperator(bench)
  const found: Pod.Found = {
    spec: at(deployment, "spec", "template", "spec") ?? null,
    secret: (name) => {
      const secret = secrets.find((one) => stringAt(one, "metadata", "name") === name)
      return secret === undefined ? undefined : decoded(secret)
    },
    namespace: SYSTEM,
    server: new URL(bench.plane.url),
    certificate: readFileSync(bench.plane.certificate, "utf8"),
    token
  }
  return found
})

const probing = (port: number) => (path: string) =>
  Effect.promise(() =>
    fetch(`http://127.0.0.1:${port}${path}`).then(
      async (answer) => `${answer.status} ${await answer.text()}`,
      () => "no answer"
    )
  )

/** A Secret with these keys, in the place of what was there. */
export const putSecret = (bench: BenchShape, name: string, stringData: JsonObject) =>
  bench.apply({ apiVersion: "v1", kind: "Secret", metadata: { name, namespace: SYSTEM }, stringData })

/** The API server hears of its own roles by a watch; before, a request would be refused that is granted. */
const permitted = Effect.fnUntraced(function* (bench: BenchShape) {
  const user = `--as=system:serviceaccount:${SYSTEM}:${OPERATOR}`
  for (const [verb, resource, namespace] of [
    ["list", "ci", "default"],
    ["create", "leases.coordination.k8s.io", SYSTEM]
  ] as const) {
    const can = bench.attempt(bench.admin, "auth", "can-i", verb, resource, "-n", namespace, user)
    yield* eventually(`the right to ${verb} ${resource}`, can, ({ code }) => code === 0)
  }
})

/** Starts the Pod and waits until it is ready. */
export const operate = (
  bench: BenchShape,
  uid: number,
  besides: Readonly<Record<string, string>> = {}
): Effect.Effect<Operating, never, Scope.Scope> =>
  Effect.gen(function* () {
    yield* permitted(bench)
    const found = yield* foundBy(bench)
    const [health, metrics] = [yield* freePort, yield* freePort]
    const file = join(bench.home, `operator-${uid}-${health}.log`)
    writeFileSync(file, "")
    const env = { ...besides, CLOUDKIT_HEALTH_PORT: String(health), CLOUDKIT_METRICS_PORT: String(metrics) }
    const pod = yield* Pod.start(yield* bench.contents, found, { uid, env }, file)
    const log = () => readFileSync(file, "utf8")
    const probe = probing(health)
    const over = Effect.map(pod.ended, (how) => assert.fail(`the operator ended with ${how}: ${log().slice(-2_000)}`))
    yield* Effect.raceFirst(
      eventually("the operator to be ready", probe("/readyz"), (answer) => answer.startsWith("200")),
      over
    )
    return { ...pod, probe, log }
  })

/** Waits until it holds of the object, which is undefined once it is gone. */
export const becomes = (bench: BenchShape, name: string, what: string, holds: (object: JsonObject) => boolean) =>
  eventually(
    `${name} to be ${what}`,
    Effect.map(bench.get("ci", "--ignore-not-found", "--field-selector", `metadata.name=${name}`), (list) =>
      objectAt({ first: listAt(list, "items")[0] ?? null }, "first")
    ),
    holds
  )

export const isGone = (object: JsonObject): boolean => Object.keys(object).length === 0
export const phaseIs =
  (phase: string) =>
  (object: JsonObject): boolean =>
    stringAt(object, "status", "phase") === phase
export const says =
  (type: string, reason: string) =>
  (object: JsonObject): boolean =>
    listAt(object, "status", "conditions").some(
      (one) => stringAt(one, "type") === type && stringAt(one, "reason") === reason
    )

/** Ends as a kubelet ends it, having written nothing where it might have. */
export const stopped = Effect.fnUntraced(function* (operator: Operating) {
  assert.strictEqual(yield* operator.stop, 0, operator.log().slice(-2_000))
  assert.notMatch(operator.log(), /EROFS|EACCES|EPERM/u)
  assert.deepStrictEqual(readdirSync(operator.folders.get("/tmp") ?? assert.fail("there is no /tmp")), [])
})
