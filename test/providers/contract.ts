/**
 * What every provider promises, whatever it talks to: one suite, run by each provider against its own simulated world.
 *
 * The world is the ground truth. It can be told to harm the next launch, to bring a job to its end, and it tells what was
 * really launched. What a provider cannot do is absent from its port, and the suite asks for nothing of it then.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Stream } from "effect"
import { TestClock } from "effect/testing"
import { type Contract, failedLaunch, launch, objectOf, operations, orderOf, uidOf } from "./contractWorld.ts"

const preparing = ({ make, name, blockDeletionOnFailure, ids }: Contract) =>
  describe(`the ${name} provider prepares a launch`, () => {
    it.effect("under its name, and recognises its own job ids only", () =>
      Effect.gen(function* () {
        const { provider } = yield* make
        assert.strictEqual(provider.name, name)
        assert.strictEqual(provider.blockDeletionOnFailure, blockDeletionOnFailure)
        assert.deepStrictEqual(
          ids.own.filter((id) => !provider.recognises(id)),
          []
        )
        assert.deepStrictEqual(ids.foreign.filter(provider.recognises), [])
      })
    )

    it.effect("as often as wanted, without any effect, and always the same", () =>
      Effect.gen(function* () {
        const { provider, launched } = yield* make
        for (const operation of operations) {
          const prepare = Effect.map(Effect.scoped(provider.prepare(operation)), ({ template }) => template)
          const templates = yield* Effect.forEach(Array.from({ length: 20 }), () => prepare, { concurrency: 5 })
          assert.strictEqual(new Set(templates).size, 1)
          assert.isAbove(templates[0]?.length ?? 0, 0)
        }
        assert.deepStrictEqual(yield* launched, [])
      })
    )

    it.effect("and gives its permits back when the launch is given up", () =>
      Effect.gen(function* () {
        const { provider } = yield* make
        for (let n = 0; n < 50; n++) yield* Effect.scoped(provider.prepare("provision"))
        assert.isAbove((yield* launch(provider, 1)).template.length, 0)
      })
    )
  })

const launching = ({ make, name, ids }: Contract) =>
  describe(`the ${name} provider launches`, () => {
    for (const operation of operations) {
      it.effect(`a ${operation} job once for one order`, () =>
        Effect.gen(function* () {
          const { provider, launched } = yield* make
          const { reference } = yield* launch(provider, 1, operation)
          const made = yield* launched
          assert.deepStrictEqual(
            made.map(({ uid }) => uid),
            [uidOf(1)]
          )
          assert.isTrue(provider.recognises(reference.id))
          assert.deepStrictEqual(
            ids.foreign.filter((id) => id === reference.id),
            []
          )
        })
      )
    }

    it.effect("and says that nothing happened when the launch was refused", () =>
      Effect.gen(function* () {
        const { provider, launched, harmNextLaunch } = yield* make
        yield* harmNextLaunch("refuse")
        const error = yield* failedLaunch(provider, 1)
        assert.strictEqual(error.applied, "no")
        assert.strictEqual(error.provider, name)
        assert.deepStrictEqual(yield* launched, [])
      })
    )

    for (const [harm, made] of [
      ["loseAnswer", 1],
      ["silence", 0]
    ] as const) {
      it.effect(
        `and says that nobody knows after ${harm === "silence" ? "silence" : "a lost answer"}, and never sends again by itself`,
        () =>
          Effect.gen(function* () {
            const { provider, launched, harmNextLaunch } = yield* make
            yield* harmNextLaunch(harm)
            const error = yield* failedLaunch(provider, 1)
            assert.strictEqual(error.applied, "unknown")
            yield* TestClock.adjust("1 hour")
            assert.strictEqual((yield* launched).length, made)
          })
      )
    }

    it.effect("and words a failure for a person: bounded, of one line, the same each time", () =>
      Effect.gen(function* () {
        const messages = new Set<string>()
        for (let n = 0; n < 2; n++) {
          const { provider, harmNextLaunch } = yield* make
          yield* harmNextLaunch("loseAnswer")
          messages.add((yield* failedLaunch(provider, 1)).message)
        }
        assert.strictEqual(messages.size, 1)
        for (const message of messages) assert.match(message, /^[^\p{Cc}]{10,1000}$/u)
      })
    )
  })

const finding = ({ make, name, unknownId }: Contract) =>
  describe(`the ${name} provider, if it can search,`, () => {
    it.effect("finds a launch whose answer was lost, and only the object's", () =>
      Effect.gen(function* () {
        const { provider, harmNextLaunch, launched } = yield* make
        if (provider.find === undefined) return
        const { template } = yield* launch(provider, 2)
        yield* harmNextLaunch("loseAnswer")
        yield* failedLaunch(provider, 1)
        const query = { template, uid: uidOf(1), since: "1970-01-01T00:00:00.000Z" }
        const found = yield* provider.find(query)
        assert.deepStrictEqual(
          found.map(({ launchKey, relaunched }) => [launchKey, relaunched]),
          [[orderOf(1, "provision").key, false]]
        )
        assert.deepStrictEqual(yield* provider.find({ ...query, uid: uidOf(3) }), [])
        assert.strictEqual((yield* launched).length, 2)
      })
    )

    it.effect("looks up a job by its id, and knows none that does not exist", () =>
      Effect.gen(function* () {
        const { provider } = yield* make
        if (provider.lookUp === undefined) return
        const { reference } = yield* launch(provider, 1)
        assert.strictEqual(Option.getOrUndefined(yield* provider.lookUp(reference.id))?.id, reference.id)
        assert.isTrue(Option.isNone(yield* provider.lookUp(unknownId)))
      })
    )
  })

const observing = ({ make, name }: Contract) =>
  describe(`the ${name} provider observes jobs`, () => {
    it.effect("without a request for being told of them", () =>
      Effect.gen(function* () {
        const { provider, requests } = yield* make
        const { reference } = yield* launch(provider, 1)
        const before = yield* requests
        for (let n = 0; n < 100; n++) yield* provider.track(objectOf(1), [reference])
        assert.strictEqual(yield* requests, before)
      })
    )

    it.effect("to their end, which stays known until the object names the job no longer", () =>
      Effect.gen(function* () {
        const { provider, succeed } = yield* make
        const { reference } = yield* launch(provider, 1)
        yield* provider.track(objectOf(1), [reference])
        const object = yield* succeed(objectOf(1), reference)
        yield* TestClock.adjust("1 minute")
        for (let n = 0; n < 3; n++) {
          const { seen, problem } = yield* provider.track(object, [reference])
          assert.strictEqual(seen.get(reference.id)?.state, "Succeeded")
          assert.isTrue(Option.isNone(problem))
          yield* TestClock.adjust("1 hour")
        }
      })
    )

    it.effect("and names an object at most once for one change, and not after it is gone", () =>
      Effect.gen(function* () {
        const { provider, succeed } = yield* make
        const told: Array<string> = []
        yield* provider.changes.pipe(
          Stream.runForEach((object) => Effect.sync(() => told.push(object.name))),
          Effect.forkScoped
        )
        const { reference } = yield* launch(provider, 1)
        yield* provider.track(objectOf(1), [reference])
        yield* succeed(objectOf(1), reference)
        yield* TestClock.adjust("1 minute")
        assert.isAtMost(told.length, 2)
        yield* provider.forget({ namespace: "default", name: "vm-1" })
        told.length = 0
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual(told, [])
      })
    )
  })

const cancelling = ({ make, name, unknownId }: Contract) =>
  describe(`the ${name} provider, if it can cancel,`, () => {
    it.effect("cancels a job, also when asked again and again", () =>
      Effect.gen(function* () {
        const { provider, launched } = yield* make
        if (provider.cancel === undefined) return
        const { reference } = yield* launch(provider, 1)
        for (let n = 0; n < 3; n++) {
          assert.include(["Requested", "AlreadyTerminal"], yield* provider.cancel(objectOf(1), reference))
          yield* TestClock.adjust("10 seconds")
        }
        assert.deepStrictEqual(
          (yield* launched).map(({ live }) => live),
          [false]
        )
        assert.strictEqual(yield* provider.cancel(objectOf(1), reference), "AlreadyTerminal")
      })
    )

    it.effect("finds a job gone that does not exist, or that is another object's, which goes on", () =>
      Effect.gen(function* () {
        const { provider, launched } = yield* make
        if (provider.cancel === undefined) return
        const { reference } = yield* launch(provider, 1)
        assert.strictEqual(yield* provider.cancel(objectOf(1), { ...reference, id: unknownId }), "Gone")
        const claimed = { ...reference, launchKey: orderOf(2, "provision").key }
        assert.strictEqual(yield* provider.cancel(objectOf(2), claimed), "Gone")
        assert.deepStrictEqual(
          (yield* launched).map(({ live }) => live),
          [true]
        )
      })
    )
  })

export const contract = (of: Contract): void => {
  preparing(of)
  launching(of)
  finding(of)
  observing(of)
  cancelling(of)
}
