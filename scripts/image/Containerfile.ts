/**
 * A Containerfile as far as ours goes: stages, and in each the instructions in their order, with continued lines joined. What
 * it does not know is an error, so that the assembled contents and the image cannot part silently.
 */
export interface Instruction {
  readonly keyword: string
  /** The rest of the line. */
  readonly text: string
}

export interface Stage {
  readonly name: string
  readonly from: string
  readonly instructions: ReadonlyArray<Instruction>
}

export interface Copy {
  /** The stage to copy from; the folder that is built if absent. */
  readonly from: string | undefined
  /** The mode of every file, in octal. */
  readonly mode: number | undefined
  readonly sources: ReadonlyArray<string>
  readonly target: string
}

const known = new Set([...["ARG", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "LABEL", "RUN", "USER", "WORKDIR"]])

const instructionsIn = (text: string): ReadonlyArray<Instruction> =>
  text
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .join("\n")
    .replaceAll(/\\\n\s*/gu, " ")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [, keyword = "", rest = ""] = /^([A-Z]+)\s+(.*)$/u.exec(line) ?? []
      if (!known.has(keyword)) throw new Error(`this Containerfile has an instruction that is not understood: ${line}`)
      return { keyword, text: rest }
    })

/** The stages in their order; what stands before the first is for their names only. */
export const stagesIn = (text: string): ReadonlyArray<Stage> => {
  const stages: Array<{ name: string; from: string; instructions: Array<Instruction> }> = []
  for (const instruction of instructionsIn(text)) {
    if (instruction.keyword !== "FROM") {
      stages.at(-1)?.instructions.push(instruction)
      continue
    }
    const [, from = "", name = ""] = /^(?:--platform=\S+ )?(\S+)(?: AS (\S+))?$/u.exec(instruction.text) ?? []
    if (from === "") throw new Error(`this FROM is not understood: ${instruction.text}`)
    stages.push({ name, from, instructions: [] })
  }
  return stages
}

export const finalStage = (stages: ReadonlyArray<Stage>): Stage => {
  const stage = stages.at(-1)
  if (stage === undefined) throw new Error("the Containerfile has no stage")
  return stage
}

const copyOf = (text: string): Copy => {
  const words = text.split(/\s+/u)
  const flags = new Map(words.filter((word) => word.startsWith("--")).map((word) => parted(word.slice(2))))
  const paths = words.filter((word) => !word.startsWith("--"))
  for (const flag of flags.keys()) {
    if (flag !== "from" && flag !== "chmod") throw new Error(`this COPY is not understood: ${text}`)
  }
  const mode = flags.get("chmod")
  return {
    from: flags.get("from"),
    mode: mode === undefined ? undefined : Number.parseInt(mode, 8),
    sources: paths.slice(0, -1),
    target: paths.at(-1) ?? ""
  }
}

const parted = (word: string): readonly [string, string] => {
  const [key = "", ...value] = word.split("=")
  return [key, value.join("=")]
}

const textsOf = (stage: Stage, keyword: string): ReadonlyArray<string> =>
  stage.instructions.filter((one) => one.keyword === keyword).map(({ text }) => text)

export const copiesIn = (stage: Stage): ReadonlyArray<Copy> => textsOf(stage, "COPY").map(copyOf)

export const commandsIn = (stage: Stage): ReadonlyArray<string> => textsOf(stage, "RUN")

/** How the container is started. */
export interface Start {
  readonly entrypoint: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
  readonly user: string
}

const isWords = (value: unknown): value is ReadonlyArray<string> =>
  Array.isArray(value) && value.every((word) => typeof word === "string")

export const startOf = (stage: Stage): Start => {
  const words: unknown = JSON.parse(textsOf(stage, "ENTRYPOINT").at(-1) ?? "[]")
  return {
    entrypoint: isWords(words) ? words : [],
    env: Object.fromEntries(textsOf(stage, "ENV").map((text) => parted(text.replaceAll('"', "")))),
    user: textsOf(stage, "USER").at(-1) ?? "0"
  }
}
