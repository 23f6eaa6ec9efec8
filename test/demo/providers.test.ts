/** The demos of EDA and of the change between providers, with the operator as it is and with operators that are broken. */
import { join } from "node:path"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { type Breakage, brokenOperator, failedStories, runDemo, slow } from "./demoProcess.ts"

const ofEda = ["provisioned", "spec changed", "deleted", "deleted midway", "playbook fails", "requests", "shutdown"]
const ofSwitching = ["from EDA to AAP", "from AAP to EDA", "requests", "shutdown"]

it.live(
  "--provider eda shows webhooks and signals, asks nobody how things are, and ends with exit code 0 within a minute",
  () =>
    Effect.gen(function* () {
      const { code, output, seconds } = yield* runDemo(["--provider", "eda"])
      assert.strictEqual(code, 0, output)
      assert.deepStrictEqual(failedStories(output, ofEda), [], output)
      assert.isBelow(seconds, 60)
      assert.match(output, /EDA +webhook to provision +6\nEDA +webhook to deprovision +2\nEDA +status +0\n/u)
      assert.notMatch(output, /^AAP /mu)
      assert.match(output, /status +default\/vm-silent +Progressing \(AwaitingSignal\)/u)
    }),
  slow
)

it.live(
  "--switch shows operators that come back with the other provider, and ends with exit code 0 within a minute",
  () =>
    Effect.gen(function* () {
      const { code, output, seconds } = yield* runDemo(["--switch"])
      assert.strictEqual(code, 0, output)
      assert.deepStrictEqual(failedStories(output, ofSwitching), [], output)
      assert.isBelow(seconds, 60)
      assert.match(output, /AAP +launch +2\n/u)
      assert.match(output, /EDA +webhook to provision +1\nEDA +webhook to deprovision +1\nEDA +status +0\n/u)
    }),
  slow
)

const broken = (given: ReadonlyArray<string>, name: string, breakage: Breakage, story: string, finding: string) =>
  it.live(
    `${given.join(" ")} fails, and says where, with an operator that ${name}`,
    () =>
      Effect.gen(function* () {
        const directory = yield* brokenOperator(breakage)
        const operator = `node ${join(directory, "src/main.ts")}`
        const { code, output, seconds } = yield* runDemo(given, { DEMO_OPERATOR: operator, TMPDIR: directory })
        assert.strictEqual(code, 1, output)
        assert.include(failedStories(output, given.includes("eda") ? ofEda : ofSwitching), story, output)
        assert.include(output, `  ${story}: `, output)
        assert.include(output, finding, output)
        assert.isBelow(seconds, 60)
      }).pipe(Effect.scoped),
    slow
  )

broken(
  ["--provider", "eda"],
  "does not wait for a signal",
  {
    file: "src/providers/eda/Signals.ts",
    from: 'return version !== "" && metadata.annotations?.[RECONCILED_VERSION_ANNOTATION] === version',
    to: 'return version !== "" || metadata.name === ""'
  },
  "playbook fails",
  "the resource is Ready instead of Progressing"
)

broken(
  ["--provider", "eda"],
  "tears down beside a playbook that still builds",
  {
    file: "src/domain/Deletion.ts",
    from: "if (isSilent(o, job)) return",
    to: "if (until > 0) return"
  },
  "deleted midway",
  "ran at once"
)

broken(
  ["--switch"],
  "leaves the playbooks' finalizer to playbooks that nobody runs any more",
  {
    file: "src/domain/Deletion.ts",
    from: "playbookFinalizers: abandoned(o, deprovision)",
    to: "playbookFinalizers: false"
  },
  "from EDA to AAP",
  "waited in vain until the resource is gone"
)

broken(
  ["--switch"],
  "does not let EDA's playbooks hold what AAP built",
  { file: "src/domain/Decision.ts", from: "return needsPlaybookFinalizer(o) ?", to: "return o.now < 0 ?" },
  "from AAP to EDA",
  "waited in vain until the playbooks' finalizer is on"
)

it.live(
  "refuses a provider it does not know, and two demos at a time",
  () =>
    Effect.gen(function* () {
      for (const given of [["--provider", "bash"], ["--provider"], ["--switch", "--provider", "eda"]]) {
        const { code, output } = yield* runDemo(given)
        assert.strictEqual(code, 2, output)
        assert.include(output, "--provider eda")
      }
    }),
  slow
)
