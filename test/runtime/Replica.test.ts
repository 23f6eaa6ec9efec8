import { assert, it } from "@effect/vitest"
import { Option } from "effect"
import { Replica } from "../../src/runtime/Replica.ts"
import { isNewer } from "../../src/runtime/ResourceVersion.ts"

interface Thing {
  readonly name: string
  readonly version: string
}

const thing = (name: string, version: number | string): Thing => ({ name, version: String(version) })

const replaceAll = (replica: Replica<Thing>, objects: ReadonlyArray<Thing>, version: string) => {
  replica.listed(objects)
  replica.completeList(version)
}

/** A copy of `a` at version 10, with nothing left to report. */
const withA = () => {
  const replica = new Replica<Thing>({ key: ({ name }) => name, resourceVersion: ({ version }) => version })
  replaceAll(replica, [thing("a", 10)], "10")
  replica.changes.clear()
  return replica
}

const version = (replica: Replica<Thing>, key: string) => Option.getOrNull(replica.get(key))?.version ?? null
const changes = (replica: Replica<Thing>) => [...replica.changes].map(([key, change]) => `${key} ${change}`)

it("versions compare as numbers of any length, and opaque ones by being different", () => {
  assert.isTrue(isNewer("10", "9"))
  assert.isFalse(isNewer("9", "10"))
  assert.isFalse(isNewer("10", "10"))
  assert.isFalse(isNewer("010", "10"))
  assert.isTrue(isNewer("9007199254740993", "9007199254740992"))
  assert.isFalse(isNewer("9007199254740992", "9007199254740993"))
  assert.isTrue(isNewer("100000000000000000000000000000001", "100000000000000000000000000000000"))
  assert.isTrue(isNewer("abc", "abd"))
  assert.isFalse(isNewer("abc", "abc"))
  assert.isTrue(isNewer("abc", "5"))
})

it("an event that is not newer than what is held changes nothing and reports nothing", () => {
  const replica = withA()
  for (const stale of [10, 9]) replica.applied(thing("a", stale))
  replica.deleted(thing("a", 9))
  assert.strictEqual(version(replica, "a"), "10")
  assert.deepStrictEqual(changes(replica), [])
  replica.applied(thing("a", 11))
  assert.strictEqual(version(replica, "a"), "11")
  assert.deepStrictEqual(changes(replica), ["a applied"])
})

it("a deletion is reported once, and nothing older brings the object back", () => {
  const replica = withA()
  replica.deleted(thing("a", 12))
  replica.deleted(thing("a", 12))
  replica.deleted(thing("stranger", 12))
  replica.applied(thing("a", 11))
  replica.written(thing("a", 11))
  assert.strictEqual(version(replica, "a"), null)
  assert.deepStrictEqual(changes(replica), ["a deleted"])
  replica.applied(thing("a", 13))
  assert.strictEqual(version(replica, "a"), "13")
  assert.deepStrictEqual(changes(replica), ["a applied"])
})

it("a deletion that carries the version held is a deletion", () => {
  const replica = withA()
  replica.deleted(thing("a", 10))
  assert.strictEqual(replica.size, 0)
})

it("opaque versions follow the order of the events", () => {
  const replica = withA()
  replica.applied(thing("a", "x"))
  replica.applied(thing("a", "x"))
  replica.applied(thing("a", "b"))
  assert.strictEqual(version(replica, "a"), "b")
  replica.deleted(thing("a", "c"))
  assert.strictEqual(version(replica, "a"), null)
})

it("a list reports what is new, changed or gone, and not what is the same", () => {
  const replica = withA()
  replica.applied(thing("b", 11))
  replica.applied(thing("c", 12))
  replica.changes.clear()
  replica.beginList()
  replaceAll(replica, [thing("a", 10), thing("c", 20), thing("d", 21)], "30")
  assert.deepStrictEqual(changes(replica), ["c applied", "d applied", "b deleted"])
  assert.deepStrictEqual(replica.keys, ["a", "c", "d"])
  assert.deepStrictEqual(
    replica.values.map((value) => value.version),
    ["10", "20", "21"]
  )
})

it("an own write is seen at once, reports nothing, and neither does its event", () => {
  const replica = withA()
  replica.written(thing("a", 11))
  assert.strictEqual(version(replica, "a"), "11")
  replica.applied(thing("a", 11))
  assert.deepStrictEqual(changes(replica), [])
  replica.written(thing("a", 10))
  replica.written(thing("stranger", 11))
  assert.strictEqual(version(replica, "a"), "11")
  assert.strictEqual(replica.size, 1)
})

it("an own write that came after the list began outlives the list's older item and its absence", () => {
  const replica = withA()
  replica.applied(thing("b", 11))
  replica.beginList()
  replica.written(thing("a", 21))
  replica.written(thing("b", 22))
  replaceAll(replica, [thing("a", 10)], "20")
  assert.strictEqual(version(replica, "a"), "21")
  assert.strictEqual(version(replica, "b"), "22")
})

it("a list that is newer than an own write wins, and so does a list that began after it", () => {
  const replica = withA()
  replica.beginList()
  replica.written(thing("a", 11))
  replaceAll(replica, [thing("a", 12)], "20")
  assert.strictEqual(version(replica, "a"), "12")
  replica.written(thing("a", 30))
  replica.beginList()
  replaceAll(replica, [thing("a", 5)], "7")
  assert.strictEqual(version(replica, "a"), "5")
})
