/** What became of each code block of the design document, and which test shows it. */

/** `holds`: works as printed. `kubelet`: needs one; something else was run in its place. */
type Verdict = "holds" | "deviates" | "kubelet"

export interface Entry {
  readonly verdict: Verdict
  /** Name of the test, word for word. */
  readonly test: string
  readonly note: string
}

const entry =
  (verdict: Verdict) =>
  (test: string, note = ""): Entry => ({ verdict, test, note })

const holds = entry("holds")
const deviates = entry("deviates")
const kubelet = entry("kubelet")

const SUCCEEDS =
  "scenario 1: a ComputeInstance is provisioned and deprovisioned, each state and message seen on the way"
const CANCELED = "scenario 2: a deletion during provisioning cancels the job, waits for its end, and deprovisions"
const FAILS = "scenario 3: a failed provision job is explained in the status, and its object is still deprovisioned"
const EDA =
  "scenario 4: under EDA the job is a numbered webhook call, Unknown until the playbook's annotation makes it Ready"
const AAP_VERIFIED =
  "the verification of an AAP deployment finds AAP, its templates, the job in the status and the same job in AAP"
const EDA_VERIFIED =
  "the verification of an EDA deployment finds the webhook, its job in the log, and the playbook's annotation"
const MIGRATION =
  "a migration from EDA to AAP leaves what is Ready alone, shows what is not, launches in AAP, and can be taken back"
const STUCK =
  "a ComputeInstance that does not get on is looked at here and in AAP, and given up by taking its finalizer off"
const BLOCKED = "a failed deprovision keeps the object, says why, and lets it go when a person takes the finalizer off"
const DUPLICATED = "of two jobs for one object a person cancels one, and names the one to follow with an annotation"
const CRASHED =
  "a job that outlives a crash of the operator is followed to its end by the next process, and launched once"
const VARIABLES = "the variables of the design document are accepted as they are printed"
const TOKEN = "a token of scope write can launch, and one of scope read is refused and said to lack a permission"
const LAYOUT = "what the Go operator kept in these files is in the folders of this one"
const COMMANDS = "what make and go test do for the Go operator, npm test does here"

const RUN = "`kubectl run` runs its command on the spot"
const EDIT = "`kubectl edit` is replaced by another manifest, and the test restarts the operator as a kubelet would"

export const entries: ReadonlyMap<number, Entry> = new Map([
  [1, holds(SUCCEEDS, "every state on the way is recorded as it was polled")],
  [2, deviates(LAYOUT, "other folders, as this is another language")],
  [3, deviates(VARIABLES, "this variable alone is refused, with all that is missing beside it")],
  [4, holds(VARIABLES, "the interval is between two calls of one webhook for one object")],
  [5, holds(VARIABLES, "any form of AAP's address is taken")],
  [6, holds(SUCCEEDS, "reading it back needs `-n cloudkit-system`, which the troubleshooting table leaves out")],
  [7, holds(SUCCEEDS)],
  [8, kubelet(TOKEN, "needs an AAP that issues tokens; what a token's scope permits was tested in its place")],
  [
    9,
    kubelet(EDA_VERIFIED, "the receiver is the simulated one, and answers a request instead of being listed as a pod")
  ],
  [10, holds(EDA)],
  [11, holds(EDA, "the Deployment is stored; the test starts the operator with its variables, as a kubelet would")],
  [
    12,
    deviates(
      EDA_VERIFIED,
      `the job is \`eda-webhook-1\`; ${RUN}; \`kubectl get svc\` is left out, the receiver being outside`
    )
  ],
  [13, holds(CANCELED)],
  [14, holds(AAP_VERIFIED, "with a poll interval of 1s, to save time")],
  [
    15,
    holds(AAP_VERIFIED, "the Deployment is stored; the test starts the operator with its variables, as a kubelet would")
  ],
  [16, holds(AAP_VERIFIED, `${RUN}; \`watch\` looks once`)],
  [17, holds(MIGRATION, "the finalizer that it names is recognised")],
  [18, holds(MIGRATION)],
  [19, kubelet(MIGRATION, EDIT)],
  [20, kubelet(MIGRATION, "the Deployment is changed as printed; the test restarts the operator as a kubelet would")],
  [21, holds(MIGRATION)],
  [22, holds(MIGRATION, "the field selector needs Kubernetes 1.32")],
  [23, kubelet(MIGRATION, EDIT)],
  [
    24,
    deviates(SUCCEEDS, "`blockDeletionOnFailure` of a provision job is false; a pending deprovision job is `Pending`")
  ],
  [25, holds(SUCCEEDS)],
  [26, holds(SUCCEEDS, "word for word, the failure in scenario 3")],
  [27, holds(CANCELED, "word for word, the failure where a deprovision fails")],
  [
    28,
    deviates(
      CANCELED,
      "`grep AAP` finds launches, cancels, refusals and failures; reads that are well are logged at `debug`"
    )
  ],
  [29, deviates(SUCCEEDS, "a deprovision job is `Pending` before it is `Running`, with a message for each")],
  [30, holds(CANCELED)],
  [31, deviates(FAILS, "`blockDeletionOnFailure` of a provision job is false")],
  [32, deviates(EDA, "the id is `eda-webhook-1`; the state becomes `Succeeded` with the signal")],
  [33, deviates(COMMANDS, "`npm test`")],
  [34, deviates(COMMANDS, "`npm test`, whose simulators answer HTTP")],
  [35, holds(AAP_VERIFIED)],
  [36, holds(FAILS)],
  [37, deviates(FAILS, "a cancel of an ended job is answered 405 only to who may cancel it; to others 403")],
  [38, kubelet(AAP_VERIFIED, "what is to be typed in the pod is typed outside; name and TLS look-ups are left out")],
  [39, holds(STUCK)],
  [40, deviates(STUCK, "`result_traceback` is empty unless AAP itself failed; the reason is in the message")],
  [41, deviates(BLOCKED, "`result_traceback` is empty unless AAP itself failed; the reason is in the message")],
  [42, holds(BLOCKED, "the deletion goes through at once, so that the second command finds nothing")],
  [43, deviates(DUPLICATED, "AAP names a job after its template: the ids are in `status.jobs`")],
  [44, deviates(DUPLICATED, "`kubectl edit` does not change a status: the annotation `adopt-job` names the job")],
  [45, holds(CRASHED)],
  [46, holds(CRASHED)],
  [47, holds(BLOCKED)],
  [48, deviates(SUCCEEDS, "the message is `Job completed successfully`")]
])
