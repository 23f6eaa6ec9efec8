/** What is remembered of what was said, for how long, and what that costs. */
import { describe, expect, it } from "vitest"
import * as Spoken from "../../src/reconcile/Spoken.ts"

const PATIENCE = 10_000

describe("what was said of an object", () => {
  it("counts for as long as the patience goes, whenever it was said", () => {
    for (let begin = 0; begin < 3 * PATIENCE; begin += 700) {
      const spoken = Spoken.make(PATIENCE)
      spoken.say("a", "x", begin)
      for (let passed = 0; passed < 3 * PATIENCE; passed += 900) {
        expect(spoken.justSaid("a", "x", begin + passed), `${begin} ${passed}`).toBe(passed < PATIENCE)
      }
    }
  })

  it("is its own: other words, and other objects, were not said", () => {
    const spoken = Spoken.make(PATIENCE)
    spoken.say("a", "x", 0)
    expect(spoken.justSaid("a", "y", 1)).toBe(false)
    expect(spoken.justSaid("b", "x", 1)).toBe(false)
  })

  it("counts from the last time that it was said, beside whatever else was", () => {
    const spoken = Spoken.make(PATIENCE)
    spoken.say("a", "x", 0)
    spoken.say("a", "y", 4_000)
    spoken.say("a", "x", 8_000)
    expect(spoken.justSaid("a", "x", 17_999)).toBe(true)
    expect(spoken.justSaid("a", "x", 18_000)).toBe(false)
    spoken.say("a", "x", 20_000)
    expect(spoken.justSaid("a", "y", 20_000)).toBe(false)
  })

  it("is forgotten with the object, however it came to be held", () => {
    const spoken = Spoken.make(PATIENCE)
    spoken.say("a", "x", 9_000)
    spoken.say("a", "y", 11_000)
    spoken.forget("a")
    expect(spoken.justSaid("a", "x", 11_001)).toBe(false)
    expect(spoken.justSaid("a", "y", 11_001)).toBe(false)
    expect(spoken.size()).toBe(0)
  })
})

describe("what is held", () => {
  it("is no more than what was said within two patiences, of however many objects", () => {
    const spoken = Spoken.make(PATIENCE)
    let most = 0
    for (let n = 0; n < 100_000; n++) {
      spoken.say(`default/vm-${n}`, `words about ${n}`, n)
      if (n % 5_000 === 0) most = Math.max(most, spoken.size())
    }
    expect(most).toBeLessThanOrEqual(2 * PATIENCE)
    spoken.justSaid("default/vm-1", "x", 200_000)
    expect(spoken.size()).toBe(0)
  })

  it("of one object that speaks all the time is bounded as well", () => {
    const spoken = Spoken.make(PATIENCE)
    for (let n = 0; n < 2_000; n++) spoken.say("a", n % 2 === 0 ? "x" : "y", n)
    expect(spoken.justSaid("a", "x", 2_000)).toBe(true)
    expect(spoken.size()).toBe(1)
  })
})
