/**
 * The demo as a user starts it, with the operator as it is and with operators that are broken in one place each: a demo
 * that cannot fail shows nothing.
 */
import { spawn } from "node:child_process"
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { assert, it } from "@effect/vitest"
import { Effect, Semaphore } from "effect"

interface Ended {
  readonly code: number | null
  readonly output: string
  readonly seconds: number
}

const atOnce = Semaphore.makeUnsafe(2)

/** Runs the demo to its end, its output in a pipe. */
const runDemo = (given: ReadonlyArray<string> = [], env: Readonly<Record<string, string>> = {}): Effect.Effect<Ended> =>
  Effect.callback<Ended>((resume) => {
    const begun = performance.now()
    const parameters = ["scripts/demo.ts", ...given]
    const child = spawn(process.execPath, parameters, {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"]
    })
    const chunks: Array<Buffer> = []
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk))
    child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk))
    child.once("close", (code) => {
      const output = Buffer.concat(chunks).toString("utf8")
      resume(Effect.succeed({ code, output, seconds: (performance.now() - begun) / 1000 }))
    })
    return Effect.sync(() => child.kill("SIGTERM"))
  }).pipe(atOnce.withPermits(1))

interface Breakage {
  readonly file: string
  readonly from: string
  readonly to: string
}

/** A copy of the operator with one piece of its text replaced. */
const brokenOperator = ({ file, from, to }: Breakage) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const directory = mkdtempSync(join(tmpdir(), "cloudkit-broken-"))
      for (const part of ["src", "package.json"]) cpSync(part, join(directory, part), { recursive: true })
      symlinkSync(resolve("node_modules"), join(directory, "node_modules"))
      const path = join(directory, file)
      const source = readFileSync(path, "utf8")
      assert.strictEqual(source.split(from).length, 2, `${file} must hold this exactly once: ${from}`)
      writeFileSync(path, source.replace(from, to))
      return directory
    }),
    (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
  )

const resultOf = (output: string, story: string): string =>
  output
    .split("\n")
    .findLast((line) => line.startsWith(`${story} `))
    ?.trimEnd() ?? `no line about ${story}`

/** Every story that is said not to have come out well. */
const failedStories = (output: string): ReadonlyArray<string> =>
  stories.filter((story) => !resultOf(output, story).endsWith(" ok"))

const stories = [
  "job template",
  "workflow template",
  "playbook fails",
  "deleted midway",
  "spec changed",
  "requests",
  "shutdown"
]

/** Seven demos, two at a time: a test's time includes its wait for its turn. */
const slow = { concurrent: true, timeout: 240_000 }

it.live(
  "ends by itself within a minute, with a table of what it showed and exit code 0",
  () =>
    Effect.gen(function* () {
      const { code, output, seconds } = yield* runDemo()
      assert.strictEqual(code, 0, output)
      assert.deepStrictEqual(failedStories(output), [], output)
      assert.isBelow(seconds, 60)
      assert.include(output, "Everything came out as it should")
      assert.match(output, /AAP +launch +7\n/u)
      assert.notInclude(output, "\u001B", "a pipe gets plain text")
    }),
  slow
)

const broken = (name: string, breakage: Breakage, story: string, finding: string) =>
  it.live(
    `fails, and says where, with an operator that ${name}`,
    () =>
      Effect.gen(function* () {
        const directory = yield* brokenOperator(breakage)
        const { code, output, seconds } = yield* runDemo([], {
          DEMO_OPERATOR: `node ${join(directory, "src/main.ts")}`
        })
        assert.strictEqual(code, 1, output)
        assert.include(failedStories(output), story, output)
        assert.include(output, `  ${story}: `, output)
        assert.include(output, finding, output)
        assert.isBelow(seconds, 60)
      }).pipe(Effect.scoped),
    slow
  )

broken(
  "never cancels",
  {
    file: "src/reconcile/act.ts",
    from: "const answer = yield* provider.cancel(sight.instance.object, referenceOf(job))",
    to: "const answer: string = 'Requested'"
  },
  "deleted midway",
  "AAP was never asked to cancel the provision job"
)

broken(
  "takes a failed job for a successful one",
  { file: "src/providers/aap/JobStates.ts", from: 'failed: "Failed"', to: 'failed: "Succeeded"' },
  "playbook fails",
  "the resource is Ready instead of Failed"
)

broken(
  "puts no finalizer on",
  {
    file: "src/reconcile/launch.ts",
    from: "...(instance.holdsFinalizer ? {} : { finalizers: Finalizer.added(finalizers, FINALIZER) })",
    to: ""
  },
  "deleted midway",
  "the resource had no finalizer when"
)

broken(
  "drops the reason of a failure",
  {
    file: "src/providers/aap/FailureReason.ts",
    from: "Option.getOrElse(found, () => fallback)",
    to: '"it failed"'
  },
  "playbook fails",
  "it must give the playbook's reason"
)

broken(
  "does not mind a changed spec",
  {
    file: "src/domain/Decision.ts",
    from: "if (job === undefined || job.configVersion !== instance.desiredVersion) return",
    to: "if (job === undefined) return"
  },
  "spec changed",
  "instead of osac-create-compute-instance successful, osac-create-compute-instance successful"
)

it.live(
  "says what it can do, and refuses an option it does not know",
  () =>
    Effect.gen(function* () {
      const asked = yield* runDemo(["--help"])
      assert.strictEqual(asked.code, 0)
      assert.include(asked.output, "--keep")
      const refused = yield* runDemo(["--kepe"])
      assert.strictEqual(refused.code, 2)
      assert.include(refused.output, "Unknown: --kepe")
    }),
  slow
)
