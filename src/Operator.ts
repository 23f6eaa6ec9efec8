/**
 * The operator: a reflector that says which objects changed, providers that say which jobs changed, and a controller that
 * runs a pass over each. Ends only by interruption, which lets running passes record what must not be lost.
 *
 * In two parts: every replica watches, so that whoever takes over knows the world already; only the one that leads works.
 */
import { Cause, Clock, Context, Duration, Effect, Layer, Option, Stream } from "effect"
import { keyOf } from "./domain/Resource.ts"
import { Clearance } from "./ports/Clearance.ts"
import { KubernetesClient, type KubernetesError, type KubernetesObject } from "./ports/KubernetesClient.ts"
import { Providers } from "./ports/ProvisioningProvider.ts"
import { Answers } from "./reconcile/Answers.ts"
import * as Census from "./reconcile/Census.ts"
import { reconcile } from "./reconcile/ComputeInstance.ts"
import { IntentClock } from "./reconcile/IntentClock.ts"
import { failureBackoff, logFailure, retryAfter } from "./reconcile/policy.ts"
import { StandingProblem } from "./reconcile/StandingProblem.ts"
import { Store } from "./reconcile/Store.ts"
import { Turnstile } from "./reconcile/Turnstile.ts"
import * as Controller from "./runtime/Controller.ts"
import type { Leader } from "./runtime/Leader.ts"
import * as Reflector from "./runtime/Reflector.ts"
import { kubernetesMetrics } from "./telemetry/Metrics.ts"
import { countPass, showLine, showLoad, standsBy, works } from "./telemetry/Passes.ts"

export interface Options {
  /** How many passes may run at the same time. A pass that waits for an answer of the provider counts. */
  readonly concurrency: number
  /** Every object is looked at again within this time, whatever events were missed. */
  readonly resync: Duration.Duration
}

type Problem = Reflector.Problem<KubernetesError>

const makeReflector = Effect.fnUntraced(function* (
  onChange: (key: string) => Effect.Effect<void>,
  onProblem: (problem: Problem) => Effect.Effect<void>
) {
  const client = yield* KubernetesClient
  return yield* Reflector.make({
    source: { list: client.list, watch: client.watch },
    key: (object) => keyOf(object.metadata),
    resourceVersion: (object) => object.metadata.resourceVersion,
    pack: client.pack,
    isExpired: (error: KubernetesError) => error.reason._tag === "Expired",
    retryAfter: (error) => Option.map(error.retryAfter, Duration.millis),
    onChange,
    onProblem: (problem) =>
      Effect.andThen(
        Effect.andThen(kubernetesMetrics.watchFailures.add({ activity: problem.activity }), onProblem(problem)),
        Effect.logWarning("watching ComputeInstances failed; trying again", problem)
      )
  })
})

/** Deletions and new objects come first; everything else is progress that can wait its turn. */
const urgency = (object: Option.Option<KubernetesObject>): Controller.Priority =>
  Option.exists(object, ({ metadata, status }) => metadata.deletionTimestamp !== undefined || status === undefined)
    ? "high"
    : "normal"

const wordsOf = ({ activity, cause }: Problem): string =>
  `${activity}: ${Option.match(Cause.findErrorOption(cause), { onNone: () => Cause.pretty(cause), onSome: (error) => error.message })}`

/** What went wrong last, and when that was over and done with, in nanoseconds of the monotonic clock. */
const makeTrouble = (clock: Clock.Clock) => {
  let last: { readonly words: string; readonly at: bigint; readonly until: bigint } | undefined
  return {
    note: (problem: Problem) =>
      Effect.sync(() => {
        const at = clock.monotonicTimeNanosUnsafe()
        last = { words: wordsOf(problem), at, until: at + Duration.toNanosUnsafe(problem.delay) }
      }),
    last: () => last
  }
}

