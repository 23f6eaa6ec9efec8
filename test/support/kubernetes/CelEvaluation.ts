/** The meaning of CEL rules over JSON. An error is a value: `||` and `&&` may still decide without it. */
import { Result } from "effect"
import type { Expression } from "./CelSyntax.ts"
import { equal, isArray, isObject, type Json } from "./Json.ts"

export type Scope = Readonly<Record<string, Json>>
type Value = Result.Result<Json, string>

const { succeed } = Result
const fail = (message: string): Value => Result.fail(message)

const isTrue = (value: Value): boolean => Result.isSuccess(value) && value.success === true
const isFalse = (value: Value): boolean => Result.isSuccess(value) && value.success === false

const logical = (left: Value, right: () => Value, deciding: boolean): Value => {
  const decides = deciding ? isTrue : isFalse
  if (decides(left)) return succeed(deciding)
  const other = right()
  if (decides(other)) return succeed(deciding)
  return Result.isFailure(left) ? left : other
}

const arithmetic: Readonly<Record<string, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => (Number.isInteger(a) && Number.isInteger(b) ? Math.trunc(a / b) : a / b),
  "%": (a, b) => a % b
}

const comparisons: Readonly<Record<string, (order: number) => boolean>> = {
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0
}

const orderOf = (a: Json, b: Json): number | undefined => {
  if (typeof a === "number" && typeof b === "number") return a - b
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : a > b ? 1 : 0
  return undefined
}

const contains = (whole: Json, part: Json): Value => {
  if (isArray(whole)) return succeed(whole.some((item) => equal(item, part)))
  if (isObject(whole) && typeof part === "string") return succeed(part in whole)
  return fail("no such overload: in")
}

const binary = (operator: string, a: Json, b: Json): Value => {
  if (operator === "==") return succeed(equal(a, b))
  if (operator === "!=") return succeed(!equal(a, b))
  if (operator === "in") return contains(b, a)
  const compares = comparisons[operator]
  if (compares !== undefined) {
    const order = orderOf(a, b)
    return order === undefined ? fail(`no such overload: ${operator}`) : succeed(compares(order))
  }
  if (operator === "+" && typeof a === "string" && typeof b === "string") return succeed(a + b)
  if (operator === "+" && isArray(a) && isArray(b)) return succeed([...a, ...b])
  const computes = arithmetic[operator]
  if (computes === undefined || typeof a !== "number" || typeof b !== "number") {
    return fail(`no such overload: ${operator}`)
  }
  return b === 0 && (operator === "/" || operator === "%") ? fail("division by zero") : succeed(computes(a, b))
}

const methods: Readonly<Record<string, (text: string, argument: string) => boolean | number>> = {
  startsWith: (text, argument) => text.startsWith(argument),
  endsWith: (text, argument) => text.endsWith(argument),
  contains: (text, argument) => text.includes(argument),
  matches: (text, argument) => new RegExp(argument, "u").test(text),
  indexOf: (text, argument) => text.indexOf(argument)
}

const sizeOf = (value: Json): Value => {
  if (typeof value === "string") return succeed([...value].length)
  if (isArray(value)) return succeed(value.length)
  return isObject(value) ? succeed(Object.keys(value).length) : fail("no such overload: size")
}

const converted = (name: string, value: Json): Value => {
  if (name === "string") return succeed(typeof value === "string" ? value : JSON.stringify(value))
  const number = Number(value)
  if (Number.isNaN(number)) return fail(`cannot convert to ${name}`)
  return succeed(name === "int" ? Math.trunc(number) : number)
}

const field = (of: Json, name: string): Value => {
  const value = isObject(of) ? of[name] : undefined
  return value === undefined ? fail(`no such key: ${name}`) : succeed(value)
}

const indexed = (of: Json, index: Json): Value => {
  if (typeof index === "string") return field(of, index)
  const value = isArray(of) && typeof index === "number" ? of[index] : undefined
  return value === undefined ? fail(`index out of bounds: ${JSON.stringify(index)}`) : succeed(value)
}

