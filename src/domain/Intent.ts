/**
 * A launch that was decided but not confirmed: written to the object before the provider is called, so that whoever finds
 * it after a crash knows what may have happened and under which key to look for it.
 *
 * The intent is open until the status holds a record that names its key and its stamp.
 */
import { Result, Schema } from "effect"
import { type Job, Operation } from "./Job.ts"

/** Annotation that holds the intent as JSON. */
export const INTENT_ANNOTATION = "cloudkit.openshift.io/launch-intent"

export const Intent = Schema.Struct({
  key: Schema.String.annotate({ description: "Idempotency key of the launch." }),
  object: Schema.String.annotate({
    description: "namespace/name of the object it was written for; a copy of the object does not inherit it."
  }),
  operation: Operation.annotate({ description: "What is to be launched." }),
  attempt: Schema.Int.annotate({ description: "Number of the attempt, counted per operation." }),
  provider: Schema.String.annotate({ description: "The provider that is called." }),
  template: Schema.String.annotate({ description: "What is to be launched, in the provider's own words." }),
  configVersion: Schema.String.annotate({ description: "Version of the spec it is meant for." }),
  retry: Schema.optionalKey(
    Schema.String.annotate({ description: "The value of the retry annotation that this launch answers." })
  ),
  stamp: Schema.String.annotate({
    description: "When it was written (RFC 3339, milliseconds). With the key it names this very sending."
  }),
  heldByPlaybook: Schema.optionalKey(
    Schema.Boolean.annotate({ description: "The object carried a playbook's finalizer when the launch was sent." })
  ),
  since: Schema.optionalKey(
    Schema.String.annotate({ description: "Stamp of the first sending, when this is a renewal." })
  )
})
export type Intent = typeof Intent.Type

/**
 * The idempotency key of an attempt. It differs whenever a different job is meant: by object, operation, config version
 * (what a provision builds) and attempt.
 */
export const keyOf = (uid: string, operation: Operation, configVersion: string, attempt: number): string =>
  operation === "provision" ? `${uid}/provision/${configVersion}/${attempt}` : `${uid}/deprovision/${attempt}`

/** What a key says. None of our keys gives undefined. */
export const readKey = (
  key: string
):
  | {
      readonly uid: string
      readonly operation: Operation
      readonly configVersion: string | undefined
      readonly attempt: number
    }
  | undefined => {
  const [, uid, operation, configVersion, attempt] =
    /^([^/]+)\/(provision|deprovision)(?:\/([0-9a-f]+))?\/(\d+)$/u.exec(key) ?? []
  if (uid === undefined || attempt === undefined) return undefined
  return operation === "provision"
    ? { uid, operation, configVersion, attempt: Number(attempt) }
    : { uid, operation: "deprovision", configVersion: undefined, attempt: Number(attempt) }
}

const decode = Schema.decodeUnknownResult(Schema.fromJsonString(Intent))

/** The intent in an annotation's value. A value that is not an intent is an error to show, never to act on. */
export const parse = (value: string): Result.Result<Intent, string> =>
  Result.mapError(decode(value), (error) => error.message)

export const print = Schema.encodeSync(Schema.fromJsonString(Intent))

/** How a launch ended that left no job. Removed by the next launch that does. */
export const LaunchRecord = Schema.Struct({
  key: Schema.String.annotate({ description: "Idempotency key of the launch." }),
  stamp: Schema.String.annotate({ description: "Stamp of the launch intent that this record closes." }),
  operation: Operation.annotate({ description: "What was to be launched." }),
  outcome: Schema.Literals(["Refused", "NotFound", "Unknown"]).annotate({
    description:
      "Refused: the provider said no, nothing runs. NotFound: no job came of it within the quiet period. Unknown: too old to tell."
  }),
  configVersion: Schema.optionalKey(Schema.String.annotate({ description: "Version of the spec it was meant for." })),
  reason: Schema.optionalKey(Schema.String.annotate({ description: "Reason of a refusal, as in the conditions." })),
  message: Schema.optionalKey(Schema.String.annotate({ description: "What the provider said." })),
  time: Schema.String.annotate({ format: "date-time", description: "When the outcome was known (UTC)." }),
  refusals: Schema.optionalKey(
    Schema.Int.annotate({
      description: "How many launches in a row were refused; the wait before the next grows with it."
    })
  ),
  retryAt: Schema.optionalKey(
    Schema.String.annotate({ format: "date-time", description: "Not to be tried again before this time (UTC)." })
  )
})
export type LaunchRecord = typeof LaunchRecord.Type

/** Whether `status` already tells how this very sending ended. */
export const isClosed = (intent: Intent, jobs: ReadonlyArray<Job>, launch: LaunchRecord | undefined): boolean =>
  jobs.some((job) => job.launchKey === intent.key && job.launchStamp === intent.stamp) ||
  (launch !== undefined && launch.key === intent.key && launch.stamp === intent.stamp)
