/** Finding a launch whose answer was lost. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { AAP, adminToken, count, isLaunch, launch, makeRig, orderOf, PROVISION, type Rig, uidOf } from "./Rig.ts"

const isSearch = (request: { readonly method: string; readonly url: URL }) => request.url.searchParams.has("or__name")
const EPOCH = "1970-01-01T00:00:00.000Z"

const templateOf = (rig: Rig) =>
  Effect.map(Effect.scoped(rig.provider.prepare("provision")), ({ template }) => template)

const find = (rig: Rig, n: number, since = EPOCH) =>
  Effect.flatMap(templateOf(rig), (template) => {
    if (rig.provider.find === undefined) return Effect.die(new Error("AAP can search"))
    return rig.provider.find({ template, uid: uidOf(n), since })
  })

const loseAnswer = (rig: Rig) =>
  rig.wire.order({ when: isLaunch, harm: { _tag: "Lose", code: "ECONNRESET", after: true } })

describe("a launch whose answer was lost", () => {
  it.effect("is found by its key, whatever became of it, and nobody else's is", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      yield* launch(rig.provider, 2)
      yield* loseAnswer(rig)
      yield* Effect.flip(launch(rig.provider, 1))
      // the lost answer shut the gate for a moment
      yield* TestClock.adjust("1 minute")
      const [found, ...others] = yield* find(rig, 1)
      assert.deepStrictEqual(others, [])
      const made = (yield* rig.aap.ledger).find((job) => job.object?.uid === uidOf(1))
      assert.deepStrictEqual(
        {
          id: found?.id,
          kind: found?.kind,
          launchKey: found?.launchKey,
          operation: found?.operation,
          state: found?.state
        },
        { id: String(made?.id), kind: "job", launchKey: orderOf(1).key, operation: "provision", state: "Succeeded" }
      )
      assert.strictEqual(found?.relaunched, false)
      assert.match(found?.created ?? "", /^1970-01-01T00:00:00/u)
      assert.isDefined(found?.startedAt)
      assert.isDefined(found?.finishedAt)
      assert.deepStrictEqual(yield* find(rig, 3), [])
    })
  )

  it.effect("is found when the clocks differ by less than ten minutes, and not among older jobs", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      yield* launch(rig.provider, 1)
      assert.strictEqual((yield* find(rig, 1, "1970-01-01T00:09:59.000Z")).length, 1)
      assert.strictEqual((yield* find(rig, 1, "1970-01-01T00:11:00.000Z")).length, 0)
    })
  )
})

describe("a job that carries the key of a launch", () => {
  it.effect("is told apart from a person's relaunch, which copies its key", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      yield* launch(rig.provider, 1)
      yield* TestClock.adjust("1 minute")
      const id = (yield* rig.aap.ledger)[0]?.id
      yield* rig.wire.handler({
        method: "POST",
        url: new URL(`${AAP}/api/v2/jobs/${id}/relaunch/`),
        headers: { authorization: "Bearer admin-token", "content-type": "application/json" },
        body: "{}"
      })
      const found = yield* find(rig, 1)
      assert.deepStrictEqual(
        found.map((job) => job.relaunched),
        [false, true]
      )
    })
  )

  it.effect("of a workflow is the workflow's job, not those that it started with the same variables", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig({
        aap: {
          templates: [
            { name: PROVISION, kind: "workflow_job_template", id: 14, nodes: [{ identifier: "a", template: "same" }] },
            { name: "same", id: 15 }
          ]
        },
        settings: { token: Effect.succeed(adminToken) }
      })
      const job = yield* launch(rig.provider, 1)
      yield* TestClock.adjust("1 minute")
      yield* rig.aap.renameTemplate(15, PROVISION)
      const ledger = yield* rig.aap.ledger
      assert.deepStrictEqual(
        ledger.map((made) => made.launchType),
        ["manual", "workflow"]
      )
      const template = `workflow_job_template/14/${PROVISION}`
      const found = yield* rig.provider.find?.({ template, uid: uidOf(1), since: EPOCH }) ?? Effect.succeed([])
      assert.deepStrictEqual(
        found.map(({ id, kind }) => [id, kind]),
        [[job.id, "workflow_job"]]
      )
    })
  )
})

describe("a search", () => {
  it.effect("reads every page, however small AAP makes them", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig({ aap: { maxPageSize: 2 } })
      for (let n = 1; n <= 7; n++) yield* launch(rig.provider, n)
      assert.strictEqual((yield* find(rig, 7)).length, 1)
      assert.strictEqual(yield* count(rig.wire, isSearch), 4)
    })
  )

  it.effect("is shared by 200 that ask at once, with the earliest of their times", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      for (let n = 1; n <= 3; n++) yield* launch(rig.provider, n)
      yield* TestClock.adjust("59 minutes")
      const fibers = yield* Effect.forEach(
        Array.from({ length: 200 }, (_, n) => n),
        (n) => Effect.forkChild(find(rig, n, n === 199 ? EPOCH : "1970-01-01T00:59:00.000Z"))
      )
      const found = yield* Effect.forEach(fibers, Fiber.join)
      assert.deepStrictEqual(found.map((jobs) => jobs.length).slice(0, 5), [0, 1, 1, 1, 0])
      assert.strictEqual(yield* count(rig.wire, isSearch), 1)
    })
  )

  it.effect("begins after it was asked for: who asks during one waits for the next", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      const template = yield* templateOf(rig)
      yield* rig.wire.order({ when: isSearch, harm: { _tag: "Delay", by: "10 seconds", after: true } })
      const first = yield* Effect.forkChild(find(rig, 1))
      yield* TestClock.adjust("1 second")
      yield* launch(rig.provider, 1)
      const second = yield* Effect.forkChild(find(rig, 1))
      const third = yield* Effect.forkChild(find(rig, 1))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* count(rig.wire, isSearch), 0)
      yield* TestClock.adjust("9 seconds")
      assert.deepStrictEqual(yield* Fiber.join(first), [])
      assert.strictEqual((yield* Fiber.join(second)).length, 1)
      assert.strictEqual((yield* Fiber.join(third)).length, 1)
      assert.strictEqual(yield* count(rig.wire, isSearch), 2)
      assert.include(template, PROVISION)
    })
  )

  it.effect("survives the interruption of the one who began it", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      yield* launch(rig.provider, 1)
      yield* rig.wire.order({ when: isSearch, harm: { _tag: "Delay", by: "10 seconds" } })
      const first = yield* Effect.forkChild(find(rig, 1))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(first)
      const second = yield* Effect.forkChild(find(rig, 1))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* Fiber.join(second)).length, 1)
    })
  )
})

describe("a search that fails", () => {
  it.effect("is tried again a few times, then says so to everybody who waits", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      yield* launch(rig.provider, 1)
      yield* rig.wire.order({ when: isSearch, times: 2, harm: { _tag: "Lose", code: "ECONNRESET" } })
      const tried = yield* Effect.forkChild(find(rig, 1))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Fiber.join(tried)).length, 1)
      yield* rig.wire.order({ when: isSearch, times: 3, harm: { _tag: "Lose", code: "ECONNRESET" } })
      const failed = yield* Effect.forkChild(Effect.flip(find(rig, 1)))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Fiber.join(failed)).reason, "ProviderUnreachable")
      assert.strictEqual((yield* find(rig, 1)).length, 1)
    })
  )

  it.effect("when the time makes no sense says so", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      assert.strictEqual((yield* Effect.flip(find(rig, 1, "yesterday"))).reason, "ProviderRefused")
    })
  )
})

describe("a job that a person names", () => {
  it.effect("is looked up by its id alone, whoever launched it; one that AAP does not have is none", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      const job = yield* launch(rig.provider, 1, "deprovision")
      const lookUp = rig.provider.lookUp ?? (() => Effect.die(new Error("AAP can look up")))
      const found = yield* lookUp(job.id)
      assert.strictEqual(
        found._tag === "Some" ? `${found.value.operation} ${found.value.launchKey}` : "",
        `deprovision ${orderOf(1, "deprovision").key}`
      )
      assert.strictEqual((yield* lookUp("999"))._tag, "None")
      assert.strictEqual((yield* lookUp("eda-webhook-1"))._tag, "None")
    })
  )
})
