/** Bugs in the view that writes are guarded by, in the key, and in the intent that goes before a sending. */
import type { Mutant } from "../Mutant.ts"

const launch = "src/reconcile/launch.ts"
const record = "src/reconcile/record.ts"
const kubernetes = "src/adapters/kubernetes/KubernetesClient.ts"
const sendingTest = "test/reconcile/ProtocolSending.test.ts"
const launchTest = "test/reconcile/Launch.test.ts"

/** The intent of one operation is written only after the answer. */
const intentLate = (operation: "provision" | "deprovision"): Mutant["edits"] => [
  {
    file: launch,
    find: "const object = yield* writeIntent(instance, intent, provider)",
    replace: `const late = intent.operation === "${operation}"
    let object = late ? instance.object : yield* writeIntent(instance, intent, provider)`
  },
  {
    file: launch,
    find: "    // whoever waits to launch need not wait for the record\n    yield* ready.release\n",
    replace:
      "    // whoever waits to launch need not wait for the record\n    yield* ready.release\n    if (late) object = yield* writeIntent(instance, intent, provider)\n"
  }
]

const guards: ReadonlyArray<Mutant> = [
  {
    id: "metadata-unguarded",
    breaks: ["L1"],
    bug: "Metadata is written whatever came after the view it was decided on",
    hurts: "two operators both write their intent and both launch",
    edits: [
      {
        file: kubernetes,
        find: "body: (guard) => ({ metadata: metadataOf(guard, change) })",
        replace: "body: () => ({ metadata: metadataOf(null, change) })"
      }
    ],
    tests: [sendingTest],
    telling: true
  },
  {
    id: "status-unguarded",
    breaks: ["L2"],
    bug: "The status is written whatever came after the view it was decided on",
    hurts: "a stale pass drops the record of a job that runs",
    edits: [
      {
        file: kubernetes,
        find: "body: (guard) => ({ metadata: guard, status })",
        replace: "body: () => ({ status })"
      }
    ],
    tests: [sendingTest],
    telling: true
  },
  {
    id: "status-reread-and-overwritten",
    breaks: ["L2"],
    bug: "The object is read again right before its status is written, so that the guard guards nothing (W5)",
    hurts: "what another writer recorded in between is lost",
    edits: [
      {
        file: record,
        find: "client.patchStatus(viewOf(sight.instance.object), patch)",
        replace: "client.patchStatus(viewOf(yield* client.get(sight.instance.object.metadata)), patch)"
      }
    ],
    tests: [sendingTest, "test/reconcile/Lifecycle.test.ts", "test/reconcile/RulesLaunch.test.ts"]
  },
  {
    id: "one-intent-over-another",
    breaks: ["L4"],
    bug: "An open intent of another operation is replaced",
    hurts: "a launch in doubt is forgotten, and its job belongs to nobody",
    edits: [
      {
        file: "src/domain/Decision.ts",
        find: "  const intent = openIntent(instance, history)\n",
        replace: `  const open = openIntent(instance, history)
  const intent = open?.operation === (deleting ? "deprovision" : "provision") ? open : undefined\n`
      }
    ],
    tests: ["test/domain/DecisionLaunch.test.ts", "test/domain/DecisionLaws.test.ts"]
  }
]

const intents: ReadonlyArray<Mutant> = [
  {
    id: "attempts-counted",
    breaks: ["L5"],
    bug: "The attempt is derived by counting the jobs of the record",
    hurts: "a record that was trimmed gives a key that was used before, and an old job is taken for the new one",
    edits: [
      {
        file: "src/domain/Instance.ts",
        find: "Math.max(history.attempts[operation], instance.intent?.operation === operation ? instance.intent.attempt : 0) + 1",
        replace: "history.jobs.filter((job) => job.type === operation).length + 1"
      }
    ],
    tests: ["test/domain/DecisionLaunch.test.ts"],
    telling: true
  },
  {
    id: "attempts-counted-per-version",
    breaks: ["L5"],
    bug: "Attempts begin anew with every config version",
    hurts: "going back to an earlier spec uses an earlier key again, and its ended job counts as the new one",
    edits: [
      {
        file: "src/domain/Decision.ts",
        find: 'return launch(o, "provision")\n  if (job.state === "Succeeded"',
        replace: `{
    const again = launch(o, "provision")
    return again._tag === "Launch" ? { ...again, attempt: 1 } : again
  }
  if (job.state === "Succeeded"`
      }
    ],
    tests: ["test/domain/DecisionLaunch.test.ts", "test/domain/DecisionRegressions.test.ts"]
  },
  {
    id: "provision-before-intent",
    breaks: ["L6"],
    bug: "A provision is sent before its intent is written (W1)",
    hurts: "whoever comes after a crash does not know that something was sent, and sends it again",
    edits: intentLate("provision"),
    tests: [launchTest],
    telling: true
  },
  {
    id: "deprovision-before-intent",
    breaks: ["L7"],
    bug: "A deprovision is sent before its intent is written (W2)",
    hurts: "two deprovisions of one machine, the second one of what may be somebody else's by then",
    edits: intentLate("deprovision"),
    tests: ["test/reconcile/RulesLaunch.test.ts"]
  },
  {
    id: "finalizer-not-with-intent",
    breaks: ["L8", "D1"],
    bug: "The finalizer does not come with the intent",
    hurts: "the object can vanish while its job runs, and the machine stays for ever",
    edits: [
      {
        file: "src/reconcile/intent.ts",
        find: "...(instance.holdsFinalizer ? {} :",
        replace: "...(instance.holdsFinalizer || finalizers.length === 0 ? {} :"
      }
    ],
    tests: ["test/reconcile/RulesLaunch.test.ts", "test/reconcile/Lifecycle.test.ts"]
  },
  {
    id: "retry-not-in-intent",
    breaks: ["L9"],
    bug: "The intent does not say which value of the retry annotation it answers",
    hurts: "one request for a retry launches the failing playbook for ever",
    edits: [
      {
        file: launch,
        find: "        ...(instance.retryRequested === undefined ? {} : { retry: instance.retryRequested }),\n",
        replace: ""
      }
    ],
    tests: ["test/reconcile/ProtocolJobs.test.ts"]
  }
]

export const launching: ReadonlyArray<Mutant> = [...guards, ...intents]
