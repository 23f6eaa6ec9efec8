import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Heap, type Node } from "../../src/runtime/Heap.ts"

describe("Heap", () => {
  it("answers the smallest rank first, whatever was added and taken out of the middle before", () => {
    const operation = fc.record({ remove: fc.boolean(), which: fc.nat(), rank: fc.nat(20) })
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 100 }), (operations) => {
        const heap = new Heap<Node>()
        const nodes: Array<Node> = []
        for (const { remove, which, rank } of operations) {
          if (remove) {
            const [node] = nodes.splice(which % Math.max(1, nodes.length), 1)
            if (node === undefined) continue
            heap.remove(node)
            assert.strictEqual(node.position, -1)
          } else {
            const node: Node = { rank: 0, added: 0, position: -1 }
            heap.add(node, rank)
            nodes.push(node)
          }
          assert.strictEqual(heap.size, nodes.length)
          assert.strictEqual(
            heap.first?.rank ?? null,
            nodes.length === 0 ? null : Math.min(...nodes.map((n) => n.rank))
          )
        }
      })
    )
  })
})
