/**
 * A token in a file that may be replaced at any time, as Kubernetes does with a mounted Secret: a rotated token needs no
 * restart.
 *
 * Guarantees: the file is looked at once per second at most, however often the token is asked for, and read only when it
 * changed. A file that is missing for a moment, or empty, does not take the token away that worked until now.
 */
import { readFile, stat } from "node:fs/promises"
import { Clock, Data, Effect, Option, Redacted, Ref, Semaphore } from "effect"

/** The file cannot be read, or holds no token. */
export class TokenFileError extends Data.TaggedError("TokenFileError")<{
  readonly path: string
  /** Such as ENOENT, EACCES, or EMPTY. */
  readonly code: string
}> {
  override get message(): string {
    return `the token file ${this.path} cannot be used (${this.code})`
  }
}

const LOOK_EVERY = 1_000

export const codeOf = (cause: unknown): string =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : "EIO"

/** What changes when the file does, or when a symbolic link on the way to it is turned to another file. */
const fingerprint = (path: string) =>
  Effect.tryPromise({
    try: async () => {
      const { mtimeNs, size, ino, dev } = await stat(path, { bigint: true })
      return `${dev}:${ino}:${size}:${mtimeNs}`
    },
    catch: (cause) => new TokenFileError({ path, code: codeOf(cause) })
  })

const read = (path: string) =>
  Effect.tryPromise({
    try: () => readFile(path, "utf8"),
    catch: (cause) => new TokenFileError({ path, code: codeOf(cause) })
  }).pipe(
    Effect.flatMap((content) => {
      const token = content.trim()
      return token === "" || /[\s\p{Cc}]/u.test(token)
        ? Effect.fail(new TokenFileError({ path, code: token === "" ? "EMPTY" : "NOT_ONE_WORD" }))
        : Effect.succeed(Redacted.make(token))
    })
  )

interface Known {
  readonly token: Redacted.Redacted
  readonly fingerprint: string
  readonly lookedAt: number
}

/** Reads the file once; `current` answers the token as it is whenever it is asked. */
export const tokenFile = Effect.fnUntraced(function* (path: string) {
  const look = Effect.fnUntraced(function* (before: Option.Option<Known>) {
    const lookedAt = yield* Clock.currentTimeMillis
    // taken first: a file that changes in between is read again next time
    const now = yield* fingerprint(path)
    if (Option.isSome(before) && before.value.fingerprint === now) return { ...before.value, lookedAt }
    return { token: yield* read(path), fingerprint: now, lookedAt }
  })
  const known = yield* Ref.make<Known>(yield* look(Option.none()))
  const one = yield* Semaphore.make(1)

  const refresh = Effect.fnUntraced(function* () {
    const before = yield* Ref.get(known)
    const elapsed = (yield* Clock.currentTimeMillis) - before.lookedAt
    // a clock that was set back must not stop the looking
    if (elapsed >= 0 && elapsed < LOOK_EVERY) return before.token
    const after = yield* look(Option.some(before)).pipe(
      Effect.catchTag("TokenFileError", (error) =>
        Effect.logWarning(`${error.message}; going on with the token that it held before`).pipe(
          Effect.andThen(Clock.currentTimeMillis),
          Effect.map((lookedAt) => ({ ...before, lookedAt }))
        )
      )
    )
    if (after.fingerprint !== before.fingerprint)
      yield* Effect.logInfo(`the token in ${path} changed and is in use now`)
    yield* Ref.set(known, after)
    return after.token
  })
  return { current: one.withPermits(1)(refresh()) }
})
