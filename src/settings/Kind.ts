/**
 * The kinds of values that a variable may hold: how each is read, and how what is expected is said to people.
 */
import { Duration, Option, Result } from "effect"
import * as GoDuration from "./GoDuration.ts"
import type { ProblemKind } from "./Problem.ts"

/** Why a text is not a value. `hide`: the text may hold a secret although the variable is none. */
export interface Fault {
  readonly kind: ProblemKind
  readonly hide?: boolean
}

export interface Kind<out A> {
  /** One or two words for the table of variables. */
  readonly name: string
  /** Completes the sentence "expected …". */
  readonly expected: string
  readonly decode: (text: string) => Result.Result<A, Fault>
}

const malformed = Result.fail<Fault>({ kind: "Malformed" })
const outOfRange = Result.fail<Fault>({ kind: "OutOfRange" })
const notAllowed = Result.fail<Fault>({ kind: "NotAllowed" })

export const int = (minimum: number, maximum: number): Kind<number> => ({
  name: "integer",
  expected: `a whole number from ${minimum} to ${maximum}`,
  decode: (text) => {
    if (!/^-?\d+$/u.test(text)) return malformed
    const value = Number(text)
    return value >= minimum && value <= maximum ? Result.succeed(value) : outOfRange
  }
})

/** Bounds as Go durations. */
export const duration = (minimum: string, maximum: string): Kind<Duration.Duration> => {
  const [least = 0n, most = 0n] = [minimum, maximum].map((bound) => Option.getOrThrow(GoDuration.parse(bound)))
  return {
    name: "duration",
    expected: `a duration from ${minimum} to ${maximum} with its unit, such as 1h30m, 10m, 30s or 500ms`,
    decode: (text) => {
      const value = GoDuration.parse(text)
      if (Option.isNone(value)) return malformed
      return value.value >= least && value.value <= most ? Result.succeed(Duration.nanos(value.value)) : outOfRange
    }
  }
}

export const flag: Kind<boolean> = {
  name: "true or false",
  expected: "true or false",
  decode: (text) => {
    if (/^(?:true|t|1)$/iu.test(text)) return Result.succeed(true)
    return /^(?:false|f|0)$/iu.test(text) ? Result.succeed(false) : notAllowed
  }
}

/** One of the words, whose case does not matter, each standing for a value. */
export const oneOf = <A>(words: Readonly<Record<string, A>>): Kind<A> => {
  const values = new Map(Object.entries(words))
  return {
    name: [...values.keys()].join(", "),
    expected: `one of ${[...values.keys()].join(", ")}`,
    decode: (text) => {
      const value = values.get(text.toLowerCase())
      return value === undefined ? notAllowed : Result.succeed(value)
    }
  }
}

const printable = /^[^\p{Cc}]+$/u

/** Any text on one line. */
export const text = (name: string, expected: string, maximum: number): Kind<string> => ({
  name,
  expected,
  decode: (value) => {
    if (!printable.test(value)) return malformed
    return value.length <= maximum ? Result.succeed(value) : outOfRange
  }
})

/** A text of a form. */
export const matching = (name: string, expected: string, pattern: RegExp): Kind<string> => ({
  name,
  expected,
  decode: (value) => (pattern.test(value) ? Result.succeed(value) : malformed)
})

/**
 * An http or https address without credentials and fragment. `lenient`: a bare host will do, and a query will not, because
 * paths are added to it.
 */
export const address = (expected: string, lenient: boolean): Kind<string> => ({
  name: "URL",
  expected,
  decode: (value) => {
    const hide = /[@?#]/u.test(value)
    const fault = Result.fail<Fault>({ kind: "Malformed", hide })
    const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//iu.test(value)
    if (/\s/u.test(value) || !(hasScheme || lenient)) return fault
    const url = URL.parse(hasScheme ? value : `https://${value}`)
    if (url === null || url.hostname === "" || url.hash !== "") return fault
    if (url.username !== "" || url.password !== "" || (lenient && url.search !== "")) return fault
    return url.protocol === "https:" || url.protocol === "http:"
      ? Result.succeed(value)
      : Result.fail<Fault>({ kind: "NotAllowed", hide })
  }
})
