/** What the object says of its jobs is what AAP knows of them: an outage never ends a job, and never fails an object. */
import { at } from "./expectations.ts"
import type { Truth } from "./invariantsHistory.ts"
import type { LedgerJob } from "./SimulatedAap.ts"

const ends: Readonly<Record<string, ReadonlyArray<string>>> = {
  Succeeded: ["successful"],
  Failed: ["failed", "error"],
  Canceled: ["canceled"]
}

/** Whether AAP's job had come to this end by then. */
const hadEnded = (job: LedgerJob, state: string, when: number): boolean =>
  job.transitions.some(({ at: since, status }) => since <= when && ends[state]?.includes(status) === true)

const recordsIn = (object: unknown): ReadonlyArray<unknown> => {
  const jobs = at(object, "status", "jobs")
  return Array.isArray(jobs) ? jobs.filter((job) => at(job, "provider") === "aap") : []
}

/** The words in which a failed object names what no job tells. */
const ownFailures = ["SpecInvalid", "RecordInvalid", "LaunchOutcomeUnknown", "ProviderNotConfigured", "AwaitingSignal"]

/** Whether some job of the object had failed, was cancelled or had gone by then. */
const hadTrouble = (jobs: ReadonlyArray<LedgerJob>, when: number): boolean =>
  jobs.some(
    (job) =>
      (job.gone ?? Number.POSITIVE_INFINITY) <= when || hadEnded(job, "Failed", when) || hadEnded(job, "Canceled", when)
  )

const reasonOf = (object: unknown): string => {
  const conditions = at(object, "status", "conditions")
  const ready: unknown = Array.isArray(conditions) ? conditions.find((one) => at(one, "type") === "Ready") : undefined
  return String(at(ready, "reason"))
}

export const truthfulRecords = ({ ledger, versions }: Truth): ReadonlyArray<string> => {
  const byId = new Map(ledger.map((job) => [String(job.id), job]))
  const byUid = Map.groupBy(ledger, ({ object }) => object?.uid)
  const wrong = versions.flatMap(({ from, name, object, uid }) => {
    const where = `${name} at ${from / 1_000} s`
    const records = recordsIn(object).flatMap((record) => {
      const state = String(at(record, "state"))
      const job = byId.get(String(at(record, "jobID")))
      if (job === undefined) return [`${where} names job ${String(at(record, "jobID"))}, which AAP never had`]
      return ends[state] === undefined || hadEnded(job, state, from)
        ? []
        : [`${where} says that job ${job.id} is ${state}, and AAP's is ${JSON.stringify(job.transitions)}`]
    })
    const failed =
      at(object, "status", "phase") === "Failed" &&
      !ownFailures.includes(reasonOf(object)) &&
      !hadTrouble(byUid.get(uid) ?? [], from)
    return failed ? [...records, `${where} is Failed (${reasonOf(object)}), and nothing had failed`] : records
  })
  // a wrong record stays wrong: its first appearance is enough
  return wrong.slice(0, 3)
}
