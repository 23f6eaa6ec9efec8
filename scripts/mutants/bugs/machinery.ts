/** Bugs in the machinery below the pipeline. */
import type { Mutant } from "../Mutant.ts"

export const machinery: ReadonlyArray<Mutant> = [
  {
    id: "watch-goes-back",
    breaks: [],
    bug: "An older version of an object takes the place of a newer one",
    hurts: "passes decide on what was, and conflict for ever",
    edits: [
      {
        file: "src/runtime/Replica.ts",
        find: "if (known === undefined || isNewer(version, known))",
        replace: "if (known === undefined || version !== known)"
      }
    ],
    tests: ["test/runtime/Replica.test.ts"]
  },
  {
    id: "own-writes-forgotten",
    breaks: [],
    bug: "What the operator wrote is known only when the watch tells",
    hurts: "every pass after a write decides on the object as it was before",
    edits: [
      {
        file: "src/runtime/Replica.ts",
        find: "if (held === undefined || !isNewer(version, held)) return",
        replace: 'if (held === undefined || !isNewer(version, held) || held !== "") return'
      }
    ],
    tests: ["test/runtime/Replica.test.ts"]
  },
  {
    id: "wake-lost",
    breaks: [],
    bug: "A change that comes during a pass is not looked at",
    hurts: "an object waits ten hours for the next look",
    edits: [
      {
        file: "src/runtime/Agenda.ts",
        find: "entry.again = Math.min(entry.again, at)\n",
        replace: "entry.again = Math.max(entry.again, at)\n"
      }
    ],
    tests: ["test/runtime/Agenda.test.ts", "test/runtime/Controller.test.ts"]
  },
  {
    id: "gate-for-nobody",
    breaks: ["L12"],
    bug: "Every object asks a failing AAP by itself",
    hurts: "an outage is followed by a flood",
    edits: [
      {
        file: "src/providers/aap/Gate.ts",
        find: 'if (known._tag === "Shut" && at < known.until) return yield* repeated(known.error, known.until - at)\n',
        replace: ""
      }
    ],
    tests: ["test/reconcile/Outage.test.ts"]
  }
]
