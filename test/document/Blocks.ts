/** The code blocks of the design document, and the shell commands in them, as they are printed there without comments. */
import { readFileSync } from "node:fs"
import { Schema } from "effect"

const Block = Schema.Struct({
  number: Schema.Int,
  section: Schema.String,
  language: Schema.String,
  text: Schema.String
})
export type Block = typeof Block.Type

const decode = Schema.decodeSync(Schema.fromJsonString(Schema.Array(Block)))

export const blocks: ReadonlyArray<Block> = decode(readFileSync("test/fixtures/design-document/blocks.json", "utf8"))

export const block = (number: number): Block => {
  const found = blocks.find((one) => one.number === number)
  if (found === undefined) throw new Error(`the design document has no block ${number}`)
  return found
}

const isOdd = (text: string, mark: string): boolean => text.split(mark).length % 2 === 0

/** Whether the shell would ask for another line. */
const isOpen = (command: string): boolean => {
  const lines = command.split("\n")
  if (/<<EOF/u.test(lines[0] ?? "")) return lines.length === 1 || lines.at(-1) !== "EOF"
  if (command.startsWith("for ")) return lines.at(-1) !== "done"
  return command.endsWith("\\") || isOdd(command, "'")
}

/** The commands of a script, one after the other, each with all of its lines. */
export const commandsIn = (script: string): ReadonlyArray<string> => {
  const commands: Array<string> = []
  let open = ""
  for (const line of script.split("\n").filter((one) => one.trim() !== "" && !one.trim().startsWith("#"))) {
    open = open === "" ? line : `${open}\n${line}`
    if (isOpen(open)) continue
    commands.push(open)
    open = ""
  }
  if (open !== "") throw new Error(`a command does not end: ${open}`)
  return commands
}
