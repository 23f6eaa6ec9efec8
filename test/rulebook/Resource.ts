/** One ComputeInstance as a person sees it who watches it from before it exists until it is gone. */
import { assert } from "@effect/vitest"
import { Effect, Schedule, type Scope, Stream } from "effect"
import type { Cluster, WatchEvent } from "../cluster/contract/Cluster.ts"
import { merge } from "../cluster/contract/Cluster.ts"
import { type Json, type JsonObject, stringAt } from "../support/kubernetes/Json.ts"

export interface Resource {
  readonly name: string
  readonly create: (spec: JsonObject) => Effect.Effect<void>
  readonly change: (spec: JsonObject) => Effect.Effect<void>
  readonly remove: Effect.Effect<void>
  /** The first state from here on, the present one included, of which this holds. */
  readonly until: (what: string, holds: (object: JsonObject) => boolean) => Effect.Effect<JsonObject>
  /** Its last state, once it is gone. */
  readonly gone: Effect.Effect<JsonObject>
  /** What this was of the object, every change of it in order. */
  readonly story: (of: (object: JsonObject) => string | undefined) => ReadonlyArray<string>
}

/** Longer than anything takes on a busy machine. */
const PATIENCE = "60 seconds"

const all = (namespace: string): string => `/apis/cloudkit.openshift.io/v1alpha1/namespaces/${namespace}/computeinstances`

const waitFor = (events: ReadonlyArray<WatchEvent>, what: string, found: () => WatchEvent | undefined) =>
  Effect.sync(found).pipe(
    Effect.repeat({ schedule: Schedule.spaced("20 millis"), until: (event) => event !== undefined }),
    Effect.timeoutOrElse({
      duration: PATIENCE,
      orElse: () => Effect.die(new Error(`not ${what}; last seen: ${JSON.stringify(events.at(-1))}`))
    }),
    Effect.map((event) => event?.object ?? {})
  )

/** Begins to watch; the namespace must be there. */
export const watched = (
  cluster: Cluster,
  namespace: string,
  name: string
): Effect.Effect<Resource, never, Scope.Scope> =>
  Effect.gen(function* () {
    const events: Array<WatchEvent> = []
    const selector = `fieldSelector=${encodeURIComponent(`metadata.name=${name}`)}`
    yield* cluster.events(`${all(namespace)}?watch=1&${selector}`).pipe(
      Stream.runForEach((event) => Effect.sync(() => events.push(event))),
      Effect.forkScoped
    )
    const asked = (method: "POST" | "PATCH" | "DELETE", path: string, status: number, body?: Json) =>
      Effect.map(
        cluster.ask(`${all(namespace)}${path}`, {
          method,
          ...(body === undefined ? {} : { body }),
          ...(method === "PATCH" ? { type: merge } : {})
        }),
        (answer) => assert.strictEqual(answer.status, status, answer.text)
      )
    return {
      name,
      create: (spec) =>
        asked("POST", "", 201, {
          apiVersion: "cloudkit.openshift.io/v1alpha1",
          kind: "ComputeInstance",
          metadata: { name },
          spec
        }),
      change: (spec) => asked("PATCH", `/${name}`, 200, { spec }),
      remove: asked("DELETE", `/${name}`, 200),
      until: (what, holds) =>
        Effect.suspend(() => {
          const from = Math.max(0, events.length - 1)
          return waitFor(events, what, () => events.slice(from).find(({ object }) => holds(object)))
        }),
      gone: waitFor(events, "gone", () => events.find(({ type }) => type === "DELETED")),
      story: (of) =>
        events
          .map(({ object }) => of(object))
          .filter((value) => value !== undefined)
          .filter((value, index, values) => value !== values[index - 1])
    }
  })

export const phaseOf = (object: JsonObject): string | undefined => stringAt(object, "status", "phase")
