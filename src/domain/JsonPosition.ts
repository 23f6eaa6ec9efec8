/**
 * Where a text stops being JSON. Says nothing of what is in it, so that it can be told of secrets; iterative, so that depth
 * costs no stack.
 */

type Expecting = "value" | "valueOrEnd" | "key" | "keyOrEnd" | "colon" | "commaOrEnd" | "nothing"

const isSpace = (character: string): boolean =>
  character === " " || character === "\t" || character === "\n" || character === "\r"

/** Offset behind a string that begins at `start`, or, negated minus one, of the character that breaks it. */
const string = (text: string, start: number): number => {
  for (let at = start + 1; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === '"') return at + 1
    if (character < " ") return -at - 1
    if (character !== "\\") continue
    at++
    if (text.charAt(at) === "u") {
      const digits = /[0-9a-fA-F]{0,4}/uy
      digits.lastIndex = at + 1
      const length = digits.exec(text)?.[0].length ?? 0
      if (length < 4) return -(at + 1 + length) - 1
      at += 4
    } else if (!'"\\/bfnrt'.includes(text.charAt(at)) || at >= text.length) return -Math.min(at, text.length) - 1
  }
  return -text.length - 1
}

const literal = (text: string, start: number): number => {
  const word = ["true", "false", "null"].find((one) => one.charAt(0) === text.charAt(start))
  if (word === undefined) return -start - 1
  for (let length = 1; length < word.length; length++) {
    if (text.charAt(start + length) !== word.charAt(length)) return -(start + length) - 1
  }
  return start + word.length
}

const number = (text: string, start: number): number => {
  const pattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/uy
  pattern.lastIndex = start
  const found = pattern.exec(text)?.[0]
  return found === undefined ? -(text.charAt(start) === "-" ? start + 1 : start) - 1 : start + found.length
}

const scalar = (text: string, at: number): number => {
  const character = text.charAt(at)
  if (character === '"') return string(text, at)
  return character === "-" || (character >= "0" && character <= "9") ? number(text, at) : literal(text, at)
}

/** The offset of the first character that cannot be part of a JSON text; the length if the text ends too early. */
export const brokenAt = (text: string): number => {
  const open: Array<"{" | "["> = []
  let expecting: Expecting = "value"
  const afterValue = (): Expecting => (open.length === 0 ? "nothing" : "commaOrEnd")
  for (let at = 0; at < text.length; ) {
    const character = text.charAt(at)
    const inside = open.at(-1)
    if (isSpace(character)) {
      at++
    } else if (
      (character === "}" && inside === "{" && (expecting === "keyOrEnd" || expecting === "commaOrEnd")) ||
      (character === "]" && inside === "[" && (expecting === "valueOrEnd" || expecting === "commaOrEnd"))
    ) {
      open.pop()
      expecting = afterValue()
      at++
    } else if (expecting === "commaOrEnd" && character === ",") {
      expecting = inside === "{" ? "key" : "value"
      at++
    } else if (expecting === "colon" && character === ":") {
      expecting = "value"
      at++
    } else if ((expecting === "value" || expecting === "valueOrEnd") && (character === "{" || character === "[")) {
      open.push(character)
      expecting = character === "{" ? "keyOrEnd" : "valueOrEnd"
      at++
    } else if (expecting === "value" || expecting === "valueOrEnd") {
      const end = scalar(text, at)
      if (end < 0) return -end - 1
      expecting = afterValue()
      at = end
    } else if ((expecting === "key" || expecting === "keyOrEnd") && character === '"') {
      const end = string(text, at)
      if (end < 0) return -end - 1
      expecting = "colon"
      at = end
    } else return at
  }
  return text.length
}
