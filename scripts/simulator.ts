/**
 * One simulator as a process: `node scripts/simulator.ts kubernetes | lean-kubernetes | aap | eda [cluster URL]`.
 *
 * Prints one line of JSON, `{ "url", "open", "control" }`, when it listens: `url` is the wire that is counted and suffers
 * ordered faults, `open` is the same without either, `control` answers what `scripts/processes/Control.ts` lists. SIGTERM
 * ends it.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, type Scope } from "effect"
import { withFaults } from "../test/support/Faults.ts"
import { GO_STATES_SIZE_BELOW, serve } from "../test/support/Wire.ts"
import { aapKinds, edaKinds, kindOf, kubernetesKinds } from "./demo/requests.ts"
import { makeAap, type Simulator } from "./processes/Aap.ts"
import { controlOf } from "./processes/Control.ts"
import { makeEda } from "./processes/Eda.ts"
import { makeKubernetes, makeLeanKubernetes } from "./processes/Kubernetes.ts"
import { makeRecorder } from "./processes/Recorder.ts"

const [wanted = "", cluster = ""] = process.argv.slice(2)

const simulators: Readonly<
  Record<
    string,
    {
      readonly make: Effect.Effect<Simulator, never, Scope.Scope>
      readonly kinds: typeof aapKinds
      readonly statesSizeBelow?: number
    }
  >
> = {
  kubernetes: { make: makeKubernetes, kinds: kubernetesKinds, statesSizeBelow: GO_STATES_SIZE_BELOW },
  "lean-kubernetes": { make: makeLeanKubernetes, kinds: kubernetesKinds, statesSizeBelow: GO_STATES_SIZE_BELOW },
  aap: { make: makeAap, kinds: aapKinds },
  eda: { make: makeEda(cluster), kinds: edaKinds }
}

const run = Effect.gen(function* () {
  const found = simulators[wanted]
  if (found === undefined) {
    process.stderr.write(`usage: node scripts/simulator.ts ${Object.keys(simulators).join(" | ")} [cluster URL]\n`)
    return yield* Effect.fail("unknown simulator")
  }
  const simulator = yield* found.make
  const faulty = yield* withFaults(simulator.handler)
  const recorder = makeRecorder((exchange) => kindOf(exchange, found.kinds), faulty.handler)
  const { url } = yield* serve(recorder.handler, found.statesSizeBelow)
  const open = yield* serve(simulator.handler)
  const control = yield* serve(controlOf(faulty, recorder, simulator.routes))
  process.stdout.write(`${JSON.stringify({ url, open: open.url, control: control.url })}\n`)
  // what the wire remembers of every request is remembered by the recorder already
  return yield* Effect.forever(Effect.andThen(Effect.sleep("1 second"), faulty.forget))
}).pipe(Effect.scoped)

NodeRuntime.runMain(run, { teardown: (_, done) => done(0), disableErrorReporting: true })
