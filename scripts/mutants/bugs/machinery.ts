/** Bugs in the machinery below the pipeline. */
import type { Mutant } from "../Mutant.ts"

const turnstile = "src/reconcile/Turnstile.ts"
const turnstileTest = "test/reconcile/Turnstile.test.ts"

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
  },
  {
    id: "place-is-kept",
    breaks: [],
    bug: "A pass that launches nothing after all keeps its place",
    hurts: "after some hours nobody launches any more",
    edits: [
      {
        file: turnstile,
        find: "          lines.deprovision.delete(key)\n          return leave(key)",
        replace: "          lines.deprovision.delete(key)\n          return Effect.void"
      }
    ],
    tests: [turnstileTest]
  },
  {
    id: "no-turns",
    breaks: [],
    bug: "Deletions wait until no new machine is in line",
    hurts: "who orders a thousand machines makes everybody else wait for a deletion",
    edits: [
      {
        file: turnstile,
        find: 'const turn = served === "provision" ? "deprovision" : "provision"',
        replace: "const turn = served"
      }
    ],
    tests: [turnstileTest]
  },
  {
    id: "late-failure-unmarked",
    breaks: ["L19"],
    bug: "What fails after a request was written looks like what fails before",
    hurts: "a launch whose connection breaks like a handshake is sent twice",
    edits: [
      {
        file: "src/adapters/http/Clearance.ts",
        find: "written ? new Unanswered(error) : error",
        replace: "error"
      }
    ],
    tests: ["test/adapters/http/Outbound.test.ts"]
  }
]
