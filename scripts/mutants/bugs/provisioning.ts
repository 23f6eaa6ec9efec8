/** Bugs in provisioning, in the record of jobs, and in what is said: mostly those of an earlier implementation. */
import type { Mutant } from "../Mutant.ts"

const decision = "src/domain/Decision.ts"
const job = "src/domain/Job.ts"
const status = "src/domain/Status.ts"
const decisionProvision = "test/domain/DecisionProvision.test.ts"
const lifecycle = "test/reconcile/Lifecycle.test.ts"
const jobs = "test/reconcile/ProtocolJobs.test.ts"

const deciding: ReadonlyArray<Mutant> = [
  {
    id: "spec-change-launches-beside",
    breaks: ["L44"],
    bug: "A changed spec is launched while the old one's job runs",
    hurts: "two playbooks build one machine",
    edits: [
      {
        file: decision,
        find: "const live = history.jobs.find(isLive)\n  if (live !== undefined) {\n    if (!o",
        replace:
          "const live = history.jobs.find((one) => isLive(one) && one.configVersion === instance.desiredVersion)\n  if (live !== undefined) {\n    if (!o"
      }
    ],
    tests: [decisionProvision, lifecycle]
  },
  {
    id: "retry-skips-the-live-check",
    breaks: [],
    bug: "A retry is launched while a job of the object runs (W3)",
    hurts: "a person who asks twice gets two machines",
    edits: [
      {
        file: decision,
        find: "  if (live !== undefined) {\n    if (!o",
        replace: "  if (live !== undefined && (!wantsRetry(instance) || isSilent(o, live))) {\n    if (!o"
      }
    ],
    tests: [
      "test/domain/DecisionLaws.test.ts",
      "test/domain/DecisionSignals.test.ts",
      "test/reconcile/RulesLaunch.test.ts"
    ]
  },
  {
    id: "failures-repeated",
    breaks: [],
    bug: "A failed provision runs again by itself (W7)",
    hurts: "a playbook that fails half way is run for ever, and nobody is told",
    edits: [
      {
        file: decision,
        find: 'return wantsRetry(instance) ? launch(o, "provision") : ended(job)',
        replace: 'return wantsRetry(instance) || job.state === "Failed" ? launch(o, "provision") : ended(job)'
      }
    ],
    tests: [decisionProvision, lifecycle]
  },
  {
    id: "cancelled-repeated",
    breaks: [],
    bug: "A job that a person cancelled in AAP is launched again (W10)",
    hurts: "nobody can stop a playbook that does harm",
    edits: [
      {
        file: decision,
        find: 'return wantsRetry(instance) ? launch(o, "provision") : ended(job)',
        replace: 'return wantsRetry(instance) || job.state === "Canceled" ? launch(o, "provision") : ended(job)'
      }
    ],
    tests: [decisionProvision, jobs]
  },
  {
    id: "manual-launched",
    breaks: [],
    bug: "A manual object is provisioned",
    hurts: "the operator works where people said that they do",
    edits: [
      {
        file: decision,
        find: 'if (instance.management === "manual" && !built)',
        replace: 'if (instance.management === "manual" && built)'
      }
    ],
    tests: [decisionProvision]
  },
  {
    id: "unmanaged-never-deleted",
    breaks: [],
    bug: "An unmanaged object that is deleted is left alone",
    hurts: "its namespace can never be deleted",
    edits: [
      {
        file: decision,
        find: 'if (!deleting && instance.management === "unmanaged")',
        replace: 'if (instance.management === "unmanaged")'
      }
    ],
    tests: ["test/domain/DecisionDeletion.test.ts"]
  },
  {
    id: "refusal-hammered",
    breaks: [],
    bug: "A refused launch is tried again at once",
    hurts: "a thousand objects and one missing role flood AAP",
    edits: [
      {
        file: "src/domain/Launching.ts",
        find: "  refusalHolds(o, operation) ??\n  tooSoon(o, operation) ?? {",
        replace: "  (o.now < 0 ? refusalHolds(o, operation) : undefined) ??\n  tooSoon(o, operation) ?? {"
      }
    ],
    tests: [decisionProvision]
  },
  {
    id: "older-success-is-ready",
    breaks: ["L44"],
    bug: "Any provision of the record that succeeded with the version makes it Ready",
    hurts: "a failure hides behind an older success",
    edits: [
      {
        file: decision,
        find: 'const built = job?.state === "Succeeded" && job.configVersion === instance.desiredVersion',
        replace:
          'const built = history.jobs.some((one) => one.state === "Succeeded" && one.configVersion === instance.desiredVersion)\n  if (built) return { _tag: "Settle" }'
      }
    ],
    tests: ["test/domain/DecisionRegressions.test.ts", decisionProvision]
  }
]

