/**
 * The closed set of reasons of conditions: what each means, what usually brings it about, and what to do.
 *
 * The texts name no provider: what is particular to one stands in the message, which comes from the provider.
 */

interface Explanation {
  /** Somebody has to do something; all others recover by themselves. */
  readonly person: boolean
  readonly meaning: string
  readonly cause: string
  readonly remedy: string
}

const table = <const Name extends string>(entries: Readonly<Record<Name, Explanation>>) => entries

/** Where a healthy object is. */
const course = table({
  Provisioned: {
    person: false,
    meaning: "The machine was built from the current spec.",
    cause: "The newest provision job succeeded with this spec.",
    remedy: "Nothing to do."
  },
  LaunchPending: {
    person: false,
    meaning: "A job is about to be launched.",
    cause: "A new resource, a new spec, a retry that was asked for, or the least time between two requests.",
    remedy: "Nothing to do."
  },
  JobPending: {
    person: false,
    meaning: "The job is queued at the provider.",
    cause: "The provider has no capacity yet, or another job of the template runs.",
    remedy: "If it lasts, look at the provider's capacity, and at whether the template may run several jobs at once."
  },
  JobRunning: {
    person: false,
    meaning: "The job is running.",
    cause: "The playbook is at work.",
    remedy: "Nothing to do."
  },
  Deprovisioning: {
    person: false,
    meaning: "The resource is being deleted and its machine torn down.",
    cause: "The resource was deleted.",
    remedy: "Nothing to do."
  },
  CancelingJob: {
    person: false,
    meaning: "A job that must not go on is being cancelled; nothing else starts meanwhile.",
    cause: "The resource was deleted while its provision ran, or one launch led to several jobs.",
    remedy: "If it lasts, cancel the job at the provider."
  },
  Unmanaged: {
    person: false,
    meaning: "The management-state annotation says hands off.",
    cause: "A person set it to unmanaged while a launch was under way; the job is recorded and left alone.",
    remedy: "Remove the annotation to have the resource managed."
  },
  Manual: {
    person: false,
    meaning: "The management-state annotation says that people provision this resource.",
    cause: "A person set it to manual.",
    remedy: "Remove the annotation to have it provisioned."
  }
})

/** What became of launches. */
const launches = table({
  LaunchAmbiguous: {
    person: false,
    meaning:
      "A launch may or may not have reached the provider; it is being looked for, and nothing is sent meanwhile.",
    cause: "No answer, a broken connection, a failure of the provider, or a crash of the operator during the launch.",
    remedy: "Nothing to do; it resolves within the quiet period once the provider answers."
  },
  LaunchRefused: {
    person: false,
    meaning: "The provider refused the launch; nothing runs.",
    cause: "The request does not fit the template, or the operator could not send it in time.",
    remedy: "Mend what the message names. It is tried again by itself."
  },
  LaunchOutcomeUnknown: {
    person: true,
    meaning: "A launch is too old for the provider to tell whether it happened.",
    cause: "Its answer was lost, and the provider may have dropped its job since.",
    remedy:
      "Look for the machine. Then set the annotation retry-requested-at to launch again, or adopt-job to name the job."
  }
})

/** What a provider may answer. */
const answers = table({
  CredentialsRejected: {
    person: false,
    meaning: "The provider rejects the operator's token (401 Unauthorized).",
    cause: "The token expired, was revoked, or is another system's.",
    remedy: "Put a valid token into the Secret."
  },
  PermissionDenied: {
    person: false,
    meaning: "The token's user lacks a role (403 Forbidden).",
    cause: "A role was not granted, or the token may only read.",
    remedy: "Grant the role that the message names."
  },
  TemplateNotFound: {
    person: false,
    meaning: "The template does not exist or may not be read by the token's user.",
    cause: "It was renamed or deleted, its name is misspelt, or a role is missing.",
    remedy: "Create it, grant read and execute on it, or correct the template variable."
  },
  TemplateAmbiguous: {
    person: false,
    meaning: "Several templates have this name.",
    cause: "The name exists in several organizations, or for both kinds of template.",
    remedy: "Name the organization as the message tells, or give the template a unique name."
  },
  TemplateRefusesVariables: {
    person: false,
    meaning: "The template takes no variables at launch, so that it would run without the resource.",
    cause: "Its prompt for variables is switched off.",
    remedy: "Switch on the prompt on launch for the template's variables."
  },
  ProviderUnreachable: {
    person: false,
    meaning: "No answer from the provider.",
    cause: "It is down, or network, DNS, TLS or a proxy is in the way.",
    remedy: "Check network, DNS and TLS between operator and provider; see the code in the message."
  },
  ProviderOverloaded: {
    person: false,
    meaning: "The provider asks for patience (429, or 503 with Retry-After).",
    cause: "Too many requests, or maintenance.",
    remedy: "Nothing to do; raise the poll interval if it lasts."
  },
  ProviderFailure: {
    person: false,
    meaning: "The provider answered with an error of its own (5xx).",
    cause: "A fault inside the provider, or a proxy that does not reach it.",
    remedy: "Look at the provider's logs."
  },
  ProviderMisaddressed: {
    person: false,
    meaning: "What answered is not the provider's API (HTML, a redirect, or malformed JSON).",
    cause: "A wrong address, a login page, or a proxy that answers for the provider.",
    remedy: "Correct the provider's address, or what sits between operator and provider."
  },
  ProviderRefused: {
    person: false,
    meaning: "The provider refused a request for another reason.",
    cause: "The message names it.",
    remedy: "See the message."
  }
})

