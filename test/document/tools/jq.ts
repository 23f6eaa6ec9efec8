/** As much of jq as the design document uses: paths, `[]`, `[n]`, `{a, b}`, `,` and `|`, printed as jq prints. */
import { Effect } from "effect"
import { fromUnknown, isArray, isObject, type Json } from "../../support/kubernetes/Json.ts"
import { type Tool, ToolFailed } from "./Tool.ts"

type Filter = (input: Json) => ReadonlyArray<Json>

const fields =
  (names: ReadonlyArray<string>): Filter =>
  (input) => [Object.fromEntries(names.map((name) => [name, member(input, name)]))]

const member = (input: Json, name: string): Json => (isObject(input) ? (input[name] ?? null) : null)

const items = (input: Json, index: string): ReadonlyArray<Json> => {
  if (!isArray(input)) throw new Error("jq: not a list")
  return index === "" ? input : [input[Number(index)] ?? null]
}

const path = (text: string): Filter => {
  const steps = [...text.matchAll(/\.?([A-Za-z_]\w*)|\.?\[(\d*)\]/gu)]
  if (steps.map(([whole]) => whole).join("") !== text) throw new Error(`jq: this one does not know ${text}`)
  return (input) =>
    steps.reduce<ReadonlyArray<Json>>(
      (values, [, name, index = ""]) =>
        values.flatMap((value) => (name === undefined ? items(value, index) : [member(value, name)])),
      [input]
    )
}

const one = (text: string): Filter => {
  if (text === ".") return (input) => [input]
  const braces = /^\{(.*)\}$/u.exec(text)
  return braces === null ? path(text) : fields((braces[1] ?? "").split(",").map((name) => name.trim()))
}

const filterOf = (program: string): Filter => {
  const stages = program.split("|").map((stage) => {
    const text = stage.trim()
    const parts = (text.startsWith("{") ? [text] : text.split(",")).map((part) => one(part.trim()))
    return (input: Json) => parts.flatMap((part) => part(input))
  })
  return (input) => stages.reduce<ReadonlyArray<Json>>((values, stage) => values.flatMap(stage), [input])
}

export const jq: Tool = ([program = "."], input) =>
  Effect.try({
    try: () =>
      input.trim() === ""
        ? ""
        : filterOf(program)(fromUnknown(JSON.parse(input)))
            .map((value) => `${JSON.stringify(value, null, 2)}\n`)
            .join(""),
    catch: (cause) => new ToolFailed({ message: `jq: ${String(cause)}` })
  })
