/**
 * What must hold, in words and in code, on the ground truth of the small world: what the provider really ran, and what the
 * cluster really stored. Nothing here asks the operator what it believes.
 *
 * Each answers what is wrong, or nothing. `Change` is one move of the world; `Rest` a state that nothing leaves by itself.
 */
import { DEPROVISIONED_ANNOTATION } from "../../src/domain/ComputeInstance.ts"
import { readKey } from "../../src/domain/Intent.ts"
import type { Change, Verdict } from "./Change.ts"
import type { Configuration } from "./Configurations.ts"
import { oneCounts, outcomeTrue, recordsKept } from "./recording.ts"
import type { Job, State } from "./State.ts"
import { NOTHING, type Version } from "./Versions.ts"

interface Invariant {
  readonly id: string
  readonly words: string
  readonly always?: (change: Change) => Verdict
  readonly atRest?: (state: State) => Verdict
  /** It holds as long as no launch is on its way for longer than the quiet period. */
  readonly withinBound?: true
}

const isAlive = ({ state }: Job): boolean => state === "alive"
const named = ({ id, key, state }: Job): string => `job ${id} (${key}, ${state})`
const ofKind = (state: State, operation: Job["operation"]): ReadonlyArray<Job> =>
  state.jobs.filter((job) => job.operation === operation)

/** Jobs of this kind that were there before the beginning. */
const before = ({ configuration }: Change, operation: Job["operation"]): number =>
  configuration.begins().jobs.filter((job) => job.operation === operation).length

/** How often something was done since the beginning. */
const done = ({ after, configuration }: Change, what: keyof State["left"]): number =>
  configuration.left[what] - after.left[what]

const oneJobPerKey = ({ after, launched }: Change): Verdict => {
  const twin = launched && after.jobs.find((job) => job !== launched && job.key === launched.key)
  return twin && `${named(twin)} and job ${launched?.id} were launched under one key`
}

/** Each provision answers the creation, a change of the spec or a person; each deprovision the deletion, a person, or a purge. */
const nothingUnasked = (change: Change): Verdict => {
  const { after, launched } = change
  if (launched === undefined) return undefined
  const asked =
    launched.operation === "provision"
      ? 1 +
        done(change, "edits") +
        done(change, "retries") +
        done(change, "losses") +
        done(change, "wipes") +
        done(change, "unusables")
      : 1 +
        done(change, "retries") +
        done(change, "losses") +
        done(change, "purges") +
        done(change, "wipes") +
        done(change, "unusables")
  const count = ofKind(after, launched.operation).length - before(change, launched.operation)
  return count > asked ? `${count} ${launched.operation} jobs were launched, asked for were ${asked}` : undefined
}

const alone = ({ after, launched }: Change): Verdict => {
  if (launched === undefined) return undefined
  const other = after.jobs.find((job) => job !== launched && isAlive(job))
  return other && `${named(other)} was alive when job ${launched.id} (${launched.key}) was launched`
}

const keysDiffer = ({ after, launched }: Change): Verdict => {
  if (launched === undefined) return undefined
  const attempt = readKey(launched.key)?.attempt
  const twin = ofKind(after, launched.operation).find(
    (job) => job !== launched && readKey(job.key)?.attempt === attempt
  )
  return twin && `attempt ${attempt} was used by ${named(twin)} and by job ${launched.id}`
}

const notForTheDeleted = (change: Change): Verdict => {
  const { before, launched } = change
  return launched?.operation === "provision" && before.stored === NOTHING && done(change, "strips") === 0
    ? `job ${launched.id} (${launched.key}) was launched for an object that is gone`
    : undefined
}

/** The last thing that was built was torn down after it had ended. */
export const tornDown = (state: State): Verdict => {
  const built = ofKind(state, "provision").findLast(() => true)
  if (built === undefined) return undefined
  const from = built.finished ?? built.created
  const cleaned = ofKind(state, "deprovision").some((job) => job.state === "successful" && job.created >= from - 500)
  return cleaned ? undefined : `the object vanished and ${named(built)} was never torn down`
}

