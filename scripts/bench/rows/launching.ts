/**
 * How soon what is ordered is launched: at a steady rate beside many live jobs, and all at once.
 *
 * The floor is what a null operator needs on the same wires: list, watch, one write, one launch.
 */

import { fileURLToPath } from "node:url"
import { Duration, Effect } from "effect"
import { countsOf, ledgerOf, requestsOf, type Simulator } from "../../processes/Simulators.ts"
import { type Measure, percentile } from "../Outcome.ts"
import { makeRig, type Rig, ready, startOperator } from "../Rig.ts"
import type { Row, Setting } from "../Row.ts"
import { makeUsers, namesOf, type Users } from "../Users.ts"
import { fill } from "../Warehouse.ts"
import { watchProcesses } from "../Watcher.ts"
import { settles, writesIn } from "./stocked.ts"

const AAP_ANSWERS = 30
/** The first orders after the start. */
const WARM = 300
const WARM_PER_SECOND = 100
const BEYOND = 50
const nullOperator = ["node", fileURLToPath(new URL("../../null-operator.ts", import.meta.url))]

interface Plan {
  readonly operator: ReadonlyArray<string>
  readonly n: number
  readonly others: number
  /** 0: all at once. */
  readonly perSecond: number
  readonly workers?: number
}

/** Suspends until AAP got so many launches, or for a minute. */
const launched = (aap: Simulator, count: number) =>
  Effect.gen(function* () {
    for (let turn = 0; turn < 300 && (yield* requestsOf(aap, "launch")).length < count; turn++) {
      yield* Effect.sleep("200 millis")
    }
  })

/** Milliseconds from each order to its launch, as AAP saw it, beyond the time that AAP needed for its answer. */
const delaysOf = ({ aap }: Rig, users: Users, names: ReadonlyArray<string>) =>
  Effect.map(ledgerOf(aap), (jobs) => {
    const created = new Map<string, number>()
    for (const { created: at, name } of jobs) created.set(name, Math.min(at, created.get(name) ?? at))
    // a machine without a launch is not left out of the percentiles: it took for ever
    return names.map(
      (name) => (created.get(name) ?? Number.POSITIVE_INFINITY) - AAP_ANSWERS - (users.created.get(name) ?? 0)
    )
  })

/** Orders machines, and answers when AAP got their launches, beginning with the earliest. */
const ordered = (setting: Setting, { n, operator, others, perSecond, workers }: Plan) =>
  Effect.gen(function* () {
    const rig = yield* makeRig({
      directory: setting.directory,
      operator,
      kubernetes: setting.kube === "real" ? "real" : "lean-kubernetes",
      // a round of polls goes on meanwhile
      pollInterval: Duration.seconds(10)
    })
    const { aap, kubernetes } = rig
    yield* fill(rig, setting.samples, others, others)
    yield* aap.post("/capacity", { takes: AAP_ANSWERS, ...(workers === undefined ? {} : { workers }) })
    const process = yield* startOperator(rig)
    const watching = yield* watchProcesses(process.child.pid, [])
    if (others > 0) yield* settles(process, watching, 120)
    else yield* ready(process)
    const users = yield* makeUsers(rig)
    // templates are looked up, connections opened, code compiled: that is the start's, and told apart
    const warm = namesOf("warm", WARM)
    yield* users.create(warm, WARM_PER_SECOND)
    yield* launched(aap, WARM)
    const firstDelays = yield* delaysOf(rig, users, warm)
    // until what these launches led to is over: the first look at their jobs, too
    yield* Effect.sleep("11 seconds")
    yield* aap.post("/reset")
    yield* kubernetes.post("/reset")
    const watcher = yield* watchProcesses(process.child.pid, [kubernetes.pid, aap.pid])
    const names = namesOf("vm", n)
    yield* users.create(names, perSecond)
    yield* Effect.sleep("1 second")
    yield* launched(aap, n)
    const beside = watcher.beside()
    const asked = yield* countsOf(kubernetes)
    const arrived = yield* requestsOf(aap, "launch")
    const first = Math.min(...names.map((name) => users.created.get(name) ?? Number.POSITIVE_INFINITY))
    const delays = yield* delaysOf(rig, users, names)
    const last = Math.max(...arrived.map(({ ended }) => ended))
    return {
      delays,
      firstDelays,
      beside,
      allLaunched: last - first,
      launched: delays.filter(Number.isFinite).length,
      cpu: (1000 * watcher.used()) / n,
      asked
    }
  }).pipe(Effect.scoped)

