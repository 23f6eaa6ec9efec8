import { assert, it } from "@effect/vitest"
import { type Pack, Shelf } from "../../src/runtime/Shelf.ts"

interface Thing {
  readonly name: string
}

/** A shelf that counts how often something is packed and unpacked. */
const counted = () => {
  const counts = { packed: 0, unpacked: 0 }
  const pack: Pack<Thing> = ({ name }) => {
    counts.packed += 1
    return () => {
      counts.unpacked += 1
      return { name }
    }
  }
  return { counts, pack, shelf: new Shelf<Thing>(pack) }
}

const fill = (shelf: Shelf<Thing>, from: number, count: number) => {
  for (let n = from; n < from + count; n++) shelf.set(`key-${n}`, String(n), { name: `thing-${n}` })
}

const AT_HAND = 1000

it("the latest objects are kept as they are, and all others packed", () => {
  const { counts, shelf } = counted()
  fill(shelf, 0, AT_HAND + 50)
  assert.deepStrictEqual(counts, { packed: 50, unpacked: 0 })
  assert.deepStrictEqual(shelf.get("key-1049"), { name: "thing-1049" })
  assert.strictEqual(counts.unpacked, 0)
  assert.deepStrictEqual(shelf.get("key-49"), { name: "thing-49" })
  assert.strictEqual(counts.unpacked, 1)
  assert.strictEqual(shelf.size, AT_HAND + 50)
})

it("a version is known without unpacking", () => {
  const { counts, shelf } = counted()
  fill(shelf, 0, AT_HAND + 1)
  assert.strictEqual(shelf.version("key-0"), "0")
  assert.isUndefined(shelf.version("nobody"))
  assert.strictEqual(counts.unpacked, 0)
})

it("what is replaced or taken away does not come back, packed or not", () => {
  const { shelf } = counted()
  fill(shelf, 0, AT_HAND + 2)
  shelf.set("key-0", "7", { name: "renewed" })
  shelf.delete("key-1")
  shelf.delete("key-500")
  fill(shelf, 5000, AT_HAND)
  assert.deepStrictEqual(shelf.get("key-0"), { name: "renewed" })
  assert.strictEqual(shelf.version("key-0"), "7")
  assert.isUndefined(shelf.get("key-1"))
  assert.isUndefined(shelf.get("key-500"))
  assert.strictEqual(shelf.size, 2 * AT_HAND)
})

it("an object is taken over from another shelf without unpacking", () => {
  const { counts, pack, shelf } = counted()
  fill(shelf, 0, AT_HAND + 1)
  const other = new Shelf<Thing>(pack)
  other.set("key-0", "older", { name: "older" })
  other.take("key-0", shelf)
  other.take("key-1", shelf)
  other.take("nobody", shelf)
  assert.deepStrictEqual(counts, { packed: 1, unpacked: 0 })
  assert.deepStrictEqual([other.get("key-0"), other.get("key-1")], [{ name: "thing-0" }, { name: "thing-1" }])
  assert.strictEqual(other.version("key-0"), "0")
  assert.strictEqual(other.size, 2)
  assert.isFalse(shelf.has("key-0"))
})
