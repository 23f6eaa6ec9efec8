/**
 * The simulated AAP as a process of its own: how long it takes to answer, how many requests it serves at once, and jobs
 * that were there before.
 */
import { Duration, Effect, Schema, type Scope, Semaphore } from "effect"
import { TestClock } from "effect/testing"
import type { LedgerJob } from "../../test/support/SimulatedAap.ts"
import * as SimulatedAap from "../../test/support/SimulatedAap.ts"
import type { WireHandler } from "../../test/support/Wire.ts"
import type { Routes } from "./Control.ts"

const Playbook = Schema.Struct({
  pendingFor: Schema.Finite,
  runningFor: Schema.Finite,
  ends: Schema.Literals(["successful", "failed", "error", "never", "canceled"])
})
const Capacity = Schema.Struct({ takes: Schema.Finite, workers: Schema.optionalKey(Schema.Int) })
/** One launch each, with these variables, made at a time (milliseconds since 1970) before any other request. */
const Seed = Schema.Struct({
  template: Schema.Int,
  extraVars: Schema.Array(Schema.Unknown),
  at: Schema.Finite,
  play: Playbook
})

const decodePlaybook = Schema.decodeUnknownEffect(Playbook)
const decodeCapacity = Schema.decodeUnknownEffect(Capacity)
const decodeSeed = Schema.decodeUnknownEffect(Seed)

export const PROVISION = { id: 7, name: "osac-create-compute-instance" }
export const DEPROVISION = { id: 8, name: "osac-delete-compute-instance" }
const templates = [PROVISION, DEPROVISION]

/** What a reader of the ledger wants to know of many jobs. */
const brief = (job: LedgerJob) => ({
  id: job.id,
  template: job.template,
  launchKey: job.launchKey ?? "",
  uid: job.object?.uid ?? "",
  name: job.object?.name ?? "",
  status: job.status,
  created: job.created,
  finished: job.finished ?? 0,
  cancelled: job.cancelRequests.length
})

/** Answers after `takes` milliseconds, to at most `workers` requests at a time. */
const makeCapacity = () => {
  let takes = 0
  let workers: Semaphore.Semaphore | undefined
  const slow =
    (inner: WireHandler): WireHandler =>
    (request) =>
      Effect.suspend(() => {
        if (takes === 0) return inner(request)
        const served = Effect.map(
          Effect.delay(
            Effect.suspend(() => inner(request)),
            takes
          ),
          (response) => ({
            ...response,
            headers: { ...response.headers, "x-api-time": `${(takes / 1000).toFixed(3)}s` }
          })
        )
        return workers === undefined ? served : workers.withPermits(1)(served)
      })
  const set = (capacity: typeof Capacity.Type) =>
    Effect.sync(() => {
      takes = capacity.takes
      workers = capacity.workers === undefined ? undefined : Semaphore.makeUnsafe(capacity.workers)
    })
  return { slow, set }
}

export interface Simulator {
  readonly handler: WireHandler
  readonly routes: Routes
}

export const makeAap: Effect.Effect<Simulator, never, Scope.Scope> = Effect.gen(function* () {
  // begun long ago, so that jobs can have been launched before this process was
  const aap = yield* Effect.provide(SimulatedAap.make({ templates }), TestClock.layer())
  const capacity = makeCapacity()

  const launch = (template: number, extraVars: unknown) =>
    Effect.orDie(
      aap.handler({
        method: "POST",
        url: new URL(`http://aap/api/controller/v2/job_templates/${template}/launch/`),
        headers: { authorization: "Bearer operator-token", "content-type": "application/json" },
        body: JSON.stringify({ extra_vars: extraVars })
      })
    )

  const play = ({ ends, pendingFor, runningFor }: typeof Playbook.Type) =>
    aap.play(() => ({ pendingFor: Duration.millis(pendingFor), runningFor: Duration.millis(runningFor), ends }))

  const seed = (given: typeof Seed.Type) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(given.at)
      yield* play(given.play)
      yield* Effect.forEach(given.extraVars, (one) => launch(given.template, one), { discard: true })
    }).pipe(Effect.provide(TestClock.layer()))

  const routes: Routes = {
    "GET /ledger": () => Effect.map(aap.ledger, (jobs) => jobs.map(brief)),
    "POST /play": (body) => Effect.orDie(Effect.flatMap(decodePlaybook(body), play)),
    "POST /capacity": (body) => Effect.orDie(Effect.flatMap(decodeCapacity(body), capacity.set)),
    "POST /seed": (body) => Effect.orDie(Effect.flatMap(decodeSeed(body), seed))
  }
  return { handler: capacity.slow(aap.handler), routes }
})
