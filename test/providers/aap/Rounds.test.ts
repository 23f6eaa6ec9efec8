/** When AAP is asked about jobs, how answers are merged, and how its silence is borne. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import { JobLedger } from "../../../src/providers/aap/JobLedger.ts"
import type { JobRow } from "../../../src/providers/aap/Wire.ts"
import { json, text } from "../../support/Wire.ts"
import {
  count,
  follow,
  idsOf,
  isPoll,
  listen,
  makeRig,
  objectOf,
  orderOf,
  polls,
  referenceOf,
  uidOf,
  upTo
} from "./Rig.ts"

const ROUND = "30 seconds"
const forever = { ends: "never" } as const

describe("5. answers are merged in the order of their requests", () => {
  const subject = { uid: uidOf(1), name: { namespace: "default", name: "vm-1" }, bytes: () => 100 }
  const reference = referenceOf({ id: "7", kind: "job" }, 1)
  const row = (status: string, id = 7): JobRow => ({
    id,
    type: "job",
    status,
    extra_vars: JSON.stringify({ ansible_eda: { event: { meta: { uuid: orderOf(1).key } } } })
  })

  it("an older snapshot never overwrites a newer one, and an ended job never lives again", () => {
    const ledger = new JobLedger()
    const job = ledger.follow(subject, [reference], () => true).get("7")
    const [first, second, third] = [ledger.begin(), ledger.begin(), ledger.begin()]
    ledger.apply(row("running"), second)
    ledger.apply(row("pending"), first)
    assert.strictEqual(job?.seen?.state, "Running")
    ledger.apply(row("canceled"), third)
    ledger.apply(row("running"), ledger.begin())
    ledger.bury("7", ledger.begin())
    assert.strictEqual(job?.seen?.state, "Canceled")
  })

  it("a request that began before a newer answer cannot bury the job", () => {
    const ledger = new JobLedger()
    const job = ledger.follow(subject, [reference], () => true).get("7")
    const [confirm, list] = [ledger.begin(), ledger.begin()]
    ledger.apply(row("running"), list)
    ledger.bury("7", confirm)
    assert.strictEqual(job?.seen?.gone, false)
  })

  it("a job may go back to the queue, as AAP does when its cluster is full", () => {
    const ledger = new JobLedger()
    const job = ledger.follow(subject, [reference], () => true).get("7")
    ledger.apply(row("running"), ledger.begin())
    ledger.apply(row("pending"), ledger.begin())
    assert.strictEqual(job?.seen?.state, "Pending")
  })
})

describe("6. poison is isolated", () => {
  it.effect("an id that AAP refuses spoils the round of nobody else, and is asked for by itself", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      const { references, stateOf } = yield* follow(rig, upTo(50))
      const poison = references.get(33)?.id ?? ""
      yield* rig.wire.order({
        when: (request) =>
          isPoll(request) && (request.url.searchParams.get("id__in") ?? "").split(",").includes(poison),
        times: 100,
        harm: { _tag: "Answer", response: json(400, { detail: "value must be an integer." }) }
      })
      yield* TestClock.adjust(ROUND)
      for (const n of upTo(50)) assert.strictEqual(yield* stateOf(n), "Succeeded")
      // one round, and two more for each halving
      assert.isAtMost(yield* count(rig.wire, isPoll), 1 + 2 * 6)
    })
  )

  it.effect("a row on which AAP itself breaks leaves only its own job in doubt", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      const { references, stateOf } = yield* follow(rig, upTo(20))
      const poison = references.get(5)
      yield* rig.wire.order({
        when: (request) =>
          isPoll(request) && (request.url.searchParams.get("id__in") ?? "").split(",").includes(poison?.id ?? ""),
        times: 100,
        harm: { _tag: "Answer", response: json(500, { detail: "A server error has occurred." }) }
      })
      yield* TestClock.adjust(ROUND)
      for (const n of upTo(20).filter((each) => each !== 5)) assert.strictEqual(yield* stateOf(n), "Succeeded")
      assert.isUndefined(yield* stateOf(5))
      const tracked = yield* rig.provider.track(objectOf(5), poison === undefined ? [] : [poison])
      assert.strictEqual(Option.getOrUndefined(tracked.problem)?.reason, "ProviderFailure")
    })
  )

  it.effect(
    "rows on which AAP breaks, wherever they are, are found by the second round, and then asked for alone",
    () =>
      Effect.gen(function* () {
        const rig = yield* makeRig()
        yield* rig.aap.play(() => forever)
        const { references, stateOf } = yield* follow(rig, upTo(40))
        const bad = [3, 17, 35]
        const poison = bad.map((n) => references.get(n)?.id ?? "")
        yield* rig.wire.order({
          when: (request) => isPoll(request) && idsOf({ query: request.url.search }).some((id) => poison.includes(id)),
          times: 1000,
          harm: { _tag: "Answer", response: json(500, { detail: "A server error has occurred." }) }
        })
        yield* TestClock.adjust(ROUND)
        yield* TestClock.adjust("45 seconds")
        const good = upTo(40).filter((n) => !bad.includes(n))
        for (const n of good) assert.strictEqual(yield* stateOf(n), "Running")
        for (const n of bad) assert.isUndefined(yield* stateOf(n))
        yield* rig.wire.forget
        yield* TestClock.adjust(ROUND)
        // all others together, each of the three alone, and a look whether AAP still answers between them
        assert.isAtMost(yield* count(rig.wire, isPoll), 1 + 3 + 3)
        yield* rig.wire.heal
        yield* TestClock.adjust(ROUND)
        for (const n of bad) assert.strictEqual(yield* stateOf(n), "Running")
        yield* rig.wire.forget
        yield* TestClock.adjust(ROUND)
        assert.strictEqual(yield* count(rig.wire, isPoll), 1)
      })
  )
})

describe("6. an outage is not poison", () => {
  it.effect("an AAP that breaks on everything is an outage: three requests, not a search for poison", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      yield* follow(rig, upTo(100))
      const harm = { _tag: "Answer", response: json(500, { detail: "A server error has occurred." }) } as const
      yield* rig.wire.order({ when: isPoll, times: 1000, harm })
      yield* TestClock.adjust(ROUND)
      assert.strictEqual(yield* count(rig.wire, isPoll), 3)
    })
  )

  it.effect("an outage that begins in the middle of a round ends it", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      yield* follow(rig, upTo(1000))
      const harm = { _tag: "Answer", response: json(500, { detail: "A server error has occurred." }) } as const
      let asked = 0
      yield* rig.wire.order({ when: (request) => isPoll(request) && ++asked > 2, times: 1000, harm })
      yield* TestClock.adjust(ROUND)
      assert.isAtMost(yield* count(rig.wire, isPoll), 2 + 5)
    })
  )

  it.effect("one failing chunk delays no other, and a struggling AAP gets smaller ones for a while", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      yield* rig.aap.play(() => forever)
      const { stateOf } = yield* follow(rig, upTo(250))
      const slow = text(504, "upstream request timeout")
      yield* rig.wire.order({ when: isPoll, harm: { _tag: "Answer", response: slow } })
      yield* TestClock.adjust(ROUND)
      assert.isUndefined(yield* stateOf(1))
      assert.strictEqual(yield* stateOf(250), "Running")
      yield* TestClock.adjust(ROUND)
      assert.strictEqual(yield* stateOf(1), "Running")
      yield* TestClock.adjust("4 minutes")
      const sizes = (yield* polls(rig)).map((poll) => idsOf(poll).length)
      assert.deepStrictEqual(sizes.slice(0, 10), [200, 50, 100, 100, 50, 125, 125, 150, 100, 175])
      assert.deepStrictEqual(sizes.slice(-2), [200, 50])
    })
  )
})

describe("9. one round at a time", () => {
  it.effect("a slow answer is waited for, and nothing else is asked meanwhile", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig({ settings: { requestTimeout: Duration.minutes(10) } })
      const { stateOf } = yield* follow(rig, [1])
      yield* rig.wire.order({ when: isPoll, harm: { _tag: "Delay", by: "5 minutes", after: true } })
      yield* TestClock.adjust("2 minutes")
      const late = referenceOf({ id: "99", kind: "job" }, 2)
      yield* rig.provider.track(objectOf(2), [late])
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual(yield* count(rig.wire, isPoll), 0)
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual(yield* stateOf(1), "Succeeded")
    })
  )

  it.effect("a thousand live jobs cost five requests a round, and no job costs none", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      yield* rig.aap.play(() => forever)
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(yield* rig.wire.exchanges, [])
      yield* follow(rig, upTo(1000))
      yield* TestClock.adjust(ROUND)
      assert.strictEqual((yield* rig.wire.exchanges).length, 5)
      yield* TestClock.adjust("3 minutes")
      const rounds = (yield* rig.wire.exchanges).length / 5
      assert.isAtLeast(rounds, 6)
      assert.isAtMost(rounds, 8)
    })
  )
})

describe("9. a round that takes its time", () => {
  /** When the first of each five answers came, in seconds: a thousand jobs, asked for every ten seconds. */
  const beginnings = Effect.fnUntraced(function* (answer: Duration.Input) {
    const rig = yield* makeRig({ settings: { pollInterval: Duration.seconds(10) } })
    yield* rig.aap.play(() => forever)
    yield* follow(rig, upTo(1000))
    yield* rig.wire.order({ when: isPoll, times: 1_000, harm: { _tag: "Delay", by: answer, after: true } })
    const times: Array<number> = []
    for (let tick = 1; tick <= 1_800; tick++) {
      yield* TestClock.adjust("100 millis")
      const answers = yield* count(rig.wire, isPoll)
      if (answers > times.length * 5) times.push(tick / 10)
    }
    return times
  })
  const distances = (times: ReadonlyArray<number>) => times.slice(1).map((time, index) => time - (times[index] ?? 0))

  it.effect("delays no job's next look, as long as AAP has had a rest by then", () =>
    Effect.gen(function* () {
      const found = distances(yield* beginnings("900 millis"))
      assert.isAtLeast(found.length, 15)
      for (const distance of found) {
        assert.isAtLeast(distance, 9.4)
        assert.isAtMost(distance, 10.1)
      }
    })
  )

  it.effect("is followed by a rest of its own length, and of half an interval at most", () =>
    Effect.gen(function* () {
      for (const [answer, distance] of [
        ["1200 millis", 11],
        ["1400 millis", 12],
        ["3 seconds", 20]
      ] as const) {
        const found = distances(yield* beginnings(answer))
        assert.isAtLeast(found.length, 7)
        for (const one of found) assert.isTrue(Math.abs(one - distance) <= 0.15, `${one} for ${answer}`)
      }
    })
  )
})

describe("10. only changes fan out", () => {
  it.effect("an object is told when its job's state changed, and not when it did not", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      const told = yield* listen(rig)
      yield* rig.aap.play(({ n }) => ({ runningFor: n === 1 ? "70 seconds" : "2 hours", ends: "successful" }))
      yield* follow(rig, [1, 2])
      yield* TestClock.adjust(ROUND)
      assert.deepStrictEqual(told.splice(0).sort(), ["vm-1", "vm-2"])
      yield* TestClock.adjust(ROUND)
      assert.deepStrictEqual(told.splice(0), [])
      yield* TestClock.adjust(ROUND)
      assert.deepStrictEqual(told.splice(0), ["vm-1"])
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(told.splice(0), [])
    })
  )

  it.effect("what nobody has read yet is named once, however often it changed", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      yield* rig.aap.play(() => ({ pendingFor: "40 seconds", runningFor: "40 seconds", ends: "successful" }))
      yield* follow(rig, [1, 2, 3])
      yield* TestClock.adjust("30 seconds")
      yield* TestClock.adjust("30 seconds")
      yield* TestClock.adjust("30 seconds")
      const told = yield* listen(rig)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(told.sort(), ["vm-1", "vm-2", "vm-3"])
    })
  )
})
