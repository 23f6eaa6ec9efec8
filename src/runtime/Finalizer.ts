/**
 * The finalizer as a bracket around an object's life: where the object stands in it, and the one dispatch on that.
 *
 * Pure. Lists keep their order and everything that is not ours; a list that does not change is the same list. Nothing
 * here takes a finalizer off: that is for a clean-up that has succeeded to decide.
 */
import type { Effect } from "effect"

/** The metadata that is read here. */
export interface Metadata {
  readonly finalizers?: ReadonlyArray<string>
  readonly deletionTimestamp?: string
}

/**
 * - `absent`: lives without the finalizer; nothing outside may be touched yet.
 * - `applied`: lives with it.
 * - `pending`: is being deleted and has it; clean-up is owed.
 * - `cleaned`: is being deleted without it; nothing is owed.
 */
export type Phase = "absent" | "applied" | "pending" | "cleaned"

export const phase = (metadata: Metadata, name: string): Phase => {
  const held = metadata.finalizers?.includes(name) ?? false
  if (metadata.deletionTimestamp === undefined) return held ? "applied" : "absent"
  return held ? "pending" : "cleaned"
}

/** The list with the finalizer, at its end if it was not there. */
export const added = (list: ReadonlyArray<string> | undefined, name: string): ReadonlyArray<string> => {
  if (list === undefined) return [name]
  return list.includes(name) ? list : [...list, name]
}

/** The list without the given finalizers. */
export const removed = (
  list: ReadonlyArray<string> | undefined,
  names: ReadonlyArray<string>
): ReadonlyArray<string> => {
  if (list === undefined) return []
  return list.some((name) => names.includes(name)) ? list.filter((name) => !names.includes(name)) : list
}

/**
 * Runs the one branch the phase calls for, and nothing after it: a failed `cleanup` is the caller's failure, and `gone`
 * is reached only by a later look at an object that no longer holds the finalizer.
 */
export const around = <A, E, R>(
  phase: Phase,
  branches: {
    readonly live: Effect.Effect<A, E, R>
    readonly cleanup: Effect.Effect<A, E, R>
    readonly gone: Effect.Effect<A, E, R>
  }
): Effect.Effect<A, E, R> => {
  switch (phase) {
    case "absent":
    case "applied":
      return branches.live
    case "pending":
      return branches.cleanup
    case "cleaned":
      return branches.gone
  }
}
