/**
 * The `Events` port over events.k8s.io/v1. Publishing only puts a happening into a bounded queue; one fiber writes them.
 *
 * What cannot be written is said in the debug log and lost. What does not fit into the queue pushes out the oldest, which
 * is said in the log at most once a minute. When the scope closes, what is queued has two seconds to leave.
 */
import { hostname } from "node:os"
import { Cause, Clock, Duration, Effect, Fiber, Layer, Option, Queue, type Schema, type Scope } from "effect"
import { explain } from "../../domain/EventReasons.ts"
import { Events as EventsPort, type Happening } from "../../ports/Events.ts"
import { ApiServer } from "./ApiServer.ts"
import { type EventCorrelator, makeEventCorrelator, type Utterance } from "./EventCorrelator.ts"
import { cutToBytes } from "./Failures.ts"
import { microTime } from "./MicroTime.ts"

export interface EventsOptions {
  /** What the events are about. */
  readonly apiVersion: string
  readonly kind: string
  /** Which of several operators speaks; default the host name, which in a pod is the pod's. */
  readonly reportingInstance?: string
}

export const REPORTING_CONTROLLER = "cloudkit.openshift.io/operator"
const QUEUE_SIZE = 1000
const FLUSH_TIMEOUT = Duration.seconds(2)
const DROP_LOG_INTERVAL = Duration.toMillis("1 minute")
const MAX_NOTE_BYTES = 1024
const MAX_WORD_BYTES = 128
const MAX_ANSWER_BYTES = 1024 * 1024

const collection = (happening: Happening): string =>
  `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(happening.regarding.namespace)}/events`

const eventBody = (options: EventsOptions, { eventName, happening, at }: Utterance): Schema.Json => ({
  apiVersion: "events.k8s.io/v1",
  kind: "Event",
  metadata: { name: eventName, namespace: happening.regarding.namespace },
  eventTime: microTime(at),
  reportingController: REPORTING_CONTROLLER,
  reportingInstance: cutToBytes(options.reportingInstance ?? hostname(), MAX_WORD_BYTES),
  action: explain(happening.reason).action,
  reason: happening.reason,
  type: explain(happening.reason).type,
  note: cutToBytes(happening.note, MAX_NOTE_BYTES),
  regarding: {
    apiVersion: options.apiVersion,
    kind: options.kind,
    namespace: happening.regarding.namespace,
    name: happening.regarding.name,
    uid: happening.regarding.uid,
    resourceVersion: happening.regarding.resourceVersion
  }
})

const write = (api: ApiServer["Service"], options: EventsOptions, utterance: Utterance) => {
  const { regarding } = utterance.happening
  const common = { operation: `event for ${regarding.namespace}/${regarding.name}`, maxBytes: MAX_ANSWER_BYTES }
  const path = collection(utterance.happening)
  if (utterance._tag === "Create") {
    const body = { contentType: "application/json", json: eventBody(options, utterance) }
    return api.call({ ...common, method: "POST", path, body })
  }
  const series = { count: utterance.count, lastObservedTime: microTime(utterance.at) }
  const body = { contentType: "application/merge-patch+json", json: { series } }
  return api.call({ ...common, method: "PATCH", path: `${path}/${encodeURIComponent(utterance.eventName)}`, body })
}

/** Writes one happening, if it is to be written at all. Never fails, whatever the answer. */
const tell = (api: ApiServer["Service"], options: EventsOptions, correlator: EventCorrelator) =>
  Effect.fnUntraced(
    function* (happening: Happening) {
      const utterance = correlator.consider(happening, yield* Clock.currentTimeMillis)
      if (Option.isNone(utterance)) {
        return yield* Effect.logDebug("too many events for this object", { reason: happening.reason })
      }
      yield* write(api, options, utterance.value)
    },
    (effect, happening) =>
      Effect.catchCause(effect, (cause) =>
        Cause.hasInterruptsOnly(cause)
          ? Effect.interrupt
          : Effect.andThen(
              Effect.sync(() => correlator.forget(happening)),
              Effect.logDebug("an event could not be written", { reason: happening.reason }, cause)
            )
      )
  )

/** Counts what the queue pushed out, and says so now and then. */
const makeDropReport = () => {
  let dropped = 0
  let saidAt = Number.NEGATIVE_INFINITY
  return Effect.fnUntraced(function* () {
    dropped += 1
    const now = yield* Clock.currentTimeMillis
    if (now - saidAt < DROP_LOG_INTERVAL) return
    const count = dropped
    dropped = 0
    saidAt = now
    yield* Effect.logWarning("events were dropped: the API server takes them too slowly", { dropped: count })
  })
}

export const make = (options: EventsOptions): Effect.Effect<EventsPort["Service"], never, ApiServer | Scope.Scope> =>
  Effect.gen(function* () {
    const api = yield* ApiServer
    const queue = yield* Queue.make<Happening, Cause.Done>({ capacity: QUEUE_SIZE, strategy: "sliding" })
    const reportDrop = makeDropReport()
    const one = tell(api, options, makeEventCorrelator())
    const writer = yield* Queue.take(queue).pipe(Effect.flatMap(one), Effect.forever, Effect.exit, Effect.forkScoped)
    yield* Effect.addFinalizer(() =>
      Effect.andThen(Queue.end(queue), Effect.timeoutOption(Effect.interruptible(Fiber.await(writer)), FLUSH_TIMEOUT))
    )
    return EventsPort.of({
      publish: (happening) =>
        Effect.suspend(() => {
          const full = Queue.isFullUnsafe(queue)
          Queue.offerUnsafe(queue, happening)
          return full ? reportDrop() : Effect.void
        })
    })
  })

export const layer = (options: EventsOptions): Layer.Layer<EventsPort, never, ApiServer> =>
  Layer.effect(EventsPort, make(options))
