/**
 * What was said about objects within the last moments, and nothing of what was said before: it holds no words but a number
 * for them, and forgets whole generations at a time, so that a hundred thousand objects leave nothing behind and no object
 * needs a timer.
 *
 * Two sayings of one object that share a number (one pair in four thousand million) are taken for the same.
 */
import { Hash } from "effect"

export interface Spoken {
  readonly say: (object: string, words: string, now: number) => void
  /** Whether these words were said of the object no longer ago than the patience goes. */
  readonly justSaid: (object: string, words: string, now: number) => boolean
  readonly forget: (object: string) => void
  /** Of how many objects something is still held. */
  readonly size: () => number
}

interface Saying {
  readonly words: number
  readonly at: number
}

/** Times are milliseconds of a clock that never goes back. */
export const make = (patience: number): Spoken => {
  let older = new Map<string, ReadonlyArray<Saying>>()
  let newer = new Map<string, ReadonlyArray<Saying>>()
  let begun = 0

  /** A generation takes in sayings for as long as the patience goes, and is held for as long again. */
  const age = (now: number) => {
    if (now - begun < patience) return
    older = now - begun < 2 * patience ? newer : new Map()
    newer = new Map()
    begun = now
  }

  return {
    say: (object, text, now) => {
      age(now)
      const words = Hash.string(text)
      const others = newer.get(object)?.filter((saying) => saying.words !== words) ?? []
      newer.set(object, [...others, { words, at: now }])
    },
    justSaid: (object, text, now) => {
      age(now)
      const words = Hash.string(text)
      return [newer, older].some(
        (generation) =>
          generation.get(object)?.some((saying) => saying.words === words && now - saying.at < patience) === true
      )
    },
    forget: (object) => {
      older.delete(object)
      newer.delete(object)
    },
    size: () => new Set([...older.keys(), ...newer.keys()]).size
  }
}
