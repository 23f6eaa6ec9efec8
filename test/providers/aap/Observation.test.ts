/** What is said of a job, and whether it is the object's at all. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { stateOf } from "../../../src/providers/aap/JobStates.ts"
import { belongsTo, keyIn } from "../../../src/providers/aap/Ownership.ts"
import { follow, launch, makeRig, objectOf, observe, orderOf, referenceOf, uidOf } from "./Rig.ts"

const ROUND = "30 seconds"

describe("AAP's words for states", () => {
  const words = [
    ["new", "Pending"],
    ["pending", "Pending"],
    ["waiting", "Waiting"],
    ["running", "Running"],
    ["successful", "Succeeded"],
    ["failed", "Failed"],
    ["error", "Failed"],
    ["canceled", "Canceled"]
  ] as const
  for (const [word, state] of words) {
    it(`'${word}' is ${state}`, () => assert.deepStrictEqual(stateOf(word), { state, detail: "" }))
  }
  for (const word of ["", "paused", "toString", "Successful"]) {
    it(`'${word}' is nothing anybody knows: not terminal, and the word is kept`, () =>
      assert.deepStrictEqual(stateOf(word), { state: "Unknown", detail: word }))
  }

  it.effect("an unknown word goes on being asked about, until AAP says something else", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      const { references, seen } = yield* follow(rig, [1])
      const id = Number(references.get(1)?.id)
      yield* rig.aap.setStatus(id, "hibernating")
      yield* TestClock.adjust(ROUND)
      const first = yield* seen(1)
      assert.deepStrictEqual([first?.state, first?.detail, first?.gone], ["Unknown", "hibernating", false])
      yield* rig.aap.setStatus(id, "successful")
      yield* TestClock.adjust(ROUND)
      assert.strictEqual((yield* seen(1))?.state, "Succeeded")
    })
  )

  it.effect("times are AAP's", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      const { seen } = yield* follow(rig, [1])
      yield* TestClock.adjust(ROUND)
      const found = yield* seen(1)
      assert.match(found?.startedAt ?? "", /^1970-01-01T00:00:0\d/u)
      assert.match(found?.finishedAt ?? "", /^1970-01-01T00:00:0\d/u)
    })
  )
})

describe("a job is the object's", () => {
  const uid = uidOf(1)
  const { key, payload } = orderOf(1)
  const variables = (event: object) => JSON.stringify({ ansible_eda: { event } })

  it("when its variables carry our launch key, or another key of the object", () => {
    assert.isTrue(belongsTo(variables({ meta: { uuid: key } }), uid, key))
    assert.isTrue(belongsTo(variables({ meta: { uuid: `${uid}/deprovision/7` } }), uid, key))
    assert.isTrue(belongsTo(variables({ meta: { uuid: `${uid}/deprovision/7` } }), uid, undefined))
  })
  it("when an earlier operator launched it without a key, for the object's uid", () =>
    assert.isTrue(belongsTo(variables({ payload }), uid, undefined)))
  it("when a person launched it with YAML that names the uid", () =>
    assert.isTrue(belongsTo(`---\nuid: ${uid}\n`, uid, undefined)))

  it("not when its key is another object's, even if that object mentions this one", () => {
    const other = `${uidOf(2)}/provision/0123456789abcdef/1`
    const copied = { ...payload, metadata: { uid: uidOf(2), annotations: { intent: key } } }
    assert.isFalse(belongsTo(variables({ meta: { uuid: other }, payload: copied }), uid, key))
    assert.isFalse(belongsTo(variables({ payload: copied }), uid, key))
  })
  it("not without any variables", () => {
    for (const nothing of [undefined, null, "", "{}", "[]", "7", "---"]) assert.isFalse(belongsTo(nothing, uid, key))
    assert.isFalse(belongsTo("anything", "", undefined))
  })

  it("an id of Event-Driven Ansible in the same place is no key", () => {
    assert.isUndefined(keyIn(variables({ meta: { uuid: "3f0e6a5c-1111-4222-8333-444455556666" } })))
    assert.strictEqual(keyIn(`uuid: '${key}'`), key)
  })
})

describe("an id that now belongs to somebody else's job", () => {
  it.effect("counts as one that AAP no longer has: AAP was rebuilt, and its ids began again", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      yield* rig.aap.play(() => ({ ends: "never" }))
      const { references, seen, stateOf: state } = yield* follow(rig, [1])
      yield* TestClock.adjust(ROUND)
      assert.strictEqual(yield* state(1), "Running")
      yield* rig.aap.rebuild
      const stranger = yield* launch(rig.provider, 2)
      assert.strictEqual(stranger.id, references.get(1)?.id)
      yield* TestClock.adjust(ROUND)
      assert.deepStrictEqual(yield* seen(1), {
        state: "Unknown",
        detail: "no longer in AAP (the id now belongs to another job)",
        gone: true
      })
      assert.strictEqual((yield* observe(rig.provider, 2, referenceOf(stranger, 2)))?.state, undefined)
    })
  )

  it.effect("is each object's own affair where two name the same id", () =>
    Effect.gen(function* () {
      const rig = yield* makeRig()
      yield* rig.aap.play(() => ({ ends: "never" }))
      const { references, stateOf: state } = yield* follow(rig, [1])
      const copy = references.get(1)
      if (copy === undefined) return
      yield* rig.provider.track(objectOf(2), [{ ...copy, launchKey: undefined }])
      yield* TestClock.adjust(ROUND)
      assert.strictEqual(yield* state(1), "Running")
      assert.strictEqual((yield* observe(rig.provider, 2, copy))?.gone, true)
    })
  )
})
