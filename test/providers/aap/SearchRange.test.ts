/** How far a search looks: to the end of what may hold the launch, however much that is, and not beyond. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { json, type WireHandler } from "../../support/Wire.ts"
import { count, launch, makeRig, orderOf, PROVISION, providerOver, type Rig, uidOf } from "./Rig.ts"

const EPOCH = "1970-01-01T00:00:00.000Z"
const isSearch = (request: { readonly method: string; readonly url: URL }) => request.url.searchParams.has("or__name")

const rowOf = (n: number) => ({
  id: n,
  type: "job",
  status: "running",
  launch_type: "manual",
  extra_vars: JSON.stringify({ ansible_eda: { event: { meta: { uuid: orderOf(n).key } } } })
})

/** An AAP with one job for each of so many objects, the object's number its id. */
const crowded = (jobs: number, size: number) => {
  let pages = 0
  const handler: WireHandler = ({ url }) =>
    Effect.sync(() => {
      pages++
      const first = Number(url.searchParams.get("id__gt") ?? 0) + 1
      const last = Math.min(jobs, first + size - 1)
      const results = Array.from({ length: last - first + 1 }, (_, index) => rowOf(first + index))
      return json(200, { results, next: last < jobs ? "/more" : null })
    })
  return { handler, pages: () => pages }
}

interface Query {
  readonly uid: string
  readonly since: string
  readonly until?: string
  readonly unfinishedAt?: string
  readonly maxAge?: number
}

const finder = (provider: Rig["provider"], template: string) => (query: Partial<Query>) =>
  provider.find?.({ template, uid: uidOf(1), since: EPOCH, ...query }) ?? Effect.die(new Error("AAP can search"))

const found = (rig: Rig, query: Partial<Query>) =>
  Effect.map(finder(rig.provider, PROVISION)(query), (jobs) => jobs.map(({ id }) => Number(id)))

describe("a search through many jobs", () => {
  it.effect("goes on to the last page", () =>
    Effect.gen(function* () {
      const aap = crowded(150, 1)
      const find = finder(yield* providerOver(aap.handler), "x")
      assert.deepStrictEqual(
        (yield* find({ uid: uidOf(150) })).map(({ id }) => id),
        ["150"]
      )
      assert.strictEqual(aap.pages(), 150)
    })
  )

  it.effect("keeps no more than is asked for beyond a bound, and whoever comes later looks again", () =>
    Effect.gen(function* () {
      const aap = crowded(20_050, 200)
      const find = finder(yield* providerOver(aap.handler), "x")
      const asked = [1, 20_001, 20_050, 20_051]
      const fibers = yield* Effect.forEach(asked, (n) => Effect.forkChild(find({ uid: uidOf(n) })))
      assert.deepStrictEqual(
        (yield* Effect.forEach(fibers, Fiber.join)).map((jobs) => jobs.map(({ id }) => Number(id))),
        [[1], [20_001], [20_050], []]
      )
      assert.strictEqual(aap.pages(), 101)
      assert.lengthOf(yield* find({ uid: uidOf(20_050), maxAge: 5_000 }), 1)
      assert.strictEqual(aap.pages(), 101)
      assert.lengthOf(yield* find({ uid: uidOf(20_049), maxAge: 5_000 }), 1)
      assert.strictEqual(aap.pages(), 202)
    })
  )

  it.effect("of which there is no end fails, and says what a person can do", () =>
    Effect.gen(function* () {
      const find = finder(yield* providerOver(crowded(Number.POSITIVE_INFINITY, 1).handler), "x")
      assert.strictEqual(
        (yield* Effect.flip(find({ since: "1970-01-02T00:00:00.000Z" }))).message,
        "Template 'x' has more than 2000 pages of jobs since 1970-01-01T23:50:00.000Z, too many to look through for a launch: let AAP clean up old jobs (its management job 'Cleanup Job Details'), or name the job to follow by the annotation cloudkit.openshift.io/adopt-job"
      )
    })
  )

  it.effect("of which AAP keeps the rest to itself fails, instead of saying that there is none", () =>
    Effect.gen(function* () {
      const find = finder(yield* providerOver(() => Effect.succeed(json(200, { results: [], next: "/more" }))), "x")
      assert.match((yield* Effect.flip(find({}))).message, /^AAP says that more jobs follow job 0 of template 'x'/u)
    })
  )
})

describe("a search for a launch that is long past", () => {
  /** Launches under the keys of object 1, an hour apart. */
  const hourly = Effect.fnUntraced(function* (launches: number) {
    const rig = yield* makeRig()
    for (let attempt = 1; attempt <= launches; attempt++) {
      yield* launch(rig.provider, 1, "provision", attempt)
      yield* TestClock.adjust("1 hour")
    }
    return rig
  })

  it.effect("leaves out what was launched later than the launch can be, whichever clock is ahead", () =>
    Effect.gen(function* () {
      const rig = yield* hourly(3)
      assert.deepStrictEqual(yield* found(rig, { until: "1970-01-01T00:30:00.000Z" }), [1])
      assert.deepStrictEqual(yield* found(rig, { until: "1970-01-01T00:51:00.000Z" }), [1, 2])
      assert.deepStrictEqual(yield* found(rig, {}), [1, 2, 3])
    })
  )

  it.effect("is shared with one that looks further, and not served by one that did not", () =>
    Effect.gen(function* () {
      const rig = yield* hourly(3)
      yield* rig.wire.forget
      const near = yield* Effect.forkChild(found(rig, { until: "1970-01-01T00:30:00.000Z" }))
      const far = yield* Effect.forkChild(found(rig, { until: "1970-01-01T01:30:00.000Z" }))
      assert.deepStrictEqual(
        [yield* Fiber.join(near), yield* Fiber.join(far)],
        [
          [1, 2],
          [1, 2]
        ]
      )
      assert.strictEqual(yield* count(rig.wire, isSearch), 1)
      assert.deepStrictEqual(yield* found(rig, { maxAge: 5_000 }), [1, 2, 3])
      assert.strictEqual(yield* count(rig.wire, isSearch), 2)
    })
  )
})

describe("a search for what may still be alive", () => {
  it.effect("leaves out what had ended before, and finds what ended later or has not", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      const runs = [60, 180, 100_000]
      yield* rig.aap.play(({ n }) => ({
        pendingFor: "1 second",
        runningFor: `${runs[n - 1] ?? 0} minutes`,
        ends: "successful"
      }))
      for (const attempt of [1, 2, 3]) yield* launch(rig.provider, 1, "provision", attempt)
      yield* TestClock.adjust("4 hours")
      assert.deepStrictEqual(yield* found(rig, { unfinishedAt: "1970-01-01T02:00:00.000Z" }), [2, 3])
      assert.deepStrictEqual(yield* found(rig, { unfinishedAt: "1970-01-01T01:09:00.000Z" }), [1, 2, 3])
      assert.deepStrictEqual(yield* found(rig, { unfinishedAt: "1970-01-01T04:00:00.000Z" }), [3])
    })
  )
})
