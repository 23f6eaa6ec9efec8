/**
 * What is kept: every object in its present state, and the history of changes since the last compaction.
 *
 * One counter numbers all changes. A change is committed and published in one step; nothing comes between.
 */
import type { JsonObject } from "./Json.ts"

export interface Change {
  readonly revision: number
  readonly storage: string
  readonly key: string
  readonly type: "ADDED" | "MODIFIED" | "DELETED"
  /** The object as it is now, or as it last was, with the resourceVersion of this change. */
  readonly object: JsonObject
  readonly previous: JsonObject | undefined
}

export interface Subscriber {
  readonly storage: string
  readonly receive: (change: Change) => void
}

/** The order of etcd: by namespace, then by name. */
export const keyOf = (namespace: string | undefined, name: string): string =>
  namespace === undefined ? name : `${namespace}/${name}`

/** Old changes are forgotten beyond this many, as if compacted. */
const longestHistory = 50_000

export class Store {
  private readonly kept = new Map<string, Map<string, JsonObject>>()
  private history: Array<Change> = []
  private readonly subscribers = new Set<Subscriber>()
  /** The number of the newest change. */
  revision = 100
  /** Changes up to this one are forgotten. */
  compacted = 100

  objects(storage: string): ReadonlyMap<string, JsonObject> {
    return this.kept.get(storage) ?? new Map()
  }

  get(storage: string, key: string): JsonObject | undefined {
    return this.kept.get(storage)?.get(key)
  }

  /** Keeps what `make` makes of the next revision, or forgets the object when `gone`. */
  commit(storage: string, key: string, make: (revision: number) => JsonObject, gone = false): JsonObject {
    const objects = this.kept.get(storage) ?? new Map<string, JsonObject>()
    this.kept.set(storage, objects)
    const previous = objects.get(key)
    const revision = ++this.revision
    const object = make(revision)
    if (gone) objects.delete(key)
    else objects.set(key, object)
    const type = gone ? "DELETED" : previous === undefined ? "ADDED" : "MODIFIED"
    const change: Change = { revision, storage, key, type, object, previous }
    this.history.push(change)
    if (this.history.length > longestHistory * 1.1) this.compact(this.history.at(-longestHistory)?.revision ?? 0)
    for (const subscriber of this.subscribers) if (subscriber.storage === storage) subscriber.receive(change)
    return object
  }

  private after(revision: number): ReadonlyArray<Change> {
    let low = 0
    let high = this.history.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.history[middle]?.revision ?? 0) <= revision) low = middle + 1
      else high = middle
    }
    return this.history.slice(low)
  }

  changesAfter(storage: string, revision: number): ReadonlyArray<Change> {
    return this.after(revision).filter((change) => change.storage === storage)
  }

  /** The objects as they were at a revision that is not forgotten. */
  objectsAt(storage: string, revision: number): ReadonlyMap<string, JsonObject> {
    const present = this.objects(storage)
    const later = this.changesAfter(storage, revision)
    if (later.length === 0) return present
    const past = new Map(present)
    for (const change of later.toReversed()) {
      if (change.previous === undefined) past.delete(change.key)
      else past.set(change.key, change.previous)
    }
    return past
  }

  compact(revision = this.revision): void {
    this.compacted = Math.max(this.compacted, revision)
    this.history = this.after(this.compacted).slice()
  }

  subscribe(subscriber: Subscriber): () => void {
    this.subscribers.add(subscriber)
    return () => {
      this.subscribers.delete(subscriber)
    }
  }
}
