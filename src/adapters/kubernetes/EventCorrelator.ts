/**
 * Which happenings become Events: pure bookkeeping, given the time.
 *
 * The same thing said again within six minutes raises the count of the Event that says it. One object gets 25 writes at
 * once and then one every five minutes, so that a loop cannot flood the API server. Memory is bounded.
 */
import { Duration, Option } from "effect"
import type { Happening } from "../../ports/Events.ts"

/** An Event on the server that may still grow into a series. */
interface Told {
  readonly eventName: string
  readonly count: number
  readonly lastAt: number
}

interface Bucket {
  readonly tokens: number
  readonly at: number
}

/** What to write. `Extend` raises the count of an Event that exists. */
export type Utterance =
  | { readonly _tag: "Create"; readonly eventName: string; readonly happening: Happening; readonly at: number }
  | {
      readonly _tag: "Extend"
      readonly eventName: string
      readonly happening: Happening
      readonly at: number
      readonly count: number
    }

export interface EventCorrelator {
  /** None when the object has said too much. */
  readonly consider: (happening: Happening, now: number) => Option.Option<Utterance>
  /** The Event of this happening could not be written: the next one like it starts anew. */
  readonly forget: (happening: Happening) => void
}

const SERIES_WINDOW = Duration.toMillis("6 minutes")
const BURST = 25
const REFILL_EVERY = Duration.toMillis("5 minutes")
const MAX_REMEMBERED = 4096
/** Names of objects may have 253 characters, an Event's as well: room for the dot and the hex digits. */
const MAX_NAME_PREFIX = 253 - 1 - 20

const keyOf = ({ regarding, reason, note }: Happening): string => JSON.stringify([regarding.uid, reason, note])

/** Newest last; what was not touched longest goes first. */
const remember = <A>(map: Map<string, A>, key: string, value: A): void => {
  map.delete(key)
  map.set(key, value)
  const oldest = map.keys().next()
  if (map.size > MAX_REMEMBERED && oldest.done !== true) map.delete(oldest.value)
}

export const makeEventCorrelator = (): EventCorrelator => {
  const told = new Map<string, Told>()
  const buckets = new Map<string, Bucket>()
  let sequence = 0

  const takeToken = (uid: string, now: number): boolean => {
    const { tokens, at } = buckets.get(uid) ?? { tokens: BURST, at: now }
    const filled = Math.min(BURST, tokens + Math.max(0, now - at) / REFILL_EVERY)
    remember(buckets, uid, { tokens: filled >= 1 ? filled - 1 : filled, at: now })
    return filled >= 1
  }

  const nextName = (objectName: string, now: number): string => {
    sequence = (sequence + 1) % 1000
    const prefix = objectName.slice(0, MAX_NAME_PREFIX).replace(/[^a-z0-9]+$/, "")
    return `${prefix}.${(BigInt(Math.trunc(now)) * 1000n + BigInt(sequence)).toString(16)}`
  }

  return {
    consider: (happening, now) => {
      const key = keyOf(happening)
      const before = told.get(key)
      const again = before !== undefined && now - before.lastAt <= SERIES_WINDOW ? before : undefined
      const allowed = takeToken(happening.regarding.uid, now)
      if (again !== undefined) {
        const count = again.count + 1
        remember(told, key, { ...again, count, lastAt: now })
        const extend: Utterance = { _tag: "Extend", eventName: again.eventName, happening, at: now, count }
        return allowed ? Option.some(extend) : Option.none()
      }
      if (!allowed) return Option.none()
      const eventName = nextName(happening.regarding.name, now)
      remember(told, key, { eventName, count: 1, lastAt: now })
      return Option.some({ _tag: "Create", eventName, happening, at: now })
    },
    forget: (happening) => {
      told.delete(keyOf(happening))
    }
  }
}
