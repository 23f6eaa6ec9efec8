/** A lock in memory, the wires that lead to it, and replicas that elect their leader on it, in virtual time. */
import { Clock, Data, Duration, Effect, Exit, Fiber, Option, Scope } from "effect"
import { TestClock } from "effect/testing"
import * as Leader from "../../src/runtime/Leader.ts"
import type { Claim, Held, Lock } from "../../src/runtime/Lock.ts"

export class LockError extends Data.TaggedError("LockError")<{
  readonly message: string
  readonly conflict: boolean
}> {}

const conflict = new LockError({ message: "conflict", conflict: true })
const forbidden = new LockError({ message: "forbidden: cannot get leases", conflict: false })

/** What a replica's requests suffer. */
export interface Wire {
  /** Nothing gets through, and nothing comes back. */
  cut: boolean
  /** Everything is refused. */
  refused: boolean
  /** Before a request takes effect, and before its answer is there. */
  before: Duration.Input
  after: Duration.Input
}

export const soundWire = (): Wire => ({ cut: false, refused: false, before: 0, after: 0 })

export interface MemoryLock {
  readonly current: () => Held | undefined
  /** Requests that took effect. */
  readonly requests: () => number
  readonly through: (wire: Wire) => Lock<LockError>
  /** As a person would: whatever was there. */
  readonly edit: (change: (claim: Claim) => Claim | undefined) => void
}

export const makeLock = (): MemoryLock => {
  let held: Held | undefined
  let version = 0
  let requests = 0
  const store = (claim: Claim | undefined): void => {
    version += 1
    held = claim === undefined ? undefined : { claim, version: String(version) }
  }

  const over =
    (wire: Wire) =>
    <A>(request: () => Effect.Effect<A, LockError>): Effect.Effect<A, LockError> =>
      Effect.gen(function* () {
        if (wire.cut) return yield* Effect.never
        if (wire.refused) return yield* forbidden
        // what has left takes effect even if nobody waits for it any more
        const sent = yield* Effect.suspend(request).pipe(
          Effect.delay(wire.before),
          Effect.tap(() =>
            Effect.sync(() => {
              requests += 1
            })
          ),
          Effect.forkDetach({ startImmediately: true })
        )
        const answer = yield* Fiber.join(sent)
        yield* Effect.sleep(wire.after)
        return wire.cut ? yield* Effect.never : answer
      })

  const write = (claim: Claim) =>
    Effect.suspend(() => {
      store(claim)
      return held === undefined ? Effect.fail(conflict) : Effect.succeed(held)
    })

  return {
    current: () => held,
    requests: () => requests,
    through: (wire) => ({
      read: over(wire)(() => Effect.sync(() => Option.fromUndefinedOr(held))),
      create: (claim) => over(wire)(() => (held === undefined ? write(claim) : Effect.fail(conflict))),
      update: (claim, seen) => over(wire)(() => (held?.version === seen ? write(claim) : Effect.fail(conflict))),
      isConflict: (error) => error.conflict
    }),
    edit: (change) => {
      if (held !== undefined) store(change(held.claim))
    }
  }
}

export interface Replica {
  readonly wire: Wire
  readonly leader: Leader.Leader
  /** Whether its work may send anything at this moment. */
  readonly isClear: () => boolean
  /** Whether its work goes on, with or without clearance. */
  readonly works: () => boolean
  /** How often its work began. */
  readonly terms: () => number
  readonly stop: Effect.Effect<void>
  /** From now on nothing of it happens. */
  readonly kill: Effect.Effect<void>
}

/** A replica whose work takes `drain` to end once it is interrupted. */
export const startReplica = Effect.fnUntraced(function* (
  lock: MemoryLock,
  identity: string,
  options: { readonly duration?: Duration.Input; readonly skew?: number; readonly drain?: Duration.Input } = {}
) {
  const { drain = 0, duration = "15 seconds", skew = 0 } = options
  const wire = soundWire()
  const clock = yield* Clock.Clock
  const here: Clock.Clock = { ...clock, currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now + skew) }
  let clear = (): boolean => false
  let working = false
  let terms = 0
  let dead = false
  let over = false

  const work = (isClear: () => boolean) =>
    Effect.suspend(() => {
      clear = isClear
      working = true
      terms += 1
      return Effect.never
    }).pipe(
      Effect.onExit(() =>
        Effect.andThen(
          Effect.suspend(() => (over ? Effect.void : Effect.sleep(drain))),
          Effect.sync(() => {
            working = false
          })
        )
      )
    )

  const leader = yield* Leader.make({
    lock: lock.through(wire),
    identity,
    duration: Duration.fromInputUnsafe(duration)
  }).pipe(Effect.provideService(Clock.Clock, here))
  const scope = yield* Scope.make()
  const fiber = yield* leader
    .lead(work)
    .pipe(Effect.provideService(Clock.Clock, here), Effect.forkIn(scope, { startImmediately: true }))
  const stop = Effect.andThen(Fiber.interrupt(fiber), Scope.close(scope, Exit.void))
  // time stands still once the test has ended: whatever still waits gets a minute
  yield* Effect.addFinalizer(() =>
    Effect.gen(function* () {
      over = true
      Object.assign(wire, soundWire())
      const stopping = yield* Effect.forkDetach(stop, { startImmediately: true })
      yield* TestClock.adjust("1 minute")
      yield* Fiber.interrupt(stopping)
    })
  )
  const replica: Replica = {
    wire,
    leader,
    isClear: () => !dead && working && clear(),
    works: () => !dead && working,
    terms: () => terms,
    stop,
    kill: Effect.suspend(() => {
      dead = true
      wire.cut = true
      return Effect.asVoid(Effect.forkDetach(stop, { startImmediately: true }))
    })
  }
  return replica
})
