import { renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { aapSettings } from "../../src/providers/aap/Variables.ts"
import { TokenFileError, tokenFile } from "../../src/settings/TokenFile.ts"
import { aap, readFrom } from "./environment.ts"

const folder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "token-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true }))
)

/** A token file, and what it is answered to hold. */
const setUp = Effect.fnUntraced(function* (content: string) {
  const path = join(yield* folder, "token")
  writeFileSync(path, content)
  const { current } = yield* tokenFile(path)
  return { path, token: Effect.map(current, Redacted.value) }
})

describe("a token file that changes", () => {
  it.effect("is read at the start, without the line's end that people leave in it", () =>
    Effect.gen(function* () {
      const { token } = yield* setUp("first\n")
      assert.strictEqual(yield* token, "first")
    })
  )

  it.effect("is read again, a second later at the latest", () =>
    Effect.gen(function* () {
      const { path, token } = yield* setUp("first")
      writeFileSync(path, "second, no: a longer one".replaceAll(/\W/gu, ""))
      assert.strictEqual(yield* token, "first")
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* token, "secondnoalongerone")
    })
  )

  it.effect("is read again when it was replaced by one of the same length", () =>
    Effect.gen(function* () {
      const { path, token } = yield* setUp("first")
      writeFileSync(`${path}.new`, "other")
      renameSync(`${path}.new`, path)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* token, "other")
    })
  )

  it.effect("is read again when a link is turned to another file, as Kubernetes does with Secrets", () =>
    Effect.gen(function* () {
      const where = yield* folder
      writeFileSync(join(where, "1"), "first")
      writeFileSync(join(where, "2"), "other")
      symlinkSync("1", join(where, "token"))
      const { current } = yield* tokenFile(join(where, "token"))
      symlinkSync("2", join(where, "link"))
      renameSync(join(where, "link"), join(where, "token"))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(Redacted.value(yield* current), "other")
    })
  )
})

describe("a token file that cannot be used", () => {
  for (const [name, spoil] of [
    ["missing", (path: string) => rmSync(path)],
    ["empty", (path: string) => writeFileSync(path, "\n")],
    ["more than one word", (path: string) => writeFileSync(path, "<html> no token")]
  ] as const)
    it.effect(`because it is ${name} for a moment leaves the token that worked`, () =>
      Effect.gen(function* () {
        const { path, token } = yield* setUp("first")
        spoil(path)
        yield* TestClock.adjust("1 second")
        assert.strictEqual(yield* token, "first")
        writeFileSync(path, "afterwards")
        yield* TestClock.adjust("1 second")
        assert.strictEqual(yield* token, "afterwards")
      })
    )
})

describe("a token file", () => {
  it.effect("is looked at again although the clock was set back", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Duration.toMillis("1 hour"))
      const { path, token } = yield* setUp("first")
      writeFileSync(path, "afterwards")
      yield* TestClock.setTime(0)
      assert.strictEqual(yield* token, "afterwards")
    })
  )

  for (const [content, code] of [
    ["", "EMPTY"],
    ["two words", "NOT_ONE_WORD"]
  ] as const)
    it.effect(`because it holds ${JSON.stringify(content)} at the start is refused (${code})`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(setUp(content))
        assert.instanceOf(error, TokenFileError)
        assert.strictEqual(error.code, code)
        assert.notInclude(error.message, "two words")
      })
    )

  it.effect("wins over the variable", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "token")
      writeFileSync(path, "from-the-file")
      const settings = yield* readFrom({ ...aap, CLOUDKIT_AAP_TOKEN_FILE: path }, aapSettings)
      assert.strictEqual(Redacted.value(yield* settings.token), "from-the-file")
    })
  )

  it.effect("makes the variable unnecessary", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "token")
      writeFileSync(path, "from-the-file")
      const settings = yield* readFrom({ ...aap, CLOUDKIT_AAP_TOKEN: "", CLOUDKIT_AAP_TOKEN_FILE: path }, aapSettings)
      assert.strictEqual(Redacted.value(yield* settings.token), "from-the-file")
    })
  )
})