/** Keeps the copy of the world, in the scope. Whoever attends hears of every change; without anybody they are only kept. */
export const watch = Effect.gen(function* () {
  const clock = yield* Clock.Clock
  const census = yield* Census.make
  yield* standsBy
  const trouble = makeTrouble(clock)
  let attending: Attend | undefined
  const reflector: Reflector.Reflector<KubernetesObject> = yield* makeReflector(
    (key) =>
      Effect.flatMap(reflector.get(key), (object) =>
        Effect.andThen(census.look(key, object), attending?.(key, object) ?? Effect.void)
      ),
    trouble.note
  )
  return {
    reflector,
    census,
    /** Tells of every object that is there, and of every change from then on, until the scope closes. */
    attend: Effect.fnUntraced(function* (attend: Attend) {
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          attending = attend
        }),
        () =>
          Effect.sync(() => {
            attending = undefined
          })
      )
      for (const key of yield* reflector.keys) yield* attend(key, yield* reflector.get(key))
    }),
    /** Why the copy is not complete, or not the latest, as far as that is known. */
    problem: Effect.map(reflector.lastProgress, (progress) => {
      const last = trouble.last()
      return last === undefined || last.at < progress ? Option.none() : Option.some(last.words)
    }),
    /** The last time that the loop showed to be alive, or will have waited after a failure, by the monotonic clock. */
    lastSign: Effect.map(reflector.lastProgress, (progress) => {
      const { until = progress } = trouble.last() ?? {}
      return until > progress ? until : progress
    })
  }
})

type Attend = (key: string, object: Option.Option<KubernetesObject>) => Effect.Effect<void>

export type Watching = Effect.Success<typeof watch>

/** Works on what is watched, in the scope, and answers how to wait for it. Nothing of it outlives the scope. */
export const work = Effect.fnUntraced(function* ({ attend, census, reflector }: Watching, options: Options) {
  const providers = yield* Providers
  const count = (key: string) => Effect.flatMap(reflector.get(key), (object) => census.look(key, object))
  const store = Store.of({
    get: reflector.get,
    apply: Effect.fnUntraced(function* (object) {
      const key = keyOf(object.metadata)
      yield* reflector.apply(object)
      yield* count(key)
      // the watch may have told of an own write before it was answered
      yield* controller.withdraw(key, object.metadata.resourceVersion)
    })
  })
  const turnstile = Turnstile.layer({
    places: Math.max(1, Math.floor(options.concurrency / 2)),
    call: (key) => controller.wake(key, { priority: "high" })
  })
  const passes = yield* Layer.build(
    Layer.mergeAll(Layer.succeed(Store, store), IntentClock.layer, StandingProblem.layer, Answers.layer, turnstile)
  )
  const controller: Controller.Controller = yield* Controller.make({
    name: "computeinstance",
    reconcile: (key) => Effect.provide(reconcile(key), passes),
    backoff: failureBackoff,
    retryAfter,
    onFailure: logFailure,
    onPass: countPass,
    concurrency: options.concurrency,
    resync: options.resync
  })
  yield* showLoad(controller.load, options.concurrency)
  yield* showLine(Context.get(passes, Turnstile).waiting)
  yield* works
  const seen = (object: Option.Option<KubernetesObject>) =>
    Option.match(object, { onNone: () => ({}), onSome: ({ metadata }) => ({ cause: metadata.resourceVersion }) })
  yield* attend((key, object) => controller.wake(key, { priority: urgency(object), ...seen(object) }))
  const changes = Effect.forEach(
    providers.all,
    (provider) => Stream.runForEach(provider.changes, (name) => controller.wake(keyOf(name), { priority: "normal" })),
    { concurrency: "unbounded", discard: true }
  )
  const join = Effect.all([reflector.join, controller.join, Effect.andThen(changes, Effect.never)], {
    concurrency: "unbounded",
    discard: true
  })
  return { reflector, controller, join }
})

/**
 * Runs the work until interrupted: always, or each time this replica leads, anew. What it sends then needs the clearance of
 * the lease.
 */
export const run = <E, R>(
  { reflector }: Watching,
  leader: Option.Option<Leader>,
  working: Effect.Effect<unknown, E, R>
) =>
  Effect.raceFirst(
    reflector.join,
    Option.match(leader, {
      onNone: () => working,
      // whoever was cut off when the last leader was may have a watch that died without a word
      onSome: ({ lead }) =>
        lead((isClear) => Effect.andThen(reflector.refresh, Effect.provideService(working, Clearance, isClear)))
    })
  )
