/** A turnstile, and passes through it that last until they are told how to end. */
import { Context, Deferred, Effect, Exit, Fiber, Layer } from "effect"
import type { Operation } from "../../src/domain/Job.ts"
import { Turnstile } from "../../src/reconcile/Turnstile.ts"

export const make = (places: number) =>
  Effect.gen(function* () {
    const called: Array<string> = []
    const layer = Turnstile.layer({ places, call: (key) => Effect.sync(() => void called.push(key)) })
    const turnstile = Context.get(yield* Layer.build(layer), Turnstile)
    return {
      turnstile,
      called,
      /** A whole pass that wants to launch. Answers whether it was let in. */
      launch: (key: string, operation: Operation = "provision") =>
        turnstile.around(key, turnstile.enter(key, operation))
    }
  })

/** A pass that lasts until it is told how to end. */
export const passing = Effect.fnUntraced(function* (turnstile: Turnstile["Service"], key: string) {
  const end = yield* Deferred.make<void, string>()
  const fiber = yield* Effect.forkChild(turnstile.around(key, Deferred.await(end)), { startImmediately: true })
  return {
    ends: (how: Ending) =>
      how === "interrupted"
        ? Fiber.interrupt(fiber)
        : Effect.andThen(Deferred.done(end, exits[how]), Effect.asVoid(Fiber.await(fiber)))
  }
})

/** Does something aside that lasts until it is told to come back. */
export const steppingAside = Effect.fnUntraced(function* (turnstile: Turnstile["Service"], key: string) {
  const back = yield* Deferred.make<void>()
  const fiber = yield* Effect.forkChild(turnstile.aside(key, Deferred.await(back)), { startImmediately: true })
  return { comesBack: Effect.andThen(Deferred.done(back, Exit.void), Effect.asVoid(Fiber.await(fiber))) }
})

export const exits = { done: Exit.void, failed: Exit.fail("no"), died: Exit.die("a bug") } as const
export type Ending = keyof typeof exits | "interrupted"
export const endings = ["done", "failed", "died", "interrupted"] as const
