import { assert, it } from "@effect/vitest"
import { ConfigProvider, Effect } from "effect"
import { TestClock } from "effect/testing"
import { registry } from "../../src/providers/registry.ts"
import { declarationsOf, loadSettings } from "../../src/Settings.ts"
import { at, stored } from "../support/expectations.ts"
import { makeWorld } from "../support/World.ts"
import { layerOf, third } from "./third/module.ts"

const [first, ...others] = registry
const extended = [first, ...others, third] as const

const load = (env: Readonly<Record<string, string>>) =>
  Effect.provideService(loadSettings(extended), ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))

it.effect("a third provider is chosen, configured and documented by one line in the registry", () =>
  Effect.gen(function* () {
    const { operator, providers, warnings } = yield* load({
      CLOUDKIT_PROVISIONING_PROVIDER: "third",
      CLOUDKIT_THIRD_SHELF: "shelf"
    })
    assert.strictEqual(operator.provider, "third")
    assert.include(
      providers.map(({ name }) => name),
      "third"
    )
    assert.deepStrictEqual(warnings, [])
    assert.include(
      declarationsOf(extended).flatMap((group) => group.declarations.map(({ name }) => name)),
      "CLOUDKIT_THIRD_SHELF"
    )
  })
)

it.effect("what a third provider misses is part of the one message, and nothing of the others is demanded", () =>
  Effect.gen(function* () {
    const { problems } = yield* Effect.flip(load({ CLOUDKIT_PROVISIONING_PROVIDER: "third" }))
    assert.deepStrictEqual(
      problems.map(({ variable }) => variable),
      ["CLOUDKIT_THIRD_SHELF"]
    )
  })
)

it.effect("a third provider's machines live and die through the same pipeline", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld({ provider: layerOf("shelf") })
    yield* world.start
    yield* world.user.create("vm-1", { name: "vm-1" })
    yield* TestClock.adjust("1 second")
    const ready = yield* stored(world, "vm-1")
    assert.strictEqual(at(ready, "status", "phase"), "Ready")
    assert.strictEqual(at(ready, "status", "provisionJob", "id"), "shelf-1")
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("1 second")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
  })
)
