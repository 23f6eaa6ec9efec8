/** The JSON paths of printer columns: `.a.b`, `['a']`, `[0]`, `[*]` and `[?(@.type=="Ready")]`. */
import { at, isArray, isObject, type Json } from "./Json.ts"

const step =
  /^(?:\.((?:\\.|[^.[\]\\])+)|\['([^']*)'\]|\[(-?\d+)\]|\[(\*)\]|\[\?\(@\.([^=!\s]+)\s*(==|!=)\s*["']([^"']*)["']\)\])/u

const children = (value: Json): ReadonlyArray<Json> =>
  isArray(value) ? value : isObject(value) ? Object.values(value) : []

const taken = (value: Json, parts: RegExpExecArray): ReadonlyArray<Json> => {
  const [, dotted, quoted, index, all, field, operator, wanted] = parts
  const name = dotted?.replace(/\\(.)/gu, "$1") ?? quoted
  if (name !== undefined) {
    const inner = isObject(value) ? value[name] : undefined
    return inner === undefined ? [] : [inner]
  }
  if (index !== undefined) {
    const inner = isArray(value) ? value.at(Number(index)) : undefined
    return inner === undefined ? [] : [inner]
  }
  if (all !== undefined) return children(value)
  return children(value).filter((item) => {
    const found = at(item, ...(field ?? "").split("."))
    return found !== undefined && (String(found) === wanted) === (operator === "==")
  })
}

/** Every value the path leads to. */
export const atPath = (object: Json, path: string): ReadonlyArray<Json> => {
  let values: ReadonlyArray<Json> = [object]
  let rest = path
  while (rest !== "") {
    const parts = step.exec(rest)
    if (parts === null) return []
    values = values.flatMap((value) => taken(value, parts))
    rest = rest.slice(parts[0].length)
  }
  return values
}
