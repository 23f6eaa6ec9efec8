/**
 * The demo as a user starts it, with the operator as it is and with operators that are broken in one place each: a demo
 * that cannot fail shows nothing.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import {
  atOnce,
  type Breakage,
  brokenOperator,
  failedStories,
  runDemo,
  slow,
  startDemo,
  temporary
} from "./demoProcess.ts"

const stories = [
  "job template",
  "workflow template",
  "playbook fails",
  "deleted midway",
  "spec changed",
  "requests",
  "shutdown"
]

it.live(
  "ends by itself within a minute, with a table of what it showed and exit code 0",
  () =>
    Effect.gen(function* () {
      const { code, output, seconds } = yield* runDemo()
      assert.strictEqual(code, 0, output)
      assert.deepStrictEqual(failedStories(output, stories), [], output)
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
          DEMO_OPERATOR: `node ${join(directory, "src/main.ts")}`,
          // the logs that a failed demo leaves go with the copy
          TMPDIR: directory
        })
        assert.strictEqual(code, 1, output)
        assert.include(failedStories(output, stories), story, output)
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
    file: "src/reconcile/intent.ts",
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

broken(
  "launches twice",
  {
    file: "src/domain/Decision.ts",
    from: "if (job === undefined || job.configVersion !== instance.desiredVersion) return",
    to: "if (job === undefined || history.jobs.length < 2 || job.configVersion !== instance.desiredVersion) return"
  },
  "job template",
  "AAP ran osac-create-compute-instance successful, osac-create-compute-instance successful instead of"
)

it.live(
  "stays when asked to, answers whoever comes with the kubeconfig it names, and leaves nothing behind at Ctrl-C",
  () =>
    Effect.gen(function* () {
      const directory = yield* temporary("cloudkit-kept-")
      const demo = yield* startDemo(["--keep"], { TMPDIR: directory })
      yield* demo.until((output) => output.includes("What happens from now on"))
      const [, file = ""] = /export KUBECONFIG=(\S+)/u.exec(demo.output()) ?? []
      const [, server = ""] = /"server":"([^"]+)"/u.exec(readFileSync(file, "utf8")) ?? []
      const [, aap = ""] = /AAP +(http\S+)/u.exec(demo.output()) ?? []
      const machines = `${server}/apis/cloudkit.openshift.io/v1alpha1/namespaces/default/computeinstances`
      const manifest = {
        apiVersion: "cloudkit.openshift.io/v1alpha1",
        kind: "ComputeInstance",
        metadata: { name: "mine" },
        spec: { name: "mine" }
      }
      const headers = { "content-type": "application/json", authorization: "Bearer operator-token" }
      const request = {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(manifest)
      }
      assert.strictEqual((yield* Effect.promise(() => fetch(machines, request))).status, 201)
      yield* demo.until((output) => /status +default\/mine +Progressing .*Job queued/u.test(output))
      const jobs = yield* Effect.promise(() => fetch(`${aap}/v2/unified_jobs/`, { headers }))
      assert.include(yield* Effect.promise(() => jobs.text()), '"id":10,')
      yield* demo.interrupt
      const { code, output } = yield* demo.ended
      assert.strictEqual(code, 0, output)
      assert.deepStrictEqual(readdirSync(directory), [])
    }).pipe(Effect.scoped, atOnce.withPermits(1)),
  slow
)

const isAlive = (pid: string): boolean => {
  try {
    return process.kill(Number(pid), 0)
  } catch {
    return false
  }
}

/** Says who it is, and does not end when it is told to. */
const stubbornOperator = (pids: string): string => `import { appendFileSync } from "node:fs"
process.on("SIGTERM", () => {})
setInterval(() => {}, 1000)
appendFileSync(${JSON.stringify(pids)}, \`\${process.pid}\\n\`)
`

it.live(
  "ends the operators it started when it is interrupted, even those that do not listen",
  () =>
    Effect.gen(function* () {
      const directory = yield* temporary("cloudkit-stubborn-")
      const pids = join(directory, "pids")
      writeFileSync(pids, "")
      writeFileSync(join(directory, "stubborn.mjs"), stubbornOperator(pids))
      const demo = yield* startDemo([], {
        TMPDIR: directory,
        DEMO_PATIENCE: "1",
        DEMO_OPERATOR: `node ${join(directory, "stubborn.mjs")}`
      })
      const started = () => readFileSync(pids, "utf8").trim().split("\n")
      yield* demo.until(() => started().length === 2)
      assert.deepStrictEqual(started().map(isAlive), [true, true])
      yield* demo.interrupt
      assert.strictEqual((yield* demo.ended).code, 130)
      assert.deepStrictEqual(started().map(isAlive), [false, false])
    }).pipe(Effect.scoped, atOnce.withPermits(1)),
  slow
)

it.live(
  "gives up at once, with the operator's own words, when an operator ends by itself",
  () =>
    Effect.gen(function* () {
      const directory = yield* temporary("cloudkit-dying-")
      const dying = join(directory, "dying.mjs")
      writeFileSync(dying, 'console.error("the token file is empty")\nprocess.exitCode = 3')
      const { code, output } = yield* runDemo([], { TMPDIR: directory, DEMO_OPERATOR: `node ${dying}` })
      assert.strictEqual(code, 1)
      assert.include(output, "ended by itself (3):\n  the token file is empty")
    }).pipe(Effect.scoped),
  slow
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
