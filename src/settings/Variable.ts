/**
 * A variable of the environment: declared once, with everything that is known of it, and read through Effect's
 * ConfigProvider.
 *
 * Guarantees: an empty value counts as none; a value may be given under the old or the new prefix, and two different ones
 * are refused; what is said of a secret never contains it.
 */
import { Config, Effect, Option, Redacted, Result } from "effect"
import type { Kind } from "./Kind.ts"
import { MASK, type Problem, type ProblemKind, SettingsError, shown } from "./Problem.ts"

/** The product is being renamed: every variable may be given under either prefix. */
export const PREFIX = "CLOUDKIT_"
export const NEW_PREFIX = "OSAC_"

/** What the documentation and the look-up of misspelled names need to know. */
export interface Declaration {
  /** The whole name, prefix included. */
  readonly name: string
  readonly kind: string
  readonly expected: string
  /** As in the environment; nothing where there is none. */
  readonly fallback: Option.Option<string>
  readonly required: boolean
  readonly secret: boolean
  readonly description: string
}

/** Reading it gives its value, or says what is wrong with it. */
export interface Variable<out A> extends Effect.Effect<A, Problem> {
  readonly declaration: Declaration
}

const variable = <A>(declaration: Declaration, value: Effect.Effect<A, Problem>): Variable<A> =>
  Object.assign(value, { declaration })

/** The text of a variable, and the name that it was given under. */
interface Given {
  readonly name: string
  readonly text: string
}

const given = (name: string): Effect.Effect<Option.Option<Given>> =>
  Config.option(Config.String(name)).pipe(
    Effect.map((found) =>
      found.pipe(
        Option.map((text) => ({ name, text: text.trim() })),
        Option.filter(({ text }) => text !== "")
      )
    ),
    // reading an environment cannot fail
    Effect.orDie
  )

const renamed = (name: string): string => `${NEW_PREFIX}${name.slice(PREFIX.length)}`

const lookUp = Effect.fnUntraced(function* (declaration: Declaration) {
  const { name, secret } = declaration
  const old = yield* given(name)
  if (!name.startsWith(PREFIX)) return old
  const current = yield* given(renamed(name))
  if (Option.isSome(old) && Option.isSome(current) && old.value.text !== current.value.text) {
    const [one, other] = [old.value, current.value].map((it) => shown(it.text, secret))
    return yield* Effect.fail<Problem>({
      kind: "Contradictory",
      variable: name,
      found: `${one} there and ${other} in ${current.value.name}`,
      expected: "the same value in both, or only one of them"
    })
  }
  return Option.orElse(old, () => current)
})

const problem = (declaration: Declaration, from: Given, kind: ProblemKind, hide: boolean): Problem => ({
  kind,
  variable: from.name,
  found: hide ? MASK : shown(from.text, declaration.secret),
  expected: declaration.expected
})

export const missing = (declaration: Declaration, or = ""): Problem => ({
  kind: "Missing",
  variable: declaration.name,
  found: "nothing",
  expected: `${declaration.expected}${or}`
})

const decoded = <A>(declaration: Declaration, kind: Kind<A>, from: Given): Effect.Effect<A, Problem> =>
  Effect.fromResult(
    Result.mapError(kind.decode(from.text), (fault) => problem(declaration, from, fault.kind, fault.hide === true))
  )

interface Details {
  readonly secret?: boolean
  readonly description: string
}

const declare = <A>(
  name: string,
  kind: Kind<A>,
  details: Details,
  required: boolean,
  fallback: Option.Option<string>
): Declaration => ({
  name: /^(?:CLOUDKIT|SSL)_/u.test(name) ? name : `${PREFIX}${name}`,
  kind: kind.name,
  expected: kind.expected,
  fallback,
  required,
  secret: details.secret === true,
  description: details.description
})

/** Must be given. */
export const required = <A>(name: string, kind: Kind<A>, details: Details): Variable<A> => {
  const declaration = declare(name, kind, details, true, Option.none())
  return variable(
    declaration,
    Effect.flatMap(lookUp(declaration), (found) =>
      Option.isSome(found) ? decoded(declaration, kind, found.value) : Effect.fail(missing(declaration))
    )
  )
}

/** May be given. */
export const optional = <A>(name: string, kind: Kind<A>, details: Details): Variable<Option.Option<A>> => {
  const declaration = declare(name, kind, details, false, Option.none())
  return variable(
    declaration,
    Effect.flatMap(lookUp(declaration), (found) =>
      Option.isSome(found) ? Effect.asSome(decoded(declaration, kind, found.value)) : Effect.succeed(Option.none<A>())
    )
  )
}

/** Has a value even when it is not given; `fallback` is written as it would be in the environment. */
export const withDefault = <A>(name: string, kind: Kind<A>, fallback: string, details: Details): Variable<A> => {
  const declaration = declare(name, kind, details, false, Option.some(fallback))
  return variable(
    declaration,
    Effect.flatMap(lookUp(declaration), (found) =>
      decoded(
        declaration,
        kind,
        Option.getOrElse(found, () => ({ name: declaration.name, text: fallback }))
      )
    )
  )
}

/** May be given, and is never shown. */
export const secret = (
  name: string,
  kind: Kind<string>,
  description: string
): Variable<Option.Option<Redacted.Redacted>> => {
  const plain = optional(name, kind, { secret: true, description })
  return variable(
    plain.declaration,
    Effect.map(
      plain,
      Option.map((text) => Redacted.make(text))
    )
  )
}

/** `all`, unless one of the readings that it is made of has a problem: then every problem there is. */
export const together = <A>(
  readings: Iterable<Effect.Effect<unknown, Problem>>,
  all: Effect.Effect<A, Problem>
): Effect.Effect<A, SettingsError> =>
  Effect.forEach([...readings], Effect.result).pipe(
    Effect.flatMap((results) => {
      const problems = results.flatMap((result) => (Result.isFailure(result) ? [result.failure] : []))
      return problems.length > 0
        ? Effect.fail(new SettingsError({ problems }))
        : Effect.mapError(all, (problem) => new SettingsError({ problems: [problem] }))
    })
  )
