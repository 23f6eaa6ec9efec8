/**
 * A local copy of all objects of one kind, fed by lists, watch events and the answers of own writes. Synchronous.
 *
 * - Never goes back: a version that is not newer than the one held changes nothing, and an object that was deleted does
 *   not come back with a version from before its deletion. Only a whole list is believed as it is, even when it is older
 *   (a restored cluster counts anew), except where an own write came after it began.
 * - Only real changes are kept to be reported, one per key, the latest.
 */
import { Option } from "effect"
import { isNewer } from "./ResourceVersion.ts"
import { type Pack, Shelf } from "./Shelf.ts"

export type Change = "applied" | "deleted"

export interface Identity<A> {
  readonly key: (object: A) => string
  readonly resourceVersion: (object: A) => string
  /** How to keep an object in little room; as it is, unless told. */
  readonly pack?: Pack<A>
}

const asItIs =
  <A>(object: A) =>
  (): A =>
    object

export class Replica<A> {
  readonly #identity: Identity<A>
  readonly #held: Shelf<A>
  /** What the list under way has brought that is not held yet, and every key that is on it. */
  readonly #arriving: Shelf<A>
  readonly #listed = new Set<string>()
  /** Versions at which keys were deleted since the last list. */
  readonly #buried = new Map<string, string>()
  /** Keys of own writes since the list under way began. */
  readonly #written = new Set<string>()
  /** What is to be reported, in the order in which it happened. */
  readonly changes = new Map<string, Change>()

  constructor(identity: Identity<A>) {
    this.#identity = identity
    this.#held = new Shelf(identity.pack ?? asItIs)
    this.#arriving = new Shelf(identity.pack ?? asItIs)
  }

  get(key: string): Option.Option<A> {
    return Option.fromNullishOr(this.#held.get(key))
  }

  get size(): number {
    return this.#held.size
  }

  get keys(): ReadonlyArray<string> {
    return [...this.#held.keys()]
  }

  get values(): ReadonlyArray<A> {
    return this.keys.flatMap((key) => Option.toArray(this.get(key)))
  }

  /** The watch said: created or changed. */
  applied(object: A): void {
    const key = this.#identity.key(object)
    const version = this.#identity.resourceVersion(object)
    const known = this.#versionOf(key) ?? this.#buried.get(key)
    if (known === undefined || isNewer(version, known)) this.#store(key, version, object)
  }

  /** The watch said: deleted. A deletion from before the object held was created is history. */
  deleted(object: A): void {
    const key = this.#identity.key(object)
    const version = this.#identity.resourceVersion(object)
    const held = this.#versionOf(key)
    if (held !== undefined && held !== version && !isNewer(version, held)) return
    this.#buried.set(key, version)
    if (held !== undefined) this.#drop(key)
  }

  /** The answer of an own write: seen before the watch tells of it, and nothing to report. Revives nothing. */
  written(object: A): void {
    const key = this.#identity.key(object)
    const held = this.#versionOf(key)
    const version = this.#identity.resourceVersion(object)
    if (held === undefined || !isNewer(version, held)) return
    this.#held.set(key, version, object)
    this.#written.add(key)
  }

  /** A list is about to be asked for: from here on, own writes may be newer than what it will say. */
  beginList(): void {
    this.#written.clear()
    this.#listed.clear()
    this.#arriving.clear()
  }

  /** A part of the list. What it says is kept aside until the list is complete. */
  listed(objects: Iterable<A>): void {
    for (const object of objects) {
      const key = this.#identity.key(object)
      const version = this.#identity.resourceVersion(object)
      this.#listed.add(key)
      if (this.#versionOf(key) !== version) this.#arriving.set(key, version, object)
    }
  }

  /** The list is complete, and of `resourceVersion`. What is not on it is deleted. */
  completeList(resourceVersion: string): void {
    for (const key of [...this.#arriving.keys()]) {
      const version = this.#arriving.version(key) ?? ""
      if (!this.#writtenAfter(key, version)) this.#takeIn(key)
    }
    for (const key of this.keys) {
      if (!this.#listed.has(key) && !this.#writtenAfter(key, resourceVersion)) this.#drop(key)
    }
    this.#arriving.clear()
    this.#listed.clear()
    this.#buried.clear()
    this.#written.clear()
  }

  #versionOf(key: string): string | undefined {
    return this.#held.version(key)
  }

  #writtenAfter(key: string, version: string): boolean {
    const held = this.#versionOf(key)
    return held !== undefined && this.#written.has(key) && isNewer(held, version)
  }

  #store(key: string, version: string, object: A): void {
    this.#held.set(key, version, object)
    this.#buried.delete(key)
    this.changes.set(key, "applied")
  }

  #takeIn(key: string): void {
    this.#held.take(key, this.#arriving)
    this.changes.set(key, "applied")
  }

  #drop(key: string): void {
    this.#held.delete(key)
    this.changes.set(key, "deleted")
  }
}
