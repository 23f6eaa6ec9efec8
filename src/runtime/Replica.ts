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

export type Change = "applied" | "deleted"

export interface Identity<A> {
  readonly key: (object: A) => string
  readonly resourceVersion: (object: A) => string
}

export class Replica<A> {
  readonly #identity: Identity<A>
  readonly #held = new Map<string, A>()
  /** Versions at which keys were deleted since the last list. */
  readonly #buried = new Map<string, string>()
  /** Keys of own writes since the list under way began. */
  readonly #written = new Set<string>()
  /** What is to be reported, in the order in which it happened. */
  readonly changes = new Map<string, Change>()

  constructor(identity: Identity<A>) {
    this.#identity = identity
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
    return [...this.#held.values()]
  }

  /** The watch said: created or changed. */
  applied(object: A): void {
    const key = this.#identity.key(object)
    const version = this.#identity.resourceVersion(object)
    const known = this.#versionOf(key) ?? this.#buried.get(key)
    if (known === undefined || isNewer(version, known)) this.#store(key, object)
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
    if (held === undefined || !isNewer(this.#identity.resourceVersion(object), held)) return
    this.#held.set(key, object)
    this.#written.add(key)
  }

  /** A list is about to be asked for: from here on, own writes may be newer than what it will say. */
  beginList(): void {
    this.#written.clear()
  }

  /** The whole list as of `resourceVersion`. What is not on it is deleted. */
  replace(objects: Iterable<A>, resourceVersion: string): void {
    const listed = new Set<string>()
    for (const object of objects) {
      const key = this.#identity.key(object)
      listed.add(key)
      const version = this.#identity.resourceVersion(object)
      if (this.#versionOf(key) !== version && !this.#writtenAfter(key, version)) this.#store(key, object)
    }
    for (const key of this.keys) {
      if (!listed.has(key) && !this.#writtenAfter(key, resourceVersion)) this.#drop(key)
    }
    this.#buried.clear()
    this.#written.clear()
  }

  #versionOf(key: string): string | undefined {
    const held = this.#held.get(key)
    return held === undefined ? undefined : this.#identity.resourceVersion(held)
  }

  #writtenAfter(key: string, version: string): boolean {
    const held = this.#versionOf(key)
    return held !== undefined && this.#written.has(key) && isNewer(held, version)
  }

  #store(key: string, object: A): void {
    this.#held.set(key, object)
    this.#buried.delete(key)
    this.changes.set(key, "applied")
  }

  #drop(key: string): void {
    this.#held.delete(key)
    this.changes.set(key, "deleted")
  }
}
