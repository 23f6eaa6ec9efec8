/** Bugs in the search for the job of a launch that nobody confirmed. */
import type { Mutant } from "../Mutant.ts"

const decision = "src/domain/Decision.ts"
const launchRules = "src/domain/Launching.ts"
const resolve = "src/reconcile/resolve.ts"
const history = "src/domain/History.ts"
const search = "src/providers/aap/Search.ts"
const rows = "src/providers/aap/LaunchRows.ts"
const intents = "test/reconcile/ProtocolIntents.test.ts"
const duplicates = "test/reconcile/ProtocolDuplicates.test.ts"
const decisionLaunch = "test/domain/DecisionLaunch.test.ts"
const searchTest = "test/providers/aap/Search.test.ts"
const rangeTest = "test/providers/aap/SearchRange.test.ts"

export const searching: ReadonlyArray<Mutant> = [
  {
    id: "search-misses-ended-jobs",
    breaks: ["L24"],
    bug: "A search looks at live jobs only (W4)",
    hurts: "a job that ended while nobody looked is run again",
    edits: [
      { file: rows, find: "import { stateOf, timesOf }", replace: "import { isTerminalStatus, stateOf, timesOf }" },
      {
        file: rows,
        find: '|| row.launch_type === "workflow") return Result.succeed([])',
        replace: '|| row.launch_type === "workflow" || isTerminalStatus(row.status ?? "")) return Result.succeed([])'
      }
    ],
    tests: [duplicates]
  },
  {
    id: "search-fails-open",
    breaks: ["L28"],
    bug: "A search that fails counts as one that found nothing (W4)",
    hurts: "an AAP that is half away gets every launch twice",
    edits: [
      {
        file: resolve,
        find: "      : yield* provider.find({\n          template: intent.template,\n          uid: readKey(intent.key)?.uid ?? sight.instance.uid,\n          since: intent.since ?? intent.stamp,\n          ...bound,\n          maxAge: maxAgeOf(age, quietPeriod, sight.now - Date.parse(intent.stamp))\n        })",
        replace:
          "      : yield* Effect.orElseSucceed(\n          provider.find({\n          template: intent.template,\n          uid: readKey(intent.key)?.uid ?? sight.instance.uid,\n          since: intent.since ?? intent.stamp,\n          ...bound,\n          maxAge: maxAgeOf(age, quietPeriod, sight.now - Date.parse(intent.stamp))\n        }),\n          (): ReadonlyArray<FoundJob> => []\n        )"
      }
    ],
    tests: [intents]
  },
  {
    id: "search-reads-one-page",
    breaks: ["L25"],
    bug: "A search reads the first page",
    hurts: "a busy template hides the job that was looked for, and it is launched again",
    edits: [
      {
        file: search,
        find: "if (!more) return\n",
        replace: "if (!more || last > 0) return\n"
      }
    ],
    tests: [searchTest]
  },
  {
    id: "search-trusts-clocks",
    breaks: ["L25"],
    bug: "A search takes AAP's clock for its own",
    hurts: "with clocks a minute apart every lost answer becomes a second job",
    edits: [{ file: search, find: "isoOf(since - CLOCK_SKEW)", replace: "isoOf(since)" }],
    tests: [searchTest]
  },
  {
    id: "search-ends-too-early",
    breaks: ["L25"],
    bug: "A search for an old launch takes AAP's clock for its own where it ends",
    hurts: "a job that AAP dates later than the operator would is run again",
    edits: [{ file: search, find: "isoOf(until + CLOCK_SKEW)", replace: "isoOf(until - CLOCK_SKEW)" }],
    tests: [rangeTest]
  },
  {
    id: "search-ends-whoever-asks",
    breaks: ["L25"],
    bug: "A search that decides whether to send again leaves out what AAP dates long after the launch",
    hurts: "where AAP's clock is two hours ahead every lost answer becomes a second machine",
    edits: [{ file: resolve, find: "isTooOld(sight, intent) && ", replace: "" }],
    tests: ["test/reconcile/ProtocolClocks.test.ts"]
  },
  {
    id: "search-drops-what-is-waited-for",
    breaks: ["L25"],
    bug: "A search through very many jobs forgets those of objects that wait for it",
    hurts: "the busiest AAP gets every launch in doubt twice",
    edits: [
      {
        file: search,
        find: "if (!search.wanted.has(one)) search.found.delete(one)",
        replace: "search.found.delete(one)"
      }
    ],
    tests: [rangeTest]
  },
  {
    id: "search-passes-over-doubt",
    breaks: ["L28"],
    bug: "A job that carries the key and cannot be read counts as none",
    hurts: "an AAP of another version gets every launch twice",
    edits: [
      {
        file: search,
        find: "if (found?.doubt !== undefined) return",
        replace: 'if (found?.doubt !== undefined && query.uid === "") return'
      }
    ],
    tests: ["test/providers/aap/SearchRows.test.ts"]
  },
  {
    id: "search-per-object",
    breaks: ["L26"],
    bug: "Every object searches by itself",
    hurts: "a start with a thousand launches in doubt costs AAP a thousand searches",
    edits: [
      {
        file: search,
        find: "newest.begun >= earliest && serves(newest, range, uid)",
        replace: "newest.begun > Number.POSITIVE_INFINITY && serves(newest, range, uid)"
      }
    ],
    tests: [searchTest, "test/reconcile/RulesIntent.test.ts"]
  },
  {
    id: "newest-adopted",
    breaks: ["L27"],
    bug: "Of several jobs under one key the newest is adopted",
    hurts: "the job that is furthest is cancelled in the middle of its work",
    edits: [
      {
        file: history,
        find: "const rows = found.filter((one, index) => found.findIndex((other) => other.id === one.id) === index)",
        replace:
          "const rows = found.filter((one, index) => found.findIndex((other) => other.id === one.id) === index).toReversed()"
      }
    ],
    tests: ["test/domain/HistoryFound.test.ts", duplicates]
  },
  {
    id: "duplicates-adopted",
    breaks: ["L27"],
    bug: "All jobs under one key are recorded as if each counted",
    hurts: "duplicates run to their end",
    edits: [
      {
        file: history,
        find: 'if (index > 0 || first === "duplicate") return',
        replace: 'if (first === "duplicate") return'
      }
    ],
    tests: ["test/domain/HistoryFound.test.ts", duplicates]
  },
  {
    id: "duplicates-in-nobodys-way",
    breaks: ["L27"],
    bug: "Something new starts while a duplicate lives",
    hurts: "two playbooks work on one machine",
    edits: [
      {
        file: decision,
        find: 'job.duplicate === true && !isTerminal(job))\n  if (duplicates.length > 0) return cancel(o, duplicates, "Duplicate")\n  if (deleting)',
        replace:
          'job.duplicate === true && !isTerminal(job) && deleting)\n  if (duplicates.length > 0) return cancel(o, duplicates, "Duplicate")\n  if (deleting)'
      }
    ],
    tests: [decisionLaunch, duplicates]
  },
  {
    id: "relaunch-adopted",
    breaks: ["L38"],
    bug: "A person's relaunch, which copies our key, is taken for one of ours",
    hurts: "the operator cancels what a person is doing",
    edits: [
      {
        file: launchRules,
        find: "one.launchKey === intent.key && !one.relaunched",
        replace: "one.launchKey === intent.key"
      },
      { file: launchRules, find: "found.filter((one) => !one.relaunched && !", replace: "found.filter((one) => !" }
    ],
    tests: [decisionLaunch, duplicates]
  },
  {
    id: "future-is-fresh",
    breaks: [],
    bug: "A launch that is stamped by a clock far ahead counts as one of now",
    hurts: "it is searched for where it cannot be, and sent again once the clock was put back",
    edits: [
      {
        file: "src/domain/Launching.ts",
        find: "!(age >= -CLOCK_SKEW && age <= o.limits.jobRetention)",
        replace: "!(age <= o.limits.jobRetention)"
      }
    ],
    tests: ["test/reconcile/ProtocolClocks.test.ts"]
  }
]
