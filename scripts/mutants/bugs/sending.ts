/** Bugs in the sending itself, and in the record of its answer. */
import type { Mutant } from "../Mutant.ts"

const launch = "src/reconcile/launch.ts"
const history = "src/domain/History.ts"
const record = "src/reconcile/record.ts"
const sendingTest = "test/reconcile/ProtocolSending.test.ts"
const launchTest = "test/reconcile/Launch.test.ts"

export const sending: ReadonlyArray<Mutant> = [
  {
    id: "no-send-window",
    breaks: ["L10"],
    bug: "A launch leaves however long its intent took to be written",
    hurts: "another operator has waited out the quiet period meanwhile and launched in its place",
    edits: [{ file: launch, find: "age > sendWindow ?", replace: "age > sendWindow * 1_000 ?" }],
    tests: [sendingTest]
  },
  {
    id: "sent-by-whoever-led",
    breaks: ["L11"],
    bug: "A launch leaves although its process lost the lease while the intent was written",
    hurts: "the process that leads by now and the one that led both launch",
    edits: [{ file: launch, find: "leads() ? (age >", replace: "leads() || age >= 0 ? (age >" }],
    tests: ["test/reconcile/RulesLaunch.test.ts"]
  },
  {
    id: "permit-after-intent",
    breaks: ["L12"],
    bug: "The intent is written before it is known whether the launch can be sent at all",
    hurts: "an AAP that is away leaves every object with a launch in doubt, each to be searched for",
    edits: [
      {
        file: launch,
        find: "  return yield* preparing(\n    instance,\n    provider,\n    step.operation,\n    Effect.fnUntraced(function* (ready) {\n      if (step.operation",
        replace: `  yield* writeIntent(
    instance,
    {
      key: keyOf(instance.uid, step.operation, step.configVersion, step.attempt),
      object: instance.key,
      operation: step.operation,
      attempt: step.attempt,
      provider: provider.name,
      template: "",
      configVersion: step.configVersion,
      stamp: yield* stampNow
    },
    provider
  )
  return yield* preparing(
    instance,
    provider,
    step.operation,
    Effect.fnUntraced(function* (ready) {
      if (step.operation`
      }
    ],
    tests: ["test/reconcile/RulesLaunch.test.ts", "test/reconcile/ConditionsLaunch.test.ts"]
  },
  {
    id: "retry-around-launch",
    breaks: ["L13"],
    bug: "The client repeats a launch that failed, as HTTP clients do with what is transient",
    hurts: "a launch whose answer was lost runs twice",
    edits: [
      {
        file: "src/providers/aap/Launch.ts",
        find: "client.launch(template.kind, template.id, bodyOf(order)).pipe(\n",
        replace: "client.launch(template.kind, template.id, bodyOf(order)).pipe(\n    Effect.retry({ times: 1 }),\n"
      }
    ],
    tests: ["test/providers/aap/Launch.test.ts", launchTest],
    telling: true
  },
  {
    id: "retry-around-sending",
    breaks: ["L13"],
    bug: "The pipeline repeats a sending that may have had an effect",
    hurts: "a launch whose answer was lost runs twice",
    edits: [
      {
        file: launch,
        find: "ready.prepared.send(orderOf(object, instance, intent)).pipe(\n",
        replace:
          "ready.prepared.send(orderOf(object, instance, intent)).pipe(\n            Effect.retry({ times: 1 }),\n"
      }
    ],
    tests: [launchTest]
  },
  {
    id: "answer-not-shielded",
    breaks: ["L14"],
    bug: "A shutdown cuts the record of an answer short (W1)",
    hurts: "every rolling update loses ids of running jobs",
    edits: [
      { file: launch, find: "}).pipe(Effect.uninterruptible)\n\nconst stampNow", replace: "})\n\nconst stampNow" }
    ],
    tests: [launchTest]
  },
  {
    id: "answer-written-once",
    breaks: ["L14"],
    bug: "The record of an answer is tried once",
    hurts: "a hiccup of the API server costs the id of a running job",
    edits: [
      {
        file: record,
        find: "now - begun < SHIELD)",
        replace: "now < begun - SHIELD)"
      },
      {
        file: record,
        find: "Effect.tapError(() => Effect.flatMap(Answers, (answers) => answers.keep(object, change)))",
        replace: "Effect.tapError(() => Effect.flatMap(Answers, (answers) => answers.clear(keyOf(object.metadata))))"
      }
    ],
    tests: ["test/reconcile/Mended.test.ts", launchTest, sendingTest]
  },
  {
    id: "answer-for-another-object",
    breaks: ["L14"],
    bug: "An answer that could not be recorded is kept by name, not by object",
    hurts: "a new object of the same name adopts the job of the old one",
    edits: [
      {
        file: "src/reconcile/Answers.ts",
        find: "known?.uid === metadata.uid ? Option.some(known.answer) : Option.none()",
        replace: "known === undefined ? Option.none() : Option.some(known.answer)"
      }
    ],
    tests: ["test/reconcile/Mended.test.ts"]
  },
  {
    id: "orphan-left-running",
    breaks: ["L14"],
    bug: "The job of an object that went during its launch is left alone",
    hurts: "a machine that belongs to nobody",
    edits: [
      { file: launch, find: "if (provider.cancel !== undefined) {", replace: "if (provider.cancel === undefined) {" },
      {
        file: launch,
        find: "yield* provider.cancel(object, orphan).pipe(Effect.retry(orphanRetry), Effect.ignore)",
        replace: "yield* Effect.ignore(Effect.retry(Effect.succeed(orphan), orphanRetry))"
      }
    ],
    tests: [sendingTest]
  },
  {
    id: "late-answer-counts",
    breaks: ["L15"],
    bug: "A late answer counts although its intent was renewed meanwhile",
    hurts: "two jobs of one object live, and nobody cancels either",
    edits: [
      {
        file: history,
        find: "current?.key === sent.key && current.stamp === sent.stamp && !isClosed",
        replace: "current !== undefined && !isClosed"
      }
    ],
    tests: ["test/domain/History.test.ts", "test/reconcile/RulesLaunch.test.ts"]
  },
  {
    id: "late-refusal-closes",
    breaks: ["L17"],
    bug: "A late refusal counts although its intent was renewed meanwhile",
    hurts: "an object that is being provisioned says that it was refused",
    edits: [
      {
        file: history,
        find: "if (current?.key !== sent.key || current.stamp !== sent.stamp) return history",
        replace: "if (current?.key !== sent.key) return history"
      }
    ],
    tests: ["test/domain/History.test.ts", "test/reconcile/RulesLaunch.test.ts"]
  },
  {
    id: "closed-by-key-alone",
    breaks: ["L3"],
    bug: "A record closes an intent that has its key, whatever its stamp",
    hurts: "a renewal that is in doubt counts as answered by the refusal before it, and is launched again",
    edits: [
      {
        file: "src/domain/Intent.ts",
        find: "launch.key === intent.key && launch.stamp === intent.stamp",
        replace: "launch.key === intent.key"
      }
    ],
    tests: ["test/domain/Intent.test.ts", "test/domain/DecisionLaunch.test.ts"]
  }
]
