import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { added, around, type Phase, phase, removed } from "../../src/runtime/Finalizer.ts"

const ours = "example.org/ours"
const deletionTimestamp = "2026-01-01T00:00:00Z"

describe("Finalizer", () => {
  it("tells the four phases of an object's life apart", () => {
    assert.strictEqual(phase({}, ours), "absent")
    assert.strictEqual(phase({ finalizers: ["foreign"] }, ours), "absent")
    assert.strictEqual(phase({ finalizers: ["foreign", ours] }, ours), "applied")
    assert.strictEqual(phase({ finalizers: ["foreign", ours], deletionTimestamp }, ours), "pending")
    assert.strictEqual(phase({ finalizers: ["foreign"], deletionTimestamp }, ours), "cleaned")
    assert.strictEqual(phase({ deletionTimestamp }, ours), "cleaned")
  })

  it("adds itself once, at the end, and keeps foreign finalizers in their order", () => {
    assert.deepStrictEqual(added(undefined, ours), [ours])
    assert.deepStrictEqual(added(["b", "a"], ours), ["b", "a", ours])
    const already = ["b", ours, "a"]
    assert.strictEqual(added(already, ours), already)
  })

  it("removes only the named finalizers and keeps foreign ones in their order", () => {
    assert.deepStrictEqual(removed(["b", ours, "a", "playbook"], [ours, "playbook"]), ["b", "a"])
    const foreign = ["b", "a"]
    assert.strictEqual(removed(foreign, [ours]), foreign)
    assert.deepStrictEqual(removed(undefined, [ours]), [])
  })

  const branches: ReadonlyArray<readonly [Phase, string]> = [
    ["absent", "live"],
    ["applied", "live"],
    ["pending", "cleanup"],
    ["cleaned", "gone"]
  ]
  it.effect.each(branches)("runs exactly one branch: %s → %s", ([phase, expected]) =>
    Effect.gen(function* () {
      const ran: Array<string> = []
      const branch = (name: string) => Effect.sync(() => void ran.push(name))
      yield* around(phase, { live: branch("live"), cleanup: branch("cleanup"), gone: branch("gone") })
      assert.deepStrictEqual(ran, [expected])
    })
  )

  it.effect("lets a failed clean-up fail, and runs nothing that could release the object", () =>
    Effect.gen(function* () {
      const ran: Array<string> = []
      const branch = (name: string) => Effect.sync(() => void ran.push(name))
      const exit = yield* Effect.exit(
        around("pending", { live: branch("live"), cleanup: Effect.fail("still there"), gone: branch("gone") })
      )
      assert.deepStrictEqual(exit, Exit.fail("still there"))
      assert.deepStrictEqual(ran, [])
    })
  )
})
