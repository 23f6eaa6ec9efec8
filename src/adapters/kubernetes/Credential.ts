/**
 * What proves to the API server who we are, and where it comes from.
 *
 * What was read is used for 30 s, then read again, so that rotated tokens and certificates need no restart; a credential
 * that the server refused is dropped at once. No error carries a token, nor a piece of a file that holds one.
 */
import { readFileSync } from "node:fs"
import { Clock, Data, Duration, Effect, type Option, Semaphore } from "effect"

/** No credential, or none that works. The message names files and settings, never their content. */
export class CredentialsError extends Data.TaggedError("CredentialsError")<{ readonly message: string }> {}

export interface TlsMaterial {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly servername?: string
  readonly rejectUnauthorized?: boolean
}

/** What goes with each request at this moment. */
export interface Credential {
  readonly headers: RequestHeaders
  readonly tls: TlsMaterial
}

export type RequestHeaders = Readonly<Record<string, string>>

/** What authenticates a request. `drop` says that these very headers were refused, so that the next are read anew. */
export interface HeaderSource {
  readonly current: Effect.Effect<RequestHeaders, CredentialsError>
  readonly drop: (refused: RequestHeaders) => Effect.Effect<void>
}

/** One place credentials come from. */
export interface CredentialSource {
  /** Base URL of the API server, no trailing slash. */
  readonly server: string
  /** `proxy-url` of the kubeconfig's cluster. */
  readonly proxyUrl: Option.Option<string>
  readonly read: Effect.Effect<Credential, CredentialsError>
  /** Forgets whatever the source itself keeps; the next `read` begins with the files. */
  readonly forget: Effect.Effect<void>
}

export interface Credentials {
  readonly server: string
  readonly proxyUrl: Option.Option<string>
  readonly current: Effect.Effect<Credential, CredentialsError>
  /** The server refused this very credential. One that was read since stays. */
  readonly drop: (refused: Credential) => Effect.Effect<void>
}

const FRESH_FOR = Duration.toMillis("30 seconds")
const READ_TIMEOUT = Duration.seconds(30)

const codeOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "code" in error ? String(error.code) : "it is not readable"

/** A file that must be there. */
export const readText = (file: string, what: string): Effect.Effect<string, CredentialsError> =>
  Effect.try({
    try: () => readFileSync(file, "utf8"),
    catch: (error) => new CredentialsError({ message: `cannot read the ${what} ${file}: ${codeOf(error)}` })
  })

/** `Authorization` from a token file. What cannot be a header is refused here, where its file can be named. */
export const bearerFromFile = (file: string): Effect.Effect<string, CredentialsError> =>
  Effect.flatMap(readText(file, "token file"), (content) => {
    const token = content.trim()
    return /^[\x21-\x7e]+$/.test(token)
      ? Effect.succeed(`Bearer ${token}`)
      : Effect.fail(
          new CredentialsError({
            message: token === "" ? `the token file ${file} is empty` : `the token file ${file} holds no bearer token`
          })
        )
  })

interface Held {
  readonly credential: Credential
  readonly readAt: number
}

/** One reader at a time, and a short memory. */
export const remembering = (source: CredentialSource): Credentials => {
  const lock = Semaphore.makeUnsafe(1)
  let held: Held | undefined
  const bounded = Effect.timeoutOrElse(source.read, {
    duration: READ_TIMEOUT,
    orElse: () => Effect.fail(new CredentialsError({ message: "reading the credential took more than 30 s" }))
  })
  /** A file that cannot be read for a moment is no reason to give up a credential that still works. */
  const keep = (old: Held | undefined) => (error: CredentialsError) =>
    old === undefined
      ? Effect.fail(error)
      : Effect.as(Effect.logWarning(`using the last Kubernetes credential: ${error.message}`), old.credential)
  const refresh = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    if (held !== undefined && now - held.readAt < FRESH_FOR) return held.credential
    const credential = yield* Effect.catch(bounded, keep(held))
    held = { credential, readAt: now }
    return credential
  })
  return {
    server: source.server,
    proxyUrl: source.proxyUrl,
    current: Effect.flatMap(Clock.currentTimeMillis, (now) =>
      held !== undefined && now - held.readAt < FRESH_FOR ? Effect.succeed(held.credential) : lock.withPermit(refresh)
    ),
    drop: (refused) =>
      Effect.suspend(() => {
        if (held?.credential !== refused) return Effect.void
        held = undefined
        return source.forget
      })
  }
}
