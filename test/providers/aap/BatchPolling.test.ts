/** The conditions under which one list request may stand for many reads, one test or more each. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import { chunksOf, URL_BYTES } from "../../../src/providers/aap/Chunks.ts"
import type { Wanted } from "../../../src/providers/aap/JobLedger.ts"
import { json, text } from "../../support/Wire.ts"
import {
  adminToken,
  count,
  details,
  follow,
  idsOf,
  isPoll,
  launch,
  makeRig,
  objectOf,
  observe,
  PROVISION,
  polls,
  referenceOf,
  upTo
} from "./Rig.ts"

const ROUND = "30 seconds"
const forever = { ends: "never" } as const

describe("1. one id space", () => {
  it.effect("jobs and workflow jobs are read by the same request", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig({
        aap: { templates: [{ name: PROVISION }, { name: "wf", kind: "workflow_job_template" }] },
        settings: { token: Effect.succeed(adminToken), templates: { provision: PROVISION, deprovision: "wf" } }
      })
      const job = referenceOf(yield* launch(rig.provider, 1), 1)
      const workflow = referenceOf(yield* launch(rig.provider, 2, "deprovision"), 2, "deprovision")
      assert.strictEqual(workflow.kind, "workflow_job")
      yield* observe(rig.provider, 1, job)
      yield* observe(rig.provider, 2, workflow)
      yield* TestClock.adjust(ROUND)
      assert.strictEqual((yield* observe(rig.provider, 1, job))?.state, "Succeeded")
      assert.strictEqual((yield* observe(rig.provider, 2, workflow))?.state, "Succeeded")
      assert.strictEqual(yield* count(rig.wire, isPoll), 1)
    })
  )
})

describe("2. absent is neither terminal nor success", () => {
  it.effect("a purged job is gone only once AAP's own 404 for that job says so", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      yield* rig.aap.play(() => forever)
      const { references, seen } = yield* follow(rig, [1])
      const id = Number(references.get(1)?.id)
      yield* rig.aap.purge(id)
      const page = text(404, "<html><title>Not Found</title></html>", "text/html")
      yield* rig.wire.order({
        when: ({ url }) => url.pathname.endsWith(`/jobs/${id}/`),
        harm: { _tag: "Answer", response: page }
      })
      yield* TestClock.adjust(ROUND)
      assert.isUndefined(yield* seen(1))
      yield* TestClock.adjust(ROUND)
      assert.deepStrictEqual(yield* seen(1), {
        state: "Unknown",
        detail: "no longer in AAP (404 Not Found)",
        gone: true
      })
    })
  )

  it.effect("a job that the list hides is read by itself", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      const { stateOf } = yield* follow(rig, [1])
      yield* rig.wire.order({
        when: isPoll,
        harm: { _tag: "Answer", response: json(200, { results: [], next: null }) }
      })
      yield* TestClock.adjust(ROUND)
      assert.strictEqual(yield* stateOf(1), "Succeeded")
    })
  )

  it.effect("a job that may not be read is in doubt, not gone, and the object is told which role is missing", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      const { references, stateOf } = yield* follow(rig, [1])
      const hidden = json(200, { results: [], next: null })
      const denied = json(403, { detail: "You do not have permission to perform this action." })
      yield* rig.wire.order({ when: isPoll, harm: { _tag: "Answer", response: hidden } })
      yield* rig.wire.order({
        when: ({ url }) => /\/jobs\/\d+\/$/u.test(url.pathname),
        harm: { _tag: "Answer", response: denied }
      })
      yield* TestClock.adjust(ROUND)
      const tracked = yield* rig.provider.track(objectOf(1), [...references.values()])
      assert.strictEqual(Option.getOrUndefined(tracked.problem)?.reason, "PermissionDenied")
      yield* TestClock.adjust(ROUND)
      assert.strictEqual(yield* stateOf(1), "Succeeded")
      assert.isTrue(Option.isNone((yield* rig.provider.track(objectOf(1), [...references.values()])).problem))
    })
  )
})

describe("2. absent jobs are confirmed", () => {
  it.effect("a job of unknown kind is gone only when it is of neither kind", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      const reference = { id: "77", kind: undefined, operation: "provision", launchKey: undefined } as const
      yield* observe(rig.provider, 1, reference)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* observe(rig.provider, 1, reference))?.gone, true)
      assert.deepStrictEqual(
        (yield* details(rig)).map(({ path }) => path),
        ["/api/v2/jobs/77/", "/api/v2/workflow_jobs/77/"]
      )
    })
  )

  it.effect("jobs in doubt do not keep the others from being confirmed", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      const references = upTo(60).map((n) => ({ ...referenceOf({ id: String(n), kind: "job" }, n) }))
      const denied = json(403, { detail: "You do not have permission to perform this action." })
      yield* rig.wire.order({
        when: ({ url }) => Number(/\/jobs\/(\d+)\/$/u.exec(url.pathname)?.[1] ?? 99) <= 30,
        times: 1000,
        harm: { _tag: "Answer", response: denied }
      })
      for (const [index, reference] of references.entries()) yield* rig.provider.track(objectOf(index + 1), [reference])
      for (let round = 0; round < 6; round++) yield* TestClock.adjust(ROUND)
      const gone = yield* Effect.forEach(references, (reference, index) => observe(rig.provider, index + 1, reference))
      assert.deepStrictEqual(
        gone.map((found) => found?.gone ?? false),
        upTo(60).map((n) => n > 30)
      )
    })
  )

  it.effect("a thousand absent jobs cost a few confirmations a round, each job in its turn", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      const references = upTo(1000).map((n) => ({ ...referenceOf({ id: String(n), kind: "job" }, n) }))
      for (const [index, reference] of references.entries()) yield* rig.provider.track(objectOf(index + 1), [reference])
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* details(rig)).length, 25)
      for (let round = 1; round < 40; round++) yield* TestClock.adjust(ROUND)
      assert.strictEqual((yield* details(rig)).length, 1000)
      assert.strictEqual(
        (yield* observe(rig.provider, 1000, referenceOf({ id: "1000", kind: "job" }, 1000)))?.gone,
        true
      )
    })
  )
})

describe("3. never trust default paging", () => {
  it.effect("a page size is asked for, and a lower one of AAP is obeyed without losing a job", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig({ aap: { maxPageSize: 10 } })
      const { stateOf } = yield* follow(rig, upTo(25))
      yield* TestClock.adjust(ROUND)
      for (const n of upTo(25)) assert.strictEqual(yield* stateOf(n), "Succeeded")
      assert.deepStrictEqual(yield* details(rig), [])
      const asked = yield* polls(rig)
      assert.isTrue(asked.every(({ query }) => query.includes("page_size=200") && query.includes("order_by=id")))
      assert.strictEqual(asked.length, 3)
    })
  )

  it.effect("an answer about other jobs than those asked for is believed in nothing", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      yield* rig.aap.play(() => forever)
      const { references, seen } = yield* follow(rig, [1])
      const id = Number(references.get(1)?.id)
      const response = json(200, {
        results: [
          { id, type: "job", status: "successful", extra_vars: "{}" },
          { id: id + 1, type: "job", status: "successful" }
        ],
        next: null
      })
      yield* rig.wire.order({ when: isPoll, harm: { _tag: "Answer", response } })
      yield* TestClock.adjust(ROUND)
      assert.isUndefined(yield* seen(1))
    })
  )
})

describe("4. fixed ids have no skew", () => {
  it.effect("a page is continued by id, so that a row deleted in between hides none", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig({ aap: { maxPageSize: 2 } })
      const { references, stateOf } = yield* follow(rig, upTo(4))
      const purge = Number(references.get(1)?.id)
      yield* rig.wire.order({ when: isPoll, harm: { _tag: "Delay", by: "1 second", after: true } })
      yield* TestClock.adjust(ROUND)
      yield* rig.aap.purge(purge)
      yield* TestClock.adjust("1 second")
      for (const n of upTo(4)) assert.strictEqual(yield* stateOf(n), "Succeeded")
      const second = new URLSearchParams((yield* polls(rig))[1]?.query)
      assert.strictEqual(second.get("id__gt"), references.get(2)?.id)
      assert.isFalse(second.has("page"))
    })
  )
})

describe("7. and 13. no request is too long, and no answer too heavy", () => {
  const wanted = (count: number, bytes: number, digits = 5): ReadonlyArray<Wanted> =>
    upTo(count).map((n) => ({ id: String(10 ** (digits - 1) + n), kind: "job" as const, bytes }))

  it("a chunk holds at most 200 ids", () =>
    assert.deepStrictEqual(
      chunksOf(wanted(450, 100), 200).map((chunk) => chunk.length),
      [200, 200, 50]
    ))

  it("a chunk's ids fit into a URL", () => {
    const chunks = chunksOf(wanted(1000, 100, 15), 200)
    for (const chunk of chunks) {
      assert.isAtMost(encodeURIComponent(chunk.map(({ id }) => id).join(",")).length, URL_BYTES)
    }
    assert.isAbove(chunks.length, 5)
  })

  it("a chunk's answer is far below the limit, whatever the resources weigh, and one giant goes alone", () => {
    assert.deepStrictEqual(
      chunksOf(wanted(100, 262_144), 200).map((chunk) => chunk.length),
      [32, 32, 32, 4]
    )
    assert.deepStrictEqual(
      chunksOf(wanted(3, 50_000_000), 200).map((chunk) => chunk.length),
      [1, 1, 1]
    )
  })

  it.effect("what a resource weighs counts from the first round on", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      for (const n of upTo(40)) {
        const heavy = { ...objectOf(n), spec: { templateParameters: "x".repeat(262_144) } }
        yield* rig.provider.track(heavy, [referenceOf({ id: String(n), kind: "job" }, n)])
      }
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(
        (yield* polls(rig)).map((poll) => idsOf(poll).length),
        [31, 9]
      )
    })
  )
})

describe("8. registration before the round", () => {
  it.effect("a job is asked for from the moment it is declared until its object no longer names it", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      const { references, stateOf } = yield* follow(rig, [1])
      yield* TestClock.adjust(ROUND)
      assert.strictEqual(yield* stateOf(1), "Succeeded")
      // the end stays known, without further questions, until the object has recorded it
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(yield* stateOf(1), "Succeeded")
      assert.strictEqual(yield* count(rig.wire, isPoll), 1)
      yield* rig.provider.track(objectOf(1), [])
      const again = yield* rig.provider.track(objectOf(1), [...references.values()])
      assert.strictEqual(again.seen.size, 0)
    })
  )

  it.effect("an object that is gone is asked for no more, even one that was replaced under its name", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      yield* rig.aap.play(() => forever)
      const { references } = yield* follow(rig, [1, 2])
      yield* rig.provider.forget({ namespace: "default", name: "vm-1" })
      const { metadata, ...rest } = objectOf(2)
      yield* rig.provider.track({ ...rest, metadata: { ...metadata, uid: "another" } }, [])
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(references.size, 2)
      assert.deepStrictEqual(yield* rig.wire.exchanges, [])
    })
  )
})
