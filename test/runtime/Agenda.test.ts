import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Agenda, type Priority } from "../../src/runtime/Agenda.ts"

/** Takes and ends passes until nothing is ready, answering the keys in the order of their starts. */
const drain = (agenda: Agenda): ReadonlyArray<string> => {
  const started: Array<string> = []
  for (let key = agenda.take(); key !== undefined; key = agenda.take()) {
    started.push(key)
    agenda.finish(key, "gone", "low")
  }
  return started
}

const priority = fc.constantFrom<Priority>("high", "normal", "low")

it("starts nothing that was not asked for", () => {
  const agenda = new Agenda()
  assert.strictEqual(agenda.advance(0), Number.POSITIVE_INFINITY)
  assert.isUndefined(agenda.take())
  assert.deepStrictEqual(agenda.stats, { known: 0, active: 0, queued: 0 })
})

it("makes a key ready when it is due and not before, and says when that will be", () => {
  const agenda = new Agenda()
  agenda.wake("a", 100, "normal")
  assert.strictEqual(agenda.advance(99), 100)
  assert.isUndefined(agenda.take())
  agenda.advance(100)
  assert.strictEqual(agenda.take(), "a")
})

it("serves equal priorities in the order in which they became ready", () => {
  const agenda = new Agenda()
  for (const key of ["a", "b", "c"]) agenda.wake(key, 0, "normal")
  agenda.wake("a", 0, "normal")
  agenda.advance(0)
  assert.deepStrictEqual(drain(agenda), ["a", "b", "c"])
})

it("serves a higher priority first, also when it comes last or is raised while the key is ready", () => {
  const agenda = new Agenda()
  agenda.wake("low", 0, "low")
  agenda.wake("normal", 0, "normal")
  agenda.wake("raised", 0, "low")
  agenda.advance(0)
  agenda.wake("high", 0, "high")
  agenda.wake("raised", 0, "high")
  agenda.wake("raised", 0, "low")
  agenda.advance(0)
  assert.deepStrictEqual(drain(agenda).slice(0, 3), ["raised", "high", "normal"])
})

it("gives one start in four to the key that has been ready longest", () => {
  const agenda = new Agenda()
  agenda.wake("old", 0, "low")
  agenda.advance(0)
  const started: Array<string> = []
  for (let round = 1; round <= 4; round++) {
    agenda.wake("greedy", round, "high")
    agenda.advance(round)
    const key = agenda.take() ?? "nothing"
    started.push(key)
    agenda.finish(key, "gone", "low")
  }
  assert.deepStrictEqual(started, ["greedy", "greedy", "greedy", "old"])
})

it("never lets a ready key wait for more than 4 × (n + 1) starts, n being the keys it found ready", () => {
  const arrival = fc.record({ key: fc.integer({ min: 0, max: 30 }), priority })
  fc.assert(
    fc.property(fc.array(fc.array(arrival, { maxLength: 4 }), { minLength: 1, maxLength: 80 }), (rounds) => {
      const agenda = new Agenda()
      const waiting = new Map<string, number>()
      let starts = 0
      const start = () => {
        const key = agenda.take()
        if (key === undefined) return false
        starts++
        assert.isAtMost(starts, waiting.get(key) ?? Number.NaN)
        waiting.delete(key)
        agenda.finish(key, "gone", "low")
        return true
      }
      for (const [round, arrivals] of rounds.entries()) {
        for (const { key, priority } of arrivals) {
          const name = `key-${key}`
          agenda.wake(name, round, priority)
          agenda.advance(round)
          if (!waiting.has(name)) waiting.set(name, starts + 4 * (waiting.size + 1))
        }
        start()
      }
      while (start());
      assert.strictEqual(waiting.size, 0)
    })
  )
})

