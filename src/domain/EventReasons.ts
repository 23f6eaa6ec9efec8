/**
 * The closed set of reasons of Kubernetes Events: every Event that the operator publishes has one of them, and with it its
 * type and action. Most tell what happened to a job; a reason of a condition that is worth a person's attention is one too.
 */
import { Record } from "effect"
import { type Reason, reasons } from "./Reasons.ts"

interface EventExplanation {
  readonly type: "Normal" | "Warning"
  /** What the operator was doing, CamelCase. */
  readonly action: string
  readonly meaning: string
  readonly cause: string
  readonly remedy: string
}

const table = <const Name extends string>(entries: { readonly [Key in Name]: EventExplanation }) => entries

const jobs = table({
  JobLaunched: {
    type: "Normal",
    action: "Launch",
    meaning: "A job was launched, and is recorded.",
    cause: "A new resource, a new spec, a retry that was asked for, or a deletion.",
    remedy: "Nothing to do."
  },
  JobSucceeded: {
    type: "Normal",
    action: "Follow",
    meaning: "A job succeeded.",
    cause: "The playbook ended well.",
    remedy: "Nothing to do."
  },
  JobFailed: {
    type: "Warning",
    action: "Follow",
    meaning: "A job failed; the note says why.",
    cause: "A task of the playbook failed.",
    remedy: "See the reason JobFailed, and for a deletion DeprovisionFailed."
  },
  JobCanceled: {
    type: "Warning",
    action: "Follow",
    meaning: "A job was cancelled.",
    cause: "Somebody cancelled it at the provider, or the operator did because the resource was deleted.",
    remedy: "Where nobody deleted the resource, see the reason JobCanceled."
  },
  JobGone: {
    type: "Warning",
    action: "Follow",
    meaning: "The provider no longer has a job, and its end was not seen.",
    cause: "It was deleted or purged there, or gave no sign within the settle period.",
    remedy: "See the reason JobOutcomeUnknown. A deprovision runs again by itself."
  },
  SignalMissing: {
    type: "Warning",
    action: "Follow",
    meaning: "A playbook that only signals its end gave no sign within the settle period, and is no longer waited for.",
    cause: "The playbook failed, no rule matched the request, or the playbook may not patch the resource.",
    remedy: "Look at the playbook."
  }
})

const doubts = table({
  LaunchAmbiguous: {
    type: "Warning",
    action: "Launch",
    meaning: "A launch may or may not have reached the provider; it is looked for before anything else happens.",
    cause: "No answer, a broken connection, or a failure of the provider.",
    remedy: "Nothing to do."
  },
  LaunchGivenUp: {
    type: "Warning",
    action: "Launch",
    meaning: "A launch in doubt left no trace, and is not sent again for what it was made for.",
    cause: "The resource was deleted or changed before the doubt was resolved, or the launch is too old to be found.",
    remedy: "Nothing to do, unless the condition says LaunchOutcomeUnknown."
  },
  JobAdopted: {
    type: "Normal",
    action: "Adopt",
    meaning: "A job that was found at the provider is followed as the resource's own.",
    cause: "It carries the key of a launch whose answer was lost, or a person named it in the annotation adopt-job.",
    remedy: "Nothing to do."
  },
  AdoptRefused: {
    type: "Warning",
    action: "Adopt",
    meaning: "The job named in the annotation adopt-job is not followed.",
    cause: "The provider does not have it, or it is another resource's.",
    remedy: "Name another job; the note says why this one is not fit."
  },
  DuplicateJobFound: {
    type: "Warning",
    action: "Adopt",
    meaning: "One launch led to more than one job; one counts, and this one is being cancelled.",
    cause: "A launch was applied late, after it had been given up.",
    remedy: "Nothing to do."
  },
  DuplicateJobCanceled: {
    type: "Normal",
    action: "Cancel",
    meaning: "A job that was one too many is cancelled.",
    cause: "It was found as a duplicate, or the provider ran it without the resource.",
    remedy: "Nothing to do."
  },
  RelaunchSeen: {
    type: "Warning",
    action: "Adopt",
    meaning: "A person ran one of the resource's jobs again at the provider; that job is left alone.",
    cause: "Relaunch at the provider copies everything that the job was launched with.",
    remedy: "To have the operator run a job again, set the annotation retry-requested-at instead."
  }
})

const ends = table({
  DeletionBlocked: {
    type: "Warning",
    action: "Release",
    meaning: "The resource stays until somebody does something; the note begins with the reason.",
    cause: "Letting it go might leave a machine behind.",
    remedy: "See the reason that the condition DeletionBlocked has."
  },
  DeletedAfterFailure: {
    type: "Warning",
    action: "Release",
    meaning: "The resource was let go although its deprovision failed.",
    cause: "The deprovision job says that a failure must not block the deletion.",
    remedy: "Look for the machine."
  },
  WriteRefused: {
    type: "Warning",
    action: "Record",
    meaning: "Kubernetes refuses what the operator writes.",
    cause:
      "The CustomResourceDefinition is older than the operator, an admission webhook objects, or a role is missing.",
    remedy: "Apply the CustomResourceDefinition and the roles of this version."
  }
})

/**
 * The reasons for not being Ready that are told as they appear, the refusal of a launch with each attempt. All others are
 * the course of things, or told by an Event of their own.
 */
const announcedReasons = [
  "CredentialsRejected",
  "PermissionDenied",
  "TemplateNotFound",
  "TemplateAmbiguous",
  "TemplateRefusesVariables",
  "ProviderUnreachable",
  "ProviderOverloaded",
  "ProviderFailure",
  "ProviderMisaddressed",
  "ProviderRefused",
  "LaunchRefused",
  "LaunchOutcomeUnknown",
  "ProviderNotConfigured",
  "JobOutcomeUnknown",
  "JobDeadlineExceeded",
  "WaitingForPlaybook",
  "AwaitingSignal",
  "CancelForbidden",
  "CancelDeadlineExceeded",
  "SpecInvalid",
  "RecordInvalid"
] as const satisfies ReadonlyArray<Reason>

type AnnouncedReason = (typeof announcedReasons)[number]

const own = { ...jobs, ...doubts, ...ends } as const

export type EventReason = keyof typeof own | AnnouncedReason

const isOwn = (reason: EventReason): reason is keyof typeof own => Object.hasOwn(own, reason)

/** What an Event of this reason is and means. */
export const explain = (reason: EventReason): EventExplanation =>
  isOwn(reason) ? own[reason] : { ...reasons[reason], type: "Warning", action: "Reconcile" }

/** Every reason that an Event may have. */
export const eventReasons: ReadonlyArray<EventReason> = [...Record.keys(own), ...announcedReasons]

const announced: ReadonlySet<string> = new Set(announcedReasons)

/** Whether a reason for not being Ready is worth an Event. */
export const isAnnounced = (reason: string): reason is (typeof announcedReasons)[number] => announced.has(reason)
