/**
 * Counts what became of launches and jobs, once each, when it is first recorded.
 */
import { Clock, Effect, Option, Result } from "effect"
import type { History, Instance } from "../domain/Instance.ts"
import type { Intent } from "../domain/Intent.ts"
import { isTerminal, type Job } from "../domain/Job.ts"
import { Providers } from "../ports/ProvisioningProvider.ts"
import { OTHER } from "../telemetry/Declaration.ts"
import { jobMetrics } from "../telemetry/Metrics.ts"

/** A record may name a provider that people made up. */
const providerOf = (name: string | undefined): Effect.Effect<string, never, Providers> =>
  Effect.map(Providers, (providers) => (name !== undefined && Option.isSome(providers.byName(name)) ? name : OTHER))

/** A launch was sent, or would have been; this came of it. */
export const countLaunch = (
  intent: Intent,
  result: "launched" | "refused" | "ambiguous" | "presumed"
): Effect.Effect<void, never, Providers> =>
  Effect.flatMap(providerOf(intent.provider), (provider) =>
    jobMetrics.triggered.add({ provider, type: intent.operation, result })
  )

/** Nobody knows whether this launch happened. */
export const countDoubt: Effect.Effect<void> = jobMetrics.ambiguous.add({})

const duration = Effect.fnUntraced(function* (job: Job) {
  const launched = Date.parse(job.timestamp ?? job.startedAt ?? "")
  const finished = job.finishedAt === undefined ? yield* Clock.currentTimeMillis : Date.parse(job.finishedAt)
  if (Number.isNaN(launched) || Number.isNaN(finished)) return
  const state = job.gone === true ? "Unknown" : job.state
  const labels = { provider: yield* providerOf(job.provider), type: job.type, state }
  // the clocks of a provider and of this process may differ
  yield* jobMetrics.duration.observe(labels, Math.max(0, finished - launched) / 1_000)
})

/** It exists and was refused all the same, because it is worthless: no second job for the same purpose. */
const isUnusable = (job: Job, { launch }: History): boolean =>
  launch?.outcome === "Refused" && launch.key === job.launchKey

/** Counts the ends and the duplicates that the history has and that were not recorded before. */
export const countChanges = Effect.fnUntraced(function* (before: Instance, history: History) {
  const known = Result.match(before.history, { onFailure: () => [], onSuccess: (recorded) => recorded.jobs })
  for (const job of history.jobs) {
    const earlier = known.find((one) => one.jobID === job.jobID && (one.provider ?? job.provider) === job.provider)
    if (job.duplicate === true && earlier?.duplicate !== true && !isUnusable(job, history)) {
      yield* jobMetrics.duplicates.add({})
    }
    if (isTerminal(job) && (earlier === undefined || !isTerminal(earlier))) yield* duration(job)
  }
})
