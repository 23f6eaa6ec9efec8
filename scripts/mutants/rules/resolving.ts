/** The rules of a launch that nobody confirmed, and of what is remembered of launches. */
import type { Rule } from "./Rule.ts"

const decisionLaunch = "domain/DecisionLaunch.test.ts"
const decisionDeletion = "domain/DecisionDeletion.test.ts"
const launch = "reconcile/Launch.test.ts"
const intents = "reconcile/ProtocolIntents.test.ts"
const duplicates = "reconcile/ProtocolDuplicates.test.ts"
const objects = "reconcile/ProtocolObjects.test.ts"
const jobs = "reconcile/ProtocolJobs.test.ts"
const lifecycle = "reconcile/Lifecycle.test.ts"
const rulesIntent = "reconcile/RulesIntent.test.ts"
const search = "providers/aap/Search.test.ts"

const inDoubt: ReadonlyArray<Rule> = [
  {
    id: "L19",
    text: "Every other failure leaves the launch in doubt, and nothing else happens to the object until it is known what came of it.",
    tests: [[decisionLaunch, "holds back a spec change, a deletion, a retry and the end of a live job"]]
  },
  {
    id: "L20",
    text: "While a launch is in doubt nothing is deprovisioned.",
    vital: true,
    tests: [
      [
        rulesIntent,
        "a machine whose next provision is in doubt is not deprovisioned before it is known what came of it"
      ]
    ]
  },
  {
    id: "L21",
    text: "While a launch is in doubt the finalizer stays.",
    vital: true,
    tests: [[launch, "a deletion waits until an unresolved launch is resolved, and then deprovisions what came of it"]]
  },
  {
    id: "L22",
    text: "A changed spec does not end the doubt.",
    vital: true,
    tests: [[intents, "a spec that changed meanwhile closes the launch as not found, and the new one gets a new key"]]
  },
  {
    id: "L23",
    text: "Nor does a deletion.",
    vital: true,
    tests: [[intents, "a deletion after a launch of which nothing came deprovisions, as one cannot be sure"]]
  },
  {
    id: "L24",
    text: "The search finds ended jobs too.",
    vital: true,
    tests: [[duplicates, "an ended job is adopted as well, and is not run again"]]
  },
  {
    id: "L25",
    text: "The search covers both kinds of jobs, all pages, and clocks of which AAP's is ahead or less than ten minutes behind.",
    tests: [
      [search, "reads every page, however small AAP makes them"],
      [search, "is found when the clocks differ by less than ten minutes, and not among older jobs"],
      [
        "reconcile/ProtocolClocks.test.ts",
        "a launch whose answer was lost is adopted although the operator's clock is then put forward by two hours"
      ],
      [search, "of a workflow is the workflow's job, not those that it started with the same variables"]
    ]
  },
  {
    id: "L26",
    text: "One search serves all launches of a template that are in doubt.",
    tests: [
      [rulesIntent, "a start with many launches in doubt searches once a template and page, and launches nothing"],
      [search, "is shared by 200 that ask at once, with the earliest of their times"]
    ]
  },
  {
    id: "L27",
    text: "The oldest job found is adopted, whatever its state; every other is recorded with it as a duplicate and cancelled, and nothing new starts meanwhile.",
    tests: [
      [duplicates, "of several jobs under one key the oldest is adopted, and all others are recorded and cancelled"],
      [duplicates, "nothing new starts while a duplicate lives, whatever the spec says meanwhile"]
    ]
  },
  {
    id: "L28",
    text: "A launch counts as lost only when a whole quiet period has passed; a search that fails proves nothing.",
    tests: [
      [launch, "a launch that never arrived is sent again under the same key after a quiet period, and not before"],
      [intents, "while AAP cannot be searched nothing is sent, however long it lasts"]
    ]
  },
  {
    id: "L29",
    text: "The quiet period is counted by each process's monotonic clock from when it first saw the stamp.",
    tests: [[intents, "the quiet period is counted by each process from when it first saw the launch"]]
  },
  {
    id: "L30",
    text: "The search that counts began after the quiet period.",
    vital: true,
    tests: [[rulesIntent, "a search counts when it began after the quiet period, not when it ended after it"]]
  },
  {
    id: "L31",
    text: "A launch is sent again under the same key and a new stamp, which a guarded write puts down first, and only if nothing is alive.",
    vital: true,
    tests: [
      [intents, "a renewed launch keeps its key and its first stamp, and marks the doubt for good"],
      [rulesIntent, "two processes that renew one launch send it once"]
    ]
  },
  {
    id: "L32",
    text: "It is sent again only if the object still wants this very launch; otherwise it is closed as not found.",
    tests: [[decisionLaunch, "is renewed under its own key only while the object still wants this very launch"]]
  },
  {
    id: "L33",
    text: "When it is older than AAP is sure to keep jobs, nothing is sent again: a person decides, and deletion deprovisions.",
    vital: true,
    tests: [
      [intents, "a launch too old to tell is left to a person: said, and nothing is sent"],
      [intents, "a launch too old to tell is deprovisioned when the object is deleted"]
    ]
  }
]

