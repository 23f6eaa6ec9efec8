/**
 * Variables that name files: that they can be read is found out at the start, together with everything else.
 */
import { access, constants, readFile } from "node:fs/promises"
import { Effect, Option, type Redacted } from "effect"
import { type Problem, shown } from "./Problem.ts"
import { codeOf, tokenFile } from "./TokenFile.ts"
import type { Declaration, Variable } from "./Variable.ts"

/** Somebody may have put the token itself where its file belongs: only what looks like a path is shown. */
const looksLikeAPath = /^\.{0,2}\//u

const unreadable = (declaration: Declaration, path: string, code: string): Problem => ({
  kind: "Unreadable",
  variable: declaration.name,
  found: `${shown(path, !looksLikeAPath.test(path))} (${code})`,
  expected: declaration.expected
})

/** The path, once the file was found to be readable. */
export const readable = (variable: Variable<Option.Option<string>>): Effect.Effect<Option.Option<string>, Problem> =>
  Effect.tap(variable, (path) =>
    Option.isNone(path)
      ? Effect.void
      : Effect.tryPromise({
          try: () => access(path.value, constants.R_OK),
          catch: (cause) => unreadable(variable.declaration, path.value, codeOf(cause))
        })
  )

/** What is in files that were found to be readable. */
export const contentsOf = (paths: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<string>> =>
  Effect.promise(() => Promise.all(paths.map((path) => readFile(path, "utf8"))))

/** The token in the file, as it is whenever it is asked for. */
export const tokenIn = (
  variable: Variable<Option.Option<string>>
): Effect.Effect<Option.Option<Effect.Effect<Redacted.Redacted>>, Problem> =>
  Effect.flatMap(variable, (path) =>
    Option.isNone(path)
      ? Effect.succeedNone
      : tokenFile(path.value).pipe(
          Effect.map(({ current }) => Option.some(current)),
          Effect.mapError((error) => unreadable(variable.declaration, error.path, error.code))
        )
  )
