/**
 * Every metric of the operator. Names and labels are an interface: dashboards and alerts of other people use them.
 *
 * What every controller has carries the names that Kubernetes users know from others; what is particular begins with
 * `cloudkit_`. Which labels there are, and that no other values occur, is part of the declaration.
 */
import { counter, type Declared, gauge, histogram, type Label } from "./Declaration.ts"

const seconds = (...boundaries: ReadonlyArray<number>) => boundaries

const REQUESTS = seconds(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
const QUEUES = seconds(0.001, 0.01, 0.1, 1, 10, 100, 1_000)
const JOBS = seconds(10, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400)

const words = (meaning: string, ...values: ReadonlyArray<string>): Label => ({ meaning, values })

const controller = { controller: words("The controller.", "computeinstance") }
const queue = { name: words("The queue, called as its controller.", "computeinstance") }

const code: Label = {
  meaning: "HTTP status of the answer; `<error>` when there was none.",
  values: ["<error>"],
  form: /^[1-5]\d\d$/u
}

const provider: Label = {
  meaning: "The provider that launched the job.",
  values: ["aap", "eda"],
  form: /^[a-z][a-z0-9-]{0,15}$/u
}

const operation = words(
  "What was asked for.",
  "find_templates",
  "launch_options",
  "launch",
  "list_jobs",
  "search_jobs",
  "job_detail",
  "job_events",
  "workflow_nodes",
  "cancel"
)

const type = words("What the job does to the machine.", "provision", "deprovision")

export const controllerMetrics = {
  reconciles: counter({
    name: "controller_runtime_reconcile_total",
    help: "Passes over objects, by how they ended.",
    labels: {
      ...controller,
      result: words(
        "`requeue`: again within a second; `requeue_after`: again later; `success`: not before something changes.",
        "success",
        "error",
        "requeue",
        "requeue_after"
      )
    }
  }),
  errors: counter({
    name: "controller_runtime_reconcile_errors_total",
    help: "Passes over objects that failed and are tried again.",
    labels: controller
  }),
  time: histogram({
    name: "controller_runtime_reconcile_time_seconds",
    help: "How long a pass took.",
    labels: controller,
    boundaries: REQUESTS
  }),
  active: gauge({
    name: "controller_runtime_active_workers",
    help: "Passes under way.",
    labels: controller
  }),
  most: gauge({
    name: "controller_runtime_max_concurrent_reconciles",
    help: "How many passes may be under way at the same time.",
    labels: controller
  }),
  depth: gauge({ name: "workqueue_depth", help: "Objects that wait for their pass.", labels: queue }),
  adds: counter({ name: "workqueue_adds_total", help: "How often an object became due for a pass.", labels: queue }),
  waited: histogram({
    name: "workqueue_queue_duration_seconds",
    help: "How long an object that was due waited for its pass.",
    labels: queue,
    boundaries: QUEUES
  }),
  worked: histogram({
    name: "workqueue_work_duration_seconds",
    help: "How long a pass took.",
    labels: queue,
    boundaries: QUEUES
  }),
  unfinished: gauge({
    name: "workqueue_unfinished_work_seconds",
    help: "How long all passes under way have taken until now, added up.",
    labels: queue
  }),
  longest: gauge({
    name: "workqueue_longest_running_processor_seconds",
    help: "How long the longest pass under way has taken until now.",
    labels: queue
  }),
  retries: counter({
    name: "workqueue_retries_total",
    help: "How often an object was put off because its pass failed.",
    labels: queue
  }),
  leader: gauge({
    name: "leader_election_master_status",
    help: "1 for the replica that works, 0 for one that stands by. Without an election it is always 1.",
    labels: { name: words("The lease.", "cloudkit-operator-leader") }
  })
}

export const kubernetesMetrics = {
  requests: counter({
    name: "rest_client_requests_total",
    help: "Requests to the API server, by answer. A watch counts once, when it is opened.",
    labels: { code, method: words("HTTP method.", "GET", "POST", "PUT", "PATCH", "DELETE") }
  }),
  watchFailures: counter({
    name: "cloudkit_watch_failures_total",
    help: "Lists and watches of ComputeInstances that failed and were tried again.",
    labels: { activity: words("What failed.", "list", "watch") }
  })
}

export const jobMetrics = {
  triggered: counter({
    name: "cloudkit_jobs_triggered_total",
    help: "Launches that were sent to a provider, by what came of them.",
    labels: {
      provider,
      type,
      result: words(
        "`launched`: a job runs; `refused`: certainly none; `ambiguous`: no answer, the job is searched for; `presumed`: no answer and no way to search, it counts as sent.",
        "launched",
        "refused",
        "ambiguous",
        "presumed"
      )
    }
  }),
  waiting: gauge({
    name: "cloudkit_launches_waiting",
    help: "ComputeInstances that stand in line for their launch, because as many as may launch at once do. Their passes are over: workqueue_depth does not count them.",
    labels: { type }
  }),
  duration: histogram({
    name: "cloudkit_job_duration_seconds",
    help: "Time from the launch of a job to its end.",
    labels: { provider, type, state: words("How it ended.", "Succeeded", "Failed", "Canceled", "Unknown") },
    boundaries: JOBS
  }),
  ambiguous: counter({
    name: "cloudkit_launch_ambiguous_total",
    help: "Launches of which nobody knows whether they happened, until they are resolved: the answer was lost, or the process was.",
    labels: {}
  }),
  duplicates: counter({
    name: "cloudkit_duplicate_jobs_total",
    help: "Jobs that were one too many for their object. They are cancelled.",
    labels: {}
  })
}

export const objectMetrics = {
  jobs: gauge({
    name: "cloudkit_jobs",
    help: "Live jobs, and of ended ones the newest of each type of each ComputeInstance.",
    labels: {
      type,
      state: words("State of the job.", "Pending", "Waiting", "Running", "Succeeded", "Failed", "Canceled", "Unknown")
    }
  }),
  phases: gauge({
    name: "cloudkit_computeinstances",
    help: "ComputeInstances by phase.",
    labels: { phase: words("`New`: no status yet.", "New", "Progressing", "Ready", "Failed", "Deleting") }
  }),
  oldest: gauge({
    name: "cloudkit_computeinstances_oldest_seconds",
    help: "How long the ComputeInstance has been in this phase that has been in it longest. 0 where there is none.",
    labels: { phase: words("A phase that should pass.", "New", "Progressing", "Deleting") }
  }),
  conditions: gauge({
    name: "cloudkit_computeinstance_conditions",
    help: "ComputeInstances with this condition being True, by its reason.",
    labels: {
      type: words("Type of the condition.", "Reconciling", "Stalled", "DeletionBlocked"),
      reason: {
        meaning: "Reason of the condition: one of the closed set in docs/reasons.md.",
        values: ["JobRunning", "JobFailed", "DeprovisionFailed"],
        form: /^[A-Z][A-Za-z]{2,31}$/u
      }
    }
  }),
  openIntents: gauge({
    name: "cloudkit_open_launch_intents",
    help: "Launches that were decided and of which the outcome is not recorded yet.",
    labels: {}
  })
}

export const aapMetrics = {
  requests: counter({
    name: "cloudkit_aap_requests_total",
    help: "Requests to AAP, by answer.",
    labels: { operation, code }
  }),
  duration: histogram({
    name: "cloudkit_aap_request_duration_seconds",
    help: "How long requests to AAP took, answered or not.",
    labels: { operation },
    boundaries: REQUESTS
  }),
  batch: histogram({
    name: "cloudkit_aap_poll_batch_size",
    help: "How many jobs were asked for in one request.",
    labels: {},
    boundaries: [1, 2, 5, 10, 25, 50, 100, 200]
  }),
  lastPoll: gauge({
    name: "cloudkit_aap_last_successful_poll_timestamp_seconds",
    help: "When AAP last answered about live jobs, in seconds since 1970.",
    labels: {}
  })
}

export const edaMetrics = {
  requests: counter({
    name: "cloudkit_eda_requests_total",
    help: "Calls of EDA webhooks, by answer.",
    labels: { code }
  })
}

const version: Label = {
  meaning: "A version.",
  values: ["0.1.0", "24.0.0"],
  form: /^\d+\.\d+\.\d+[-+.0-9A-Za-z]{0,20}$/u
}

export const processMetrics = {
  build: gauge({
    name: "cloudkit_build_info",
    help: "Always 1: which version runs, on which Node.",
    labels: { version: { ...version, meaning: "The operator's." }, nodejs: { ...version, meaning: "Node's." } }
  }),
  cpu: counter({
    name: "process_cpu_seconds_total",
    help: "CPU time used by the process, user and system.",
    labels: {}
  }),
  started: gauge({
    name: "process_start_time_seconds",
    help: "When the process started, in seconds since 1970.",
    labels: {}
  }),
  resident: gauge({
    name: "process_resident_memory_bytes",
    help: "Memory of the process that is resident.",
    labels: {}
  }),
  heapUsed: gauge({ name: "nodejs_heap_size_used_bytes", help: "JavaScript heap in use.", labels: {} }),
  heapTotal: gauge({ name: "nodejs_heap_size_total_bytes", help: "JavaScript heap that is reserved.", labels: {} }),
  external: gauge({
    name: "nodejs_external_memory_bytes",
    help: "Memory of objects outside of the JavaScript heap.",
    labels: {}
  }),
  lag: gauge({
    name: "nodejs_eventloop_lag_seconds",
    help: "The longest that the event loop was late since the last scrape.",
    labels: {}
  }),
  lagP99: gauge({
    name: "nodejs_eventloop_lag_p99_seconds",
    help: "99 of 100 turns of the event loop since the last scrape were late by at most this.",
    labels: {}
  })
}

const groups: ReadonlyArray<Readonly<Record<string, Declared>>> = [
  controllerMetrics,
  kubernetesMetrics,
  objectMetrics,
  jobMetrics,
  aapMetrics,
  edaMetrics,
  processMetrics
]

/** All of them, for the documentation, for tests, and to be registered at the start. */
export const declared: ReadonlyArray<Declared> = groups.flatMap((group) => Object.values(group))