const afterwards: ReadonlyArray<Rule> = [
  {
    id: "L34",
    text: "A job under our key that turns up later anyway is recorded as a duplicate and cancelled.",
    tests: [
      [
        duplicates,
        "a job that turns up after its launch was given up is found and cancelled before anything is torn down"
      ]
    ]
  },
  {
    id: "L35",
    text: "An object that was ever resolved by not finding keeps that mark, also through a renewal.",
    vital: true,
    tests: [[intents, "a renewed launch keeps its key and its first stamp, and marks the doubt for good"]]
  },
  {
    id: "L36",
    text: "A launch that was not found counts as launched.",
    vital: true,
    tests: [[intents, "a deletion after a launch of which nothing came deprovisions, as one cannot be sure"]]
  },
  {
    id: "L37",
    text: "It is searched for once more before a deprovision and before the finalizer goes; nobody else pays for it.",
    tests: [
      [decisionDeletion, "is looked for once more before the finalizer goes"],
      [decisionDeletion, "asks nobody else to pay: without the mark there is no search"]
    ]
  },
  {
    id: "L38",
    text: "A person's relaunch copies our key and is neither adopted nor cancelled.",
    tests: [[duplicates, "a person's relaunch copies our key and is neither adopted nor cancelled"]]
  },
  {
    id: "L39",
    text: "A restored object, with its annotation and without its record, adopts its job.",
    tests: [[objects, "an object restored from a backup without its status adopts its job and launches nothing"]]
  },
  {
    id: "L40",
    text: "A copy ignores the intent it inherited; and a row of AAP counts only for the object whose key or uid it carries.",
    tests: [
      [objects, "a copy under another name ignores the intent it inherited and is provisioned by itself"],
      [jobs, "after AAP was rebuilt, a job that took over our id is neither believed nor cancelled"]
    ]
  },
  {
    id: "L41",
    text: "An object whose finalizer and annotation were replaced away searches for the next key before it launches.",
    tests: [
      [objects, "an object whose annotation and finalizer were replaced away searches for the next key before using it"]
    ]
  },
  {
    id: "L42",
    text: "The happy path pays no look-up and no extra read.",
    tests: [[lifecycle, "costs two launches, eight writes, no live read, and one status request a tick"]]
  },
  {
    id: "L43",
    text: "Records whose key the intent names, live jobs and the newest of each type are never trimmed.",
    vital: true,
    tests: [
      ["domain/Job.test.ts", "drops no live job, not the newest of a type, and no record of the launch that is open"]
    ]
  },
  {
    id: "L44",
    text: "Ready means that the newest provision of all has the desired config version and succeeded, with nothing open and nothing alive.",
    vital: true,
    tests: [
      ["domain/DecisionRegressions.test.ts", "A, then B, then A again provisions A again, under a key of its own"],
      [lifecycle, "provisions again when the spec changes, and goes back when it changes back"],
      [lifecycle, "lets a run end before a spec change is provisioned, and then provisions the newest"]
    ]
  }
]

export const resolvingRules: ReadonlyArray<Rule> = [...inDoubt, ...afterwards]
