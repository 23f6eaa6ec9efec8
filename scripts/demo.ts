/**
 * The demo: the real operator between a simulated cluster and simulated providers, and a judge who looks at what came of it.
 * Ends by itself, with exit code 0 only if everything was as it should be.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Cause, Clock, Data, Duration, Effect, Exit, type Runtime, type Scope } from "effect"
import { type JsonObject, stringAt } from "../test/support/kubernetes/Json.ts"
import { help, parseArguments } from "./demo/Arguments.ts"
import { install, kubeconfig } from "./demo/Installation.ts"
import { invitation } from "./demo/invitation.ts"
import { conditionOf, observe } from "./demo/Observation.ts"
import { startOperators } from "./demo/Operators.ts"
import { perform, type Stage } from "./demo/Performance.ts"
import { callsOf, type Programme } from "./demo/Programme.ts"
import { LONGEST_DEMO, LONGEST_START } from "./demo/patience.ts"
import { countRequests, judgeRequests, type Requests } from "./demo/requests.ts"
import { summary, type Verdict } from "./demo/summary.ts"
import { bad, printChanges, show } from "./demo/View.ts"

class Failed extends Data.TaggedError("Failed")<{ readonly message: string }> {}

const print = (text: string): void => {
  process.stdout.write(text)
}
// a reader who has seen enough (head) is no failure
process.stdout.on("error", () => undefined)

const setUp = (programme: Programme, directory: string): Effect.Effect<Stage, never, Scope.Scope> =>
  Effect.gen(function* () {
    const installation = yield* install(programme.sites)
    const observation = yield* observe(installation)
    const operators = yield* startOperators(programme.sites, installation, directory)
    return { programme, installation, observation, operators }
  })

/** The operators are up when all watch. */
const allWatch = ({ operators }: Stage) =>
  Effect.timeoutOrElse(operators.allWatch, {
    duration: LONGEST_START,
    orElse: () => new Failed({ message: "the operators do not watch the cluster" })
  })

const performed = (stage: Stage) =>
  Effect.gen(function* () {
    yield* show(stage.observation, process.stdout.isTTY && process.env.TERM !== "dumb", print)
    return yield* Effect.raceFirst(Effect.andThen(allWatch(stage), perform(stage)), stage.operators.died)
  }).pipe(Effect.scoped)

const onRequests = (requests: Requests, { observation, programme }: Stage, now: number): Verdict => ({
  title: "requests",
  shows: "no launch, read or poll too many; no refusal",
  ran: "",
  findings: judgeRequests(requests, { ...callsOf(programme), ledger: observation.ledger, now })
})

const onShutdown = ({ operators }: Stage) =>
  Effect.map(
    operators.stopAll,
    (endings): Verdict => ({
      title: "shutdown",
      shows: "the operators end on SIGTERM, with exit code 0",
      ran: "",
      findings: endings.flatMap(({ end, site }) => (end === 0 ? [] : [`${site.name} ended with ${end}`]))
    })
  )

/** Performs, judges, says so. Answers the exit code. */
const told = Effect.fnUntraced(function* (stage: Stage, keep: boolean) {
  const { installation, observation } = stage
  const verdicts = yield* performed(stage)
  const requests = countRequests(
    yield* installation.kubernetesExchanges,
    yield* installation.aapExchanges,
    yield* installation.edaExchanges
  )
  const now = yield* Clock.currentTimeMillis
  const all = [...verdicts, onRequests(requests, stage, now), ...(keep ? [] : [yield* onShutdown(stage)])]
  const elapsed = (yield* Clock.currentTimeMillis) - observation.startedAt
  print(summary({ verdicts: all, requests, by: stage.programme.by, elapsed }))
  return all.every(({ findings }) => findings.length === 0) ? 0 : 1
})

/** A resource in the namespace of the kubeconfig of which this holds. */
const named = ({ observation }: Stage, holds: (object: JsonObject) => boolean): string | undefined => {
  const found = observation.keys.map((key) => observation.current(key)).find((one) => one !== undefined && holds(one))
  return stringAt(found, "metadata", "name")
}

const stay = Effect.fnUntraced(function* (stage: Stage, directory: string) {
  const file = join(directory, "kubeconfig")
  const { aapUrl, edaUrl, openUrl } = stage.installation
  writeFileSync(file, kubeconfig(openUrl, "default", undefined))
  const isHere = (object: JsonObject) => stringAt(object, "metadata", "namespace") === "default"
  const name = named(stage, (object) => isHere(object) && stringAt(object, "status", "phase") === "Ready")
  const failed = named(stage, (object) => isHere(object) && conditionOf(object, "Stalled").status === "True")
  print(invitation({ kubeconfig: file, aapUrl, edaUrl, name, failed, logs: stage.operators.logs }))
  yield* printChanges(stage.observation, print)
  return yield* stage.operators.died
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

const demo = (programme: Programme, keep: boolean) =>
  Effect.gen(function* () {
    const directory = yield* workshop
    const stage = yield* setUp(programme, directory)
    outcome = yield* Effect.timeoutOrElse(told(stage, keep), {
      duration: LONGEST_DEMO,
      orElse: () => new Failed({ message: `the demo did not end within ${Duration.format(LONGEST_DEMO)}` })
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
    NodeRuntime.runMain(demo(asked.programme, asked.keep), { teardown })
}
