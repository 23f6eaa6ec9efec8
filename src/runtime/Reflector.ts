/**
 * A local copy of all objects of one kind, kept by list and watch, and word of every key that changed.
 *
 * Assumes that the watch lies. Every watch is asked to end within `watchTimeout`; one that outlives that by `grace` is
 * dead and cut off. The next one resumes after the last event or bookmark, so nothing is missed and nothing is listed
 * again. The world is listed anew when the history has expired, after several watches in a row without a sign of life,
 * and every `relist` in any case. Failures are reported and spaced by a backoff which only progress resets. The loop
 * survives every failure and defect of what it calls; closing the scope ends it.
 *
 * A change is in the copy before it is told, and is told until `onChange` has succeeded.
 */
import { Clock, Duration, Effect, Fiber, Latch, type Option, type Scope } from "effect"
import * as Backoff from "./Backoff.ts"
import * as ListWatch from "./ListWatch.ts"
import { Replica } from "./Replica.ts"
import { reportDeath } from "./Supervision.ts"

export { type Event, type Page, type Problem, type Source, Stalled } from "./ListWatch.ts"
export type { Change } from "./Replica.ts"

type Optional = "pageSize" | "pageTimeout" | "watchTimeout" | "grace" | "relist" | "backoff"

export type Options<A, E> = Omit<ListWatch.Options<A, E>, Optional> & Partial<Pick<ListWatch.Options<A, E>, Optional>>

const defaults = {
  pageSize: 500,
  pageTimeout: Duration.minutes(1),
  watchTimeout: Duration.seconds(45),
  grace: Duration.seconds(10),
  relist: Duration.hours(1),
  backoff: Backoff.exponential("500 millis", "30 seconds")
}

export interface Reflector<A> {
  readonly get: (key: string) => Effect.Effect<Option.Option<A>>
  readonly keys: Effect.Effect<ReadonlyArray<string>>
  readonly values: Effect.Effect<ReadonlyArray<A>>
  readonly size: Effect.Effect<number>
  /** Suspends until the first whole list is in the copy. Before that the copy is empty. */
  readonly synced: Effect.Effect<void>
  readonly hasSynced: Effect.Effect<boolean>
  /** `Clock.monotonicTimeNanos` of the last page, event, bookmark or ordinary end of a watch; at first, of the start. */
  readonly lastProgress: Effect.Effect<bigint>
  /**
   * Takes in the answer of an own write, so that the next pass sees it and its watch event wakes nobody. Ignored unless
   * newer than what is held; an object that was deleted meanwhile does not come back.
   */
  readonly apply: (object: A) => Effect.Effect<void>
  /** The watch is not to be trusted any more: opens it anew, where it was, instead of waiting for it to show that it died. */
  readonly refresh: Effect.Effect<void>
  /** Never ends, except with the loop's own death: supervise it, since the copy would no longer be kept. */
  readonly join: Effect.Effect<never>
}

export const make = Effect.fnUntraced(function* <A, E>(
  options: Options<A, E>
): Effect.fn.Return<Reflector<A>, never, Scope.Scope> {
  const replica = new Replica<A>(options)
  const synced = Latch.makeUnsafe()
  const again = Latch.makeUnsafe()
  let lastProgress = yield* Clock.monotonicTimeNanos

  const sink: ListWatch.Sink<A> = {
    replica,
    progress: Effect.map(Clock.monotonicTimeNanos, (now) => {
      lastProgress = now
    }),
    synced: Effect.asVoid(synced.open),
    again
  }

  const fiber = yield* ListWatch.loop({ ...defaults, ...options }, sink).pipe(
    reportDeath("the reflector died; changes are no longer seen"),
    Effect.forkScoped
  )

  return {
    get: (key) => Effect.sync(() => replica.get(key)),
    keys: Effect.sync(() => replica.keys),
    values: Effect.sync(() => replica.values),
    size: Effect.sync(() => replica.size),
    synced: synced.await,
    hasSynced: Effect.sync(() => synced.isOpen()),
    lastProgress: Effect.sync(() => lastProgress),
    apply: (object) => Effect.sync(() => replica.written(object)),
    refresh: Effect.asVoid(again.open),
    join: Fiber.join(fiber)
  }
})
