/** No promise of the contract is empty: with its behaviour switched off in the simulator, the contract fails. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit } from "effect"
import { TestClock } from "effect/testing"
import { type Behaviours, behaviours, make } from "../support/SimulatedKubernetes.ts"
import { inProcess } from "../support/Wire.ts"
import { clusterOf, type Promised } from "./contract/Cluster.ts"
import { check, contract, users } from "./contract.ts"
import { widgetCrd } from "./widgetCrd.ts"

const names = Object.keys(behaviours).filter((name): name is keyof Behaviours => name in behaviours)

const isAssertion = (cause: Cause.Cause<unknown>): boolean => {
  const failure = Cause.squash(cause)
  return failure instanceof Error && failure.name === "AssertionError"
}

/** Whether the promise is broken, and by an assertion rather than by accident. */
const broken = (promise: Promised, quirks: Partial<Behaviours>) =>
  Effect.gen(function* () {
    const kubernetes = yield* make({ crds: [widgetCrd], tokens: users, quirks })
    const cluster = clusterOf(inProcess(kubernetes.handler), "http://kubernetes.test", kubernetes.compact)
    const exit = yield* Effect.exit(
      Effect.raceFirst(check(cluster, promise, 1), Effect.forever(TestClock.adjust("100 millis")))
    )
    return Exit.isFailure(exit) && isAssertion(exit.cause)
  }).pipe(Effect.scoped)

describe("the contract", () => {
  it("names every behaviour of the simulator", () => {
    const named = new Set(contract.map((promise) => promise.behaviour))
    assert.deepStrictEqual(
      names.filter((name) => !named.has(name)),
      []
    )
  })

  it.effect("holds with nothing switched off", () =>
    Effect.gen(function* () {
      const failing = yield* Effect.filter(contract, (promise) => broken(promise, {}))
      assert.deepStrictEqual(
        failing.map((promise) => promise.name),
        []
      )
    })
  )

  for (const name of names) {
    it.effect(`fails without ${name}`, () =>
      Effect.gen(function* () {
        const promises = contract.filter((promise) => promise.behaviour === name)
        const kept = yield* Effect.filter(promises, (promise) =>
          Effect.map(broken(promise, { [name]: false }), (b) => !b)
        )
        assert.deepStrictEqual(
          kept.map((promise) => promise.name),
          []
        )
      })
    )
  }
})
