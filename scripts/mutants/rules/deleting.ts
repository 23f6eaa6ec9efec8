/** The rules of deletion. */
import type { Rule } from "./Rule.ts"

const decisionDeletion = "domain/DecisionDeletion.test.ts"
const launch = "reconcile/Launch.test.ts"
const intents = "reconcile/ProtocolIntents.test.ts"
const duplicates = "reconcile/ProtocolDuplicates.test.ts"
const objects = "reconcile/ProtocolObjects.test.ts"
const jobs = "reconcile/ProtocolJobs.test.ts"
const lifecycle = "reconcile/Lifecycle.test.ts"
const deletion = "reconcile/Deletion.test.ts"
const cancelling = "reconcile/ConditionsCancel.test.ts"
const rulesLaunch = "reconcile/RulesLaunch.test.ts"
const rulesDeletion = "reconcile/RulesDeletion.test.ts"

const stopping: ReadonlyArray<Rule> = [
  {
    id: "D1",
    text: "The finalizer is on the object before the first effect outside.",
    tests: [[rulesLaunch, "one write carries the finalizer and the intent, before anything is sent"]]
  },
  {
    id: "D2",
    text: "The phase is Deleting from the first pass on, job or no job.",
    tests: [["domain/Status.test.ts", "is phase Deleting and Reconciling from the first pass on, without any job"]]
  },
  {
    id: "D3",
    text: "Launches in doubt are resolved first.",
    tests: [[launch, "a deletion waits until an unresolved launch is resolved, and then deprovisions what came of it"]]
  },
  {
    id: "D4",
    text: "Live provisions and duplicates are cancelled, again and again while they live.",
    vital: true,
    tests: [
      [
        cancelling,
        "a job that outlives its cancel is asked again until it ends, and a person is called after the deadline"
      ],
      [duplicates, "a duplicate is cancelled again and again until it has ended"]
    ]
  },
  {
    id: "D5",
    text: "The deprovision begins only when every recorded job reads terminal; an error is no end.",
    vital: true,
    tests: [
      [deletion, "in the middle of provisioning cancels the job, waits for its end, deprovisions, and lets go"],
      [decisionDeletion, "all live provision jobs are cancelled together"]
    ]
  },
  {
    id: "D6",
    text: "A 202 in answer to a cancel is no end: the job is waited for.",
    vital: true,
    tests: [[cancelling, "a cancel that AAP takes its time to answer is one cancel, and the job is waited for"]]
  },
  {
    id: "D7",
    text: "A 405, or a 403 on a job that reads terminal, lets the deletion go on.",
    tests: [
      [deletion, "goes on at once when the job ended between look and cancel, and records how it ended"],
      [cancelling, "a job that ended by itself before the cancel answers 403 to an ordinary user, and deletion goes on"]
    ]
  },
  {
    id: "D8",
    text: "A 403 on a live job blocks the deletion and names the role that is missing.",
    tests: [
      [
        cancelling,
        "403 on a live job blocks deletion, names the missing role, and is got over when the role is granted"
      ]
    ]
  },
  {
    id: "D9",
    text: "A 404 is confirmed in AAP's own JSON before it is believed.",
    tests: [
      [
        "reconcile/Regressions.test.ts",
        "a cancel that is answered 404 while the job lives does not count the job as gone"
      ],
      ["reconcile/ConditionsPolling.test.ts", "an empty answer about a job is confirmed before it is believed"]
    ]
  },
  {
    id: "D10",
    text: "A job that outlives its cancel for too long calls a person, and is not given up.",
    tests: [
      [
        cancelling,
        "a job that outlives its cancel is asked again until it ends, and a person is called after the deadline"
      ]
    ]
  }
]

const tearingDown: ReadonlyArray<Rule> = [
  {
    id: "D11",
    text: "Where nothing was ever launched the finalizer is removed and nothing else.",
    tests: [[lifecycle, "removes the finalizer and nothing else when nothing was ever launched"]]
  },
  {
    id: "D12",
    text: "A launch that was closed as not found counts as launched: the deprovision runs.",
    tests: [[intents, "a deletion after a launch of which nothing came deprovisions, as one cannot be sure"]]
  },
  {
    id: "D13",
    text: "A provision that failed, was cancelled or was purged is deprovisioned all the same.",
    vital: true,
    tests: [
      [deletion, "deprovisions what a failed provision may have left behind"],
      [jobs, "what a dropped job may have built is deprovisioned"]
    ]
  },
  {
    id: "D14",
    text: "After a deprovision that succeeded our finalizers go; where others remain, a last status comes first.",
    tests: [[deletion, "keeps the finalizers of others, and says Deleting until they go"]]
  },
  {
    id: "D15",
    text: "A deprovision that failed or was cancelled, and blocks, keeps the object.",
    vital: true,
    tests: [
      [deletion, "is blocked by a failed deprovision, says how to go on, and goes on when a person asks"],
      [jobs, "a deprovision that a person cancels in AAP blocks the deletion until it is asked for again"]
    ]
  },
  {
    id: "D16",
    text: "It runs again when a person asks, and not by itself.",
    tests: [[decisionDeletion, "and blocks is run again by a new retry value, once"]]
  },
  {
    id: "D17",
    text: "A deprovision that was purged before its end was seen runs again by itself.",
    vital: true,
    tests: [[deletion, "runs the deprovision again when AAP dropped it before its end was seen"]]
  },
  {
    id: "D18",
    text: "A deprovision that failed and does not block lets the object go, with a Warning.",
    tests: [
      [rulesDeletion, "a failed deprovision that a person says need not block lets the object go, with a Warning"]
    ]
  },
  {
    id: "D19",
    text: "Taking our finalizer off what is being deleted always works; off what lives on, the next launch puts it back.",
    tests: [
      [objects, "taking the finalizer off an object that is being deleted always works, and is never undone"],
      [objects, "off an object that lives on, it is put back by the next launch and not before"]
    ]
  },
  {
    id: "D20",
    text: "Deprovisions of AAP block the deletion when they fail, whoever recorded them; those of EDA do not.",
    tests: [[rulesDeletion, "a failed deprovision whose launch nobody confirmed keeps the object like any other"]]
  }
]

export const deletingRules: ReadonlyArray<Rule> = [...stopping, ...tearingDown]
