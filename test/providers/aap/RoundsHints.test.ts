/** When AAP is asked sooner than its turn: jobs found at start, and hints. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { follow, idsOf, launch, makeRig, objectOf, observe, polls, providerOver, referenceOf, upTo } from "./Rig.ts"

const forever = { ends: "never" } as const

/** A process that finds so many running jobs in the status of their objects. */
const restartedWith = Effect.fnUntraced(function* (count: number) {
  const before = yield* makeRig()
  yield* before.aap.play(() => forever)
  const references = yield* Effect.forEach(upTo(count), (n) =>
    Effect.map(launch(before.provider, n), (job) => referenceOf(job, n))
  )
  yield* before.wire.forget
  return { references, rig: { ...before, provider: yield* providerOver(before.wire.handler) } }
})

describe("12. hints only pull the next look forward", () => {
  it.effect("jobs found in the status at start are looked at together, a second later", () =>
    Effect.gen(function* () {
      const { references, rig } = yield* restartedWith(300)
      for (const [index, reference] of references.entries()) yield* rig.provider.track(objectOf(index + 1), [reference])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(
        (yield* polls(rig)).map((poll) => idsOf(poll).length),
        [200, 100]
      )
      const first = references[0]
      assert.isDefined(first)
      if (first !== undefined) assert.strictEqual((yield* observe(rig.provider, 1, first))?.state, "Running")
    })
  )

  it.effect("jobs that go on being found are waited for, and for five seconds at most", () =>
    Effect.gen(function* () {
      const { references, rig } = yield* restartedWith(100)
      for (const [index, reference] of references.entries()) {
        yield* rig.provider.track(objectOf(index + 1), [reference])
        yield* TestClock.adjust("200 millis")
        if (index === 20) assert.deepStrictEqual(yield* polls(rig), [], "four seconds later")
      }
      const [first = 0, ...others] = (yield* polls(rig)).map((poll) => idsOf(poll).length)
      assert.isAtLeast(first, 24)
      assert.isAtMost(first, 27)
      // ten jobs a second
      assert.isAtMost(others.length, 3)
    })
  )

  it.effect("an early look at one job is no early look at the others", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      yield* rig.aap.play(() => forever)
      const { references } = yield* follow(rig, upTo(20))
      const reference = references.get(7)
      if (reference === undefined) return
      yield* rig.provider.cancel?.(objectOf(7), reference) ?? Effect.void
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual((yield* polls(rig)).map(idsOf), [[reference.id]])
    })
  )
})
