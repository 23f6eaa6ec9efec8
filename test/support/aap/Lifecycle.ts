/**
 * How jobs live: created, queued, started, finished, cancelled. Nothing runs in the background; `advance` performs every
 * step that was due, in order of time, whenever somebody looks. The result depends on the clock and the requests only.
 */
import { Duration } from "effect"
import { dumps, type ParsedObject, plain } from "./PythonJson.ts"
import { spawnReadyNodes, workflowOutcome } from "./Workflow.ts"
import {
  eventOf,
  isTerminal,
  type Job,
  type JobKind,
  type Label,
  type Node,
  type Template,
  terminalStatuses,
  type User,
  type World
} from "./World.ts"

/** Performs all that happened up to `now`. */
export const advance = (world: World, now: number): void => {
  for (let step = world.agenda.due(now); step !== undefined; step = world.agenda.due(now)) {
    world.now = Math.max(world.now, step.at)
    step.act()
  }
  world.now = Math.max(world.now, now)
}

const after = (world: World, job: Job, delay: Duration.Input | undefined, fallback: number, act: () => void): void => {
  const wait = delay === undefined ? fallback : Duration.toMillis(Duration.fromInputUnsafe(delay))
  if (wait === Number.POSITIVE_INFINITY) return
  const epoch = job.epoch
  world.agenda.plan(world.now + wait, job, () => {
    if (job.epoch === epoch) act()
  })
}

const enter = (world: World, job: Job, status: string): void => {
  job.status = status
  job.transitions.push({ status, at: world.now })
}

export interface NewJob {
  readonly kind: JobKind
  readonly template: Template
  readonly launchType: Job["launchType"]
  readonly by: User
  readonly extraVars: ParsedObject
  readonly fields: ParsedObject
  readonly labels: ReadonlyArray<Label>
  readonly parent?: Job["parent"]
}

/** Makes the row, pending. One sequence of ids serves jobs and workflow jobs. */
export const createJob = (world: World, make: NewJob): Job => {
  const { template } = make
  template.launches++
  const { payload } = eventOf(make.extraVars)
  const playbook = world.decide({
    template: template.name,
    kind: make.kind,
    payload: payload === undefined ? undefined : plain(payload),
    extraVars: plain(make.extraVars),
    n: template.launches
  })
  const job: Job = {
    id: world.nextJobId++,
    kind: make.kind,
    template,
    launchType: make.launchType,
    createdBy: make.by,
    created: world.now,
    extraVars: make.extraVars,
    extraVarsText: dumps(make.extraVars),
    fields: make.fields,
    labels: make.labels,
    playbook,
    sliced: make.kind === "workflow_job" && template.kind === "job_template",
    parent: make.parent,
    nodes: template.kind === "workflow_job_template" ? makeNodes(world, template) : [],
    transitions: [{ status: "pending", at: world.now }],
    cancelRequests: [],
    modified: world.now,
    modifiedBy: make.launchType === "workflow" ? undefined : make.by,
    controller: "",
    status: "pending",
    started: undefined,
    ran: undefined,
    finished: undefined,
    canceledOn: undefined,
    elapsed: undefined,
    explanation: "",
    traceback: "",
    bounced: false,
    epoch: 0,
    gone: undefined
  }
  world.jobs.set(job.id, job)
  world.everyJob.push(job)
  template.jobs.push(job)
  after(world, job, playbook.pendingFor, 1000, () => queue(world, job))
  return job
}

const makeNodes = (world: World, template: Template): ReadonlyArray<Node> =>
  template.nodes.map((spec) => ({
    id: world.nextNodeId++,
    created: world.now,
    spec,
    template: [...world.templates.values()].find((candidate) => candidate.name === spec.template),
    job: undefined,
    doNotRun: false
  }))

const queue = (world: World, job: Job): void => {
  job.template.ready.add(job)
  startReady(world, job.template)
}

/** Starts what waits for this template, oldest first; without simultaneous jobs only one may be started. */
const startReady = (world: World, template: Template): void => {
  for (const job of template.ready) {
    if (!template.allowSimultaneous && template.busy.size > 0) return
    template.ready.delete(job)
    template.busy.add(job)
    start(world, job)
  }
}