/** How jobs and resources come to a stop. */
const stops = table({
  ProviderNotConfigured: {
    person: true,
    meaning: "A job belongs to a provider that this operator is not configured for.",
    cause: "The provider was switched, and the variables of the earlier one were removed.",
    remedy: "Configure that provider, or finish the job by hand and correct the record."
  },
  JobFailed: {
    person: true,
    meaning: "The job failed.",
    cause: "A task of the playbook failed; the message says which.",
    remedy:
      "Mend the cause that the message names. Then change the spec, delete the resource, or set the annotation retry-requested-at."
  },
  JobCanceled: {
    person: true,
    meaning: "The job was cancelled at the provider.",
    cause: "Somebody cancelled it there.",
    remedy: "Set the annotation retry-requested-at to run it again, change the spec, or delete the resource."
  },
  JobOutcomeUnknown: {
    person: true,
    meaning: "The provider no longer has the job, and its end was not seen.",
    cause: "The job was deleted or purged at the provider, or the provider was restored from a backup.",
    remedy: "Look for the machine. Then set the annotation retry-requested-at, or delete the resource."
  },
  JobDeadlineExceeded: {
    person: true,
    meaning: "The job has been alive for longer than CLOUDKIT_JOB_DEADLINE.",
    cause: "The playbook hangs, or waits for capacity.",
    remedy: "Look at the job at the provider, and cancel it there if it hangs."
  },
  DeprovisionFailed: {
    person: true,
    meaning: "The deprovision job failed, so the machine may still exist and the resource is kept.",
    cause: "A task of the playbook failed, or somebody cancelled it; the message says which.",
    remedy:
      "Set the annotation retry-requested-at to run it again, or tear the machine down by hand and remove the finalizer."
  },
  WaitingForPlaybook: {
    person: false,
    meaning: "Deletion waits for a provision that was requested, cannot be cancelled, and has not signalled its end.",
    cause: "The resource was deleted while the playbook ran.",
    remedy: "Nothing to do; after the settle period the machine is torn down anyway."
  },
  AwaitingSignal: {
    person: true,
    meaning: "A playbook that only signals its end was requested, and the signal has not come.",
    cause:
      "The playbook failed or still runs, no rule matched the request, or the playbook may not patch the resource.",
    remedy:
      'Look at the playbook. To request it again, set the annotation retry-requested-at; when a deleted machine is gone, set cloudkit.openshift.io/deprovisioned to "true".'
  },
  CancelForbidden: {
    person: true,
    meaning: "The operator may not cancel a live job.",
    cause: "The token's user lacks the role for it.",
    remedy: "Grant the token's user admin on the template, or cancel the job at the provider."
  },
  CancelDeadlineExceeded: {
    person: true,
    meaning: "A cancelled job is still alive after CLOUDKIT_CANCEL_DEADLINE.",
    cause: "The job does not react, or the provider has lost the node it runs on.",
    remedy: "Look at the job at the provider; the operator goes on asking."
  },
  ManualDeletion: {
    person: true,
    meaning: "The resource is managed by people, and something was provisioned for it.",
    cause: "It was deleted while its management-state annotation says manual.",
    remedy: "Tear the machine down and remove the finalizer, or remove the management-state annotation."
  },
  SpecInvalid: {
    person: true,
    meaning: "The spec cannot be provisioned.",
    cause: "A field has a value that the CustomResourceDefinition cannot check.",
    remedy: "Correct the field that the message names."
  },
  RecordInvalid: {
    person: true,
    meaning: "The recorded jobs cannot be understood, so that acting on them would be a guess.",
    cause: "Somebody edited the status.",
    remedy: "Correct status.jobs with kubectl patch --subresource=status."
  }
})

/** Every reason there is. */
export const reasons = { ...course, ...launches, ...answers, ...stops } as const

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

export type ProviderReason = (typeof providerReasons)[number]
