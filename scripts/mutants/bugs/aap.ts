/** Bugs in the AAP provider. */
import type { Mutant } from "../Mutant.ts"

const aapErrors = "src/providers/aap/ProviderErrors.ts"
const translation = "src/providers/aap/ErrorTranslation.ts"
const sweep = "src/providers/aap/JobSweep.ts"
const templates = "src/providers/aap/Templates.ts"
const aapLaunch = "test/providers/aap/Launch.test.ts"
const launching = "test/reconcile/Launch.test.ts"

export const aap: ReadonlyArray<Mutant> = [
  {
    id: "500-is-a-refusal",
    breaks: ["L19"],
    bug: "A 5xx in answer to a launch counts as a refusal",
    hurts: "a launch that AAP made before it stumbled is made again",
    edits: [
      {
        file: aapErrors,
        find: '    case "ServerFailure":\n    case "Redirected":\n    case "TooLarge":\n      return "unknown"',
        replace:
          '    case "Redirected":\n    case "TooLarge":\n      return "unknown"\n    case "ServerFailure":\n      return "no"'
      }
    ],
    tests: [aapLaunch, launching]
  },
  {
    id: "timeout-is-a-refusal",
    breaks: ["L19"],
    bug: "A launch without an answer counts as refused",
    hurts: "a slow AAP gets every launch twice",
    edits: [
      {
        file: aapErrors,
        find: '    case "Timeout":\n    case "ConnectionReset":\n    case "ServerFailure":\n    case "Redirected":',
        replace:
          '    case "Timeout":\n      return "no"\n    case "ConnectionReset":\n    case "ServerFailure":\n    case "Redirected":'
      }
    ],
    tests: [aapLaunch, launching]
  },
  {
    id: "broken-answer-is-a-refusal",
    breaks: ["L19"],
    bug: "A launch whose answer breaks off in TLS counts as never sent",
    hurts: "a launch that AAP made before its proxy died is made again",
    edits: [
      {
        file: "src/providers/aap/Exchange.ts",
        find: "fromTransport(new Unanswered(error))",
        replace: "fromTransport(error)"
      }
    ],
    tests: [aapLaunch]
  },
  {
    id: "refusal-is-a-doubt",
    breaks: ["L18"],
    bug: "A 429 in answer to a launch leaves the launch in doubt",
    hurts: "a busy AAP is searched instead of left in peace, and every launch takes minutes",
    edits: [
      {
        file: aapErrors,
        find: '    case "Gone":\n    case "TooManyRequests":\n    case "Overloaded":\n',
        replace: '    case "Gone":\n    case "Overloaded":\n'
      },
      {
        file: aapErrors,
        find: '    case "TooLarge":\n      return "unknown"',
        replace: '    case "TooLarge":\n    case "TooManyRequests":\n      return "unknown"'
      }
    ],
    tests: [aapLaunch]
  },
  {
    id: "location-ignored",
    breaks: ["L16"],
    bug: "A 201 whose body cannot be read is a launch without a job",
    hurts: "a proxy that cuts bodies puts every launch in doubt",
    edits: [
      {
        file: "src/providers/aap/AapClient.ts",
        find: 'const traced = location !== "" || (launched.id',
        replace: "const traced = (launched.id"
      }
    ],
    tests: [aapLaunch]
  },
  {
    id: "page-404-believed",
    breaks: ["D9"],
    bug: "A 404 of a proxy is taken for AAP's",
    hurts: "a wrong route in a load balancer makes every job look purged",
    edits: [
      {
        file: translation,
        find: "return signed ? new AapError.NotFound({ detail }) : unreadable(answer)",
        replace: "return signed || answer.status === 404 ? new AapError.NotFound({ detail }) : unreadable(answer)"
      }
    ],
    tests: ["test/providers/aap/AapError.test.ts", "test/reconcile/ConditionsPolling.test.ts"]
  },
  {
    id: "absent-is-gone",
    breaks: ["D9"],
    bug: "A job that is absent from a list counts as gone",
    hurts: "one empty answer fails every job",
    edits: [
      {
        file: sweep,
        find: "const order = yield* findings.begin\n    const kinds:",
        replace: "const order = yield* findings.begin\n    yield* findings.gone(id, order)\n    const kinds:"
      }
    ],
    tests: ["test/reconcile/ConditionsPolling.test.ts", "test/providers/aap/BatchPolling.test.ts"]
  },
  {
    id: "purged-job-followed",
    breaks: ["D9"],
    bug: "A job that AAP no longer has is asked for again and again (W14)",
    hurts: "the object is stuck for ever",
    edits: [
      {
        file: sweep,
        find: "if (!found.success.includes(true)) yield* findings.gone(id, order)",
        replace: 'if (!found.success.includes(true) && id === "") yield* findings.gone(id, order)'
      }
    ],
    tests: ["test/reconcile/ProtocolJobs.test.ts"]
  },
  {
    id: "workflows-are-jobs",
    breaks: ["L25"],
    bug: "A workflow job is cancelled as a job (W15)",
    hurts: "it cannot be stopped, and its object cannot be deleted",
    edits: [
      {
        file: "src/providers/aap/Cancel.ts",
        find: "AapClient.use((client) => client.cancel(kind, job.id))",
        replace: 'AapClient.use((client) => client.cancel(kind === "job" ? kind : "job", job.id))'
      }
    ],
    tests: ["test/providers/aap/Cancel.test.ts", "test/reconcile/ConditionsTemplate.test.ts"]
  },
  {
    id: "anybodys-row",
    breaks: ["L40"],
    bug: "A row with our job's id is believed, whoever's it is",
    hurts: "after AAP was rebuilt, objects follow and cancel each other's jobs",
    edits: [
      {
        file: "src/providers/aap/Ownership.ts",
        find: "carried === launchKey ||",
        replace: "carried !== launchKey ||"
      }
    ],
    tests: ["test/reconcile/ProtocolJobs.test.ts", "test/providers/aap/BatchPolling.test.ts"]
  },
  {
    id: "no-preflight",
    breaks: [],
    bug: "A template that does not prompt for variables is launched (W32)",
    hurts: "a playbook runs without knowing for which machine",
    edits: [
      {
        file: templates,
        find: "if (!options.ask_variables_on_launch) {",
        replace: 'if (!options.ask_variables_on_launch && name === "") {'
      }
    ],
    tests: ["test/providers/aap/Templates.test.ts", "test/reconcile/ConditionsTemplate.test.ts"]
  },
  {
    id: "first-template-taken",
    breaks: [],
    bug: "Of several templates of one name the first is launched (W32)",
    hurts: "another organization's playbook runs",
    edits: [{ file: templates, find: "if (chosen.length > 1) {", replace: "if (chosen.length > 1_000) {" }],
    tests: ["test/reconcile/ConditionsTemplate.test.ts"]
  },
  {
    id: "ignored-fields-ignored",
    breaks: [],
    bug: "A job that AAP launched without our variables is followed (W32)",
    hurts: "a playbook runs without knowing for which machine",
    edits: [
      {
        file: "src/providers/aap/Launch.ts",
        find: "return ignored.length === 0\n",
        replace: "return ignored.length >= 0\n"
      }
    ],
    tests: ["test/reconcile/ConditionsTemplate.test.ts"]
  },
  {
    id: "retry-after-ignored",
    breaks: [],
    bug: "AAP's Retry-After is not read (W29)",
    hurts: "an AAP that asks for patience is hammered",
    edits: [
      {
        file: translation,
        find: 'RetryAfter.parse(answer.headers["retry-after"], now)',
        replace: 'RetryAfter.parse(answer.headers["x-retry-after"], now)'
      }
    ],
    tests: ["test/providers/aap/AapError.test.ts"]
  },
  {
    id: "every-event-a-poll",
    breaks: ["L42"],
    bug: "Every pass asks AAP (W26)",
    hurts: "ten thousand objects are ten thousand requests",
    edits: [
      {
        file: "src/providers/aap/JobMonitor.ts",
        find: "if (followed.some((job) => job.seen === undefined)) yield* rounds.plan(followed.some((job) => job.hurried))",
        replace: "for (const job of followed) ledger.hurry(job.reference.id)\n    yield* rounds.plan(true)"
      }
    ],
    tests: ["test/reconcile/Lifecycle.test.ts", "test/providers/aap/Observation.test.ts"]
  },
  {
    id: "raw-status-as-reason",
    breaks: [],
    bug: "A failed job's message is AAP's word for its state (W9)",
    hurts: "`failed` is all that a person learns",
    edits: [
      {
        file: "src/providers/aap/FailureReason.ts",
        find: "Option.getOrElse(found, () => fallback)}`",
        replace: 'Option.isSome(found) && fallback === "" ? fallback : row.status}`'
      }
    ],
    tests: ["test/reconcile/Lifecycle.test.ts", "test/providers/aap/FailureReason.test.ts"]
  }
]
