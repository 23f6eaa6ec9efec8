/** Planned steps, taken in order of time and, at one time, in the order in which they were planned. */

interface Entry<A> {
  readonly at: number
  readonly order: number
  readonly subject: A
  readonly act: () => void
}

const before = <A>(a: Entry<A>, b: Entry<A>): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

export class Agenda<A> {
  private readonly heap: Array<Entry<A>> = []
  private planned = 0

  plan(at: number, subject: A, act: () => void): void {
    const entry = { at, order: this.planned++, subject, act }
    let index = this.heap.length
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = this.heap[parent]
      if (above === undefined || !before(entry, above)) break
      this.heap[index] = above
      index = parent
    }
    this.heap[index] = entry
  }

  /** The first step due at `now` or earlier, removed. */
  due(now: number): Entry<A> | undefined {
    const first = this.heap[0]
    if (first === undefined || first.at > now) return undefined
    const last = this.heap.pop()
    if (last !== undefined && this.heap.length > 0) this.sink(last)
    return first
  }

  clear(): void {
    this.heap.length = 0
  }

  private sink(entry: Entry<A>): void {
    let index = 0
    for (;;) {
      const left = this.heap[2 * index + 1]
      if (left === undefined) break
      const right = this.heap[2 * index + 2]
      const [child, at] = right !== undefined && before(right, left) ? [right, 2 * index + 2] : [left, 2 * index + 1]
      if (!before(child, entry)) break
      this.heap[index] = child
      index = at
    }
    this.heap[index] = entry
  }
}
