/**
 * What the operator leaves of a ComputeInstance, found out by letting it work on one in virtual time: the object of about
 * 4 KB with its job running, and the same when it is Ready.
 */
import { Data, Duration, Effect, Option, References } from "effect"
import { TestClock } from "effect/testing"
import { type JsonObject, objectAt, stringAt, without } from "../../test/support/kubernetes/Json.ts"
import type { LedgerJob } from "../../test/support/SimulatedAap.ts"
import { makeWorld } from "../../test/support/World.ts"
import type { Sample } from "../processes/Stock.ts"

class NoSample extends Data.TaggedError("NoSample")<{ readonly message: string }> {}

export interface Samples {
  readonly running: Sample
  readonly ready: Sample
}

const NAME = "sample-name"
/** With this many letters the object has about 4 KB, without `managedFields`. */
const PARAMETERS = "p".repeat(1_800)

/** Milliseconds until the sample's job ran. */
export const PENDING = 1000

/** What is ordered: every object of the benchmark has a spec of this size. */
export const specOf = (name: string, parameters = PARAMETERS): JsonObject => ({
  name,
  vcpu: 2,
  memory: 4096,
  disk: 40,
  templateParameters: JSON.stringify({ user_data: parameters })
})

const sampleOf = (object: JsonObject | undefined, job: LedgerJob | undefined): Effect.Effect<Sample, NoSample> =>
  Effect.gen(function* () {
    const word = (...path: ReadonlyArray<string>) =>
      Option.match(Option.fromUndefinedOr(stringAt(object, ...path)), {
        onNone: () => new NoSample({ message: `the sample has no ${path.join(".")}` }),
        onSome: Effect.succeed
      })
    return {
      object: JSON.stringify(object),
      extraVars: JSON.stringify(job?.extraVars),
      launchedAt: job?.created ?? 0,
      name: NAME,
      uid: yield* word("metadata", "uid"),
      jobID: yield* word("status", "provisionJob", "id"),
      resourceVersion: yield* word("metadata", "resourceVersion"),
      version: yield* word("status", "desiredConfigVersion"),
      parameters: PARAMETERS,
      spec: without(objectAt(object, "spec"))
    }
  })

const capture = Effect.gen(function* () {
  yield* TestClock.setTime(Date.now() - Duration.toMillis("1 hour"))
  const world = yield* makeWorld()
  yield* world.aap.play(() => ({ pendingFor: PENDING, runningFor: "20 minutes", ends: "successful" }))
  yield* world.start
  yield* world.user.create(NAME, specOf(NAME))
  yield* TestClock.adjust("5 minutes")
  const [job] = yield* world.aap.ledger
  const running = yield* sampleOf(yield* world.kubernetes.object("default", NAME), job)
  yield* TestClock.adjust("30 minutes")
  const ready = yield* sampleOf(yield* world.kubernetes.object("default", NAME), job)
  return { running, ready } satisfies Samples
})

export const captureSamples: Effect.Effect<Samples, NoSample> = capture.pipe(
  Effect.scoped,
  Effect.provideService(References.MinimumLogLevel, "None"),
  Effect.provide(TestClock.layer())
)