/** `all`, `exists`, `exists_one`, `filter` and `map`: over the items of a list or the keys of a map. */
const macro = (name: string, over: Json, variable: string, body: Expression, scope: Scope): Value => {
  const items = isArray(over) ? over : isObject(over) ? Object.keys(over) : undefined
  if (items === undefined) return fail(`no such overload: ${name}`)
  const results = items.map((item) => evaluate(body, { ...scope, [variable]: item }))
  if (name === "all") return results.reduce((all, one) => logical(all, () => one, false), succeed(true))
  if (name === "exists") return results.reduce((any, one) => logical(any, () => one, true), succeed(false))
  const failed = results.find(Result.isFailure)
  if (failed !== undefined) return failed
  if (name === "exists_one") return succeed(results.filter(isTrue).length === 1)
  if (name === "filter") return succeed(items.filter((_, index) => isTrue(results[index] ?? fail(""))))
  return Result.all(results)
}

const macros = ["all", "exists", "exists_one", "filter", "map"]

const call = (expression: Extract<Expression, { _tag: "Call" }>, scope: Scope): Value => {
  const [first, second] = expression.args
  if (expression.name === "has" && first?._tag === "Field") {
    return Result.map(evaluate(first.of, scope), (of) => isObject(of) && first.name in of)
  }
  if (
    expression.of !== undefined &&
    macros.includes(expression.name) &&
    first?._tag === "Name" &&
    second !== undefined
  ) {
    return Result.flatMap(evaluate(expression.of, scope), (of) => macro(expression.name, of, first.name, second, scope))
  }
  const subject = expression.of ?? first
  if (subject === undefined) return fail(`no such overload: ${expression.name}`)
  return Result.gen(function* () {
    const of = yield* evaluate(subject, scope)
    if (expression.name === "size") return yield* sizeOf(of)
    if (["string", "int", "double"].includes(expression.name)) return yield* converted(expression.name, of)
    const method = expression.of === undefined ? undefined : methods[expression.name]
    const argument = first === undefined ? undefined : yield* evaluate(first, scope)
    if (method === undefined || typeof of !== "string" || typeof argument !== "string") {
      return yield* fail(`no such overload: ${expression.name}`)
    }
    return method(of, argument)
  })
}

const unary = (operator: string, operand: Json): Value => {
  if (operator === "!" && typeof operand === "boolean") return succeed(!operand)
  if (operator === "-" && typeof operand === "number") return succeed(-operand)
  return fail(`no such overload: ${operator}`)
}

export const evaluate = (expression: Expression, scope: Scope): Value => {
  switch (expression._tag) {
    case "Literal":
      return succeed(expression.value)
    case "Name": {
      const value = scope[expression.name]
      return value === undefined ? fail(`undeclared reference to '${expression.name}'`) : succeed(value)
    }
    case "Field":
      return Result.flatMap(evaluate(expression.of, scope), (of) => field(of, expression.name))
    case "Index":
      return Result.flatMap(evaluate(expression.of, scope), (of) =>
        Result.flatMap(evaluate(expression.index, scope), (index) => indexed(of, index))
      )
    case "List":
      return Result.all(expression.items.map((item) => evaluate(item, scope)))
    case "Call":
      return call(expression, scope)
    case "Unary":
      return Result.flatMap(evaluate(expression.operand, scope), (operand) => unary(expression.operator, operand))
    case "If":
      return Result.flatMap(evaluate(expression.condition, scope), (condition) =>
        evaluate(condition === true ? expression.yes : expression.no, scope)
      )
    case "Binary": {
      const left = evaluate(expression.left, scope)
      const right = () => evaluate(expression.right, scope)
      if (expression.operator === "||") return logical(left, right, true)
      if (expression.operator === "&&") return logical(left, right, false)
      return Result.flatMap(left, (a) => Result.flatMap(right(), (b) => binary(expression.operator, a, b)))
    }
  }
}
