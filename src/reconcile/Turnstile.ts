/**
 * Who may launch now: a share of the passes at most, so that a thousand launches that wait for the provider leave room for
 * everything else. Whoever is not let in stands in line by name, which costs neither a fiber nor a slot: its pass ends, and
 * it is called when its turn has come.
 *
 * - A key holds at most one place: from when it is let in, or called, until its launch is sent or its pass is over, however
 *   the pass ends. A pass that was not let in is the only one that leaves its key in line.
 * - Whoever has to do something long before its launch steps aside for it, and has its place back after it, free or not: to
 *   wait again would make it do that again. Half as many as there are places may stand aside, so that a share of the passes
 *   stays a share.
 * - No place is free while somebody waits. First come, first served; provisions and deprovisions take turns, so that
 *   neither many new objects nor many deletions keep the others waiting, and nobody waits for ever.
 * - Nothing of it is stored: whoever leads next looks at every object anyway.
 */
import { Context, Effect, Layer } from "effect"
import type { Operation } from "../domain/Job.ts"

export interface Options {
  /** How many may be inside at once; at least 1. */
  readonly places: number
  /** It is the key's turn, and a place is kept for it: its next pass should begin soon. */
  readonly call: (key: string) => Effect.Effect<void>
}

export class Turnstile extends Context.Service<
  Turnstile,
  {
    /** Whether the key is let in; if it is not, it stands in line from now on. Asking again changes nothing. */
    readonly enter: (key: string, operation: Operation) => Effect.Effect<boolean>
    /** Whether the key stands in line, from a pass before this one. */
    readonly waits: (key: string) => Effect.Effect<boolean>
    /** The key's launch is sent: others may go in. */
    readonly leave: (key: string) => Effect.Effect<void>
    /** While this is done somebody else may have the key's place; in the end the key has one again. */
    readonly aside: <A, E, R>(key: string, work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
    /** How many stand in line. */
    readonly waiting: (operation: Operation) => number
    /** Around one pass of a key, which must not overlap another one of it. */
    readonly around: <A, E, R>(key: string, pass: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  }
>()("cloudkit-operator/reconcile/Turnstile") {
  static readonly layer = ({ call, places }: Options) =>
    Layer.sync(Turnstile, () => {
      const inside = new Set<string>()
      const standingAside = new Set<string>()
      const mostAside = Math.max(1, Math.floor(places / 2))
      /** Sets keep the order in which keys came. */
      const lines = { provision: new Set<string>(), deprovision: new Set<string>() }
      /** Whose pass was told to wait, and is not over yet. */
      const told = new Set<string>()
      let served: Operation = "provision"

      const next = (): string | undefined => {
        const turn = served === "provision" ? "deprovision" : "provision"
        const operation = lines[turn].size > 0 ? turn : served
        const [key] = lines[operation]
        if (key !== undefined) served = operation
        return key
      }

      const fill: Effect.Effect<void> = Effect.suspend(() => {
        const key = inside.size < places ? next() : undefined
        if (key === undefined) return Effect.void
        lines[served].delete(key)
        inside.add(key)
        return Effect.andThen(call(key), fill)
      })

      const leave = (key: string) => Effect.suspend(() => (inside.delete(key) ? fill : Effect.void))

      const back = (key: string) =>
        Effect.sync(() => {
          standingAside.delete(key)
          inside.add(key)
        })

      const aside = <A, E, R>(key: string, work: Effect.Effect<A, E, R>) =>
        Effect.suspend(() => {
          if (!inside.has(key) || standingAside.size >= mostAside) return work
          const step = Effect.sync(() => void standingAside.add(key))
          return Effect.acquireUseRelease(
            Effect.andThen(step, leave(key)),
            () => work,
            () => back(key)
          )
        })

      const end = (key: string) =>
        Effect.suspend(() => {
          if (told.delete(key)) return Effect.void
          lines.provision.delete(key)
          lines.deprovision.delete(key)
          return leave(key)
        })

      return Turnstile.of({
        enter: (key, operation) =>
          Effect.sync(() => {
            if (inside.has(key)) return true
            lines[operation === "provision" ? "deprovision" : "provision"].delete(key)
            if (inside.size < places) {
              inside.add(key)
              return true
            }
            lines[operation].add(key)
            told.add(key)
            return false
          }),
        waits: (key) => Effect.sync(() => lines.provision.has(key) || lines.deprovision.has(key)),
        leave,
        aside,
        waiting: (operation) => lines[operation].size,
        around: (key, pass) => Effect.ensuring(pass, end(key))
      })
    })
}
