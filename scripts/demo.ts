/**
 * The demo: the real operator between a simulated cluster and a simulated AAP, and a judge who looks at what came of it.
 * Ends by itself, with exit code 0 only if everything was as it should be.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Cause, Clock, Data, Effect, Exit, type Runtime, type Scope } from "effect"
import { help, parseArguments } from "./demo/Arguments.ts"
import { type Installation, install, jobSite, kubeconfig, workflowSite } from "./demo/Installation.ts"
import { invitation } from "./demo/invitation.ts"
import { type Observation, observe } from "./demo/Observation.ts"
import { type OperatorProcess, startOperator } from "./demo/OperatorProcess.ts"
import { expectedLaunches, perform } from "./demo/Performance.ts"
import { countRequests, judgeRequests, type Requests } from "./demo/requests.ts"
import { summary, type Verdict } from "./demo/summary.ts"
import { bad, printChanges, show } from "./demo/View.ts"

/** Everything but the stay; whoever hangs is cut off, and the exit code says so. */
const LONGEST_DEMO = "55 seconds"
const LONGEST_START = "20 seconds"

class Failed extends Data.TaggedError("Failed")<{ readonly message: string }> {}

const print = (text: string): void => {
  process.stdout.write(text)
}
// a reader who has seen enough (head) is no failure
process.stdout.on("error", () => undefined)

interface Stage {
  readonly installation: Installation
  readonly observation: Observation
  readonly operators: ReadonlyArray<OperatorProcess>
}

const setUp = (directory: string): Effect.Effect<Stage, never, Scope.Scope> =>
  Effect.gen(function* () {
    const installation = yield* install
    const observation = yield* observe(installation)
    const operators = yield* Effect.forEach([jobSite, workflowSite], (site) =>
      startOperator(site, installation, directory)
    )
    return { installation, observation, operators }
  })

const anyDeath = ({ operators }: Stage) => Effect.raceAllFirst(operators.map(({ died }) => died))

/** The operators are up when both watch. */
const bothWatch = ({ installation }: Stage) =>
  Effect.repeat(Effect.delay(installation.kubernetes.openWatches, "50 millis"), { until: (open) => open >= 2 }).pipe(
    Effect.timeoutOrElse({
      duration: LONGEST_START,
      orElse: () => new Failed({ message: "the operators do not watch the cluster" })
    })
  )

const performed = (stage: Stage) =>
  Effect.gen(function* () {
    yield* show(stage.observation, process.stdout.isTTY && process.env.TERM !== "dumb", print)
    const stories = Effect.andThen(bothWatch(stage), perform(stage.installation, stage.observation))
    return yield* Effect.raceFirst(stories, anyDeath(stage))
  }).pipe(Effect.scoped)

const onRequests = (requests: Requests, { observation }: Stage, now: number): Verdict => ({
  title: "requests",
  shows: "no launch, read or poll too many; no refusal",
  ran: "",
  findings: judgeRequests(requests, { launches: expectedLaunches, ledger: observation.ledger, now })
})

const onShutdown = ({ operators }: Stage) =>
  Effect.map(
    Effect.forEach(operators, ({ stop }) => stop, { concurrency: "unbounded" }),
    (ends): Verdict => ({
      title: "shutdown",
      shows: "the operators end on SIGTERM, with exit code 0",
      ran: "",
      findings: ends.flatMap((end, index) => (end === 0 ? [] : [`${operators[index]?.site.name} ended with ${end}`]))
    })
  )

/** Performs, judges, says so. Answers the exit code. */
const told = Effect.fnUntraced(function* (stage: Stage, keep: boolean) {
  const { installation, observation } = stage
  const verdicts = yield* performed(stage)
  const requests = countRequests(yield* installation.kubernetesExchanges, yield* installation.aapExchanges)
  const now = yield* Clock.currentTimeMillis
  const all = [...verdicts, onRequests(requests, stage, now), ...(keep ? [] : [yield* onShutdown(stage)])]
  print(summary(all, requests, (yield* Clock.currentTimeMillis) - observation.startedAt))
  return all.every(({ findings }) => findings.length === 0) ? 0 : 1
})

const stay = Effect.fnUntraced(function* (stage: Stage, directory: string) {
  const file = join(directory, "kubeconfig")
  writeFileSync(file, kubeconfig(stage.installation.openUrl, jobSite.namespace, undefined))
  const logs = stage.operators.map(({ log }) => log)
  print(invitation({ kubeconfig: file, aapUrl: stage.installation.aapUrl, logs }))
  yield* printChanges(stage.observation, print)
  return yield* anyDeath(stage)
})

/** What the exit code is to be: unknown until everything was judged. */
let outcome: number | undefined

/** Of a demo that came out well nothing is left. */
const workshop = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "cloudkit-demo-"))),
  (directory) =>
    Effect.sync(() => {
      if (outcome === 0) rmSync(directory, { recursive: true })
      else print(`What the operators logged is in ${directory}\n`)
    })
)

const gaveUp = ({ message }: { readonly message: string }) =>
  Effect.sync(() => {
    print(`${bad(message)}\n`)
    outcome = 1
    return outcome
  })

const demo = (keep: boolean) =>
  Effect.gen(function* () {
    const directory = yield* workshop
    const stage = yield* setUp(directory)
    outcome = yield* Effect.timeoutOrElse(told(stage, keep), {
      duration: LONGEST_DEMO,
      orElse: () => new Failed({ message: `the demo did not end within ${LONGEST_DEMO}` })
    })
    return keep ? yield* stay(stage, directory) : outcome
  }).pipe(Effect.catchTags({ Failed: gaveUp, OperatorDied: gaveUp }), Effect.scoped)

const teardown: Runtime.Teardown = (exit, done) => {
  if (Exit.isSuccess(exit)) done(typeof exit.value === "number" ? exit.value : 0)
  else done(Cause.hasInterruptsOnly(exit.cause) ? (outcome ?? 130) : 1)
}

const asked = parseArguments(process.argv.slice(2))
switch (asked._tag) {
  case "Help":
    print(help)
    break
  case "Wrong":
    process.stderr.write(`${asked.message}\n`)
    process.exitCode = 2
    break
  case "Run":
    NodeRuntime.runMain(demo(asked.keep), { teardown })
}
