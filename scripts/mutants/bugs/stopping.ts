/** Bugs in stopping jobs before anything is torn down. */
import type { Mutant } from "../Mutant.ts"

const deletion = "src/domain/Deletion.ts"
const act = "src/reconcile/act.ts"
const decision = "src/domain/Decision.ts"
const cancel = "src/providers/aap/Cancel.ts"
const decisionDeletion = "test/domain/DecisionDeletion.test.ts"
const deleting = "test/reconcile/Deletion.test.ts"
const cancelling = "test/reconcile/ConditionsCancel.test.ts"
const cancelClient = "test/providers/aap/Cancel.test.ts"

export const stopping: ReadonlyArray<Mutant> = [
  {
    id: "cancel-not-repeated",
    breaks: ["D4"],
    bug: "A job is asked to stop once",
    hurts: "a cancel that got lost, or a workflow that runs on, holds the deletion up for good",
    edits: [
      {
        file: act,
        find: "return rest(milliseconds(pollInterval))",
        replace: "return rest(milliseconds(pollInterval * 100_000))"
      }
    ],
    tests: [cancelling, "test/reconcile/ProtocolDuplicates.test.ts"],
    telling: true
  },
  {
    id: "only-running-jobs-cancelled",
    breaks: ["D5"],
    bug: "Only jobs that read Running keep a deprovision back",
    hurts: "a provision that waited in AAP's queue begins after the deprovision did",
    edits: [
      {
        file: deletion,
        find: 'history.jobs.filter((job) => job.type === "provision" && isLive(job))',
        replace: 'history.jobs.filter((job) => job.type === "provision" && job.state === "Running" && isLive(job))'
      }
    ],
    tests: [decisionDeletion],
    telling: true
  },
  {
    id: "duplicates-do-not-hold-deprovision",
    breaks: ["D5"],
    bug: "A deprovision starts although a duplicate lives",
    hurts: "the duplicate builds what the deprovision has just torn down",
    edits: [
      {
        file: decision,
        find: 'job.duplicate === true && !isTerminal(job))\n  if (duplicates.length > 0) return cancel(o, duplicates, "Duplicate")\n  if (deleting)',
        replace:
          'job.duplicate === true && !isTerminal(job) && !deleting)\n  if (duplicates.length > 0) return cancel(o, duplicates, "Duplicate")\n  if (deleting)'
      },
      {
        file: deletion,
        find: 'history.jobs.filter((job) => job.type === "provision" && isLive(job))',
        replace: 'history.jobs.filter((job) => job.type === "provision" && job.duplicate !== true && isLive(job))'
      }
    ],
    tests: ["test/domain/DecisionLaws.test.ts", "test/domain/DecisionLawsWalk.test.ts"]
  },
  {
    id: "202-is-the-end",
    breaks: ["D6"],
    bug: "A job counts as cancelled as soon as AAP agrees to cancel it",
    hurts: "the deprovision runs beside a provision that takes its time to stop",
    edits: [
      {
        file: act,
        find: 'job`, said)\n      return Option.none<JobObservation>()\n    case "Gone"',
        replace:
          'job`, said)\n      return Option.some<JobObservation>({ state: "Canceled", detail: "", gone: false })\n    case "Gone"'
      }
    ],
    tests: [deleting, cancelling]
  },
  {
    id: "failed-cancel-is-the-end",
    breaks: ["D5"],
    bug: "A job that could not be cancelled counts as gone",
    hurts: "the deprovision runs beside the provision",
    edits: [
      {
        file: act,
        find: "if (Result.isFailure(ended)) refused ??= ended.failure\n",
        replace:
          "if (Result.isFailure(ended)) {\n      refused ??= ended.failure\n      seen.set(job.jobID, goneFrom(yield* providerFor(job.provider)))\n    }\n"
      },
      {
        file: act,
        find: "else if (Option.isSome(ended.success)) seen.set",
        replace: "if (Result.isSuccess(ended) && Option.isSome(ended.success)) seen.set"
      }
    ],
    tests: [cancelling]
  },
  {
    id: "one-refused-cancel-stops-the-others",
    breaks: ["D4"],
    bug: "A job that may not be cancelled keeps the others from being cancelled",
    hurts: "duplicates run to their end because of one missing role",
    edits: [
      {
        file: act,
        find: "if (Result.isFailure(ended)) refused ??= ended.failure\n",
        replace: "if (Result.isFailure(ended)) return yield* (refused ??= ended.failure)\n"
      },
      {
        file: act,
        find: "else if (Option.isSome(ended.success)) seen.set",
        replace: "if (Option.isSome(ended.success)) seen.set"
      }
    ],
    tests: ["test/reconcile/Mended.test.ts"]
  },
  {
    id: "403-is-the-end",
    breaks: ["D8"],
    bug: "A 403 in answer to a cancel is taken for the end of the job",
    hurts: "a token without the role runs the deprovision beside the provision",
    edits: [
      {
        file: cancel,
        find: "Forbidden: () => refused(object, job),",
        replace:
          'Forbidden: () => Effect.map(refused(object, job), () => "Gone" as const).pipe(Effect.orElseSucceed(() => "Gone" as const)),'
      }
    ],
    tests: [cancelClient, cancelling]
  },
  {
    id: "cancel-404-believed",
    breaks: ["D9"],
    bug: "A 404 in answer to a cancel is believed without a look",
    hurts: "a workflow, which is no job, counts as gone and runs on beside the deprovision",
    edits: [
      {
        file: cancel,
        find: "NotFound: () => elsewhere(object, job, tries)",
        replace: 'NotFound: () => Effect.map(elsewhere(object, job, tries), () => "Gone" as const)'
      }
    ],
    tests: [cancelClient, "test/reconcile/Regressions.test.ts"]
  },
  {
    id: "cancel-deadline-unsaid",
    breaks: ["D10"],
    bug: "A job that outlives its cancel is waited for in silence",
    hurts: "nobody learns why the deletion takes hours",
    edits: [
      {
        file: "src/domain/Status.ts",
        find: "return overdue(since, k.limits.cancelDeadline, k.now)",
        replace: "return overdue(since, k.limits.cancelDeadline * 1_000, k.now)"
      }
    ],
    tests: [cancelling]
  },
  {
    id: "finalizer-on-error",
    breaks: ["D5"],
    bug: "A pass that fails takes the finalizer off",
    hurts: "an AAP that is away for a minute orphans every machine that is being deleted",
    edits: [
      {
        file: "src/reconcile/ComputeInstance.ts",
        find: "    cleanup: run(key, held.value),",
        replace: `    cleanup: Effect.tapError(run(key, held.value), () =>
      Effect.flatMap(KubernetesClient, (client) =>
        Effect.ignore(
          Effect.flatMap(client.get(held.value.metadata), (fresh) =>
            client.patchMetadata(viewOf(fresh), { finalizers: [] })
          )
        )
      )
    ),`
      }
    ],
    tests: [cancelling],
    telling: true
  }
]
