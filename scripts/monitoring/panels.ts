/**
 * What the Grafana dashboard asks and shows: its rows, and the panels of each.
 */

interface Query {
  readonly expr: string
  readonly legend: string
}

export interface Panel {
  readonly title: string
  readonly description: string
  readonly type: "timeseries" | "stat"
  readonly unit: string
  readonly queries: ReadonlyArray<Query>
}

export interface Row {
  readonly title: string
  readonly panels: ReadonlyArray<Panel>
}

const graph = (title: string, unit: string, description: string, ...queries: ReadonlyArray<Query>): Panel => ({
  title,
  description,
  type: "timeseries",
  unit,
  queries
})

const stat = (title: string, unit: string, description: string, expr: string): Panel => ({
  title,
  description,
  type: "stat",
  unit,
  queries: [{ expr, legend: "" }]
})

const query = (expr: string, legend: string): Query => ({ expr, legend })

const here = 'namespace=~"$namespace"'

const quantile = (of: number, metric: string, by: string): string =>
  `histogram_quantile(${of}, sum by (${["le", by].filter((name) => name !== "").join(", ")}) (rate(${metric}_bucket{${here}}[$__rate_interval])))`

const perSecond = (metric: string, by: string, matching = ""): string =>
  `sum by (${by}) (rate(${metric}{${[here, matching].filter((one) => one !== "").join(", ")}}[$__rate_interval]))`

/** Replicas that stand by count objects as well: the largest count is the truth, their sum is not. */
const counted = (metric: string, by: string, matching = ""): string =>
  `max by (${by}) (${metric}{${[here, matching].filter((one) => one !== "").join(", ")}})`

const objects: Row = {
  title: "ComputeInstances and jobs",
  panels: [
    stat(
      "Ready",
      "none",
      "Objects that are as specified.",
      counted("cloudkit_computeinstances", "phase", 'phase="Ready"')
    ),
    stat(
      "Failed",
      "none",
      "Objects that need a person.",
      counted("cloudkit_computeinstances", "phase", 'phase="Failed"')
    ),
    stat(
      "Open launches",
      "none",
      "Launches whose outcome is not recorded yet.",
      counted("cloudkit_open_launch_intents", "namespace")
    ),
    stat("Leaders", "none", "Replicas that work: 1.", `sum(leader_election_master_status{${here}})`),
    graph("Objects by phase", "none", "", query(counted("cloudkit_computeinstances", "phase"), "{{phase}}")),
    graph(
      "Longest in a phase",
      "s",
      "Age of the oldest object.",
      query(counted("cloudkit_computeinstances_oldest_seconds", "phase"), "{{phase}}")
    ),
    graph(
      "What needs a person",
      "none",
      "Objects that are Stalled or whose deletion is blocked, by reason.",
      query(
        counted("cloudkit_computeinstance_conditions", "type, reason", 'type!="Reconciling"'),
        "{{type}} {{reason}}"
      )
    ),
    graph(
      "What is waited for",
      "none",
      "Objects that are Reconciling, by reason.",
      query(counted("cloudkit_computeinstance_conditions", "reason", 'type="Reconciling"'), "{{reason}}")
    ),
    graph(
      "Live jobs",
      "none",
      "",
      query(counted("cloudkit_jobs", "type, state", 'state=~"Pending|Waiting|Running|Unknown"'), "{{type}} {{state}}")
    ),
    graph(
      "Launches",
      "ops",
      "",
      query(perSecond("cloudkit_jobs_triggered_total", "provider, type, result"), "{{provider}} {{type}} {{result}}")
    ),
    graph(
      "Job duration",
      "s",
      "From launch to end.",
      query(quantile(0.5, "cloudkit_job_duration_seconds", "type"), "{{type}} median"),
      query(quantile(0.95, "cloudkit_job_duration_seconds", "type"), "{{type}} 95 %")
    ),
    graph(
      "Doubts and duplicates",
      "none",
      "Both should stay at 0.",
      query(`sum(increase(cloudkit_launch_ambiguous_total{${here}}[1h]))`, "ambiguous in 1 h"),
      query(`sum(increase(cloudkit_duplicate_jobs_total{${here}}[1h]))`, "duplicates in 1 h")
    )
  ]
}

