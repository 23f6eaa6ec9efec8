/**
 * The part of the Common Expression Language that validation rules use: field access, `has`, logic, comparison,
 * arithmetic, `in`, the conditional, lists, `size`, `string`, `int`, the string methods, and `all` / `exists` / `exists_one` /
 * `filter` / `map`.
 *
 * A rule either compiles or is refused when the definition is loaded. While it runs, what CEL calls an error fails the
 * rule, except where the other side of `||` or `&&` decides alone.
 */
import { Data, Result } from "effect"
import { evaluate, type Scope } from "./CelEvaluation.ts"
import { parse } from "./CelSyntax.ts"
import type { Json } from "./Json.ts"

/** The rule cannot be compiled. */
export class RuleError extends Data.TaggedError("RuleError")<{ readonly rule: string; readonly message: string }> {}

export interface Rule {
  readonly source: string
  /** Whether it speaks of the value as it was before, and so holds for changes only. */
  readonly transition: boolean
  readonly holds: (self: Json, oldSelf?: Json) => Result.Result<boolean, string>
}

export const compile = (source: string): Result.Result<Rule, RuleError> =>
  Result.map(
    Result.mapError(parse(source), (message) => new RuleError({ rule: source, message })),
    (expression) => ({
      source,
      transition: /\boldSelf\b/u.test(source),
      holds: (self, oldSelf) => {
        const scope: Scope = oldSelf === undefined ? { self } : { self, oldSelf }
        return Result.flatMap(evaluate(expression, scope), (value) =>
          typeof value === "boolean" ? Result.succeed(value) : Result.fail("the rule is not a condition")
        )
      }
    })
  )