const recording: ReadonlyArray<Mutant> = [
  {
    id: "newest-by-time",
    breaks: [],
    bug: "The newest job is told by its time, not by its place (W21)",
    hurts: "two jobs of one second, and the older one decides",
    edits: [
      {
        file: job,
        find: 'jobs.findLast((job) => job.type === operation && job.duplicate !== true && job.jobID !== "")',
        replace:
          'jobs\n    .filter((job) => job.type === operation && job.duplicate !== true && job.jobID !== "")\n    .toSorted((a, b) => (b.timestamp ?? "").localeCompare(a.timestamp ?? ""))\n    .at(0)'
      }
    ],
    tests: ["test/domain/Job.test.ts"]
  },
  {
    id: "duplicate-decides",
    breaks: ["L27"],
    bug: "A duplicate can be the newest job",
    hurts: "the cancelled duplicate makes a sound object Failed",
    edits: [
      {
        file: job,
        find: 'job.type === operation && job.duplicate !== true && job.jobID !== ""',
        replace: 'job.type === operation && job.jobID !== ""'
      }
    ],
    tests: ["test/domain/Job.test.ts"]
  },
  {
    id: "ended-job-revived",
    breaks: [],
    bug: "A late answer of the poll brings an ended job to life",
    hurts: "a Ready object waits for a job that ended long ago",
    edits: [{ file: job, find: "if (isTerminal(job)) return job\n  const next", replace: "const next" }],
    tests: ["test/domain/Job.test.ts"]
  },
  {
    id: "failure-seen-once",
    breaks: [],
    bug: "The phase of a failure lasts for one pass (W4b)",
    hurts: "whoever looks a second later sees Progressing",
    edits: [
      {
        file: status,
        find: 'return reasons[at.reason].person && !stillUnderWay.has(at.reason) ? "Failed" : "Progressing"',
        replace:
          'return reasons[at.reason].person && !stillUnderWay.has(at.reason) && at.reason !== "JobFailed" ? "Failed" : "Progressing"'
      }
    ],
    tests: ["test/domain/Status.test.ts", "test/domain/DecisionRegressions.test.ts"]
  },
  {
    id: "trigger-failures-invisible",
    breaks: [],
    bug: "A launch that cannot be made is not said anywhere (W8)",
    hurts: "a wrong token looks like patience",
    edits: [
      {
        file: "src/reconcile/ComputeInstance.ts",
        find: "yield* say(key, sight, problemOf(progress.error))",
        replace: "yield* say(key, sight, undefined)"
      }
    ],
    tests: ["test/reconcile/ConditionsTemplate.test.ts"]
  },
  {
    id: "no-job-deadline",
    breaks: [],
    bug: "A job may run for ever without a word (W16)",
    hurts: "a hung playbook is found by a customer",
    edits: [
      {
        file: status,
        find: "if (overdue(job.timestamp, k.limits.jobDeadline, k.now))",
        replace: "if (overdue(job.timestamp, k.limits.jobDeadline * 1_000, k.now))"
      }
    ],
    tests: ["test/domain/Status.test.ts", jobs]
  },
  {
    id: "times-always-new",
    breaks: [],
    bug: "A condition's time moves with every pass (W18)",
    hurts: "every write makes the next pass, which writes: a loop against the API server",
    edits: [
      {
        file: status,
        find: "applyVerdicts(instance.conditions, verdicts(k, at, reconciled), generation, second(k.now))",
        replace: "applyVerdicts([], verdicts(k, at, reconciled), generation, second(k.now))"
      }
    ],
    tests: ["test/domain/Status.test.ts"]
  },
  {
    id: "two-writes-a-launch",
    breaks: ["L42"],
    bug: "The status is written before every launch as well (W28)",
    hurts: "twice the load on the API server",
    edits: [{ file: "src/reconcile/act.ts", find: "return sight.unrecorded", replace: "return true" }],
    tests: [lifecycle]
  },
  {
    id: "version-by-key-order",
    breaks: [],
    bug: "The config version depends on the order of the keys (W34)",
    hurts: "an upgrade provisions every machine anew",
    edits: [
      {
        file: "src/domain/ConfigVersion.ts",
        find: "    .sort(byRank)\n",
        replace: "    .sort((a, b) => (a < b ? -1 : 1) || byRank(a, b))\n"
      }
    ],
    tests: ["test/domain/ConfigVersion.test.ts"]
  },
  {
    id: "managed-fields-sent",
    breaks: [],
    bug: "The payload carries managedFields (W33)",
    hurts: "every job stores twice what it needs, and the memory holds it too",
    edits: [
      {
        file: "src/adapters/kubernetes/KubernetesJson.ts",
        find: 'key !== "managedFields" && value !== null',
        replace: 'key !== "" && value !== null'
      }
    ],
    tests: ["test/adapters/kubernetes/KubernetesClient.test.ts", "test/reconcile/Lifecycle.test.ts"]
  },
  {
    id: "adopt-anything",
    breaks: [],
    bug: "adopt-job follows whatever job it names",
    hurts: "an object follows, and on deletion cancels, another object's job",
    edits: [
      {
        file: "src/reconcile/resolve.ts",
        find: "return row.value.owner !== undefined && owners.includes(row.value.owner)",
        replace: "return row.value.owner !== undefined || owners.length > 0"
      }
    ],
    tests: ["test/reconcile/ProtocolAdoption.test.ts"]
  }
]

export const provisioning: ReadonlyArray<Mutant> = [...deciding, ...recording]