const cleanEnd = (change: Change): Verdict => {
  const { after, before } = change
  if (after.stored !== NOTHING || done(change, "strips") > 0) return undefined
  const alive = after.jobs.find(isAlive)
  if (alive !== undefined) return `the object is gone while ${named(alive)} is alive`
  return before.stored === NOTHING ? undefined : tornDown(after)
}

const truthOf = (state: State, id: string): Job | undefined => state.jobs.find((job) => job.id === id)

/** A job of EDA is known by its key alone, and a person may say that the machine is gone. */
const signalTrue = ({ jobs, stored }: State): Verdict => {
  if (stored.object.metadata.annotations?.[DEPROVISIONED_ANNOTATION] === "true") return undefined
  const wrong = stored.jobs.find(
    ({ launchKey, provider, state }) =>
      provider === "eda" &&
      state === "Succeeded" &&
      !jobs.some((job) => job.key === launchKey && job.state === "successful")
  )
  return wrong && `the record says Succeeded of ${wrong.launchKey}, and no playbook was done with it`
}

/** A record that says how a job ended says the truth. */
const recordsTrue = ({ after, before }: Change): Verdict => {
  if (after.stored === before.stored) return undefined
  const words = { Succeeded: "successful", Failed: "failed", Canceled: "canceled" } as const
  for (const { gone, jobID, provider, state } of after.stored.jobs) {
    if (provider !== "aap") continue
    const job = truthOf(after, jobID)
    if (state === "Succeeded" || state === "Failed" || state === "Canceled") {
      if (job?.state !== words[state])
        return `the record says ${state} of ${job ? named(job) : `job ${jobID}, which never was`}`
    } else if (gone === true && job?.purged !== true)
      return `the record says gone of ${job ? named(job) : `job ${jobID}`}`
  }
  return signalTrue(after)
}

const reasonOf = ({ instance }: Version): string =>
  instance.conditions.find(({ type }) => type === "Ready")?.reason ?? ""
const isTrue = ({ instance }: Version, type: string): boolean =>
  instance.conditions.some((condition) => condition.type === type && condition.status === "True")
const phaseOf = ({ object: { status } }: Version): unknown =>
  typeof status === "object" && status !== null && "phase" in status ? status.phase : undefined
const spokeOf = ({ object: { status } }: Version): unknown =>
  typeof status === "object" && status !== null && "observedGeneration" in status
    ? status.observedGeneration
    : undefined

const readyIsTrue = ({ after }: Change): Verdict => {
  const { jobs, stored } = after
  if (stored === NOTHING || phaseOf(stored) !== "Ready" || spokeOf(stored) !== stored.object.metadata.generation)
    return undefined
  const last = jobs.findLast(({ operation, unusable }) => operation === "provision" && !unusable)
  if (last?.state !== "successful") return `Ready, and the last provision is ${last ? named(last) : "none"}`
  const version = readKey(last.key)?.configVersion
  if (version !== stored.instance.desiredVersion) return `Ready, and ${named(last)} built another version`
  const alive = jobs.find(isAlive)
  return alive && `Ready while ${named(alive)} is alive`
}

/** Failed names an end that really was: a failed, cancelled or purged job, or a launch nobody can tell about. */
const failedIsTrue = ({ after, before }: Change): Verdict => {
  const { jobs, stored } = after
  if (stored === before.stored || stored === NOTHING || phaseOf(stored) !== "Failed") return undefined
  const reason = reasonOf(stored)
  const was = (test: (job: Job) => boolean) => (jobs.some(test) ? undefined : `Failed with ${reason}, and no job was`)
  if (reason === "JobFailed") return was(({ state }) => state === "failed")
  if (reason === "JobCanceled") return was(({ state }) => state === "canceled")
  if (reason === "JobOutcomeUnknown") return was(({ purged }) => purged)
  return reason === "LaunchOutcomeUnknown" || reason === "AwaitingSignal" ? undefined : `Failed with ${reason}`
}

/** A deletion waits for a person only after a deprovision that was seen to fail or to be cancelled. */
const blockedIsTrue = ({ stored }: State): Verdict => {
  if (stored === NOTHING || reasonOf(stored) !== "DeprovisionFailed") return undefined
  const last = stored.jobs.findLast(({ duplicate, type }) => type === "deprovision" && duplicate !== true)
  return last?.state === "Failed" || last?.state === "Canceled"
    ? undefined
    : `a person is asked about job ${last?.jobID}, and nobody saw it fail`
}

