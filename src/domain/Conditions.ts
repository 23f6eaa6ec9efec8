/**
 * The closed set of condition types and reasons, each with its meaning and remedy, after the kstatus conventions.
 *
 * Guarantees: conditions do not flap (an unchanged status keeps its transition time), and conditions of other writers stay.
 */
import { Schema } from "effect"

export const ConditionType = Schema.Literals(["Ready", "Reconciling", "Stalled", "Provisioned", "DeletionBlocked"])
export type ConditionType = typeof ConditionType.Type

export const Condition = Schema.Struct({
  type: Schema.String.annotate({ description: "Kind of the condition, CamelCase." }),
  status: Schema.Literals(["True", "False", "Unknown"]).annotate({ description: "Whether the condition holds." }),
  reason: Schema.optionalKey(Schema.String.annotate({ description: "One CamelCase word of the documented set." })),
  message: Schema.optionalKey(Schema.String.annotate({ description: "What a person needs to know, and what to do." })),
  observedGeneration: Schema.optionalKey(
    Schema.Int.annotate({ format: "int64", description: "Generation of the spec that the condition speaks of." })
  ),
  lastTransitionTime: Schema.optionalKey(
    Schema.String.annotate({ format: "date-time", description: "When the status last changed (UTC)." })
  )
})
export type Condition = typeof Condition.Type

/**
 * Every reason there is. `person` tells whether somebody has to do something; all others recover by themselves.
 */
export const reasons = {
  // where a healthy object is
  Provisioned: { person: false, meaning: "The machine was built from the current spec.", remedy: "Nothing to do." },
  LaunchPending: { person: false, meaning: "A job is about to be launched.", remedy: "Nothing to do." },
  JobPending: {
    person: false,
    meaning: "The job is queued at the provider.",
    remedy: "If it lasts, look at the provider's capacity and at the template's allow_simultaneous."
  },
  JobRunning: { person: false, meaning: "The job is running.", remedy: "Nothing to do." },
  Deprovisioning: {
    person: false,
    meaning: "The resource is being deleted and its machine torn down.",
    remedy: "Nothing to do."
  },
  CancelingJob: {
    person: false,
    meaning: "A job that must not go on is being cancelled; nothing else starts meanwhile.",
    remedy: "If it lasts, cancel the job at the provider."
  },
  Unmanaged: {
    person: false,
    meaning: "The management-state annotation says hands off.",
    remedy: "Remove the annotation to have the resource managed."
  },
  Manual: {
    person: false,
    meaning: "The management-state annotation says that people provision this resource.",
    remedy: "Remove the annotation to have it provisioned."
  },
  // launches
  LaunchAmbiguous: {
    person: false,
    meaning:
      "A launch may or may not have reached the provider; it is being looked for, and nothing is sent meanwhile.",
    remedy: "Nothing to do; it resolves within the quiet period once the provider answers."
  },
  LaunchRefused: {
    person: false,
    meaning: "The provider refused the launch; nothing runs.",
    remedy: "Mend what the message names. It is tried again by itself."
  },
  LaunchOutcomeUnknown: {
    person: true,
    meaning: "A launch is too old for the provider to tell whether it happened.",
    remedy:
      "Look for the machine. Then set the annotation retry-requested-at to launch again, or adopt-job to name the job."
  },
  // the provider
  CredentialsRejected: {
    person: false,
    meaning: "The provider rejects the operator's token (401 Unauthorized).",
    remedy: "Put a valid token into the Secret."
  },
  PermissionDenied: {
    person: false,
    meaning: "The token's user lacks a role (403 Forbidden).",
    remedy: "Grant the role that the message names."
  },
  TemplateNotFound: {
    person: false,
    meaning: "The template does not exist or may not be read by the token's user.",
    remedy: "Create it, grant read and execute on it, or correct the template variable."
  },
  TemplateAmbiguous: {
    person: false,
    meaning: "Several templates have this name.",
    remedy: "Set CLOUDKIT_AAP_ORGANIZATION, or give the template a unique name."
  },
  TemplateRefusesVariables: {
    person: false,
    meaning: "The template does not prompt for variables, so that it would run without the resource.",
    remedy: "Switch on Prompt on launch for variables in the template."
  },
  ProviderUnreachable: {
    person: false,
    meaning: "No answer from the provider.",
    remedy: "Check network, DNS and TLS between operator and provider; see the code in the message."
  },
  ProviderOverloaded: {
    person: false,
    meaning: "The provider asks for patience (429, or 503 with Retry-After).",
    remedy: "Nothing to do; raise the poll interval if it lasts."
  },
  ProviderFailure: {
    person: false,
    meaning: "The provider answered with an error of its own (5xx).",
    remedy: "Look at the provider's logs."
  },
  ProviderMisaddressed: {
    person: false,
    meaning: "What answered is not the provider's API (HTML, a redirect, or malformed JSON).",
    remedy: "Correct the provider's address, or what sits between operator and provider."
  },
  ProviderRefused: {
    person: false,
    meaning: "The provider refused a request for another reason.",
    remedy: "See the message."
  },
  ProviderNotConfigured: {
    person: true,
    meaning: "A job belongs to a provider that this operator is not configured for.",
    remedy: "Configure that provider, or finish the job by hand and correct the record."
  },
  // how jobs end
  JobFailed: {
    person: true,
    meaning: "The job failed.",
    remedy:
      "Mend the cause that the message names. Then change the spec, delete the resource, or set the annotation retry-requested-at."
  },
  JobCanceled: {
    person: true,
    meaning: "The job was cancelled at the provider.",
    remedy: "Set the annotation retry-requested-at to run it again, change the spec, or delete the resource."
  },
  JobOutcomeUnknown: {
    person: true,
    meaning: "The provider no longer has the job, and its end was not seen.",
    remedy: "Look for the machine. Then set the annotation retry-requested-at, or delete the resource."
  },
  JobDeadlineExceeded: {
    person: true,
    meaning: "The job has been alive for longer than CLOUDKIT_JOB_DEADLINE.",
    remedy: "Look at the job at the provider, and cancel it there if it hangs."
  },
  // deletion
  DeprovisionFailed: {
    person: true,
    meaning: "The deprovision job failed, so the machine may still exist and the resource is kept.",
    remedy:
      "Set the annotation retry-requested-at to run it again, or tear the machine down by hand and remove the finalizer."
  },
  WaitingForPlaybook: {
    person: false,
    meaning: "Deletion waits for a provision that was requested, cannot be cancelled, and has not signalled its end.",
    remedy: "Nothing to do; after the settle period the machine is torn down anyway."
  },
  AwaitingSignal: {
    person: true,
    meaning: "A playbook that only signals its end was requested, and the signal has not come.",
    remedy:
      'Look at the playbook. To request it again, set the annotation retry-requested-at; when a deleted machine is gone, set cloudkit.openshift.io/deprovisioned to "true".'
  },
  CancelForbidden: {
    person: true,
    meaning: "The operator may not cancel a live job.",
    remedy: "Grant the token's user admin on the template, or cancel the job at the provider."
  },
  CancelDeadlineExceeded: {
    person: true,
    meaning: "A cancelled job is still alive after CLOUDKIT_CANCEL_DEADLINE.",
    remedy: "Look at the job at the provider; the operator goes on asking."
  },
  ManualDeletion: {
    person: true,
    meaning: "The resource is managed by people, and something was provisioned for it.",
    remedy: "Tear the machine down and remove the finalizer, or remove the management-state annotation."
  },
  // the object itself
  SpecInvalid: {
    person: true,
    meaning: "The spec cannot be provisioned.",
    remedy: "Correct the field that the message names."
  },
  RecordInvalid: {
    person: true,
    meaning: "The recorded jobs cannot be understood, so that acting on them would be a guess.",
    remedy: "Correct status.jobs with kubectl patch --subresource=status."
  }
} as const satisfies Readonly<
  Record<string, { readonly person: boolean; readonly meaning: string; readonly remedy: string }>
