/** What the operator asked for in its lifecycles, compared with what the roles grant it, both ways. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { type BenchShape, OPERATOR, SYSTEM } from "./Bench.ts"
import { grantedBy, type Observed, observedOfUser, uses } from "./Rights.ts"

const USER = `system:serviceaccount:${SYSTEM}:${OPERATOR}`

const observed = (bench: BenchShape): ReadonlyArray<Observed> => observedOfUser(bench.audit(), USER)

/** A request that creates has no name that could be looked at. */
const NOT_NARROWER = "create leases.coordination.k8s.io in cloudkit-system"

type Check = (bench: BenchShape) => Effect.Effect<void>

export const comparing: Readonly<Record<string, Check>> = {
  "nothing that the operator asked for was denied": (bench) =>
    Effect.sync(() => {
      const requests = observed(bench)
      assert.isNotEmpty(requests)
      const denied = requests.filter(({ decision }) => decision !== "allow")
      assert.deepStrictEqual(denied, [])
      // and by our roles, not by what everybody may do
      const strange = requests.filter(({ reason }) => !reason.includes("cloudkit-operator-"))
      assert.deepStrictEqual(strange, [])
    }),
  "nothing is granted that the operator does not use": (bench) =>
    Effect.gen(function* () {
      const roles = [
        yield* bench.get("clusterrole", OPERATOR),
        yield* bench.get("role", OPERATOR, "-n", "default"),
        yield* bench.get("role", "cloudkit-operator-leader-election", "-n", SYSTEM)
      ]
      const requests = observed(bench)
      const granted = roles.flatMap((role) => [...grantedBy(role)])
      const unused = granted.filter((right) => !requests.some((request) => uses(request, right)))
      assert.deepStrictEqual(unused, [])
      assert.include(granted, NOT_NARROWER)
      const unnamed = granted.filter((right) => right.includes("leases") && !right.includes(" named "))
      assert.deepStrictEqual(unnamed, [NOT_NARROWER])
    }),
  "no right reaches a Secret": (bench) =>
    Effect.gen(function* () {
      const can = yield* bench.kubectl("auth", "can-i", "--list", `--as=${USER}`, "-n", SYSTEM)
      assert.include(can, "leases.coordination.k8s.io")
      assert.notMatch(can, /^(?:secrets|\*)/mu)
    })
}
