/** The judge of the soak, on invented truths: each kind of breach is found, and named by its object. */
import { assert, it } from "@effect/vitest"
import { countsOf, judge, type Kind } from "../../scripts/soak/Verdict.ts"
import type { Truth, Version } from "../support/invariantsHistory.ts"
import type { JsonObject } from "../support/kubernetes/Json.ts"
import type { LedgerJob } from "../support/SimulatedAap.ts"

const UID = "10000000-0000-4000-8000-000000000001"
const KEY = { provision: `${UID}/provision/8b3a9db78727e696/1`, deprovision: `${UID}/deprovision/1` }
type Operation = keyof typeof KEY

const job = (id: number, operation: Operation, from: number, to: number): LedgerJob => ({
  id,
  kind: "job",
  template: operation === "provision" ? "osac-create-compute-instance" : "osac-delete-compute-instance",
  templateId: 7,
  launchType: "manual",
  launchedBy: "operator",
  launchKey: KEY[operation],
  object: { uid: UID, name: "vm", namespace: "soak" },
  payload: {},
  extraVars: {},
  status: "successful",
  created: from,
  started: from,
  finished: to,
  transitions: [
    { at: from, status: "pending" },
    { at: to, status: "successful" }
  ],
  cancelRequests: [],
  workflow: undefined,
  gone: undefined
})

/** What the cluster stored while an intent was open or closed by these jobs. */
const version = (from: number, operation: Operation, jobs: ReadonlyArray<LedgerJob>): Version => {
  const records = jobs.map(({ id, launchKey, template }) => ({
    jobID: String(id),
    type: template.includes("delete") ? "deprovision" : "provision",
    provider: "aap",
    state: "Succeeded",
    launchKey: launchKey ?? "",
    launchStamp: "now"
  }))
  const intent = { key: KEY[operation], stamp: "now", operation }
  const object: JsonObject = {
    metadata: {
      name: "vm",
      uid: UID,
      finalizers: ["cloudkit.openshift.io/computeinstance"],
      annotations: { "cloudkit.openshift.io/launch-intent": JSON.stringify(intent) },
      ...(operation === "deprovision" ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {})
    },
    status: { jobs: records }
  }
  return { from, uid: UID, name: "vm", object }
}
const gone = (from: number): Version => ({ from, uid: UID, name: "vm", object: undefined })

const first = job(1, "provision", 10, 20)
const last = job(2, "deprovision", 40, 50)
const whole: Truth = {
  ledger: [first, last],
  versions: [
    version(5, "provision", []),
    version(20, "provision", [first]),
    version(35, "deprovision", [first]),
    version(50, "deprovision", [first, last]),
    gone(60)
  ],
  runs: []
}
const asked = new Map([["vm", { provisions: 1, deprovisions: 1 }]])

const found = (truth: Truth, stuck: ReadonlyMap<string, string> = new Map()): ReadonlyArray<Kind> =>
  countsOf(judge(truth, asked, stuck)).flatMap(([kind, objects]) => (objects > 0 ? [kind] : []))

it("a sound life is no case", () => {
  assert.deepStrictEqual(judge(whole, asked, new Map()), [])
})

it("a second job of a launch is a duplicate, be it recorded and long after the first", () => {
  const again = job(3, "provision", 25, 30)
  const versions = whole.versions.map((one, index) => (index === 2 ? version(35, "deprovision", [first, again]) : one))
  assert.deepStrictEqual(found({ ...whole, ledger: [first, again, last], versions }), ["duplicates"])
})

it("a job under a new key that nobody asked for is a duplicate", () => {
  const again = { ...job(3, "provision", 32, 34), launchKey: `${UID}/provision/8b3a9db78727e696/2` }
  const versions = [...whole.versions.slice(0, 2), version(31, "provision", [first, again]), ...whole.versions.slice(2)]
  assert.include(found({ ...whole, ledger: [first, again, last], versions }), "duplicates")
})

it("what is built and never torn down is an orphan", () => {
  const versions = [...whole.versions.slice(0, 2), gone(60)]
  assert.deepStrictEqual(found({ ...whole, ledger: [first], versions }), ["orphans"])
})

it("a job that lives on without its object is an orphan", () => {
  const alive = { ...last, finished: undefined, status: "running", transitions: [{ at: 40, status: "running" }] }
  assert.include(found({ ...whole, ledger: [first, alive] }), "orphans")
})

it("a job that no version of its object names is a lost id, though all ended well", () => {
  const versions = [
    version(5, "provision", []),
    version(35, "deprovision", []),
    version(50, "deprovision", [last]),
    gone(60)
  ]
  assert.deepStrictEqual(found({ ...whole, versions }), ["lost ids", "other broken rules"])
})

it("an object that hangs is a case of its own, with where it hangs and what it went through", () => {
  const [only] = judge(whole, asked, new Map([["vm", "its deletion did not come to an end"]]))
  assert.strictEqual(only?.name, "vm")
  assert.deepStrictEqual(only?.broken, [{ kind: "stuck objects", words: "its deletion did not come to an end" }])
  assert.include(only?.history, "AAP   job 1 successful")
})
