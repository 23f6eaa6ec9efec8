/** How searches for lost launches are shared, and when they must not be. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { json } from "../../support/Wire.ts"
import { count, launch, makeRig, type Rig, uidOf } from "./Rig.ts"

const isSearch = (request: { readonly method: string; readonly url: URL }) => request.url.searchParams.has("or__name")
const EPOCH = "1970-01-01T00:00:00.000Z"

const templateOf = (rig: Rig) =>
  Effect.map(Effect.scoped(rig.provider.prepare("provision")), ({ template }) => template)

const find = (rig: Rig, n: number, since = EPOCH, maxAge = 0) =>
  Effect.flatMap(templateOf(rig), (template) => {
    if (rig.provider.find === undefined) return Effect.die(new Error("AAP can search"))
    return rig.provider.find({ template, uid: uidOf(n), since, maxAge })
  })

describe("a search that somebody else made", () => {
  it.effect("serves whoever allows its age, from when it began", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      yield* TestClock.adjust("1 hour")
      yield* launch(rig.provider, 1)
      assert.lengthOf(yield* find(rig, 2), 0)
      yield* TestClock.adjust("4 seconds")
      assert.lengthOf(yield* find(rig, 1, EPOCH, 5_000), 1)
      assert.strictEqual(yield* count(rig.wire, isSearch), 1)
      yield* find(rig, 1, EPOCH, 3_000)
      assert.strictEqual(yield* count(rig.wire, isSearch), 2)
    })
  )

  it.effect("does not serve who allows none, or wants to see further back", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      yield* TestClock.adjust("2 hours")
      yield* find(rig, 1, "1970-01-01T01:00:00.000Z")
      yield* find(rig, 1, "1970-01-01T01:00:00.000Z")
      assert.strictEqual(yield* count(rig.wire, isSearch), 2)
      yield* TestClock.adjust("1 second")
      yield* find(rig, 1, "1970-01-01T00:30:00.000Z", 5_000)
      assert.strictEqual(yield* count(rig.wire, isSearch), 3)
    })
  )

  it.effect("serves nobody when it failed", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      yield* TestClock.adjust("1 hour")
      const template = yield* templateOf(rig)
      yield* rig.wire.order({
        when: isSearch,
        harm: { _tag: "Answer", response: json(403, { detail: "no" }) },
        times: 1
      })
      const searched = rig.provider.find?.({ template, uid: uidOf(1), since: EPOCH, maxAge: 5_000 })
      yield* Effect.flip(searched ?? Effect.succeed([]))
      yield* searched ?? Effect.succeed([])
      assert.strictEqual(yield* count(rig.wire, isSearch), 2)
    })
  )

  it.effect("that has to reach back for hours drags nobody along: where it fails, the others do not", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      yield* TestClock.adjust("3 hours")
      yield* launch(rig.provider, 1)
      yield* rig.wire.order({
        when: (request) =>
          isSearch(request) && request.url.searchParams.get("created__gte")?.startsWith("1969") === true,
        harm: { _tag: "Answer", response: json(403, { detail: "no" }) },
        times: 1
      })
      const old = yield* Effect.forkChild(Effect.exit(find(rig, 1)))
      const fresh = yield* Effect.forkChild(find(rig, 1, "1970-01-01T02:59:00.000Z"))
      yield* Fiber.join(old)
      assert.lengthOf(yield* Fiber.join(fresh), 1)
      assert.strictEqual(yield* count(rig.wire, isSearch), 2)
    })
  )
})