const start = (world: World, job: Job): void => {
  job.explanation = ""
  job.modified = world.now
  if (job.kind === "workflow_job") {
    run(world, job)
    return
  }
  job.modifiedBy = undefined
  job.controller = world.node
  enter(world, job, "waiting")
  after(world, job, job.playbook.waitingFor, 0, () => run(world, job))
}

const run = (world: World, job: Job): void => {
  enter(world, job, "running")
  job.started ??= world.now
  job.ran ??= world.now
  if (job.nodes.length > 0) stepWorkflow(world, job)
  else if (job.playbook.backToPending === true && !job.bounced) {
    after(world, job, job.playbook.runningFor, 5000, () => bounce(world, job))
  } else if (job.playbook.ends !== "never") {
    const { ends } = job.playbook
    after(world, job, job.playbook.runningFor, 5000, () => end(world, job, ends))
  }
}

const bounce = (world: World, job: Job): void => {
  job.bounced = true
  enter(world, job, "pending")
  job.template.busy.delete(job)
  startReady(world, job.template)
  after(world, job, job.playbook.pendingFor, 1000, () => queue(world, job))
}

const end = (world: World, job: Job, status: string): void => {
  if (status !== "canceled") {
    job.explanation = job.playbook.explanation ?? ""
    job.traceback =
      job.playbook.traceback ?? (status === "error" ? "Traceback (most recent call last):\nRuntimeError\n" : "")
  }
  finish(world, job, status)
}

/** Ends a job, whatever it was doing, and lets go whoever waited for it. */
const finish = (world: World, job: Job, status: string): void => {
  job.epoch++
  enter(world, job, status)
  job.finished = world.now
  if (status === "canceled") job.canceledOn ??= world.now
  job.elapsed = job.started === undefined ? 0 : (job.finished - job.started) / 1000
  job.template.ready.delete(job)
  job.template.busy.delete(job)
  startReady(world, job.template)
  if (job.parent !== undefined) stepWorkflow(world, job.parent.workflow)
}

const stepWorkflow = (world: World, workflow: Job): void => {
  if (workflow.status !== "running") return
  for (const node of spawnReadyNodes(workflow)) {
    if (node.template === undefined) {
      node.doNotRun = true
      continue
    }
    node.job = createJob(world, {
      kind: "job",
      template: node.template,
      launchType: "workflow",
      by: workflow.createdBy,
      extraVars: { ...node.template.extraVars, ...workflow.extraVars },
      fields: {},
      labels: [],
      parent: { workflow, node }
    })
  }
  const outcome = workflowOutcome(workflow)
  if (outcome === undefined) return
  workflow.explanation = outcome.explanation
  finish(world, workflow, outcome.status)
}

/**
 * A request to cancel, already permitted. A job that has not started is canceled at once; a running one only gets a flag,
 * and ends `cancelTakes` later unless it comes to its own end first. A workflow's manager passes the flag on to its nodes.
 */
export const cancel = (world: World, job: Job): void => {
  if (isTerminal(job)) return
  const repeated = job.canceledOn !== undefined
  job.canceledOn ??= world.now
  if (job.status === "pending" || job.status === "new") finish(world, job, "canceled")
  else if (!repeated) stopRunning(world, job)
}

const stopRunning = (world: World, job: Job): void => {
  const race = job.playbook.cancelRace
  after(world, job, job.playbook.cancelTakes, 2000, () => {
    if (job.nodes.length > 0) cancelNodes(world, job)
    else if (race === undefined) finish(world, job, "canceled")
    else end(world, job, race)
  })
}

const cancelNodes = (world: World, workflow: Job): void => {
  const children: Array<Job> = []
  for (const node of workflow.nodes) {
    if (node.job === undefined) node.doNotRun = true
    else children.push(node.job)
  }
  for (const child of children) cancel(world, child)
  stepWorkflow(world, workflow)
}

/** What a person, a reaper or the database does to a row. Nothing more happens to the job by itself afterwards. */
export const force = (world: World, job: Job, status: string, explanation?: string): void => {
  if (explanation !== undefined) job.explanation = explanation
  if (status === "running") job.started ??= world.now
  if (terminalStatuses.some((terminal) => terminal === status)) {
    finish(world, job, status)
    return
  }
  job.epoch++
  job.finished = undefined
  enter(world, job, status)
  job.template.ready.delete(job)
  if (status === "waiting" || status === "running") job.template.busy.add(job)
  else job.template.busy.delete(job)
  startReady(world, job.template)
}
