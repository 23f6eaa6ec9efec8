/** Bugs in what is remembered of launches: marks, copies, bounds, and which job makes an object Ready. */
import type { Mutant } from "../Mutant.ts"

const decision = "src/domain/Decision.ts"
const launchRules = "src/domain/Launching.ts"
const launch = "src/reconcile/launch.ts"
const history = "src/domain/History.ts"
const job = "src/domain/Job.ts"
const intents = "test/reconcile/ProtocolIntents.test.ts"
const duplicates = "test/reconcile/ProtocolDuplicates.test.ts"
const objects = "test/reconcile/ProtocolObjects.test.ts"
const decisionLaunch = "test/domain/DecisionLaunch.test.ts"

export const remembering: ReadonlyArray<Mutant> = [
  {
    id: "mark-lost-in-renewal",
    breaks: ["L35"],
    bug: "A renewal does not mark the doubt",
    hurts: "a job that commits after all is never looked for again, and outlives its object",
    edits: [
      {
        file: launch,
        find: "(history) => withLost(history, intent))",
        replace: "(history) => ({ ...withLost(history, intent), lostLaunches: history.lostLaunches }))"
      }
    ],
    tests: [intents]
  },
  {
    id: "mark-lost-with-the-next-job",
    breaks: ["L35"],
    bug: "The next job that is recorded takes the mark off",
    hurts: "a job that commits after all is never looked for again, and outlives its object",
    edits: [
      {
        file: history,
        find: "launch: counts ? undefined : history.launch",
        replace: "lostLaunches: [],\n    launch: counts ? undefined : history.launch"
      }
    ],
    tests: ["test/domain/History.test.ts"]
  },
  {
    id: "not-found-is-not-launched",
    breaks: ["L36", "D12"],
    bug: "A launch that was given up as not found does not count as launched",
    hurts: "the object goes without a deprovision, and what was built late stays",
    edits: [
      {
        file: "src/domain/Deletion.ts",
        find: '  history.lostLaunches.some((lost) => lost.operation === "provision") ||\n',
        replace: ""
      }
    ],
    tests: ["test/domain/DecisionDeletion.test.ts", intents],
    telling: true
  },
  {
    id: "mark-not-searched-before-release",
    breaks: ["L37"],
    bug: "The finalizer goes without a last search for launches that were given up",
    hurts: "a job that committed during the deprovision outlives its object",
    edits: [
      {
        file: "src/domain/Deletion.ts",
        find: 'lostFirst(o, { _tag: "Release", warning, playbookFinalizers: abandoned(o, deprovision) })',
        replace: '({ _tag: "Release", warning, playbookFinalizers: abandoned(o, deprovision) })'
      }
    ],
    tests: ["test/domain/DecisionDeletion.test.ts"]
  },
  {
    id: "mark-forgets-its-uid",
    breaks: ["L37"],
    bug: "A launch that was given up is looked for under the uid of today",
    hurts: "what was launched before the object was restored from a backup outlives it",
    edits: [
      { file: "src/reconcile/resolve.ts", find: "mark.uid ?? sight.instance.uid", replace: "sight.instance.uid" }
    ],
    tests: ["test/reconcile/ProtocolSearches.test.ts"]
  },
  {
    id: "last-search-misses-live-jobs",
    breaks: ["L37"],
    bug: "The search before a deprovision leaves out what has no end yet",
    hurts: "a job that committed late runs beside the deprovision",
    edits: [
      {
        file: "src/providers/aap/AapClient.ts",
        find: '"not__finished__lt"',
        replace: '"finished__gte"'
      }
    ],
    tests: ["test/providers/aap/SearchRange.test.ts", "test/reconcile/ProtocolSearches.test.ts"]
  },
  {
    id: "late-job-ignored",
    breaks: ["L34"],
    bug: "A job that turns up after its launch was given up is left alone",
    hurts: "it builds a machine that nobody tears down",
    edits: [
      {
        file: "src/domain/Deletion.ts",
        find: "return late.length === 0 ? then :",
        replace: "return late.length >= 0 ? then :"
      }
    ],
    tests: ["test/domain/DecisionDeletion.test.ts", duplicates]
  },
  {
    id: "copy-inherits-intent",
    breaks: ["L40"],
    bug: "A copy of an object takes the intent it inherited for its own",
    hurts: "the copy adopts the machine of the original, and deletes it with itself",
    edits: [
      {
        file: "src/domain/Instance.ts",
        find: "return intent?.object === key ? intent : undefined",
        replace: 'return key === "" ? undefined : intent'
      }
    ],
    tests: [decisionLaunch, objects]
  },
  {
    id: "replaced-not-searched",
    breaks: ["L41"],
    bug: "An object whose intent somebody took off is launched without a look",
    hurts: "what was launched under the next key runs twice",
    edits: [
      {
        file: launchRules,
        find: 'searchFirst: o.instance.intent === undefined && !isNew(o.instance) && o.search?.purpose !== "next"',
        replace: "searchFirst: o.instance.intent === undefined && !isNew(o.instance) && o.now < 0"
      }
    ],
    tests: [decisionLaunch, objects]
  },
  {
    id: "live-jobs-trimmed",
    breaks: ["L43"],
    bug: "A bounded history drops jobs that are alive",
    hurts: "a running job is forgotten, and the next one starts beside it",
    edits: [
      {
        file: job,
        find: "if (isLive(job) || (named !== undefined && job.launchKey === named)) keep.add(job)",
        replace: "if (named !== undefined && job.launchKey === named) keep.add(job)"
      }
    ],
    tests: ["test/domain/Job.test.ts", "test/domain/HistoryLaws.test.ts"]
  },
  {
    id: "newest-trimmed",
    breaks: ["L43"],
    bug: "A bounded history drops the newest job of an operation (W21)",
    hurts: "ten failed deprovisions make the object look as if it was never provisioned, and it is let go",
    edits: [
      {
        file: job,
        find: "if (last !== undefined) keep.add(last)",
        replace: "if (last !== undefined && isLive(last)) keep.add(last)"
      }
    ],
    tests: ["test/domain/Job.test.ts"]
  },
  {
    id: "named-job-trimmed",
    breaks: ["L43"],
    bug: "A bounded history drops the record that closes the intent",
    hurts: "the intent is open again, and a launch that was answered is in doubt",
    edits: [
      {
        file: job,
        find: "if (isLive(job) || (named !== undefined && job.launchKey === named)) keep.add(job)",
        replace: 'if (isLive(job) || named === "") keep.add(job)'
      }
    ],
    tests: ["test/domain/Job.test.ts", "test/domain/HistoryFound.test.ts"]
  },
  {
    id: "ready-by-the-newest-of-its-version",
    breaks: ["L44"],
    bug: "The newest provision of the desired version decides, not the newest of all",
    hurts: "a spec that went from A to B and back to A is Ready with the machine of B",
    edits: [
      {
        file: decision,
        find: 'const job = newest(history.jobs, "provision")\n  const built',
        replace:
          'const job = newest(\n    history.jobs.filter((one) => one.configVersion === instance.desiredVersion),\n    "provision"\n  )\n  const built'
      }
    ],
    tests: ["test/domain/DecisionRegressions.test.ts"],
    telling: true
  }
]
