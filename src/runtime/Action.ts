/**
 * What a pass answers when asked "when next": three answers, and no fourth.
 *
 * - `After`: something is under way that no event will announce (a poll, a deadline). Look again after the delay.
 * - `AwaitChange`: nothing to do until something changes. Only the slow resync will look again unasked.
 * - `Gone`: there is nothing left to look after. Everything known about the key is forgotten.
 */
import { Data, Duration } from "effect"

export interface After {
  readonly _tag: "After"
  readonly delay: Duration.Duration
  /** The pass did not get to what may fail: it neither failed nor succeeded, and the backoff stays as it is. */
  readonly untried?: true
}

export interface AwaitChange {
  readonly _tag: "AwaitChange"
}

export interface Gone {
  readonly _tag: "Gone"
}

export type Action = After | AwaitChange | Gone

const actions = Data.taggedEnum<Action>()

/** Exhaustive: a fourth answer would not compile where this is used. */
export const match = actions.$match

export const after = (delay: Duration.Input): Action => actions.After({ delay: Duration.fromInputUnsafe(delay) })

/** Somebody will wake the key when it can be tried; the delay is for the case that nobody does. */
export const untried = (delay: Duration.Input): Action =>
  actions.After({ delay: Duration.fromInputUnsafe(delay), untried: true })

export const awaitChange: Action = actions.AwaitChange()

export const gone: Action = actions.Gone()
