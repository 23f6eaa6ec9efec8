/**
 * How many requests to AAP are under way at once. Launches have places of their own, so that reads never delay a launch
 * whose intent is written, and a slow AAP is not sent hundreds of launches before the first one fails. Both begin with few
 * and adapt to what AAP bears.
 */
import { Context, Effect, Layer, type Scope } from "effect"
import type { AapError } from "./AapError.ts"
import { AapSettings } from "./AapSettings.ts"
import * as AdaptiveLimit from "./AdaptiveLimit.ts"
import type { Answer } from "./ErrorTranslation.ts"

/** How many launches, and how many other requests, AAP is trusted to bear before anything is known of it. */
const FIRST_LAUNCHES = 4
const FIRST_CALLS = 6

/** AAP has more to do than it can. */
export const isStruggle = (error: AapError): boolean =>
  error._tag === "ServerFailure" ||
  error._tag === "Timeout" ||
  error._tag === "TooManyRequests" ||
  error._tag === "Overloaded"

/** What is asked of AAP, as in the metrics. */
export type Operation =
  | "find_templates"
  | "launch_options"
  | "launch"
  | "list_jobs"
  | "search_jobs"
  | "job_detail"
  | "job_events"
  | "workflow_nodes"
  | "cancel"

/** The time that AAP worked on an answer, which it tells as `0.054s`, in milliseconds. */
const worked = ({ headers }: Answer): number | undefined => {
  const [, seconds] = /^(\d{1,6}(?:\.\d{1,9})?)s$/u.exec(headers["x-api-time"] ?? "") ?? []
  return seconds === undefined ? undefined : Number(seconds) * 1_000
}

const sortOf = (operation: Operation): AdaptiveLimit.Sort<Answer, AapError> => ({
  operation,
  struggles: isStruggle,
  worked
})

type Request = Effect.Effect<Answer, AapError>

export class Permits extends Context.Service<
  Permits,
  {
    /** For everything but launches: waits for a place, and holds it while `request` runs. */
    readonly call: (operation: Operation, request: Request) => Request
    /** For one launch: waits for a place, which the scope gives back. */
    readonly launch: Effect.Effect<void, never, Scope.Scope>
    /** The request of a launch that has its place. */
    readonly launching: (request: Request) => Request
  }
>()("cloudkit-operator/providers/aap/Permits") {
  static readonly layer = Layer.effect(
    Permits,
    Effect.gen(function* () {
      const { maxConcurrentRequests: all } = yield* AapSettings
      const share = Math.max(1, Math.floor(all * 0.4))
      const launches = AdaptiveLimit.make(FIRST_LAUNCHES, share)
      const calls = AdaptiveLimit.make(FIRST_CALLS, Math.max(1, all - share))
      return Permits.of({
        call: (operation, request) =>
          Effect.scoped(Effect.andThen(calls.enter, calls.observe(request, sortOf(operation)))),
        launch: launches.enter,
        launching: (request) => launches.observe(request, sortOf("launch"))
      })
    })
  )
}
