/**
 * The port to the providers. What they ask is answered by the replay; what needs no answer from outside (which rows of a
 * search are launches, the signals in an object, the numbers of EDA's jobs) is computed by the production code.
 */
import { Effect, Option, Result, Stream } from "effect"
import type { JobObservation, Operation } from "../../src/domain/Job.ts"
import { Clearance } from "../../src/ports/Clearance.ts"
import { ProviderError } from "../../src/ports/ProviderError.ts"
import type { FoundJob, LaunchedJob, Order, Provider, Providers } from "../../src/ports/ProvisioningProvider.ts"
import { launchIn } from "../../src/providers/aap/LaunchRows.ts"
import { nextId, recognises } from "../../src/providers/eda/JobIds.ts"
import { isDone, kindOf } from "../../src/providers/eda/Signals.ts"
import type { Reply, Request, Row } from "./Request.ts"
import { ask, type Profile, QUIET, run } from "./Run.ts"
import { BASE } from "./Versions.ts"

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

const words = { Pending: "pending", Succeeded: "successful", Failed: "failed", Canceled: "canceled" } as const

/** A row as AAP lists it, read as production reads it. */
const foundOf = (row: Row): ReadonlyArray<FoundJob> =>
  Result.getOrThrow(
    launchIn({
      id: Number(row.id),
      type: "job",
      status: words[row.state],
      created: iso(row.created),
      finished: row.finished === undefined ? null : iso(row.finished),
      launch_type: "manual",
      extra_vars: JSON.stringify({ ansible_eda: { event: { meta: { uuid: row.key } } } })
    })
  )

const ignored: LaunchedJob["unusable"] = Option.some({
  reason: "TemplateRefusesVariables",
  message: "the template ignored the variables"
})

const launchedOf = (id: string, kind: string, state: LaunchedJob["state"], unusable = false): LaunchedJob => ({
  id,
  kind,
  state,
  detail: "",
  unusable: unusable ? ignored : Option.none()
})

const seenBy = (jobs: ReadonlyArray<{ readonly id: string }>): ReadonlyMap<string, JobObservation> =>
  new Map(
    run().seen.flatMap(({ id, observation }) => (jobs.some((job) => job.id === id) ? [[id, observation] as const] : []))
  )

const rowsIn = (reply: Reply) => (reply._tag === "rows" ? reply.rows.flatMap(foundOf) : undefined)

const aap: Provider = {
  name: "aap",
  blockDeletionOnFailure: true,
  prepare: (operation) =>
    Effect.succeed({
      template: operation,
      send: ({ key }) =>
        asked("aap", { _tag: "launch", provider: "aap", operation, key, presumed: undefined }, (reply) =>
          reply._tag === "launched" ? launchedOf(reply.id, "job", "Pending", reply.unusable) : undefined
        )
    }),
  find: ({ maxAge = 0, since, template, uid }) =>
    asked(
      "aap",
      {
        _tag: "find",
        operation: template === "deprovision" ? "deprovision" : "provision",
        uid,
        since: Date.parse(since) - BASE,
        maxAge
      },
      rowsIn
    ),
  lookUp: (id) =>
    asked("aap", { _tag: "lookUp", id }, (reply) =>
      reply._tag === "rows" ? Option.fromUndefinedOr(reply.rows.flatMap(foundOf)[0]) : undefined
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
