/** A program that the shell can call, here in the process of the test. */
import { Data, type Effect } from "effect"

/** It ends with a code other than 0, having said why. */
export class ToolFailed extends Data.TaggedError("ToolFailed")<{ readonly message: string }> {}

export type Tool = (words: ReadonlyArray<string>, input: string) => Effect.Effect<string, ToolFailed>

export interface Words {
  /** Values of the options that have one; an empty text for the others. */
  readonly options: ReadonlyMap<string, string>
  readonly others: ReadonlyArray<string>
}

/** Parts `--option=value`, `-o value` (for the given ones) and all others. */
export const parted = (given: ReadonlyArray<string>, valued: ReadonlySet<string>): Words => {
  const options = new Map<string, string>()
  const others: Array<string> = []
  for (let index = 0; index < given.length; index++) {
    const word = given[index] ?? ""
    const [name = "", ...value] = word.split("=")
    if (word.startsWith("--") && value.length > 0) options.set(name, value.join("="))
    else if (valued.has(word)) options.set(word, given[++index] ?? "")
    else if (word.startsWith("-") && word !== "-") options.set(word, "")
    else others.push(word)
  }
  return { options, others }
}
