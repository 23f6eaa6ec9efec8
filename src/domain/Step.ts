/**
 * What can be decided, and what it is decided from.
 */
import type { LostLaunch } from "./ComputeInstance.ts"
import type { History, Instance } from "./Instance.ts"
import type { Intent } from "./Intent.ts"
import type { Job, JobState, Operation } from "./Job.ts"
import type { Reason } from "./Reasons.ts"

/** A job that a search found under one of the object's keys. */
export interface Found {
  readonly id: string
  readonly launchKey: string
  readonly relaunched: boolean
  readonly state: JobState
  readonly finishedAt: string | undefined
}

/** A search made in this very pass. */
export interface Search {
  /** The keys looked for belong to this intent, to launches given up earlier, or to a launch about to be made. */
  readonly purpose: "intent" | "lost" | "next"
  /** A whole quiet period had passed when the search began. */
  readonly quiet: boolean
  /** Jobs that were created long after the launch were left out: to find none proves nothing. */
  readonly bounded?: boolean
  /** Oldest first. */
  readonly found: ReadonlyArray<Found>
}

/** What a provider that only hears of the end of its jobs says of itself. */
interface Abilities {
  /** Milliseconds after which a job that gave no sign is no longer waited for. */
  readonly settlePeriod?: number | undefined
  /** Its playbooks hold a finalizer of their own. */
  readonly playbooksHoldFinalizer?: boolean | undefined
}

/** What the providers can do. */
export interface ProviderFacts {
  readonly active: Abilities & {
    readonly name: string
    readonly blockDeletionOnFailure: boolean
    /** Milliseconds between two launches of an operation for one object. */
    readonly minimumInterval?: number | undefined
  }
  readonly of: (name: string) => Abilities & {
    readonly configured: boolean
    readonly canFind: boolean
    readonly canCancel: boolean
    /** It cannot tell what came of a launch: one without an answer counts as sent. */
    readonly canPresume?: boolean
  }
}

export interface Limits {
  /** Milliseconds. How long finished jobs are sure to be kept by the provider. */
  readonly jobRetention: number
  /** Milliseconds. A job alive longer needs a person. */
  readonly jobDeadline: number
  /** Milliseconds. A cancelled job alive longer needs a person. */
  readonly cancelDeadline: number
}

export interface Observation {
  readonly instance: Instance
  /** The record, brought up to date with what the providers saw. */
  readonly history: History
  /** Wall clock, milliseconds. */
  readonly now: number
  readonly providers: ProviderFacts
  readonly limits: Limits
  /** The latest search of this pass, and those made before it that still hold. */
  readonly search: Search | undefined
  readonly earlier?: ReadonlyArray<Search>
}

export interface LaunchStep {
  readonly _tag: "Launch"
  readonly operation: Operation
  readonly attempt: number
  readonly configVersion: string
  /** The record says that keys were used of which no intent is left: look for the next key before using it. */
  readonly searchFirst: boolean
}

export type Step =
  /** Nothing to do with this object, nothing to say about it. */
  | { readonly _tag: "LeaveAlone"; readonly why: "Cleaned" | "Unmanaged" }
  /** All is as wanted. */
  | { readonly _tag: "Settle" }
  /** People provision this object. */
  | { readonly _tag: "Manual" }
  /** A person is needed; anything but a change of the object would be a guess. */
  | { readonly _tag: "Block"; readonly reason: Reason; readonly message: string }
  /** Not before this time (milliseconds). */
  | { readonly _tag: "Wait"; readonly until: number; readonly reason: Reason; readonly message: string }
  /** Live jobs go their way. */
  | { readonly _tag: "Follow"; readonly job: Job }
  | LaunchStep
  /** Look for the jobs of an open intent, or of launches given up earlier. */
  | { readonly _tag: "Search"; readonly purpose: "intent"; readonly intent: Intent }
  | { readonly _tag: "Search"; readonly purpose: "lost"; readonly lost: ReadonlyArray<LostLaunch> }
  /** Nothing found yet, and a launch may still appear. */
  | { readonly _tag: "AwaitQuiet"; readonly intent: Intent }
  /** Nothing came of it: send it again under the same key and a new stamp. */
  | { readonly _tag: "Renew"; readonly intent: Intent }
  /** Give the intent up: nothing found, or too old to tell, or sent to a provider that cannot tell. */
  | { readonly _tag: "Close"; readonly intent: Intent; readonly outcome: "NotFound" | "Unknown" }
  /** Nobody can tell what came of it: record it as sent. */
  | { readonly _tag: "Presume"; readonly intent: Intent }
  /** These jobs gave no sign for so long that they are no longer waited for. */
  | { readonly _tag: "Supersede"; readonly jobs: ReadonlyArray<Job> }
  /** Put the playbooks' finalizer on, so that its removal can tell of the end of the machine. */
  | { readonly _tag: "HoldForPlaybook"; readonly next: Step }
  /** Record what the search found, oldest first: the first counts where `first` says so, all others are duplicates. */
  | {
      readonly _tag: "Adopt"
      readonly first: "counts" | "duplicate"
      readonly intent: Intent | undefined
      readonly found: ReadonlyArray<Found>
    }
  /** A person named the job to follow. */
  | { readonly _tag: "AdoptNamed"; readonly id: string }
  /** Stop these jobs; nothing else starts meanwhile. */
  | { readonly _tag: "Cancel"; readonly jobs: ReadonlyArray<Job>; readonly why: "Duplicate" | "Deletion" }
  /** Nothing is owed any more. */
  | {
      readonly _tag: "Release"
      readonly warning: string | undefined
      /** Take the playbooks' finalizers off too, because nobody else will. */
      readonly playbookFinalizers: boolean
    }

export const block = (reason: Reason, message: string): Step => ({ _tag: "Block", reason, message })

/** The search for this purpose, if one was made in this pass. */
export const searchFor = (o: Observation, purpose: Search["purpose"]): Search | undefined =>
  o.search?.purpose === purpose ? o.search : o.earlier?.findLast((search) => search.purpose === purpose)
