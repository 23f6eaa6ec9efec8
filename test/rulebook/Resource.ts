/** One ComputeInstance as a person sees it who watches it from before it exists until it is gone. */
import { assert } from "@effect/vitest"
import { Effect, Schedule, type Scope, Stream } from "effect"
import { type Cluster, merge, type WatchEvent } from "../cluster/contract/Cluster.ts"
import { PATIENCE } from "../support/eventually.ts"
import type { Json, JsonObject } from "../support/kubernetes/Json.ts"

export interface Resource {
  readonly name: string
  readonly create: (spec: JsonObject) => Effect.Effect<void>
  readonly change: (spec: JsonObject) => Effect.Effect<void>
  readonly remove: Effect.Effect<void>
  /** The first state of which this holds, looked for from the one that was found last. */
  readonly until: (what: string, holds: (object: JsonObject) => boolean) => Effect.Effect<JsonObject>
  readonly gone: Effect.Effect<void>
  /** What this was of the object, every change of it in order. */
  readonly story: (of: (object: JsonObject) => string | undefined) => ReadonlyArray<string>
}

const all = (namespace: string): string =>
  `/apis/cloudkit.openshift.io/v1alpha1/namespaces/${namespace}/computeinstances`

/** The index of an event, once it came. */
const waitFor = (events: ReadonlyArray<WatchEvent>, what: string, find: () => number): Effect.Effect<number> =>
  Effect.sync(find).pipe(
    Effect.repeat({ schedule: Schedule.spaced("20 millis"), until: (index) => index >= 0 }),
    Effect.timeoutOrElse({
      duration: PATIENCE,
      orElse: () => Effect.die(new Error(`not ${what}; last seen: ${JSON.stringify(events.at(-1))}`))
    })
  )

/** Begins to watch; the namespace must be there. */
export const watched = (
  cluster: Cluster,
  namespace: string,
  name: string
): Effect.Effect<Resource, never, Scope.Scope> =>
  Effect.gen(function* () {
    const events: Array<WatchEvent> = []
    let found = 0
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
        Effect.gen(function* () {
          found = yield* waitFor(events, what, () =>
            events.findIndex(({ object }, index) => index >= found && holds(object))
          )
          return events[found]?.object ?? {}
        }),
      gone: Effect.asVoid(waitFor(events, "gone", () => events.findIndex(({ type }) => type === "DELETED"))),
      story: (of) =>
        events
          .map(({ object }) => of(object))
          .filter((value) => value !== undefined)
          .filter((value, index, values) => value !== values[index - 1])
    }
  })
