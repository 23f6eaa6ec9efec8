/**
 * The demo: the real operator between a simulated cluster and a simulated AAP, and a judge who looks at what came of it.
 * Ends by itself, with exit code 0 only if everything was as it should be.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Cause, Clock, Effect, Exit, type Runtime } from "effect"
import { help, parseArguments } from "./demo/Arguments.ts"
import { type Installation, install, jobSite, kubeconfig, workflowSite } from "./demo/Installation.ts"
import { invitation } from "./demo/invitation.ts"
import { type Observation, observe } from "./demo/Observation.ts"
import { type OperatorProcess, startOperator } from "./demo/OperatorProcess.ts"
import { expectedLaunches, perform } from "./demo/Performance.ts"
import { countRequests, judgeRequests, type Requests } from "./demo/requests.ts"
import { summary, type Verdict } from "./demo/summary.ts"
import { bad, printChanges, show } from "./demo/View.ts"

/** Everything, from the first line to the last; whoever hangs is cut off, and the exit code says so. */
const LONGEST_DEMO = "55 seconds"

const print = (text: string): void => {
  process.stdout.write(text)
}
// a reader who has seen enough (head) is no failure
process.stdout.on("error", () => undefined)

/** The operators are up when both watch. */
const bothWatch = (installation: Installation) =>
  Effect.repeat(Effect.delay(installation.kubernetes.openWatches, "50 millis"), { until: (open) => open >= 2 })

const anyDeath = (operators: ReadonlyArray<OperatorProcess>) =>
  Effect.raceAllFirst(operators.map(({ died }) => died))

const requestsOf = Effect.fnUntraced(function* (installation: Installation) {
  return countRequests(yield* installation.kubernetesExchanges, yield* installation.aapExchanges)
})

const verdictOnRequests = (requests: Requests, observation: Observation, now: number): Verdict => ({
  title: "requests",
  shows: "no launch, read or poll too many; no refusal",
  ran: "",
  findings: judgeRequests(requests, { launches: expectedLaunches, ledger: observation.ledger, now })
})

const verdictOnEnd = (operators: ReadonlyArray<OperatorProcess>) =>
  Effect.map(
    Effect.forEach(operators, ({ site, stop }) => Effect.map(stop, (end) => ({ site, end })), { concurrency: 2 }),
    (ends): Verdict => ({
      title: "shutdown",
      shows: "the operators end on SIGTERM, with exit code 0",
      ran: "",
      findings: ends.flatMap(({ end, site }) => (end === 0 ? [] : [`${site.name} ended with ${end}`]))
    })
  )

const stay = (observation: Observation, operators: ReadonlyArray<OperatorProcess>, installation: Installation, directory: string) =>
  Effect.gen(function* () {
    const file = join(directory, "kubeconfig")
    writeFileSync(file, kubeconfig(installation.openUrl, jobSite.namespace, undefined))
    print(
      invitation({ kubeconfig: file, aapUrl: installation.aapUrl, logs: operators.map(({ log }) => log) })
    )
    yield* printChanges(observation, print)
    return yield* anyDeath(operators)
  })

const stage = (directory: string) =>
  Effect.gen(function* () {
    const installation = yield* install
    const observation = yield* observe(installation)
    const operators = yield* Effect.forEach([jobSite, workflowSite], (site) =>
      startOperator(site, installation, directory)
    )
    return { installation, observation, operators }
  })

const performance = ({ installation, observation, operators }: Effect.Success<ReturnType<typeof stage>>) =>
  Effect.gen(function* () {
    yield* show(observation, process.stdout.isTTY, print)
    const story = Effect.andThen(bothWatch(installation), perform(installation, observation))
    return yield* Effect.raceFirst(story, anyDeath(operators))
  }).pipe(Effect.scoped)
