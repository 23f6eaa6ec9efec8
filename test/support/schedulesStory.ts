/** The course of events in lines, for whoever has to understand a violation. */
import { at, condition } from "./expectations.ts"
import type { Truth } from "./invariantsHistory.ts"

const summary = (object: unknown) => ({
  deleting: at(object, "metadata", "deletionTimestamp") !== undefined,
  finalizers: at(object, "metadata", "finalizers"),
  annotations: at(object, "metadata", "annotations"),
  phase: at(object, "status", "phase"),
  jobs: at(object, "status", "jobs"),
  launch: at(object, "status", "launch"),
  ready: condition(object, "Ready")?.message
})

export const story = ({ ledger, runs, versions }: Truth): string => {
  const lines = [
    ...ledger.flatMap((job) =>
      job.transitions.map(({ status, at: when }) => ({
        when,
        line: `AAP   job ${job.id} ${status} ${job.launchKey ?? ""}`
      }))
    ),
    ...runs.flatMap((run) => [
      { when: run.began, line: `EDA   ${run.operation} of ${run.name} ${run.version} begins` },
      ...(run.ended === undefined
        ? []
        : [{ when: run.ended, line: `EDA   ${run.operation} of ${run.name} ${run.outcome}` }])
    ]),
    ...versions.map(({ from, name, object }) => ({
      when: from,
      line: `KUBE  ${name} ${object === undefined ? "gone" : JSON.stringify(summary(object))}`
    }))
  ]
  return lines
    .toSorted((a, b) => a.when - b.when)
    .map(({ when, line }) => `${(when / 1000).toFixed(1).padStart(9)} ${line}`)
    .join("\n")
}
