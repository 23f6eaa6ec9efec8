/**
 * Machines that are ordered, built and removed again: what one of them costs of AAP and of the API server, how soon it is
 * launched, how late its end is noticed, and whether anything is left afterwards.
 */
import { Duration, Effect } from "effect"
import { PROVISION } from "../../processes/Aap.ts"
import { countsOf, type LedgerRow, ledgerOf } from "../../processes/Simulators.ts"
import { type Measure, percentile } from "../Outcome.ts"
import { sockets } from "../Proc.ts"
import { makeRig, ready, startOperator } from "../Rig.ts"
import type { Row } from "../Row.ts"
import { makeUsers, namesOf, until } from "../Users.ts"
import { watchProcesses } from "../Watcher.ts"

const JOB = 171_000
const PENDING = 20_000
const POLL = 30_000
const CREATES = 10_000
const AAP_ANSWERS = 30
/** Polls and look-ups are for all machines together: with fewer of them, each one's share is no measure. */
const FEW = 300

const WRITES = ["write of metadata", "write of status"]

/** Milliseconds from the request to create until AAP got the launch, of each object. */
const launchDelays = (ledger: ReadonlyArray<LedgerRow>, created: ReadonlyMap<string, number>): ReadonlyArray<number> =>
  ledger.flatMap((job) => {
    const asked = created.get(job.name)
    return job.template !== PROVISION.name || asked === undefined ? [] : [job.created - asked]
  })

export const lifecycle: Row = {
  name: "lifecycle",
  title: "clean lifecycles, both jobs seen running",
  n: 1000,
  portable: true,
  run: (setting, n) =>
    Effect.gen(function* () {
      const scale = setting.timeScale
      const poll = POLL / scale
      const rig = yield* makeRig({
        directory: setting.directory,
        operator: setting.operator,
        kubernetes: setting.kube === "real" ? "real" : "kubernetes",
        pollInterval: Duration.millis(poll)
      })
      const { aap, kubernetes } = rig
      yield* aap.post("/play", { pendingFor: PENDING / scale, runningFor: (JOB - PENDING) / scale, ends: "successful" })
      yield* aap.post("/capacity", { takes: AAP_ANSWERS })
      const operator = yield* startOperator(rig)
      yield* ready(operator)
      const users = yield* makeUsers(rig)
      const { pid } = operator.child
      const socketsBefore = sockets(pid)
      const watcher = yield* watchProcesses(pid, [kubernetes.pid, aap.pid])
      const names = namesOf("vm", n)
      const perSecond = (1000 * n * scale) / CREATES
      const patience = 120 + (2 * (JOB + POLL)) / scale / 1000
      yield* users.create(names, perSecond)
      yield* until("every machine Ready", () => users.ready.size >= n, patience)
      const rssReady = watcher.maxRss()
      yield* users.remove(names, perSecond)
      yield* until("every machine gone", () => users.gone.size >= n, patience)
      const beside = watcher.beside()
      yield* Effect.sleep("6 seconds")
      const counted = { aap: (yield* countsOf(aap)).counts, kubernetes: (yield* countsOf(kubernetes)).counts }
      const ledger = yield* ledgerOf(aap)
      const delays = launchDelays(ledger, users.created)
      const noticed = ledger.flatMap((job) => {
        const at = users.ready.get(job.name)
        return job.template === PROVISION.name && at !== undefined && job.finished > 0 ? [at - job.finished] : []
      })
      const aapCalls = Object.values(counted.aap).reduce((sum, count) => sum + count, 0)
      const writes = WRITES.reduce((sum, kind) => sum + (counted.kubernetes[kind] ?? 0), 0)
      const events: ReadonlyArray<Measure> =
        setting.kube === "real"
          ? []
          : [{ what: "Events written per lifecycle", value: (counted.kubernetes.event ?? 0) / n, unit: "" }]
      const measures: ReadonlyArray<Measure> = [
        { what: "AAP calls per lifecycle", value: aapCalls / n, unit: "", ...(n < FEW ? {} : { target: 2.2 }) },
        { what: "Kubernetes writes per lifecycle", value: writes / n, unit: "", target: 8 },
        { what: "live reads of one object", value: counted.kubernetes["read of one object"] ?? 0, unit: "", target: 0 },
        { what: "jobs beside two per machine", value: ledger.length - 2 * n, unit: "", target: 0 },
        {
          what: `create → launch p50 (${Math.round(perSecond)} creates/s)`,
          value: percentile(delays, 0.5),
          unit: "ms"
        },
        { what: "create → launch p99", value: percentile(delays, 0.99), unit: "ms" },
        {
          what: "AAP terminal → Ready, slowest",
          value: Math.max(...noticed) / 1000,
          unit: "s",
          target: poll / 1000 + 1
        },
        ...events,
        { what: "CPU per lifecycle", value: (1000 * watcher.used()) / n, unit: "ms" },
        { what: "RSS, most", value: Math.max(rssReady, watcher.maxRss()), unit: "MiB" },
        { what: "open files left over", value: sockets(pid) - socketsBefore, unit: "" }
      ]
      return { row: "lifecycle", n, measures, beside }
    })
}
