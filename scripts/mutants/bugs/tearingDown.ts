/** Bugs in tearing down, and in letting go. */
import type { Mutant } from "../Mutant.ts"

const deletion = "src/domain/Deletion.ts"
const act = "src/reconcile/act.ts"
const decision = "src/domain/Decision.ts"
const decisionDeletion = "test/domain/DecisionDeletion.test.ts"
const deleting = "test/reconcile/Deletion.test.ts"
const objects = "test/reconcile/ProtocolObjects.test.ts"

export const tearingDown: ReadonlyArray<Mutant> = [
  {
    id: "only-successes-torn-down",
    breaks: ["D13"],
    bug: "Only a provision that succeeded is deprovisioned",
    hurts: "what a failed playbook had built already stays for ever",
    edits: [
      {
        file: deletion,
        find: 'history.jobs.some((job) => job.type === "provision") ||',
        replace: 'history.jobs.some((job) => job.type === "provision" && job.state === "Succeeded") ||'
      }
    ],
    tests: [decisionDeletion, deleting]
  },
  {
    id: "failed-deprovision-lets-go",
    breaks: ["D15"],
    bug: "A failed deprovision lets the object go, although it is to block",
    hurts: "a machine that nobody knows of any more",
    edits: [
      {
        file: deletion,
        find: "if (deprovision.blockDeletionOnFailure !== true) return release(",
        replace: "if (deprovision.blockDeletionOnFailure !== undefined) return release("
      }
    ],
    tests: [decisionDeletion, deleting]
  },
  {
    id: "found-deprovision-does-not-block",
    breaks: ["D20"],
    bug: "A deprovision that a search found does not block the deletion when it fails",
    hurts: "after a lost answer a failed deprovision lets the object go",
    edits: [
      {
        file: "src/reconcile/resolve.ts",
        find: 'job.operation === "deprovision" && provider.blockDeletionOnFailure',
        replace: 'job.operation === "provision" && provider.blockDeletionOnFailure'
      }
    ],
    tests: ["test/reconcile/RulesDeletion.test.ts"]
  },
  {
    id: "failed-deprovision-repeated",
    breaks: ["D16"],
    bug: "A failed deprovision runs again by itself",
    hurts: "a playbook that is not made for it runs again and again, and nobody is told",
    edits: [
      {
        file: deletion,
        find: 'if (wantsRetry(o.instance)) return lostFirst(o, launch(o, "deprovision"))',
        replace: 'if (o.now > 0 || wantsRetry(o.instance)) return lostFirst(o, launch(o, "deprovision"))'
      }
    ],
    tests: [decisionDeletion, deleting]
  },
  {
    id: "purged-deprovision-blocks",
    breaks: ["D17"],
    bug: "A deprovision that AAP dropped before its end was seen is not run again (W14)",
    hurts: "the deletion is stuck until a person comes",
    edits: [
      {
        file: deletion,
        find: "!coversAll(o.history, deprovision) || deprovision.gone === true)",
        replace: "!coversAll(o.history, deprovision))"
      }
    ],
    tests: [decisionDeletion, deleting]
  },
  {
    id: "purged-deprovision-lets-go",
    breaks: ["D17"],
    bug: "A deprovision that AAP dropped counts as done",
    hurts: "the machine stays if the deprovision had failed",
    edits: [
      {
        file: deletion,
        find: "!coversAll(o.history, deprovision) || deprovision.gone === true)",
        replace: "!coversAll(o.history, deprovision))"
      },
      {
        file: deletion,
        find: 'if (deprovision.state === "Succeeded") return release(o, deprovision, undefined)',
        replace:
          'if (deprovision.state === "Succeeded" || deprovision.gone === true) return release(o, deprovision, undefined)'
      }
    ],
    tests: [decisionDeletion, deleting]
  },
  {
    id: "old-deprovision-counts",
    breaks: ["D14"],
    bug: "A deprovision counts for a provision that came after it",
    hurts: "the machine of the later provision stays",
    edits: [
      {
        file: deletion,
        find: 'history.jobs.findLastIndex((job) => job.type === "provision") < history.jobs.indexOf(deprovision)',
        replace: "history.jobs.indexOf(deprovision) >= 0"
      }
    ],
    tests: [decisionDeletion]
  },
  {
    id: "last-state-lost",
    breaks: ["D14"],
    bug: "The end of the deprovision is not written where another finalizer holds the object (W20)",
    hurts: "the object that is left says Deprovisioning for ever",
    edits: [
      {
        file: act,
        find: "const object = finalizers.length === 0 ? instance.object : yield* recordSight(sight)",
        replace: "const object = finalizers.length >= 0 ? instance.object : yield* recordSight(sight)"
      }
    ],
    tests: [deleting]
  },
  {
    id: "finalizers-of-others-go",
    breaks: ["D14"],
    bug: "Letting go takes everybody's finalizers off",
    hurts: "somebody else's clean-up never runs",
    edits: [
      {
        file: act,
        find: "const finalizers = Finalizer.removed(instance.object.metadata.finalizers, [\n    FINALIZER,\n    RETIRED_FINALIZER,\n",
        replace:
          "const finalizers = Finalizer.removed(instance.object.metadata.finalizers, [\n    FINALIZER,\n    RETIRED_FINALIZER,\n    ...(instance.object.metadata.finalizers ?? []),\n"
      }
    ],
    tests: [deleting]
  },
  {
    id: "nothing-launched-is-torn-down",
    breaks: ["D11"],
    bug: "An object for which nothing was ever launched is deprovisioned",
    hurts: "a playbook tears down a machine of that name which is somebody else's",
    edits: [
      {
        file: deletion,
        find: "if (!wasLaunched(instance, history)) return release(",
        replace: "if (!wasLaunched(instance, history) && o.now < 0) return release("
      }
    ],
    tests: [decisionDeletion, "test/reconcile/Lifecycle.test.ts"]
  },
  {
    id: "manual-orphaned",
    breaks: [],
    bug: "A manual object that is deleted is let go with its machine (W22)",
    hurts: "an orphan, in silence",
    edits: [
      {
        file: deletion,
        find: "if (!wasLaunched(instance, history)) return release(",
        replace: 'if (!wasLaunched(instance, history) || instance.management === "manual") return release('
      }
    ],
    tests: [decisionDeletion, objects]
  },
  {
    id: "finalizer-put-back",
    breaks: ["D19"],
    bug: "What a person let go of is torn down all the same",
    hurts: "the way out that every other way depends on does not work",
    edits: [
      {
        file: decision,
        find: 'if (deleting && !instance.holdsFinalizer) return { _tag: "LeaveAlone", why: "Cleaned" }',
        replace: 'if (deleting && !instance.holdsFinalizer && o.now < 0) return { _tag: "LeaveAlone", why: "Cleaned" }'
      }
    ],
    tests: [decisionDeletion]
  },
  {
    id: "deleting-unsaid",
    breaks: ["D2"],
    bug: "An object that is being deleted shows the phase of its job",
    hurts: "a person sees Ready while the machine is being torn down",
    edits: [
      {
        file: "src/domain/Status.ts",
        find: 'if (instance.deletingSince !== undefined) return "Deleting"',
        replace:
          'if (instance.deletingSince !== undefined && !at.done) return reasons[at.reason].person ? "Failed" : "Progressing"'
      }
    ],
    tests: ["test/domain/Status.test.ts"]
  },
  {
    id: "let-go-in-silence",
    breaks: ["D18"],
    bug: "An object whose deprovision failed without blocking goes without a word",
    hurts: "nobody looks for what is left of the machine",
    edits: [{ file: act, find: "if (step.warning !== undefined) {", replace: 'if (step.warning === "") {' }],
    tests: ["test/reconcile/RulesDeletion.test.ts"]
  }
]
