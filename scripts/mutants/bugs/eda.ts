/** Bugs in the EDA provider. */
import type { Mutant } from "../Mutant.ts"

const signals = "src/providers/eda/Signals.ts"
const edaPlaybooks = "test/reconcile/EdaPlaybooks.test.ts"
const edaTest = "test/reconcile/Eda.test.ts"

export const eda: ReadonlyArray<Mutant> = [
  {
    id: "eda-timeout-is-a-refusal",
    breaks: [],
    bug: "A webhook call without an answer is made again",
    hurts: "a slow receiver runs the playbook twice",
    edits: [
      {
        file: "src/providers/eda/ProviderErrors.ts",
        find: '    case "Timeout":\n    case "ConnectionReset":\n      return "unknown"',
        replace: '    case "Timeout":\n      return "no"\n    case "ConnectionReset":\n      return "unknown"'
      }
    ],
    tests: ["test/providers/eda/EdaError.test.ts", edaTest]
  },
  {
    id: "eda-any-version-is-done",
    breaks: [],
    bug: "The annotation of any version ends a provision",
    hurts: "an object is Ready with the machine of its old spec",
    edits: [
      {
        file: signals,
        find: "metadata.annotations?.[RECONCILED_VERSION_ANNOTATION] === version",
        replace: "metadata.annotations?.[RECONCILED_VERSION_ANNOTATION] !== undefined"
      }
    ],
    tests: [edaPlaybooks]
  },
  {
    id: "eda-stale-signal",
    breaks: [],
    bug: "The signal of an earlier run for the same version ends the new run",
    hurts: "an object is Ready before its playbook began",
    edits: [{ file: "src/reconcile/intent.ts", find: "? { [RECONCILED_VERSION_ANNOTATION]: null }", replace: "? {}" }],
    tests: [edaTest, edaPlaybooks]
  },
  {
    id: "eda-interval-elapsed",
    breaks: [],
    bug: "What has passed of the minimum interval is waited for, instead of what is left",
    hurts: "a request that is nearly due waits longest",
    edits: [
      {
        file: "src/domain/Launching.ts",
        find: "const until = sent + minimumInterval\n",
        replace: "const until = sent + minimumInterval > o.now ? o.now + (o.now - sent) : sent + minimumInterval\n"
      }
    ],
    tests: ["test/domain/DecisionSignals.test.ts", "test/reconcile/EdaRegressions.test.ts"]
  },
  {
    id: "eda-late-playbook-orphans",
    breaks: [],
    bug: "A deletion does not wait for a provision that has not signalled",
    hurts: "the playbook builds the machine after it was torn down",
    edits: [
      {
        file: "src/domain/Deletion.ts",
        find: 'if (isSilent(o, job)) return { _tag: "Supersede", jobs: [job] }',
        replace: 'if (o.now > 0 || isSilent(o, job)) return { _tag: "Supersede", jobs: [job] }'
      }
    ],
    tests: ["test/domain/DecisionSignals.test.ts", edaTest]
  }
]
