/**
 * The ports to Kubernetes and to the providers. What they ask is answered by the replay; what needs no answer from outside
 * (the signals in an object, the numbers of EDA's jobs) is computed by the production code.
 */
import { Effect, Option, Stream } from "effect"
import type { JobObservation, Operation } from "../../src/domain/Job.ts"
import type { KubernetesObject } from "../../src/domain/Resource.ts"
import { Clearance, HELD_BACK } from "../../src/ports/Clearance.ts"
import {
  Conflict,
  Invalid,
  KubernetesClient,
  KubernetesError,
  NotFound,
  ServerFailure,
  Unreachable,
  type View
} from "../../src/ports/KubernetesClient.ts"
import { ProviderError } from "../../src/ports/ProviderError.ts"
import type { FoundJob, LaunchedJob, Order, Provider, Providers } from "../../src/ports/ProvisioningProvider.ts"
import { nextId, recognises } from "../../src/providers/eda/JobIds.ts"
import { isDone, kindOf } from "../../src/providers/eda/Signals.ts"
import type { Reply, Request, Row } from "./Request.ts"
import { ask, give, type Profile, QUIET, run } from "./Run.ts"
import { BASE } from "./Versions.ts"

const reasons = {
  Conflict: new Conflict({ message: "the object has been modified" }),
  NotFound: new NotFound({ message: "not found" }),
  Invalid: new Invalid({ status: 422, message: "no new finalizers can be added if the object is being deleted" })
}
const heldBack = new Unreachable({ code: HELD_BACK, message: "this replica no longer leads" })
const away = new ServerFailure({ status: 503, message: "away", retryAfter: Option.none() })

const kubernetes = (operation: string, request: Request): Effect.Effect<KubernetesObject, KubernetesError> =>
  Effect.flatMap(ask(request), (reply) => {
    if (reply._tag === "object") return Effect.succeed(give(reply.version))
    const reason = reply._tag === "refused" ? reasons[reply.why] : away
    return Effect.fail(new KubernetesError({ operation, reason }))
  })

/** Who lost the lease sends nothing that changes anything. */
const held = (operation: string, request: Request): Effect.Effect<KubernetesObject, KubernetesError> =>
  Effect.flatMap(Clearance, (isClear) =>
    isClear() ? kubernetes(operation, request) : Effect.fail(new KubernetesError({ operation, reason: heldBack }))
  )

const guardOf = (view: View): number => Number(view.resourceVersion)

export const client = KubernetesClient.of({
  pack: (object) => () => object,
  get: () => kubernetes("get", { _tag: "read" }),
  list: () => Effect.never,
  watch: () => Stream.never,
  patchMetadata: (view, change) => held("patch metadata", { _tag: "metadata", guard: guardOf(view), change }),
  patchStatus: (view, patch) => held("patch status", { _tag: "status", guard: guardOf(view), patch })
})

// ── providers ────────────────────────────────────────────────────────────────────────────────────────────────────────

const failure = (provider: string, operation: string, applied: "no" | "unknown") =>
  new ProviderError({
    provider,
    operation,
    reason: applied === "no" ? "CredentialsRejected" : "ProviderUnreachable",
    message: applied === "no" ? "401 Unauthorized" : "no answer",
    applied
  })

const asked = <A>(provider: string, request: Request, read: (reply: Reply) => A | undefined) =>
  Effect.gen(function* () {
    const isClear = yield* Clearance
    if (!isClear()) return yield* failure(provider, request._tag, "no")
    const reply = yield* ask(request)
    const value = read(reply)
    if (value !== undefined) return value
    return yield* failure(provider, request._tag, reply._tag === "failed" ? reply.applied : "no")
  })

const iso = (at: number): string => new Date(BASE + at).toISOString()

const foundOf = (row: Row): FoundJob => ({
  id: row.id,
  kind: "job",
  operation: row.operation,
  launchKey: row.key,
  configVersion: undefined,
  state: row.state,
  detail: row.state === "Failed" ? "AAP job failed: broken" : "",
  owner: row.key.split("/")[0],
  created: iso(row.created),
  startedAt: undefined,
  finishedAt: row.finished === undefined ? undefined : iso(row.finished),
  relaunched: false
})

const launchedOf = (id: string, kind: string, state: LaunchedJob["state"]): LaunchedJob => ({
  id,
  kind,
  state,
  detail: "",
  unusable: Option.none()
})

const seenBy = (jobs: ReadonlyArray<{ readonly id: string }>): ReadonlyMap<string, JobObservation> =>
  new Map(
    run().seen.flatMap(({ id, observation }) => (jobs.some((job) => job.id === id) ? [[id, observation] as const] : []))
  )

const rowsIn = (reply: Reply) => (reply._tag === "rows" ? reply.rows.map(foundOf) : undefined)

const aap: Provider = {
  name: "aap",
  blockDeletionOnFailure: true,
  prepare: (operation) =>
    Effect.succeed({
      template: operation,
      send: ({ key }) =>
        asked("aap", { _tag: "launch", provider: "aap", operation, key, presumed: undefined }, (reply) =>
          reply._tag === "launched" ? launchedOf(reply.id, "job", "Pending") : undefined
        )
    }),
  find: ({ since, template, uid }) =>
    asked(
      "aap",
      {
        _tag: "find",
        operation: template === "deprovision" ? "deprovision" : "provision",
        uid,
        since: Date.parse(since) - BASE
      },
      rowsIn
    ),
  lookUp: (id) =>
    asked("aap", { _tag: "lookUp", id }, (reply) =>
      reply._tag === "rows" ? Option.fromUndefinedOr(reply.rows.map(foundOf)[0]) : undefined
    ),
  track: (_, jobs) => Effect.sync(() => ({ seen: seenBy(jobs), problem: Option.none() })),
  forget: () => Effect.void,
  recognises: (id) => /^\d+$/u.test(id),
  changes: Stream.never,
  cancel: (_, job) =>
    asked("aap", { _tag: "cancel", id: job.id }, (reply) => (reply._tag === "cancel" ? reply.said : undefined))
}

const call = (order: Order, operation: Operation) => ({
  id: nextId(order.recorded ?? []),
  kind: kindOf(operation, order.payload)
})

const eda: Provider = {
  name: "eda",
  blockDeletionOnFailure: false,
  playbooksHoldFinalizer: true,
  settlePeriod: QUIET,
  minimumInterval: 0,
  prepare: (operation) =>
    Effect.succeed({
      template: `webhook ${operation}`,
      send: (order) => {
        const presumed = call(order, operation)
        return asked("eda", { _tag: "launch", provider: "eda", operation, key: order.key, presumed }, (reply) =>
          reply._tag === "launched" ? launchedOf(presumed.id, presumed.kind, "Unknown") : undefined
        )
      }
    }),
  presume: (order, operation) => {
    const { id, kind } = call(order, operation)
    return launchedOf(id, kind, "Unknown")
  },
  track: (object, jobs) =>
    Effect.sync(() => ({
      seen: new Map(
        jobs
          .filter((job) => isDone(object, job))
          .map((job) => [job.id, { state: "Succeeded" as const, detail: "", gone: false }])
      ),
      problem: Option.none()
    })),
  forget: () => Effect.void,
  recognises,
  changes: Stream.never
}

export const providersOf = ({ providers: [first, ...others] }: Profile): Providers["Service"] => {
  const named = (name: "aap" | "eda") => (name === "aap" ? aap : eda)
  const all = [named(first), ...others.map(named)]
  return { active: named(first), all, byName: (name) => Option.fromUndefinedOr(all.find((one) => one.name === name)) }
}