const allRecorded = ({ jobs, stored }: State): Verdict => {
  if (stored === NOTHING) return undefined
  const lost = jobs.find(({ purged, recorded }) => !purged && !recorded)
  return lost && `${named(lost)} was never recorded`
}

const restsWell = ({ stored }: State): Verdict => {
  if (stored === NOTHING) return undefined
  const at = `phase ${phaseOf(stored)}, ${reasonOf(stored)}`
  if (stored.deleting) {
    return isTrue(stored, "DeletionBlocked") && isTrue(stored, "Stalled")
      ? undefined
      : `deletion rests and asks nobody: ${at}`
  }
  if (phaseOf(stored) === "Ready")
    return isTrue(stored, "Ready") ? undefined : "Ready by its phase, and not by its condition"
  return isTrue(stored, "Stalled") ? undefined : `rests and asks nobody: ${at}`
}

export const invariants: ReadonlyArray<Invariant> = [
  { id: "I1", words: "No launch key is ever given to two jobs.", always: oneJobPerKey, withinBound: true },
  {
    id: "I1",
    words: "No attempt number is ever used by two jobs of an operation.",
    always: keysDiffer,
    withinBound: true
  },
  {
    id: "I1",
    words:
      "Every provision job answers the creation, a change of the spec, or a person; every deprovision job the deletion, a person, or a job that was purged.",
    always: nothingUnasked,
    withinBound: true
  },
  {
    id: "I1",
    words:
      "However late an answer comes: of the jobs recorded under one key one counts; all others are to be cancelled.",
    always: oneCounts
  },
  {
    id: "I1",
    words: "No launch is said to be refused or given up whose job is recorded and counts.",
    always: outcomeTrue
  },
  { id: "I2", words: "When a job is launched, no other job of the object is alive.", always: alone, withinBound: true },
  { id: "I3", words: "Nothing is provisioned for an object that is gone.", always: notForTheDeleted },
  {
    id: "I3",
    words:
      "An object that is gone has no job alive, and what was built last was torn down after it, unless a person took the finalizer off.",
    always: cleanEnd
  },
  {
    id: "I4",
    words: "The record of a job is never dropped while it is alive, and never comes to life again.",
    always: recordsKept
  },
  {
    id: "I4",
    words: "At rest every job that the provider still has was recorded.",
    atRest: allRecorded,
    withinBound: true
  },
  {
    id: "I5",
    words: "Ready is said only while the newest provision is of this very spec and successful, and nothing is alive.",
    always: readyIsTrue,
    withinBound: true
  },
  { id: "I5", words: "An end that is recorded of a job is its true end.", always: recordsTrue },
  {
    id: "I6",
    words:
      "Failed is said only of a job that really failed, was cancelled or was purged, or of a launch nobody can tell about.",
    always: failedIsTrue
  },
  {
    id: "I6",
    words:
      "A deletion waits for a person because of a deprovision only when that one was seen to fail or to be cancelled.",
    atRest: blockedIsTrue
  },
  { id: "I7", words: "At rest an object is Ready, or gone, or says which person is needed.", atRest: restsWell }
]

const isWaived = ({ withinBound }: Invariant, { beyond, strict }: Configuration): boolean =>
  withinBound === true && beyond && strict !== true

/** What is wrong with a move. */
export const brokenBy = (change: Change): ReadonlyArray<string> =>
  invariants.flatMap((invariant) => {
    const wrong = isWaived(invariant, change.configuration) ? undefined : invariant.always?.(change)
    return wrong === undefined ? [] : [`${invariant.id}: ${wrong}`]
  })

/** What is wrong with a state that nothing leaves by itself. */
export const brokenAtRest = (state: State, configuration: Configuration): ReadonlyArray<string> =>
  invariants.flatMap((invariant) => {
    const wrong = isWaived(invariant, configuration) ? undefined : invariant.atRest?.(state)
    return wrong === undefined ? [] : [`${invariant.id}: ${wrong}`]
  })
