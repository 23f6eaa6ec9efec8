/** Puts objects into the lean API server and their live jobs into AAP, as an operator that ran before would have left them. */
import { Effect } from "effect"
import { PROVISION } from "../processes/Aap.ts"
import type { ProcessFailed } from "../processes/Child.ts"
import { makeStock } from "../processes/Stock.ts"
import type { Rig } from "./Rig.ts"
import { PENDING, type Samples } from "./sample.ts"

/** Jobs a request to AAP's control endpoint brings. */
const BATCH = 200

/** Milliseconds that no row lasts: jobs that do not end. */
const FOR_EVER = 1e10

/** The first `live` of `count` objects have a job that runs; the others are Ready. */
export const fill = (
  { aap, kubernetes }: Rig,
  samples: Samples,
  count: number,
  live: number
): Effect.Effect<void, ProcessFailed> =>
  Effect.gen(function* () {
    const stocking = (sample: Samples["ready"], from: number, size: number) =>
      kubernetes.post("/stock", { sample, from, count: size, namespace: "default" })
    if (count > 0) {
      yield* stocking(samples.running, 0, live)
      yield* stocking(samples.ready, live, count - live)
    }
    const play = { pendingFor: PENDING, runningFor: FOR_EVER, ends: "successful" }
    const stock = makeStock(samples.running)
    for (let from = 0; from < live; from += BATCH) {
      const numbers = Array.from({ length: Math.min(BATCH, live - from) }, (_, index) => from + index)
      const extraVars = numbers.map((number) => stock.extraVars(number))
      yield* aap.post("/seed", { template: PROVISION.id, extraVars, play, at: samples.running.launchedAt })
    }
    // whoever is launched later runs on as well
    yield* aap.post("/play", play)
  })