const providers: Row = {
  title: "Providers",
  panels: [
    graph(
      "AAP requests",
      "reqps",
      "",
      query(perSecond("cloudkit_aap_requests_total", "operation, code"), "{{operation}} {{code}}")
    ),
    graph(
      "AAP latency",
      "s",
      "95 of 100 requests take at most this.",
      query(quantile(0.95, "cloudkit_aap_request_duration_seconds", "operation"), "{{operation}}")
    ),
    graph("Jobs per poll", "none", "", query(quantile(0.95, "cloudkit_aap_poll_batch_size", ""), "95 %")),
    graph(
      "Age of the last poll",
      "s",
      "",
      query(`time() - max(cloudkit_aap_last_successful_poll_timestamp_seconds{${here}} > 0)`, "age")
    ),
    graph("EDA webhooks", "reqps", "", query(perSecond("cloudkit_eda_requests_total", "code"), "{{code}}"))
  ]
}

const controller: Row = {
  title: "Controller",
  panels: [
    graph("Passes", "ops", "", query(perSecond("controller_runtime_reconcile_total", "result"), "{{result}}")),
    graph(
      "Failed passes",
      "ops",
      "",
      query(perSecond("controller_runtime_reconcile_errors_total", "controller"), "failed"),
      query(perSecond("workqueue_retries_total", "name"), "put off")
    ),
    graph(
      "Duration of a pass",
      "s",
      "",
      query(quantile(0.5, "controller_runtime_reconcile_time_seconds", ""), "median"),
      query(quantile(0.99, "controller_runtime_reconcile_time_seconds", ""), "99 %")
    ),
    graph(
      "Workers",
      "none",
      "",
      query(counted("controller_runtime_active_workers", "controller"), "at work"),
      query(counted("controller_runtime_max_concurrent_reconciles", "controller"), "at most")
    ),
    graph(
      "Queue",
      "none",
      "",
      query(counted("workqueue_depth", "name"), "waiting"),
      query(counted("cloudkit_launches_waiting", "type"), "in line for a {{type}} launch"),
      query(perSecond("workqueue_adds_total", "name"), "due per second")
    ),
    graph(
      "Wait for a pass",
      "s",
      "",
      query(quantile(0.99, "workqueue_queue_duration_seconds", ""), "waited, 99 %"),
      query(quantile(0.99, "workqueue_work_duration_seconds", ""), "worked, 99 %")
    ),
    graph(
      "Passes under way",
      "s",
      "",
      query(counted("workqueue_unfinished_work_seconds", "name"), "all together"),
      query(counted("workqueue_longest_running_processor_seconds", "name"), "the longest")
    ),
    graph(
      "API server requests",
      "reqps",
      "",
      query(perSecond("rest_client_requests_total", "method, code"), "{{method}} {{code}}")
    ),
    graph("Failed watches", "ops", "", query(perSecond("cloudkit_watch_failures_total", "activity"), "{{activity}}"))
  ]
}

const processes: Row = {
  title: "Process",
  panels: [
    graph("CPU", "percentunit", "", query(perSecond("process_cpu_seconds_total", "pod"), "{{pod}}")),
    graph(
      "Memory",
      "bytes",
      "",
      query(counted("process_resident_memory_bytes", "pod"), "{{pod}} resident"),
      query(counted("nodejs_heap_size_used_bytes", "pod"), "{{pod}} heap used"),
      query(counted("nodejs_heap_size_total_bytes", "pod"), "{{pod}} heap"),
      query(counted("nodejs_external_memory_bytes", "pod"), "{{pod}} external")
    ),
    graph(
      "Event loop lag",
      "s",
      "",
      query(counted("nodejs_eventloop_lag_seconds", "pod"), "{{pod}} longest"),
      query(counted("nodejs_eventloop_lag_p99_seconds", "pod"), "{{pod}} 99 %")
    ),
    graph(
      "Uptime",
      "s",
      "",
      query(`time() - max by (pod) (process_start_time_seconds{${here}})`, "{{pod}}"),
      query(`count by (version) (cloudkit_build_info{${here}})`, "replicas of {{version}}")
    )
  ]
}

export const rows: ReadonlyArray<Row> = [objects, providers, controller, processes]
