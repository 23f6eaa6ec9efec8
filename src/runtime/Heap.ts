/**
 * A binary heap whose nodes know their place, so that one can be taken out of the middle: moving a timer costs
 * O(log n) and leaves nothing behind. Equal ranks keep the order in which they were added. A node is in at most one
 * heap at a time.
 */

/** `rank` orders (smallest first). The rest belongs to the heap; outside of any heap `position` is -1. */
export interface Node {
  rank: number
  added: number
  position: number
}

const before = (a: Node, b: Node): boolean => a.rank < b.rank || (a.rank === b.rank && a.added < b.added)

export class Heap<N extends Node> {
  readonly #nodes: Array<N> = []
  #additions = 0

  get size(): number {
    return this.#nodes.length
  }

  /** The node with the smallest rank, left where it is. */
  get first(): N | undefined {
    return this.#nodes[0]
  }

  add(node: N, rank: number): void {
    node.rank = rank
    node.added = this.#additions++
    this.#nodes.push(node)
    this.#up(node, this.#nodes.length - 1)
  }

  remove(node: N): void {
    const hole = node.position
    const last = this.#nodes.pop()
    node.position = -1
    if (last === undefined || last === node) return
    this.#up(last, hole)
    this.#down(last, last.position)
  }

  #place(node: N, position: number): void {
    this.#nodes[position] = node
    node.position = position
  }

  #up(node: N, from: number): void {
    let position = from
    while (position > 0) {
      const parent = this.#nodes[(position - 1) >> 1]
      if (parent === undefined || !before(node, parent)) break
      const above = parent.position
      this.#place(parent, position)
      position = above
    }
    this.#place(node, position)
  }

  #down(node: N, from: number): void {
    let position = from
    for (;;) {
      const left = this.#nodes[2 * position + 1]
      const right = this.#nodes[2 * position + 2]
      const child = right !== undefined && left !== undefined && before(right, left) ? right : left
      if (child === undefined || !before(child, node)) break
      const below = child.position
      this.#place(child, position)
      position = below
    }
    this.#place(node, position)
  }
}
