/**
 * The installation the recordings in `test/fixtures/awx` were made on, rebuilt on the simulator: its templates and users,
 * and what was done to it between the recorded requests. Nothing ran there by itself (no dispatcher), so jobs stay pending
 * unless something below moves them.
 */
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { SimulatedAap } from "../support/SimulatedAap.ts"
import * as Aap from "../support/SimulatedAap.ts"
import type { WireRequest } from "../support/Wire.ts"

const create = "osac-create-compute-instance"

/** What the scheduler did when it was started by hand: once at 11:05:41, once at 11:06:24. */
const decide = ({ template, n }: Aap.Launch): Aap.Playbook => {
  const idle: Aap.Playbook = { pendingFor: "Infinity", ends: "never", cancelTakes: 0 }
  if (template === create && n === 9) return { ...idle, pendingFor: "42 seconds", waitingFor: "Infinity" }
  if (template === "osac-create-cluster" && n === 3) return { ...idle, pendingFor: "42 seconds" }
  if (template === "osac-create-cluster" && n === 4)
    return { ...idle, pendingFor: "100 millis", cancelTakes: "400 millis" }
  return idle
}

const templates: ReadonlyArray<Aap.TemplateOptions> = [
  { id: 9, name: create, extraVars: { region: "eu" }, allowSimultaneous: false },
  { id: 10, name: "osac-no-ask", asks: [], allowSimultaneous: false },
  { id: 11, name: "osac-no-inventory", inventory: false, allowSimultaneous: false },
  { id: 12, name: "osac-simul", asks: ["variables", "limit", "tags"] },
  {
    id: 13,
    name: "osac-survey",
    asks: [],
    survey: [{ variable: "n", required: true }],
    allowSimultaneous: false
  },
  {
    id: 14,
    name: "osac-create-cluster",
    kind: "workflow_job_template",
    allowSimultaneous: false,
    nodes: [
      { identifier: "first", template: create, success: ["second"] },
      { identifier: "second", template: "osac-simul" }
    ]
  }
]

export const installation: Effect.Effect<SimulatedAap> = Effect.gen(function* () {
  const aap = yield* Aap.make({
    organizations: [
      { id: 1, name: "Default" },
      { id: 2, name: "osac" }
    ],
    templates: templates.map((template) => ({ organization: "osac", ...template })),
    users: [
      { id: 1, name: "admin", token: "<admin>", superuser: true },
      { id: 2, name: "auditor", token: "<auditor>", auditor: true },
      {
        id: 3,
        name: "runner",
        token: "<runner>",
        roles: [
          { role: "execute", template: 9 },
          { role: "execute", template: 14 }
        ]
      },
      { id: 4, name: "jtadmin", token: "<jtadmin>", roles: [{ role: "admin", template: 9 }] },
      { id: 5, name: "orgadmin", token: "<orgadmin>", roles: [{ role: "orgadmin", organization: "osac" }] },
      { id: 6, name: "nobody", token: "<nobody>" }
    ]
  })
  yield* aap.issueToken("admin", "<admin-read>", "read")
  yield* aap.play(decide)
  return aap
})

/** Sends a request that happened but was not recorded. */
const post = (aap: SimulatedAap, user: string, path: string, body: unknown = {}) => {
  const request: WireRequest = {
    method: "POST",
    url: new URL(`http://awx.test/api/v2/${path}`),
    headers: { authorization: `Bearer <${user}>`, "content-type": "application/json" },
    body: JSON.stringify(body)
  }
  return aap.handler(request).pipe(
    Effect.flatMap(({ status }) =>
      status < 300 ? Effect.void : Effect.die(new Error(`unrecorded POST ${path} was answered ${status}`))
    ),
    Effect.orDie
  )
}

const vm = { ansible_eda: { event: { payload: { kind: "ComputeInstance", metadata: { name: "vm-0001" } } } } }

type Change = (aap: SimulatedAap) => Effect.Effect<void>

const set =
  (id: number, ...statuses: ReadonlyArray<string>): Change =>
  (aap) =>
    Effect.forEach(statuses, (status) => aap.setStatus(id, status), { discard: true })

/** What happened before the named recording and was not recorded itself. */
export const between: Readonly<Record<string, ReadonlyArray<Change>>> = {
  "c08-launch-post-yaml.txt": [(aap) => post(aap, "admin", "job_templates/9/launch/", { extra_vars: vm })],
  "c14-launch-unprompted-limit.txt": [(aap) => post(aap, "admin", "job_templates/10/launch/", { extra_vars: vm })],
  "f17-cancel-post-jtadmin-repeat.txt": [(aap) => post(aap, "jtadmin", "jobs/3/cancel/")],
  "g02-cancel-get-running.txt": [
    set(6, "running"),
    set(7, "running", "successful"),
    set(8, "running", "failed"),
    (aap) => Effect.andThen(aap.setStatus(9, "running"), aap.setStatus(9, "error", "x")),
    set(12, "running", "waiting")
  ],
  "h05-wf-after.txt": [(aap) => post(aap, "admin", "workflow_jobs/2/cancel/")],
  "i07-relaunch-post-runner-own.txt": [(aap) => post(aap, "runner", "jobs/1/relaunch/")],
  "k07-wf-running-second.txt": [set(19, "successful")],
  "k08-wf-failed.txt": [set(20, "failed")],
  "k13-wf-after-cancel.txt": [
    () => TestClock.adjust("300 millis"),
    (aap) => post(aap, "admin", "workflow_jobs/21/cancel/")
  ],
  "m01-job-from-eda.txt": [set(23, "successful")]
}
