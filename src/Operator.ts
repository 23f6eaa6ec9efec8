/**
 * The operator: a reflector that says which objects changed, providers that say which jobs changed, and a controller that
 * runs a pass over each. Ends only by interruption, which lets running passes record what must not be lost.
 */
import { Deferred, Duration, Effect, Layer, Option, Stream } from "effect"
import { keyOf } from "./domain/Resource.ts"
import { KubernetesClient, type KubernetesError, type KubernetesObject } from "./ports/KubernetesClient.ts"
import { Providers } from "./ports/ProvisioningProvider.ts"
import { Answers } from "./reconcile/Answers.ts"
import { reconcile } from "./reconcile/ComputeInstance.ts"
import { IntentClock } from "./reconcile/IntentClock.ts"
import { failureBackoff, logFailure, retryAfter } from "./reconcile/policy.ts"
import { StandingProblem } from "./reconcile/StandingProblem.ts"
import { Store } from "./reconcile/Store.ts"
import * as Controller from "./runtime/Controller.ts"
import * as Reflector from "./runtime/Reflector.ts"

export interface Options {
  /** How many passes may run at the same time. A pass that waits for an answer of the provider counts. */
  readonly concurrency: number
  /** Every object is looked at again within this time, whatever events were missed. */
  readonly resync: Duration.Duration
}

const makeReflector = Effect.fnUntraced(function* (onChange: (key: string) => Effect.Effect<void>) {
  const client = yield* KubernetesClient
  return yield* Reflector.make({
    source: { list: client.list, watch: client.watch },
    key: (object) => keyOf(object.metadata),
    resourceVersion: (object) => object.metadata.resourceVersion,
    isExpired: (error: KubernetesError) => error.reason._tag === "Expired",
    retryAfter: (error) => Option.map(error.retryAfter, Duration.millis),
    onChange,
    onProblem: (problem) => Effect.logWarning("watching ComputeInstances failed; trying again", problem)
  })
})

/** Deletions and new objects come first; everything else is progress that can wait its turn. */
const urgency = (object: Option.Option<KubernetesObject>): Controller.Priority =>
  Option.exists(object, ({ metadata, status }) => metadata.deletionTimestamp !== undefined || status === undefined)
    ? "high"
    : "normal"

/** Starts everything in the scope, and answers how to wait for it. */
export const start = Effect.fnUntraced(function* (options: Options) {
  const providers = yield* Providers
  const started = yield* Deferred.make<Controller.Controller>()
  const wake = (key: string, priority: Controller.Priority) =>
    Effect.flatMap(Deferred.await(started), (controller) => controller.wake(key, { priority }))
  const reflector: Reflector.Reflector<KubernetesObject> = yield* makeReflector((key) =>
    Effect.flatMap(reflector.get(key), (object) => wake(key, urgency(object)))
  )
  const store = Store.of({ get: reflector.get, apply: reflector.apply })
  const passes = yield* Layer.build(
    Layer.mergeAll(Layer.succeed(Store, store), IntentClock.layer, StandingProblem.layer, Answers.layer)
  )
  const controller = yield* Controller.make({
    name: "computeinstance",
    reconcile: (key) => Effect.provide(reconcile(key), passes),
    backoff: failureBackoff,
    retryAfter,
    onFailure: logFailure,
    concurrency: options.concurrency,
    resync: options.resync
  })
  yield* Deferred.succeed(started, controller)
  const changes = Effect.forEach(
    providers.all,
    (provider) => Stream.runForEach(provider.changes, (name) => wake(keyOf(name), "normal")),
    { concurrency: "unbounded", discard: true }
  )
  const join = Effect.all([reflector.join, controller.join, Effect.andThen(changes, Effect.never)], {
    concurrency: "unbounded",
    discard: true
  })
  return { reflector, controller, join }
})

/** An operator at work. */
export type Running = Effect.Success<ReturnType<typeof start>>

/** Runs until interrupted. */
export const run = (options: Options) => Effect.scoped(Effect.flatMap(start(options), (operator) => operator.join))
