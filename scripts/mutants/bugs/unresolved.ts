/** Bugs in waiting for what comes of a launch that nobody confirmed. */
import type { Mutant } from "../Mutant.ts"

const decision = "src/domain/Decision.ts"
const launchRules = "src/domain/Launching.ts"
const resolve = "src/reconcile/resolve.ts"
const launch = "src/reconcile/launch.ts"
const intents = "test/reconcile/ProtocolIntents.test.ts"
const decisionLaunch = "test/domain/DecisionLaunch.test.ts"
const rulesIntent = "test/reconcile/RulesIntent.test.ts"
/** The open intent is not seen under some condition. */
const blindTo = (condition: string): Mutant["edits"] => [
  {
    file: decision,
    find: "  const intent = openIntent(instance, history)\n",
    replace: `  const open = openIntent(instance, history)\n  const intent = ${condition} ? undefined : open\n`
  }
]

const open: ReadonlyArray<Mutant> = [
  {
    id: "deprovision-beside-open-intent",
    breaks: ["L20", "D3"],
    bug: "A deprovision starts although a provision is in doubt",
    hurts: "the provision that was on its way builds a machine behind the deprovision",
    edits: blindTo("deleting && history.jobs.length > 0"),
    tests: [decisionLaunch, rulesIntent],
    telling: true
  },
  {
    id: "release-beside-open-intent",
    breaks: ["L21"],
    bug: "The finalizer goes although a launch is in doubt",
    hurts: "the object is gone, and its machine is built all the same",
    edits: blindTo("deleting && history.jobs.length === 0"),
    tests: ["test/reconcile/Launch.test.ts", intents]
  },
  {
    id: "spec-change-forgets-intent",
    breaks: ["L22"],
    bug: "A changed spec is launched although the launch of the old one is in doubt",
    hurts: "two provisions of one machine run side by side",
    edits: blindTo("!deleting && open?.configVersion !== instance.desiredVersion"),
    tests: [intents]
  },
  {
    id: "deletion-forgets-intent",
    breaks: ["L23"],
    bug: "A deletion does not ask what came of a launch in doubt",
    hurts: "an orphan",
    edits: blindTo("deleting"),
    tests: [decisionLaunch, "test/reconcile/Launch.test.ts"]
  },
  {
    id: "retry-forgets-intent",
    breaks: ["L19"],
    bug: "A person's retry is launched although a launch is in doubt",
    hurts: "a person who is impatient gets two machines",
    edits: [
      {
        file: decision,
        find: "  const intent = openIntent(instance, history)\n",
        replace:
          "  const open = openIntent(instance, history)\n  const intent = wantsRetry(instance) ? undefined : open\n"
      }
    ],
    tests: [decisionLaunch]
  },
  {
    id: "renewed-beside-live-job",
    breaks: ["L31"],
    bug: "A launch is renewed while another job of the object is alive",
    hurts: "two jobs of one object at once",
    edits: [
      {
        file: decision,
        find: 'return resolved._tag === "Renew" ? (liveFirst(o) ?? resolved) : resolved',
        replace: 'return resolved._tag === "Renew" && o.now < 0 ? (liveFirst(o) ?? resolved) : resolved'
      }
    ],
    tests: [decisionLaunch, "test/domain/DecisionLaws.test.ts"]
  }
]

const quiet: ReadonlyArray<Mutant> = [
  {
    id: "no-quiet-period",
    breaks: ["L28"],
    bug: "A launch that one search does not find is sent again",
    hurts: "a launch that commits a minute late runs twice",
    edits: [{ file: resolve, find: "quiet: age >= quietPeriod,", replace: "quiet: age + quietPeriod >= quietPeriod," }],
    tests: ["test/reconcile/Launch.test.ts"],
    telling: true
  },
  {
    id: "quiet-by-the-wall-clock",
    breaks: ["L29"],
    bug: "The quiet period is counted from the stamp by the wall clock",
    hurts: "a clock that was set forward, or a restart, sends again at once",
    edits: [
      {
        file: resolve,
        find: "  const clock = yield* IntentClock\n  const provider = yield* providerFor(intent.provider)\n  const age = yield* clock.age(sight.instance.key, intent.stamp)\n",
        replace:
          "  const provider = yield* providerFor(intent.provider)\n  const age = sight.now - Date.parse(intent.stamp)\n"
      }
    ],
    tests: [intents]
  },
  {
    id: "quiet-when-the-search-ends",
    breaks: ["L30"],
    bug: "The search counts that ended after the quiet period, not the one that began after it",
    hurts: "a job that was created while a slow search was under way is launched again",
    edits: [
      {
        file: resolve,
        find: "    quiet: age >= quietPeriod,",
        replace: "    quiet: age >= 0 && (yield* clock.age(sight.instance.key, intent.stamp)) >= quietPeriod,"
      }
    ],
    tests: [rulesIntent]
  },
  {
    id: "renewed-under-the-old-stamp",
    breaks: ["L31"],
    bug: "A renewal keeps the stamp of the sending before it",
    hurts: "the answer of the first sending closes the second, whose job belongs to nobody",
    edits: [
      {
        file: launch,
        find: "since: intent.since ?? intent.stamp,\n        stamp: yield* stampNow",
        replace: "since: intent.since ?? intent.stamp,\n        stamp: intent.stamp"
      }
    ],
    tests: [intents]
  },
  {
    id: "renewed-without-a-write",
    breaks: ["L31"],
    bug: "A renewal is sent without writing its intent",
    hurts: "two operators that both waited send it both",
    edits: [
      {
        file: launch,
        find: "const object = yield* writeIntent(instance, intent, provider)",
        replace:
          "const object = intent.since === undefined ? yield* writeIntent(instance, intent, provider) : instance.object"
      }
    ],
    tests: [rulesIntent]
  },
  {
    id: "renewed-for-nobody",
    breaks: ["L32"],
    bug: "A launch is sent again although the object is being deleted",
    hurts: "a machine is built for an object that is on its way out",
    edits: [
      {
        file: launchRules,
        find: ": instance.deletingSince === undefined &&\n      instance.management",
        replace: ": instance.management"
      }
    ],
    tests: [decisionLaunch, intents]
  },
  {
    id: "too-old-sent-again",
    breaks: ["L33"],
    bug: "An old launch that no search finds is sent again, although AAP may have dropped its job",
    hurts: "after a long week-end every launch in doubt builds a second machine",
    edits: [
      {
        file: launchRules,
        find: "<= o.limits.jobRetention)",
        replace: "<= o.limits.jobRetention * 1_000_000)"
      }
    ],
    tests: [intents]
  },
  {
    id: "age-of-the-renewal",
    breaks: ["L33"],
    bug: "A renewal is as old as its own stamp",
    hurts: "a launch that was renewed once is never too old to be sent again",
    edits: [
      { file: launchRules, find: "Date.parse(intent.since ?? intent.stamp)", replace: "Date.parse(intent.stamp)" }
    ],
    tests: [decisionLaunch]
  }
]

export const unresolved: ReadonlyArray<Mutant> = [...open, ...quiet]
