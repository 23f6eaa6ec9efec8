/**
 * Which key is looked at next, and when. Synchronous bookkeeping without fibers or timers: an idle key is one map entry.
 *
 * - A key is asleep, ready or active, never two of them: its passes cannot overlap.
 * - Wakes merge. One key has one next pass, at the earliest time anyone asked for, with the highest priority asked for.
 * - A wake while the key is active is kept, and leads to exactly one further pass; unless the pass turns out to know what
 *   it was for, and that was all.
 * - Higher priority first, but every fourth place goes to the key that has been ready longest, whatever its priority. A
 *   key that finds n others ready is therefore started within 4 × (n + 1) starts, whatever arrives later.
 */
import { Heap, type Node } from "./Heap.ts"

export type Priority = "high" | "normal" | "low"

/** `known` counts every key that is remembered, `queued` the ones that are ready to start, `active` the ones in a pass. */
export interface Stats {
  readonly known: number
  readonly active: number
  readonly queued: number
}

/** One start in this many goes to the key that has waited longest. */
const fairness = 4

const byPriority = { high: 0, normal: 1, low: 2 } as const
const lowest = byPriority.low

interface Entry extends Node {
  readonly key: string
  state: "asleep" | "ready" | "active"
  /** Of the next pass; 0 is the highest. */
  urgency: number
  /** While active: when the next pass has been asked for. `Infinity` when nobody asked. */
  again: number
  /** While active: what the next pass has been asked for, if that is one thing and can be named. */
  cause: string | undefined
  /** When it last became due, or should have. */
  due: number
}

const newEntry = (key: string, urgency: number): Entry => ({
  key,
  state: "asleep",
  urgency,
  again: Number.POSITIVE_INFINITY,
  cause: undefined,
  due: 0,
  rank: 0,
  added: 0,
  position: -1
})

export class Agenda {
  readonly #entries = new Map<string, Entry>()
  readonly #asleep = new Heap<Entry>()
  readonly #ready = [new Heap<Entry>(), new Heap<Entry>(), new Heap<Entry>()] as const
  #arrivals = 0
  #starts = 0
  #active = 0

  /**
   * Asks for a pass of the key at the time `at`, in milliseconds of the caller's clock. An unknown key becomes known. What
   * it is asked for can be named, so that it can be withdrawn.
   */
  wake(key: string, at: number, priority: Priority, cause?: string): void {
    const urgency = byPriority[priority]
    const entry = this.#entries.get(key)
    if (entry === undefined) {
      const fresh = newEntry(key, urgency)
      this.#entries.set(key, fresh)
      this.#sleep(fresh, at)
    } else if (entry.state === "active") {
      entry.cause = entry.again === Number.POSITIVE_INFINITY || entry.cause === cause ? cause : undefined
      entry.again = Math.min(entry.again, at)
      entry.urgency = Math.min(entry.urgency, urgency)
    } else if (entry.state === "ready") {
      this.#promote(entry, urgency)
    } else {
      entry.urgency = Math.min(entry.urgency, urgency)
      if (at < entry.rank) {
        this.#asleep.remove(entry)
        this.#sleep(entry, at)
      }
    }
  }

  /** The pass under way knows what a further one was asked for; if nothing else was, there is none. */
  withdraw(key: string, cause: string): void {
    const entry = this.#entries.get(key)
    if (entry?.state !== "active" || entry.cause !== cause) return
    entry.again = Number.POSITIVE_INFINITY
    entry.cause = undefined
    entry.urgency = lowest
  }

  /** Makes ready what is due. Answers when the next sleeping key is due; `Infinity` if none will ever be. */
  advance(now: number): number {
    for (;;) {
      const entry = this.#asleep.first
      if (entry === undefined) return Number.POSITIVE_INFINITY
      if (entry.rank > now) return entry.rank
      entry.due = entry.rank
      this.#asleep.remove(entry)
      entry.state = "ready"
      this.#queue(entry).add(entry, this.#arrivals++)
    }
  }

  /** The key to start now; it is active from here on. `undefined` when none is ready. */
  take(): string | undefined {
    const entry = (this.#starts + 1) % fairness === 0 ? this.#oldest() : this.#mostUrgent()
    if (entry === undefined) return undefined
    this.#queue(entry).remove(entry)
    this.#starts++
    this.#active++
    entry.state = "active"
    entry.urgency = lowest
    return entry.key
  }

  /** Ends the key's pass and asks for the next one at `at`. `"gone"` forgets the key, unless it was woken meanwhile. */
  finish(key: string, at: number | "gone", priority: Priority): void {
    const entry = this.#entries.get(key)
    if (entry === undefined || entry.state !== "active") return
    this.#active--
    const woken = entry.again
    entry.again = Number.POSITIVE_INFINITY
    entry.cause = undefined
    if (at === "gone") {
      if (woken === Number.POSITIVE_INFINITY) this.#entries.delete(key)
      else this.#sleep(entry, woken)
      return
    }
    entry.urgency = Math.min(entry.urgency, byPriority[priority])
    this.#sleep(entry, Math.min(at, woken))
  }

  /** Whether a key is active, ready, or due by `now`. */
  busy(now: number): boolean {
    return this.#active > 0 || this.#queued > 0 || (this.#asleep.first?.rank ?? Number.POSITIVE_INFINITY) <= now
  }

  get active(): number {
    return this.#active
  }

  /** How often a key became ready. */
  get arrivals(): number {
    return this.#arrivals
  }

  /** When the pass that waits or is under way was due; nothing of a key that is not known. */
  dueAt(key: string): number | undefined {
    return this.#entries.get(key)?.due
  }

  get stats(): Stats {
    return { known: this.#entries.size, active: this.#active, queued: this.#queued }
  }

  get #queued(): number {
    return this.#ready.reduce((sum, heap) => sum + heap.size, 0)
  }

  #queue(entry: Entry): Heap<Entry> {
    return this.#ready[entry.urgency] ?? this.#ready[lowest]
  }

  #sleep(entry: Entry, at: number): void {
    entry.state = "asleep"
    this.#asleep.add(entry, at)
  }

  /** Its place by age is kept: the rank of a ready key is its arrival. */
  #promote(entry: Entry, urgency: number): void {
    if (urgency >= entry.urgency) return
    this.#queue(entry).remove(entry)
    entry.urgency = urgency
    this.#queue(entry).add(entry, entry.rank)
  }

  #mostUrgent(): Entry | undefined {
    return this.#ready.find((heap) => heap.size > 0)?.first
  }

  #oldest(): Entry | undefined {
    let oldest: Entry | undefined
    for (const { first } of this.#ready) {
      if (first !== undefined && (oldest === undefined || first.rank < oldest.rank)) oldest = first
    }
    return oldest
  }
}
