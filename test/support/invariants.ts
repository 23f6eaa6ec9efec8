/**
 * What must hold of every course of events, stated on the ground truth only: what AAP ran and what the cluster stored, at
 * every instant. Each invariant answers its violations in words.
 */
import { at } from "./expectations.ts"
import { cleanEnds } from "./invariantsEnds.ts"
import type { Truth, Version } from "./invariantsHistory.ts"
import { truthfulRecords } from "./invariantsRecords.ts"
import { type LedgerJob, overlaps } from "./SimulatedAap.ts"

const FINALIZER = "cloudkit.openshift.io/computeinstance"
const INTENT = "cloudkit.openshift.io/launch-intent"

const seconds = (millis: number): string => `${millis / 1000} s`
const named = (job: LedgerJob): string => `job ${job.id} (${job.launchKey ?? "no key"}, ${job.status})`

interface RecordedIntent {
  readonly key: string
  readonly stamp: string
  readonly operation: string
}

const intentIn = (object: unknown): RecordedIntent | undefined => {
  const text = at(object, "metadata", "annotations", INTENT)
  if (typeof text !== "string") return undefined
  const parsed: unknown = JSON.parse(text)
  const { key, stamp, operation } = {
    key: at(parsed, "key"),
    stamp: at(parsed, "stamp"),
    operation: at(parsed, "operation")
  }
  return typeof key === "string" && typeof stamp === "string" && typeof operation === "string"
    ? { key, stamp, operation }
    : undefined
}

const recordedJobs = (object: unknown): ReadonlyArray<unknown> => {
  const jobs = at(object, "status", "jobs")
  return Array.isArray(jobs) ? jobs : []
}

const isLiveRecord = (job: unknown): boolean =>
  !["Succeeded", "Failed", "Canceled"].includes(String(at(job, "state"))) && at(job, "gone") !== true

const isClosed = (object: unknown, { key, stamp }: RecordedIntent): boolean =>
  recordedJobs(object).some((job) => at(job, "launchKey") === key && at(job, "launchStamp") === stamp) ||
  (at(object, "status", "launch", "key") === key && at(object, "status", "launch", "stamp") === stamp)

const versionsOf = (truth: Truth): ReadonlyMap<string, ReadonlyArray<Version>> =>
  Map.groupBy(truth.versions, ({ uid }) => uid)

/** Nothing of one object was ever alive beside anything else of it: no duplicate, no provision beside a deprovision. */
const noOverlap = ({ ledger }: Truth): ReadonlyArray<string> =>
  overlaps(ledger).map(
    ({ first, second, from, to }) =>
      `${named(first)} and ${named(second)} were alive together from ${seconds(from)} to ${seconds(to)}`
  )

/** A key was never sent twice unless nothing had come of it, and never while another operation's job lived. */
const oneJobPerKey = ({ ledger }: Truth): ReadonlyArray<string> =>
  [...Map.groupBy(ledger, ({ launchKey }) => launchKey)].flatMap(([key, jobs]) =>
    key !== undefined && jobs.filter((job) => job.gone === undefined).length > 1
      ? [`key ${key} has several jobs: ${jobs.map(named).join(", ")}`]
      : []
  )

/** The intent was there, and somebody took it off before the launch. */
const wasWiped = (versions: ReadonlyMap<string, ReadonlyArray<Version>>, job: LedgerJob): boolean => {
  const earlier = (versions.get(job.object?.uid ?? "") ?? []).filter(({ from }) => from <= job.created)
  return (
    intentIn(earlier.at(-1)?.object) === undefined &&
    earlier.some(({ object }) => intentIn(object)?.key === job.launchKey)
  )
}

/** At the instant of every launch the object carried our finalizer and the intent of this very launch. */
const intentFirst = (truth: Truth): ReadonlyArray<string> => {
  const versions = versionsOf(truth)
  return truth.ledger.flatMap((job) => {
    const object = versions.get(job.object?.uid ?? "")?.findLast(({ from }) => from <= job.created)?.object
    if (object === undefined) return [`${named(job)} was launched for an object that was not there`]
    const finalizers = at(object, "metadata", "finalizers")
    return [
      ...(Array.isArray(finalizers) && finalizers.includes(FINALIZER)
        ? []
        : [`${named(job)} was launched for an object without the finalizer`]),
      ...(intentIn(object)?.key === job.launchKey || wasWiped(versions, job)
        ? []
        : [`${named(job)} was launched while the intent was ${intentIn(object)?.key ?? "absent"}`])
    ]
  })
}

