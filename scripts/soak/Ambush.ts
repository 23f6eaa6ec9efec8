/**
 * Where a process of the operator is to be struck: at the very moment of a request, before it takes effect or before its
 * answer leaves. The first process that comes by is the one.
 */
import { Deferred, Effect, Result } from "effect"
import { numberAt, parseJson } from "../../test/support/kubernetes/Json.ts"
import { aapRequests, kubernetesRequests } from "../../test/support/schedulesHarms.ts"
import type { WireHandler, WireRequest, WireResponse } from "../../test/support/Wire.ts"

export type Signal = "SIGKILL" | "SIGTERM"

export const places = [
  "before the intent is stored",
  "after the intent is stored",
  "before the launch reaches AAP",
  "after the launch, before its answer",
  "after the answer, before its record is stored",
  "after the record is stored"
] as const
export type Place = (typeof places)[number]

/** Between the intent and the record of its job: whoever dies here leaves an open intent behind. */
export const inLaunchWindow = [places[1], places[2], places[3], places[4]] as const

/** Jobs that were answered to a process and are not recorded yet. */
type Unrecorded = Set<string>

interface Spot {
  readonly wire: "aap" | "cluster"
  readonly when: (request: WireRequest, unrecorded: Unrecorded) => boolean
  readonly after: boolean
}

const recordedBy = (request: WireRequest, unrecorded: Unrecorded): ReadonlyArray<string> =>
  kubernetesRequests.status(request) ? [...unrecorded].filter((id) => request.body.includes(`"jobID":"${id}"`)) : []
const records = (request: WireRequest, unrecorded: Unrecorded) => recordedBy(request, unrecorded).length > 0

const spots: Readonly<Record<Place, Spot>> = {
  "before the intent is stored": { wire: "cluster", when: kubernetesRequests.intent, after: false },
  "after the intent is stored": { wire: "cluster", when: kubernetesRequests.intent, after: true },
  "before the launch reaches AAP": { wire: "aap", when: aapRequests.launch, after: false },
  "after the launch, before its answer": { wire: "aap", when: aapRequests.launch, after: true },
  "after the answer, before its record is stored": { wire: "cluster", when: records, after: false },
  "after the record is stored": { wire: "cluster", when: records, after: true }
}

export interface Victim {
  readonly strike: (signal: Signal) => Effect.Effect<void>
}

export interface Wires {
  readonly aap: WireHandler
  readonly cluster: WireHandler
}

export interface Ambush {
  /** Waits until somebody was struck there; nobody, if it takes too long. */
  readonly lay: (place: Place, signal: Signal, patience: number) => Effect.Effect<boolean>
  /** The wires of one process; `started` is to be called whenever there is a new one. */
  readonly around: (victim: Victim, wires: Wires) => Wires & { readonly started: () => void }
}

const isDone = ({ status }: WireResponse) => status < 300

const idIn = ({ body }: WireResponse): string | undefined => {
  const job = typeof body === "string" ? Result.getOrUndefined(parseJson(body)) : undefined
  return numberAt(job, "id")?.toString()
}

export const makeAmbush = (): Ambush => {
  let laid: { readonly place: Place; readonly signal: Signal; readonly struck: Deferred.Deferred<void> } | undefined

  /** The dead get no answer. */
  const strike = <A, E>(victim: Victim, there: NonNullable<typeof laid>, goOn: Effect.Effect<A, E>) => {
    laid = undefined
    return Effect.andThen(
      Effect.andThen(victim.strike(there.signal), Deferred.succeed(there.struck, undefined)),
      there.signal === "SIGKILL" ? Effect.never : goOn
    )
  }

  const guarded =
    (wire: Spot["wire"], victim: Victim, unrecorded: Unrecorded, inner: WireHandler): WireHandler =>
    (request) =>
      Effect.suspend(() => {
        const there = laid
        if (there === undefined) return inner(request)
        const { after, wire: on, when } = spots[there.place]
        if (on !== wire || !when(request, unrecorded)) return inner(request)
        if (!after) return strike(victim, there, inner(request))
        return Effect.tap(inner(request), (response) =>
          isDone(response) && laid === there ? strike(victim, there, Effect.void) : Effect.void
        )
      })

  return {
    lay: (place, signal, patience) =>
      Effect.suspend(() => {
        const struck = Deferred.makeUnsafe<void>()
        laid = { place, signal, struck }
        const nobody = Effect.sync(() => Deferred.isDoneUnsafe(struck))
        // whoever stops waiting takes it away: nobody is struck unseen
        return Effect.timeoutOrElse(Effect.as(Deferred.await(struck), true), {
          duration: patience,
          orElse: () => nobody
        }).pipe(
          Effect.ensuring(
            Effect.sync(() => {
              laid = undefined
            })
          )
        )
      }),
    around: (victim, wires) => {
      const unrecorded: Unrecorded = new Set()
      const aap: WireHandler = (request) =>
        Effect.tap(wires.aap(request), (response) =>
          Effect.sync(() => {
            const id = aapRequests.launch(request) && isDone(response) ? idIn(response) : undefined
            if (id !== undefined) unrecorded.add(id)
          })
        )
      const cluster: WireHandler = (request) => {
        const recorded = recordedBy(request, unrecorded)
        return Effect.tap(wires.cluster(request), (response) =>
          Effect.sync(() => {
            if (isDone(response)) for (const id of recorded) unrecorded.delete(id)
          })
        )
      }
      return {
        aap: guarded("aap", victim, unrecorded, aap),
        cluster: guarded("cluster", victim, unrecorded, cluster),
        started: () => unrecorded.clear()
      }
    }
  }
}