>

export type Reason = keyof typeof reasons

/** The reasons that a provider may give. */
export const providerReasons = [
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
  "LaunchRefused"
] as const satisfies ReadonlyArray<Reason>

/** A condition as decided by `project`: the closed type and reason, before times. */
export interface Verdict {
  readonly type: ConditionType
  readonly status: "True" | "False" | "Unknown"
  readonly reason: Reason
  readonly message: string
}

/** Types that earlier operators wrote and nobody maintains any more. */
const retired = new Set(["Accepted", "Progressing", "Available", "Deleting"])
const ours = new Set<string>(ConditionType.literals)

/**
 * The new list: one condition per verdict, absent where there is none, foreign conditions kept. The transition time moves
 * only when the status does.
 */
export const applyVerdicts = (
  current: ReadonlyArray<Condition>,
  verdicts: ReadonlyArray<Verdict>,
  generation: number | undefined,
  now: string
): ReadonlyArray<Condition> => [
  ...current.filter((condition) => !ours.has(condition.type) && !retired.has(condition.type)),
  ...verdicts.map((verdict): Condition => {
    const before = current.find((condition) => condition.type === verdict.type)
    return {
      type: verdict.type,
      status: verdict.status,
      reason: verdict.reason,
      message: verdict.message,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      lastTransitionTime:
        before?.status === verdict.status && before.lastTransitionTime !== undefined ? before.lastTransitionTime : now
    }
  })
]