export const latency: Row = {
  name: "latency",
  title: "create → launch at 100 creates/s beside 5,000 live jobs",
  n: 1000,
  portable: false,
  run: (setting, n) =>
    Effect.gen(function* () {
      const floor = yield* ordered(setting, { operator: nullOperator, n, others: 0, perSecond: 100 })
      const alone = yield* ordered(setting, { operator: setting.operator, n, others: 0, perSecond: 100 })
      const beside = yield* ordered(setting, { operator: setting.operator, n, others: 5 * n, perSecond: 100 })
      const noise = percentile(floor.delays, 0.99)
      // a wire that needs longer than that itself says nothing about the operator, nor does one on which launches get lost
      const within = floor.launched === n ? { target: Math.min(noise, BEYOND) + BEYOND } : {}
      const measures: ReadonlyArray<Measure> = [
        { what: "null operator p50", value: percentile(floor.delays, 0.5), unit: "ms" },
        { what: "null operator p99", value: noise, unit: "ms" },
        { what: `first ${WARM} after a start p50`, value: percentile(alone.firstDelays, 0.5), unit: "ms" },
        { what: `first ${WARM} after a start p99`, value: percentile(alone.firstDelays, 0.99), unit: "ms" },
        { what: "alone p50", value: percentile(alone.delays, 0.5), unit: "ms" },
        { what: "alone p99", value: percentile(alone.delays, 0.99), unit: "ms", ...within },
        { what: `beside ${5 * n} live jobs p50`, value: percentile(beside.delays, 0.5), unit: "ms" },
        { what: `beside ${5 * n} live jobs p99`, value: percentile(beside.delays, 0.99), unit: "ms", ...within },
        { what: "CPU per launch, alone", value: alone.cpu, unit: "ms" },
        { what: `CPU per launch, beside ${5 * n} live jobs`, value: beside.cpu, unit: "ms" },
        { what: "not launched by the null operator", value: n - floor.launched, unit: "", target: 0 },
        { what: "not launched", value: 2 * n - alone.launched - beside.launched, unit: "", target: 0 }
      ]
      const worst = {
        simulator: Math.max(floor.beside.simulator, alone.beside.simulator, beside.beside.simulator),
        others: Math.max(floor.beside.others, alone.beside.others, beside.beside.others)
      }
      return { row: "latency", n, measures, beside: worst }
    })
}

/** Requests that the AAP of the burst serves at once. */
const WORKERS = 4

export const burst: Row = {
  name: "burst",
  title: `creates all at once, AAP serving ${WORKERS} requests at a time`,
  n: 1000,
  portable: true,
  run: (setting, n) =>
    Effect.gen(function* () {
      const nominal = (n * AAP_ANSWERS) / WORKERS / 1000
      const floor = yield* ordered(setting, { operator: nullOperator, n, others: 0, perSecond: 0, workers: WORKERS })
      const found = yield* ordered(setting, {
        operator: setting.operator,
        n,
        others: 0,
        perSecond: 0,
        workers: WORKERS
      })
      // timers, the wire and the orders themselves take their time as well, for whoever launches
      const limited = Math.max(nominal, floor.allLaunched / 1000)
      const measures: ReadonlyArray<Measure> = [
        { what: `AAP-limited time, were ${AAP_ANSWERS} ms exact`, value: nominal, unit: "s" },
        { what: "AAP-limited time, as the null operator finds it", value: limited, unit: "s" },
        { what: "all launched", value: found.allLaunched / 1000, unit: "s", target: limited * 1.1 },
        { what: "null operator, CPU per launch", value: floor.cpu, unit: "ms" },
        { what: "CPU per launch", value: found.cpu, unit: "ms" },
        { what: "Kubernetes writes per launch, until then", value: writesIn(found.asked) / n, unit: "" },
        { what: "live reads of one object", value: found.asked.counts["read of one object"] ?? 0, unit: "", target: 0 },
        { what: "not launched by the null operator", value: n - floor.launched, unit: "", target: 0 },
        { what: "not launched", value: n - found.launched, unit: "", target: 0 }
      ]
      return { row: "burst", n, measures, beside: found.beside }
    })
}
