/**
 * Where a replica keeps its objects: the latest ones as they are, all others packed, so that very many of them take little
 * room and the few that are worked on cost no unpacking. Versions are known without unpacking. Synchronous.
 */

/** Answers how to have the object again. What is given back is equal to it, and need not be the same one. */
export type Pack<A> = (object: A) => () => A

/** Objects that are kept unpacked. */
const AT_HAND = 1000

interface Entry<A> {
  readonly version: string
  open: A | undefined
  packed: (() => A) | undefined
}

export class Shelf<A> {
  readonly #pack: Pack<A>
  readonly #entries = new Map<string, Entry<A>>()
  /** Keys of what is not packed, the oldest first. */
  readonly #open = new Set<string>()

  constructor(pack: Pack<A>) {
    this.#pack = pack
  }

  get size(): number {
    return this.#entries.size
  }

  keys(): Iterable<string> {
    return this.#entries.keys()
  }

  has(key: string): boolean {
    return this.#entries.has(key)
  }

  version(key: string): string | undefined {
    return this.#entries.get(key)?.version
  }

  get(key: string): A | undefined {
    const entry = this.#entries.get(key)
    return entry === undefined ? undefined : (entry.open ?? entry.packed?.())
  }

  set(key: string, version: string, object: A): void {
    this.#entries.set(key, { version, open: object, packed: undefined })
    this.#open.delete(key)
    this.#open.add(key)
    if (this.#open.size > AT_HAND) this.#packOldest()
  }

  delete(key: string): void {
    this.#entries.delete(key)
    this.#open.delete(key)
  }

  clear(): void {
    this.#entries.clear()
    this.#open.clear()
  }

  /** Takes an object over from another shelf, packed as it is. */
  take(key: string, from: Shelf<A>): void {
    const entry = from.#entries.get(key)
    if (entry === undefined) return
    from.delete(key)
    if (entry.open === undefined) {
      this.#open.delete(key)
      this.#entries.set(key, entry)
    } else this.set(key, entry.version, entry.open)
  }

  #packOldest(): void {
    const [oldest] = this.#open
    if (oldest === undefined) return
    this.#open.delete(oldest)
    const entry = this.#entries.get(oldest)
    if (entry?.open === undefined) return
    entry.packed = this.#pack(entry.open)
    entry.open = undefined
  }
}
