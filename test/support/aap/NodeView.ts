/** The nodes of a workflow job as JSON: which job ran for each, and which never will. */
import { hasFailed, jobPath, templatePath, timestamp, type Viewer } from "./References.ts"
import type { Job, Node } from "./World.ts"

export const nodeView = ({ prefix }: Viewer, workflow: Job, node: Node): Readonly<Record<string, unknown>> => {
  const at = `${prefix}workflow_job_nodes/${node.id}/`
  const ids = (names: ReadonlyArray<string> | undefined) =>
    workflow.nodes.filter((other) => names?.includes(other.spec.identifier)).map(({ id }) => id)
  const { job, template } = node
  const unset = ["inventory", "scm_branch", "job_type", "job_tags", "skip_tags", "limit", "diff_mode", "verbosity"]
  const unsetToo = ["execution_environment", "forks", "job_slice_count", "timeout"]
  return {
    id: node.id,
    type: "workflow_job_node",
    url: at,
    related: {
      ...Object.fromEntries(
        ["labels", "credentials", "instance_groups", "success_nodes", "failure_nodes", "always_nodes"].map((name) => [
          name,
          `${at}${name}/`
        ])
      ),
      ...(template === undefined ? {} : { unified_job_template: templatePath(prefix, template) }),
      ...(job === undefined ? {} : { job: jobPath(prefix, job) }),
      workflow_job: jobPath(prefix, workflow)
    },
    summary_fields: {
      ...(job === undefined ? {} : { job: nodeJob(job) }),
      workflow_job: { id: workflow.id, name: workflow.template.name, description: "" },
      ...(template === undefined
        ? {}
        : { unified_job_template: { id: template.id, name: template.name, description: "", unified_job_type: "job" } })
    },
    created: timestamp(node.created),
    modified: timestamp(job?.created ?? node.created),
    extra_data: {},
    ...Object.fromEntries([...unset, ...unsetToo].map((name) => [name, null])),
    job: job?.id ?? null,
    workflow_job: workflow.id,
    unified_job_template: template?.id ?? null,
    success_nodes: ids(node.spec.success),
    failure_nodes: ids(node.spec.failure),
    always_nodes: ids(node.spec.always),
    all_parents_must_converge: false,
    do_not_run: node.doNotRun,
    identifier: node.spec.identifier
  }
}

const nodeJob = (job: Job) => ({
  id: job.id,
  name: job.template.name,
  description: "",
  status: job.status,
  failed: hasFailed(job),
  elapsed: job.elapsed ?? 0,
  type: job.kind,
  ...(job.canceledOn === undefined ? {} : { canceled_on: timestamp(job.canceledOn) })
})
