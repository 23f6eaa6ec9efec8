/**
 * The set of states that were reached, by two 32-bit hashes of their names: millions of them in a few dozen megabytes.
 *
 * Two of ten million states share a hash with a probability below one in a hundred thousand; the one that came second would
 * be taken for the first.
 */

const mix = (text: string, seed: number): number => {
  let hash = seed
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x5bd1e995) ^ (hash >>> 15)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

export interface Visited {
  readonly has: (name: string) => boolean
  /** Whether the name is new; from now on it is not. */
  readonly add: (name: string) => boolean
  readonly size: () => number
}

export const makeVisited = (): Visited => {
  let mask = (1 << 16) - 1
  let slots = new Uint32Array(2 * (mask + 1))
  let size = 0

  /** The slot that holds the pair, or the free one where it belongs. A pair of zeros stands for a free one. */
  const find = (high: number, low: number): number => {
    for (let at = low & mask; ; at = (at + 1) & mask) {
      const [a, b] = [slots[2 * at], slots[2 * at + 1]]
      if ((a === high && b === low) || (a === 0 && b === 0)) return at
    }
  }

  const isFree = (at: number): boolean => slots[2 * at] === 0 && slots[2 * at + 1] === 0

  const put = (high: number, low: number): boolean => {
    const at = find(high, low)
    if (!isFree(at)) return false
    slots[2 * at] = high
    slots[2 * at + 1] = low
    return true
  }

  const grow = () => {
    const old = slots
    mask = 2 * mask + 1
    slots = new Uint32Array(2 * (mask + 1))
    for (let at = 0; at < old.length; at += 2) {
      const [high = 0, low = 0] = [old[at], old[at + 1]]
      if (high !== 0 || low !== 0) put(high, low)
    }
  }

  const hashes = (name: string): readonly [number, number] => [mix(name, 0x9747b28c), mix(name, 0x1b873593) || 1]

  return {
    has: (name) => !isFree(find(...hashes(name))),
    add: (name) => {
      if (!put(...hashes(name))) return false
      size += 1
      if (2 * size > mask) grow()
      return true
    },
    size: () => size
  }
}