it("keeps one next pass per key at the earliest time asked for, and forgets what is gone", () => {
  // The model: for each key, the times asked for since its last start. Times are distinct ticks of one clock.
  const command = fc.oneof(
    fc.record({ do: fc.constant("wake" as const), key: fc.integer({ min: 0, max: 5 }), in: fc.nat(20), priority }),
    fc.record({ do: fc.constant("start" as const) }),
    fc.record({
      do: fc.constant("finish" as const),
      which: fc.nat(5),
      next: fc.option(fc.nat(20), { nil: "gone" as const })
    }),
    fc.record({ do: fc.constant("tick" as const), by: fc.nat(10) })
  )
  fc.assert(
    fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
      const agenda = new Agenda()
      const asked = new Map<string, number>()
      const active: Array<string> = []
      let now = 0
      for (const command of commands) {
        if (command.do === "tick") now += command.by
        if (command.do === "wake") {
          const key = `key-${command.key}`
          agenda.wake(key, now + command.in, command.priority)
          asked.set(key, Math.min(asked.get(key) ?? Number.POSITIVE_INFINITY, now + command.in))
        }
        if (command.do === "finish") {
          const [key] = active.splice(command.which, 1)
          if (key === undefined) continue
          const next = command.next === "gone" ? "gone" : now + command.next
          agenda.finish(key, next, "normal")
          if (next !== "gone") asked.set(key, Math.min(asked.get(key) ?? Number.POSITIVE_INFINITY, next))
        }
        agenda.advance(now)
        if (command.do === "start") {
          const key = agenda.take()
          const due = [...asked].filter(([key, at]) => at <= now && !active.includes(key)).map(([key]) => key)
          if (key === undefined) assert.deepStrictEqual(due, [])
          else {
            assert.include(due, key)
            asked.delete(key)
            active.push(key)
          }
        }
        assert.strictEqual(agenda.stats.active, active.length)
        assert.strictEqual(agenda.stats.known, new Set([...asked.keys(), ...active]).size)
      }
    }),
    { numRuns: 500 }
  )
})

it("ignores the end of a pass that is not running", () => {
  const agenda = new Agenda()
  agenda.finish("stranger", 0, "high")
  agenda.wake("a", 0, "normal")
  agenda.finish("a", "gone", "normal")
  assert.deepStrictEqual(agenda.stats, { known: 1, active: 0, queued: 0 })
})

describe("a wake while the key is active", () => {
  const active = () => {
    const agenda = new Agenda()
    agenda.wake("a", 0, "normal")
    agenda.advance(0)
    agenda.take()
    return agenda
  }
  /** Ends the pass, and answers whether another one follows at once. */
  const follows = (agenda: Agenda) => {
    agenda.finish("a", 1_000, "low")
    agenda.advance(1)
    return agenda.take() === "a"
  }

  it("is withdrawn by a pass that knows what it was for", () => {
    const agenda = active()
    agenda.wake("a", 1, "high", "version 5")
    agenda.wake("a", 1, "high", "version 5")
    agenda.withdraw("a", "version 5")
    assert.isFalse(follows(agenda))
  })

  it("stays when the pass knows of something else only", () => {
    const agenda = active()
    agenda.wake("a", 1, "normal", "version 6")
    agenda.withdraw("a", "version 5")
    assert.isTrue(follows(agenda))
  })

  it("stays when it was for more than one thing, in whichever order", () => {
    for (const causes of [
      ["version 5", undefined],
      [undefined, "version 5"],
      ["version 4", "version 5"],
      ["version 5", "version 6"],
      ["version 5", "version 6", "version 5"]
    ]) {
      const agenda = active()
      for (const cause of causes) agenda.wake("a", 1, "normal", cause)
      agenda.withdraw("a", "version 5")
      assert.isTrue(follows(agenda), String(causes))
    }
  })

  it("can be asked for anew after it was withdrawn", () => {
    const agenda = active()
    agenda.wake("a", 1, "normal", "version 5")
    agenda.withdraw("a", "version 5")
    agenda.wake("a", 1, "normal", "version 6")
    assert.isTrue(follows(agenda))
  })

  it("is not withdrawn once it is another pass", () => {
    const agenda = active()
    agenda.wake("a", 1, "normal", "version 5")
    agenda.finish("a", 1_000, "low")
    agenda.withdraw("a", "version 5")
    agenda.advance(1)
    assert.strictEqual(agenda.take(), "a")
    agenda.withdraw("a", "version 5")
    assert.isFalse(follows(agenda))
  })
})
