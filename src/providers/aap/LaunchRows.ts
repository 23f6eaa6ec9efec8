/**
 * What a row of a list of jobs tells of our launches: a launch, none, or one that cannot be told.
 *
 * A row that cannot be read hides a launch only from those whose key it carries. Without a key of ours it is somebody
 * else's, however strange it looks; only one that does not show its variables at all, or hides them as a whole, may be
 * anybody's. Jobs that a workflow or a slice started carry their parent's key and are not launches of ours.
 */
import { Result } from "effect"
import type { FoundJob } from "../../ports/ProvisioningProvider.ts"
import { json } from "./ErrorTranslation.ts"
import { stateOf, timesOf } from "./JobStates.ts"
import { keyIn, ownerOf } from "./Ownership.ts"
import { plain } from "./PlainText.ts"
import { type JobRow, jobKind, type ListedJob } from "./Wire.ts"

/** A row that may be a launch of ours, and cannot be followed as it is. */
export interface Doubt {
  /** Uid of the object whose key it carries; none: it may be anybody's. */
  readonly uid: string | undefined
  /** What is wrong with it, and what to do. */
  readonly message: string
}

/** A job as the port describes it, under the key it carries. */
export const foundJob = (row: JobRow, kind: string, launchKey: string, operation: FoundJob["operation"]): FoundJob => {
  const { state, detail } = stateOf(row.status)
  const { startedAt, finishedAt } = timesOf(row)
  return {
    id: String(row.id),
    kind,
    operation,
    launchKey,
    owner: ownerOf(row.extra_vars),
    state,
    detail,
    created: row.created ?? "",
    startedAt,
    finishedAt,
    relaunched: row.launch_type === "relaunch"
  }
}

export const operationIn = (key: string): FoundJob["operation"] | undefined => {
  const operation = key.split("/")[1]
  return operation === "provision" || operation === "deprovision" ? operation : undefined
}

const nameOf = ({ id }: ListedJob): string => (id === undefined ? "A job whose id cannot be read" : `Job ${id}`)

const WAY_OUT =
  "look at it in AAP; then either name the job to follow by the annotation cloudkit.openshift.io/adopt-job, or cancel that job and delete it in AAP"

const doubt = (uid: string | undefined, row: ListedJob, what: string): Result.Result<never, Doubt> =>
  Result.fail({ uid, message: plain(`${nameOf(row)} ${what}: ${WAY_OUT}`) })

/** AAP gives variables as text. Whatever else it gives is looked through as the text that it would be. */
const textOf = (variables: unknown): string => (typeof variables === "string" ? variables : JSON.stringify(variables))

/** What AAP puts in the place of a secret. Within a mapping it stands for one value; without one, for anything. */
const HIDDEN = "$encrypted$"

const isHidden = (variables: string): boolean => {
  if (!variables.includes(HIDDEN)) return false
  const parsed = json(variables)
  return typeof parsed !== "object" || parsed === null || Array.isArray(parsed)
}

/** Everything that is no job or workflow job (a project update, a clean-up) is launched without variables. */
const mayHideVariables = ({ launch_type, type }: ListedJob): boolean =>
  launch_type !== "workflow" && (type === undefined || jobKind(type) !== undefined)

const unshown = (row: ListedJob) =>
  mayHideVariables(row)
    ? doubt(undefined, row, "is listed by AAP without its variables, so that it may be the launch that is looked for")
    : Result.succeed([])

/** The launch a row stands for, if it is one of ours. */
export const launchIn = (row: ListedJob): Result.Result<ReadonlyArray<FoundJob>, Doubt> => {
  if (row.extra_vars === undefined) return unshown(row)
  const variables = textOf(row.extra_vars)
  const key = keyIn(variables)
  if (key === undefined && isHidden(variables)) return unshown(row)
  const operation = key === undefined ? undefined : operationIn(key)
  if (key === undefined || operation === undefined || row.launch_type === "workflow") return Result.succeed([])
  const kind = jobKind(row.type)
  const [uid] = key.split("/")
  if (row.id === undefined) return doubt(uid, row, `carries the launch key ${key}`)
  if (kind === undefined) {
    return doubt(uid, row, `carries the launch key ${key} and is of a type that is not known (${row.type ?? "none"})`)
  }
  // a state that cannot be read is not known, which is a state that is followed
  const readable = { ...row, id: row.id, type: kind, status: row.status ?? "unreadable status", extra_vars: variables }
  return Result.succeed([foundJob(readable, kind, key, operation)])
}
