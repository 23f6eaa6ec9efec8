/**
 * Event-Driven Ansible as a provider: calls webhooks, and hears of the end of what they set going from the object only.
 *
 * It cannot search, cancel or look up, and never polls: a call whose answer was lost counts as sent. Everything that is
 * needed to go on after a restart is in the object.
 */
import { Duration, Effect, Layer, Option, Semaphore, Stream } from "effect"
import type { HttpClient } from "effect/http"
import type { JobObservation, Operation } from "../../domain/Job.ts"
import {
  type LaunchedJob,
  type Order,
  type PreparedLaunch,
  type Provider,
  ProvisioningProvider
} from "../../ports/ProvisioningProvider.ts"
import { EdaClient, placeOf } from "./EdaClient.ts"
import { EdaSettings } from "./EdaSettings.ts"
import { nextId, recognises } from "./JobIds.ts"
import { notConfigured, PROVIDER, toProviderError } from "./ProviderErrors.ts"
import { isDone, kindOf } from "./Signals.ts"

/**
 * How many calls are under way at once, which is what the HTTP client's pool has to hold. A busy receiver lets calls hang,
 * and one that waits for a connection would run out of time without having been sent.
 */
export const CONCURRENT_CALLS = 10

/** The record of a call, whose end only the object will tell. */
const recordOf = (order: Order, operation: Operation, detail: string): LaunchedJob => ({
  id: nextId(order.recorded ?? []),
  kind: kindOf(operation, order.payload),
  state: "Unknown",
  detail,
  unusable: Option.none()
})

const done: JobObservation = { state: "Succeeded", detail: "", gone: false }

const track: Provider["track"] = (object, jobs) =>
  Effect.sync(() => ({
    seen: new Map(jobs.filter((job) => isDone(object, job)).map((job) => [job.id, done])),
    problem: Option.none()
  }))

const make = Effect.gen(function* () {
  const settings = yield* EdaSettings
  const client = yield* EdaClient
  const calls = yield* Semaphore.make(CONCURRENT_CALLS)

  const prepare = Effect.fnUntraced(function* (operation: Operation) {
    const webhook = settings.webhooks[operation]
    if (Option.isNone(webhook)) return yield* notConfigured(operation)
    yield* calls.takeScoped(1)
    return {
      template: `webhook ${placeOf(webhook.value)}`,
      send: (order) =>
        client.post(webhook.value, order.payload).pipe(
          Effect.mapError(toProviderError(operation)),
          Effect.map(() => recordOf(order, operation, "Webhook accepted; waiting for the playbook's signal"))
        )
    } satisfies PreparedLaunch
  })

  return ProvisioningProvider.of({
    name: PROVIDER,
    blockDeletionOnFailure: false,
    playbooksHoldFinalizer: true,
    settlePeriod: Duration.toMillis(settings.settlePeriod),
    minimumInterval: Duration.toMillis(settings.minimumRequestInterval),
    prepare,
    presume: (order, operation) =>
      recordOf(order, operation, "The webhook may have been accepted; waiting for the playbook's signal"),
    track,
    forget: () => Effect.void,
    recognises,
    changes: Stream.never
  })
})

/** Asks nothing of EDA before it has to, and needs no webhook to observe. */
export const layer: Layer.Layer<ProvisioningProvider, never, EdaSettings | HttpClient.HttpClient> = Layer.effect(
  ProvisioningProvider,
  make
).pipe(Layer.provide(EdaClient.layer))
