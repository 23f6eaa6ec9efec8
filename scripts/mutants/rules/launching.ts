/** The rules of launching: what is written, and what is sent. */
import type { Rule } from "./Rule.ts"

const decisionLaunch = "domain/DecisionLaunch.test.ts"
const launch = "reconcile/Launch.test.ts"
const sending = "reconcile/ProtocolSending.test.ts"
const jobs = "reconcile/ProtocolJobs.test.ts"
const rulesLaunch = "reconcile/RulesLaunch.test.ts"
const aapLaunch = "providers/aap/Launch.test.ts"

const writing: ReadonlyArray<Rule> = [
  {
    id: "L1",
    text: "Metadata is written only over the very version it was decided on; a stale pass conflicts and does nothing else.",
    vital: true,
    tests: [
      [sending, "a write decided on a stale view changes nothing and is not worth a word"],
      [sending, "two processes that both believe to lead launch once"]
    ]
  },
  {
    id: "L2",
    text: "So is the status.",
    vital: true,
    tests: [[sending, "a status decided on a stale view is not written over what came after it"]]
  },
  {
    id: "L3",
    text: "An intent is open until a record names both its key and its stamp.",
    tests: [[decisionLaunch, "is closed only by a record that names both its key and its stamp"]]
  },
  {
    id: "L4",
    text: "An object has one intent at a time.",
    tests: [[decisionLaunch, "is searched for before anything else happens to the object"]]
  },
  {
    id: "L5",
    text: "The attempt in a key is one more than the highest ever used for the operation, whatever the config version; it is kept, never counted.",
    vital: true,
    tests: [
      [decisionLaunch, "is kept in the record, and never derived by counting jobs"],
      [jobs, "the history is bounded, keeps the newest of each operation, and never uses an attempt twice"]
    ]
  },
  {
    id: "L6",
    text: "The intent of a provision is written before it is sent.",
    vital: true,
    tests: [[launch, "a process killed after AAP accepted leaves an intent from which the next one adopts the job"]]
  },
  {
    id: "L7",
    text: "The intent of a deprovision is written before it is sent.",
    vital: true,
    tests: [
      [
        rulesLaunch,
        "a process killed after AAP accepted a deprovision leaves an intent from which the next one adopts the job"
      ]
    ]
  },
  {
    id: "L8",
    text: "One write carries the intent, and the finalizer if it is missing.",
    tests: [[rulesLaunch, "one write carries the finalizer and the intent, before anything is sent"]]
  },
  {
    id: "L9",
    text: "The intent names the value of the retry annotation that it answers.",
    vital: true,
    tests: [[jobs, "a value of retry-requested-at is answered by one launch, and none by an object that needs none"]]
  }
]

const sent: ReadonlyArray<Rule> = [
  {
    id: "L10",
    text: "A launch leaves within the send window, counted from the start of that write, or not at all.",
    vital: true,
    tests: [
      [sending, "an intent that took longer to write than the send window is not sent, and the launch is tried again"]
    ]
  },
  {
    id: "L11",
    text: "Whoever no longer leads sends nothing; and where two believe to lead, one launches.",
    tests: [
      [
        rulesLaunch,
        "whoever lost the lease while its intent was written sends nothing, and its successor sends it once"
      ],
      [sending, "two processes that both believe to lead launch once"]
    ]
  },
  {
    id: "L12",
    text: "Permits are taken, and what may fail without an effect is checked, before the intent is written.",
    tests: [[rulesLaunch, "a launch that waits behind an AAP that is away has written no intent"]]
  },
  {
    id: "L13",
    text: "A launch is never repeated by itself.",
    vital: true,
    tests: [
      [launch, "a launch that never arrived is sent again under the same key after a quiet period, and not before"],
      [launch, "a launch whose answer was lost is found by its key and adopted, not repeated"]
    ]
  },
  {
    id: "L14",
    text: "The id in an answer is recorded with fresh reads until it is stored or the object is gone, whatever is shut down meanwhile.",
    tests: [
      [sending, "the answer of a launch is recorded however often the API server refuses to"],
      [launch, "a process told to stop while a launch is under way records the job before it ends"],
      [sending, "an object that is gone before its launch is answered leaves no running job"]
    ]
  },
  {
    id: "L15",
    text: "An answer closes the intent only if key and stamp are still the same; otherwise its job is recorded as a duplicate.",
    vital: true,
    tests: [
      [rulesLaunch, "an answer that comes after the launch was renewed is recorded as a duplicate, and cancelled"]
    ]
  },
  {
    id: "L16",
    text: "An answer that cannot be read is traced by its Location; without any trace it is ambiguous.",
    tests: [
      [aapLaunch, "is traced by its Location when its body cannot be read"],
      [aapLaunch, "without any trace of a job is ambiguous"]
    ]
  },
  {
    id: "L17",
    text: "A refusal closes the intent only if key and stamp are still the same.",
    vital: true,
    tests: [[rulesLaunch, "a refusal that comes after the launch was renewed changes nothing"]]
  },
  {
    id: "L18",
    text: "What AAP certainly did not apply is a refusal: said, and tried again after a while.",
    tests: [[launch, "a refused launch is said in the condition, leaves no job, and is tried again by itself"]]
  }
]

export const launchingRules: ReadonlyArray<Rule> = [...writing, ...sent]
