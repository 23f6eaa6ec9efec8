/** The demo as a process of its own, and copies of the operator that are broken on purpose. */
import { spawn } from "node:child_process"
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { assert } from "@effect/vitest"
import { Deferred, Effect, type Scope, Semaphore } from "effect"
import { waitedForProcessor, withoutWaiting } from "../support/eventually.ts"

interface Ended {
  readonly code: number | null
  readonly output: string
  /** For how long it ran, but for the time in which somebody on this machine waited for a processor. */
  readonly seconds: number
}

interface Running {
  readonly output: () => string
  /** Waits until it holds of what the demo said so far; a demo that has ended before will never say it. */
  readonly until: (holds: (output: string) => boolean) => Effect.Effect<void>
  /** As Ctrl-C does. */
  readonly interrupt: Effect.Effect<void>
  readonly ended: Effect.Effect<Ended>
}

/** How many demos may run at the same time. */
export const atOnce = Semaphore.makeUnsafe(2)

/** Many demos, two at a time: a test's time includes its wait for its turn. */
export const slow = { concurrent: true, timeout: 900_000 }

/** What comes is awaited, however busy the machine is. */
const patient = { DEMO_PATIENCE: "5" }

const resultOf = (output: string, story: string): string =>
  output
    .split("\n")
    .findLast((line) => line.startsWith(`${story} `))
    ?.trimEnd() ?? `no line about ${story}`

/** Every story that is said not to have come out well. */
export const failedStories = (output: string, stories: ReadonlyArray<string>): ReadonlyArray<string> =>
  stories.filter((story) => !resultOf(output, story).endsWith(" ok"))

const plainEnvironment = (env: Readonly<Record<string, string>>): NodeJS.ProcessEnv => {
  const { FORCE_COLOR: _force, NO_COLOR: _no, ...rest } = process.env
  return { ...rest, ...patient, ...env }
}

/** Starts the demo, its output in a pipe. It is ended with the scope at the latest. */
export const startDemo = (
  given: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>
): Effect.Effect<Running, never, Scope.Scope> =>
  Effect.gen(function* () {
    const begun = performance.now()
    const waited = waitedForProcessor()
    const chunks: Array<Buffer> = []
    const output = () => Buffer.concat(chunks).toString("utf8")
    const ended = yield* Deferred.make<Ended>()
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const started = spawn(process.execPath, ["scripts/demo.ts", ...given], {
          env: plainEnvironment(env),
          stdio: ["ignore", "pipe", "pipe"]
        })
        for (const stream of [started.stdout, started.stderr]) stream.on("data", (chunk: Buffer) => chunks.push(chunk))
        started.once("close", (code) => {
          const seconds = withoutWaiting(performance.now() - begun, waitedForProcessor() - waited) / 1000
          Deferred.doneUnsafe(ended, Effect.succeed({ code, output: output(), seconds }))
        })
        return started
      }),
      (started) =>
        Effect.andThen(
          Effect.sync(() => started.kill("SIGTERM")),
          Deferred.await(ended)
        )
    )
    const said = (holds: (output: string) => boolean): Effect.Effect<void> =>
      Effect.suspend(() => (holds(output()) ? Effect.void : Effect.delay(said(holds), "50 millis")))
    const tooEarly = Effect.flatMap(Deferred.await(ended), ({ code }) =>
      Effect.die(new Error(`the demo ended with ${code}:\n${output()}`))
    )
    return {
      output,
      until: (holds) => Effect.raceFirst(said(holds), tooEarly),
      interrupt: Effect.sync(() => void child.kill("SIGINT")),
      ended: Deferred.await(ended)
    }
  })

/** Runs the demo to its end. */
export const runDemo = (
  given: ReadonlyArray<string> = [],
  env: Readonly<Record<string, string>> = {}
): Effect.Effect<Ended> =>
  Effect.flatMap(startDemo(given, env), ({ ended }) => ended).pipe(Effect.scoped, atOnce.withPermits(1))

export const temporary = (prefix: string) =>
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), prefix))),
    (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
  )

export interface Breakage {
  readonly file: string
  readonly from: string
  readonly to: string
}

/** A copy of the operator with one piece of its text replaced. */
export const brokenOperator = Effect.fnUntraced(function* ({ file, from, to }: Breakage) {
  const directory = yield* temporary("cloudkit-broken-")
  for (const part of ["src", "package.json"]) cpSync(part, join(directory, part), { recursive: true })
  symlinkSync(resolve("node_modules"), join(directory, "node_modules"))
  const path = join(directory, file)
  const source = readFileSync(path, "utf8")
  assert.strictEqual(source.split(from).length, 2, `${file} must hold this exactly once: ${from}`)
  writeFileSync(path, source.replace(from, to))
  return directory
})
