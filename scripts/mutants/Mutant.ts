/**
 * A bug that is put in on purpose, to see that the tests find it. It is text: what stands in a file of the sources, exactly
 * once, and what takes its place.
 */

export interface Edit {
  readonly file: string
  readonly find: string
  readonly replace: string
}

export interface Mutant {
  readonly id: string
  /** Ids of the rules it leaves out; none where it breaks another promise. */
  readonly breaks: ReadonlyArray<string>
  readonly bug: string
  /** What it would do to somebody. */
  readonly hurts: string
  readonly edits: ReadonlyArray<Edit>
  /** The files that are to find it. */
  readonly tests: ReadonlyArray<string>
  /** One of the few that are tried with every change. */
  readonly telling?: true
}

/** How often the text stands in the source. */
const occurrences = (source: string, text: string): number => source.split(text).length - 1

/** Why the edit cannot be made, if it cannot. */
export const unfit = (source: string, edit: Edit): string | undefined => {
  const times = occurrences(source, edit.find)
  if (times !== 1) return `${edit.file} has it ${times} times instead of once: ${edit.find}`
  return edit.find === edit.replace ? `${edit.file} would not change: ${edit.find}` : undefined
}

/** The source with the edit made; `unfit` has nothing against it. */
export const applied = (source: string, edit: Edit): string => source.split(edit.find).join(edit.replace)
