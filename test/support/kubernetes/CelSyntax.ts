/** The syntax of CEL rules: text to expression, by precedence climbing. */
import { Result } from "effect"
import type { Json } from "./Json.ts"

export type Expression =
  | { readonly _tag: "Literal"; readonly value: Json }
  | { readonly _tag: "Name"; readonly name: string }
  | { readonly _tag: "Field"; readonly of: Expression; readonly name: string }
  | { readonly _tag: "Index"; readonly of: Expression; readonly index: Expression }
  | { readonly _tag: "List"; readonly items: ReadonlyArray<Expression> }
  | { readonly _tag: "Call"; readonly of?: Expression; readonly name: string; readonly args: ReadonlyArray<Expression> }
  | { readonly _tag: "Unary"; readonly operator: string; readonly operand: Expression }
  | { readonly _tag: "Binary"; readonly operator: string; readonly left: Expression; readonly right: Expression }
  | { readonly _tag: "If"; readonly condition: Expression; readonly yes: Expression; readonly no: Expression }

type Parsed<A> = Result.Result<A, string>

interface Token {
  readonly kind: "number" | "string" | "name" | "sign" | "end"
  readonly text: string
}

const shapes: ReadonlyArray<readonly [Token["kind"] | "space", RegExp]> = [
  ["space", /^\s+/u],
  ["number", /^\d+(?:\.\d+)?/u],
  ["string", /^r?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")/u],
  ["name", /^[A-Za-z_][A-Za-z0-9_]*/u],
  ["sign", /^(?:\|\||&&|==|!=|<=|>=|[-+*/%<>!?:.,()[\]])/u]
]

const tokens = (source: string): Parsed<ReadonlyArray<Token>> => {
  const found: Array<Token> = []
  let rest = source
  while (rest !== "") {
    const next = shapes
      .map(([kind, shape]) => ({ kind, text: shape.exec(rest)?.[0] ?? "" }))
      .find(({ text }) => text !== "")
    if (next === undefined) return Result.fail(`cannot read '${rest}'`)
    if (next.kind !== "space") found.push({ kind: next.kind, text: next.text })
    rest = rest.slice(next.text.length)
  }
  return Result.succeed([...found, { kind: "end", text: "" }])
}

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" }

const stringOf = (text: string): string =>
  text.startsWith("r")
    ? text.slice(2, -1)
    : text.slice(1, -1).replace(/\\(.)/gu, (_, letter: string) => escapes[letter] ?? letter)

const levels: ReadonlyArray<ReadonlyArray<string>> = [
  ["||"],
  ["&&"],
  ["==", "!=", "<", "<=", ">", ">=", "in"],
  ["+", "-"],
  ["*", "/", "%"]
]

const words: Readonly<Record<string, Json>> = { true: true, false: false, null: null }

class Parser {
  private position = 0
  private readonly input: ReadonlyArray<Token>

  constructor(input: ReadonlyArray<Token>) {
    this.input = input
  }

  private peek(): Token {
    return this.input[this.position] ?? { kind: "end", text: "" }
  }

  private accept(...texts: ReadonlyArray<string>): string | undefined {
    const token = this.peek()
    if (token.kind === "string" || !texts.includes(token.text)) return undefined
    this.position++
    return token.text
  }

  private expect(text: string): Parsed<string> {
    const found = this.accept(text)
    return found === undefined ? Result.fail(`expected '${text}', found '${this.peek().text}'`) : Result.succeed(found)
  }

  whole(): Parsed<Expression> {
    return Result.flatMap(this.conditional(), (expression) =>
      this.peek().kind === "end" ? Result.succeed(expression) : Result.fail(`unexpected '${this.peek().text}'`)
    )
  }

  private conditional(): Parsed<Expression> {
    const self = this
    return Result.gen(function* () {
      const condition = yield* self.binary(0)
      if (self.accept("?") === undefined) return condition
      const yes = yield* self.conditional()
      yield* self.expect(":")
      return { _tag: "If" as const, condition, yes, no: yield* self.conditional() }
    })
  }

  private binary(level: number): Parsed<Expression> {
    const operators = levels[level]
    if (operators === undefined) return this.unary()
    const self = this
    return Result.gen(function* () {
      let left = yield* self.binary(level + 1)
      let operator = self.accept(...operators)
      while (operator !== undefined) {
        left = { _tag: "Binary", operator, left, right: yield* self.binary(level + 1) }
        operator = self.accept(...operators)
      }
      return left
    })
  }

  private unary(): Parsed<Expression> {
    const operator = this.accept("!", "-")
    if (operator === undefined) return this.postfix()
    return Result.map(this.unary(), (operand) => ({ _tag: "Unary", operator, operand }))
  }

  private postfix(): Parsed<Expression> {
    const self = this
    return Result.gen(function* () {
      let value = yield* self.primary()
      for (let sign = self.accept(".", "["); sign !== undefined; sign = self.accept(".", "[")) {
        if (sign === "[") {
          value = { _tag: "Index", of: value, index: yield* self.conditional() }
          yield* self.expect("]")
          continue
        }
        const name = self.peek()
        if (name.kind !== "name") return yield* Result.fail(`expected a name after '.', found '${name.text}'`)
        self.position++
        value =
          self.accept("(") === undefined
            ? { _tag: "Field", of: value, name: name.text }
            : { _tag: "Call", of: value, name: name.text, args: yield* self.list(")") }
      }
      return value
    })
  }

  private list(end: string): Parsed<ReadonlyArray<Expression>> {
    const self = this
    return Result.gen(function* () {
      const items: Array<Expression> = []
      while (self.accept(end) === undefined) {
        items.push(yield* self.conditional())
        if (self.accept(",") === undefined) {
          yield* self.expect(end)
          break
        }
      }
      return items
    })
  }

  private primary(): Parsed<Expression> {
    const token = this.peek()
    this.position++
    if (token.kind === "number") return Result.succeed({ _tag: "Literal", value: Number(token.text) })
    if (token.kind === "string") return Result.succeed({ _tag: "Literal", value: stringOf(token.text) })
    if (token.text === "(") {
      return Result.flatMap(this.conditional(), (inner) => Result.map(this.expect(")"), () => inner))
    }
    if (token.text === "[") return Result.map(this.list("]"), (items) => ({ _tag: "List", items }))
    if (token.kind !== "name") return Result.fail(`unexpected '${token.text === "" ? "end" : token.text}'`)
    const word = words[token.text]
    if (word !== undefined) return Result.succeed({ _tag: "Literal", value: word })
    return this.accept("(") === undefined
      ? Result.succeed({ _tag: "Name", name: token.text })
      : Result.map(this.list(")"), (args) => ({ _tag: "Call", name: token.text, args }))
  }
}

export const parse = (source: string): Parsed<Expression> =>
  Result.flatMap(tokens(source), (input) => new Parser(input).whole())