/** An intent is written only when nothing is open or alive, and a provision never on an object that is being deleted. */
const soberIntents = (truth: Truth): ReadonlyArray<string> =>
  [...versionsOf(truth).values()].flatMap((versions) =>
    versions.flatMap(({ object, from, name }, index) => {
      const before = versions[index - 1]?.object
      const [earlier, intent] = [intentIn(before), intentIn(object)]
      if (intent === undefined || (earlier?.key === intent.key && earlier.stamp === intent.stamp)) return []
      const where = `the intent ${intent.key} of ${name} at ${seconds(from)}`
      const deleting = at(object, "metadata", "deletionTimestamp") !== undefined
      const live = recordedJobs(object).filter(isLiveRecord)
      return [
        ...(deleting && intent.operation === "provision" ? [`${where} provisions what is being deleted`] : []),
        ...(live.length === 0 ? [] : [`${where} was written beside live jobs ${JSON.stringify(live)}`]),
        ...(earlier === undefined || earlier.key === intent.key || isClosed(before, earlier)
          ? []
          : [`${where} replaced the open intent ${earlier.key}`])
      ]
    })
  )

/** A job that was recorded is never dropped while it is alive, and never becomes alive again. */
const recordsKept = (truth: Truth): ReadonlyArray<string> =>
  [...versionsOf(truth).values()].flatMap((versions) =>
    versions.flatMap(({ object, from, name }, index) => {
      const before = versions[index - 1]?.object
      if (object === undefined || before === undefined) return []
      const now = new Map(recordedJobs(object).map((job) => [at(job, "jobID"), job]))
      return recordedJobs(before).flatMap((job) => {
        const id = at(job, "jobID")
        const where = `at ${seconds(from)} the record of job ${String(id)} of ${name}`
        if (isLiveRecord(job)) return now.has(id) ? [] : [`${where} was dropped although alive`]
        const later = now.get(id)
        return later !== undefined && isLiveRecord(later) ? [`${where} came to life again`] : []
      })
    })
  )

const isLeftAlone = (object: unknown): boolean =>
  at(object, "metadata", "annotations", "cloudkit.openshift.io/management-state") === "unmanaged"

const wasRecorded = (history: ReadonlyArray<Version>, job: LedgerJob): boolean =>
  history.some(({ object }) => recordedJobs(object).some((record) => at(record, "jobID") === String(job.id)))

/** Every job that AAP still has was recorded in some version of its object, unless a person said hands off. */
const allRecorded = (truth: Truth): ReadonlyArray<string> => {
  const versions = versionsOf(truth)
  return truth.ledger.flatMap((job) => {
    const history = versions.get(job.object?.uid ?? "") ?? []
    const now = history.at(-1)?.object
    return wasRecorded(history, job) || now === undefined || isLeftAlone(now) || job.gone !== undefined
      ? []
      : [`${named(job)} was never recorded`]
  })
}

/** Where nobody took anything off an object, its jobs were recorded before it went, too. */
export const recordedBeforeTheEnd = (truth: Truth): ReadonlyArray<string> => {
  const versions = versionsOf(truth)
  return truth.ledger.flatMap((job) => {
    const history = versions.get(job.object?.uid ?? "") ?? []
    return wasRecorded(history, job) || history.at(-1)?.object !== undefined
      ? []
      : [`${named(job)} was never recorded, and its object is gone`]
  })
}

export const invariants = {
  noOverlap,
  oneJobPerKey,
  intentFirst,
  soberIntents,
  recordsKept,
  allRecorded,
  cleanEnds,
  truthfulRecords
}

/** All violations, in words; none in a sound course of events. Jobs inside a workflow are the workflow's own affair. */
export const violations = (truth: Truth): ReadonlyArray<string> => {
  const own = { ...truth, ledger: truth.ledger.filter(({ workflow }) => workflow === undefined) }
  return Object.values(invariants).flatMap((invariant) => invariant(own))
}
