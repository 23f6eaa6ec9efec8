import { assert, it } from "@effect/vitest"
import * as FastCheck from "fast-check"
import { ListItems } from "../../../src/adapters/kubernetes/ListItems.ts"
import { makePacking } from "../../../src/adapters/kubernetes/Packing.ts"

/** What is found when the text arrives in pieces of this many bytes. */
const taken = (text: string, size: number, maxBytes = 1_000_000) => {
  const bytes = new TextEncoder().encode(text)
  const list = new ListItems(maxBytes)
  const items: Array<unknown> = []
  for (let from = 0; from < bytes.length; from += size) {
    for (const item of list.feed(bytes.subarray(from, from + size))) items.push(JSON.parse(item))
  }
  return { items, around: list.around, tooLarge: list.tooLarge }
}

/** The items back in their places. */
const whole = ({ around, items }: ReturnType<typeof taken>): unknown => {
  const list: Record<string, unknown> = JSON.parse(around)
  const places = items.values()
  const raw = Array.isArray(list.items) ? list.items : []
  const isPlace = (place: unknown) => typeof place === "object" && place !== null
  return { ...list, items: raw.map((place) => (isPlace(place) ? places.next().value : place)) }
}

const list = {
  kind: "ThingList",
  metadata: { resourceVersion: "7", items: [{ not: "an item" }] },
  items: [
    { a: 'with "quotes", {braces} and \\ backslashes' },
    5,
    { b: { c: [{ d: [] }] } },
    "x",
    null,
    {},
    { é: "ü€𝄞" }
  ],
  after: { items: [{ neither: 1 }] }
}

it("items come out whole, in order, wherever the text is cut", () => {
  const text = JSON.stringify(list, null, 1)
  for (const size of [1, 2, 3, 7, 64, 10_000])
    assert.deepStrictEqual(whole(taken(text, size)), list, `pieces of ${size}`)
})

it("any list comes out as it went in", () => {
  FastCheck.assert(
    FastCheck.property(
      FastCheck.array(FastCheck.jsonValue({ maxDepth: 3 })),
      FastCheck.integer({ min: 1, max: 50 }),
      (items, size) => {
        const text = JSON.stringify({ kind: "L", items, metadata: { continue: "]}" } })
        assert.deepStrictEqual(whole(taken(text, size)), JSON.parse(text))
      }
    )
  )
})

it("a list without items, with null for them, and a part that grows too large", () => {
  assert.deepStrictEqual(taken('{"items":null}', 4), { items: [], around: '{"items":null}', tooLarge: false })
  assert.deepStrictEqual(taken('{"items":[]}', 4).around, '{"items":[]}')
  assert.isTrue(taken(`{"items":[{"a":"${"x".repeat(500)}"`, 50, 100).tooLarge)
  assert.isTrue(taken(`{"metadata":"${"x".repeat(500)}"`, 50, 100).tooLarge)
})

const thing = (n: number, parameters: string) => ({
  apiVersion: "v1",
  kind: "Thing",
  metadata: { name: `thing-${n}`, namespace: "default", uid: String(n), resourceVersion: "1" },
  spec: { parameters }
})

it("what was packed is unpacked equal, whatever was packed first", () => {
  FastCheck.assert(
    FastCheck.property(FastCheck.array(FastCheck.string({ maxLength: 20_000 }), { minLength: 1 }), (all) => {
      const pack = makePacking()
      const packed = all.map((parameters, n) => pack(thing(n, parameters)))
      assert.deepStrictEqual(
        packed.map((unpack) => unpack()),
        all.map((parameters, n) => thing(n, parameters))
      )
    }),
    { numRuns: 30 }
  )
})

it("nothing of a chunk is kept when it has been read: what is needed later is a copy", () => {
  const bytes = new TextEncoder().encode(JSON.stringify(list))
  const items = new ListItems(1_000_000)
  const found: Array<unknown> = []
  for (let from = 0; from < bytes.length; from += 16) {
    const chunk = bytes.slice(from, from + 16)
    for (const item of items.feed(chunk)) found.push(JSON.parse(item))
    chunk.fill(0x3f)
  }
  assert.deepStrictEqual(whole({ items: found, around: items.around, tooLarge: false }), list)
})

it("what is around the items is bounded as well", () => {
  const text = JSON.stringify({ items: Array.from({ length: 1_000 }, () => ({})) })
  assert.isTrue(taken(text, 64, 1_000).tooLarge)
  assert.isFalse(taken(text, 64, 10_000).tooLarge)
})
