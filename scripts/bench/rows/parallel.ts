/**
 * Many machines ordered at once and, when all are Ready, removed at once: how long each took from the request to the launch,
 * from there to Ready or gone, and how much of that was not the playbook's own time.
 */
import { Duration, Effect, Option, Schema } from "effect"
import { PROVISION } from "../../processes/Aap.ts"
import type { ProcessFailed } from "../../processes/Child.ts"
import { ledgerOf } from "../../processes/Simulators.ts"
import { type Measure, percentile } from "../Outcome.ts"
import { distribution, type Series } from "../picture.ts"
import { makeRig, type Rig, ready, startOperator } from "../Rig.ts"
import type { Row } from "../Row.ts"
import { makeUsers, namesOf, type Users, until } from "../Users.ts"
import { watchProcesses } from "../Watcher.ts"

const JOB = 171_000
const PENDING = 20_000
const POLL = 30_000
const AAP_ANSWERS = 30
/** What may come on top of a playbook's end before the machine is Ready or gone, besides the poll interval. */
const BEYOND = 1000

type Operation = "provision" | "deprovision"

/** One launch, as who was launched knows it. Times are of the machine's clock. */
interface Ran {
  readonly operation: Operation
  readonly name: string
  readonly triggered: number
  readonly ended: number
}

const Run = Schema.Struct({
  operation: Schema.Literals(["provision", "deprovision"]),
  name: Schema.String,
  ended: Schema.Finite
})
const Webhook = Schema.Struct({
  at: Schema.Finite,
  event: Schema.Struct({ operation: Schema.Literals(["provision", "deprovision"]), name: Schema.String })
})
const decodeRuns = Schema.decodeUnknownSync(Schema.Array(Run))
const decodeWebhooks = Schema.decodeUnknownSync(Schema.Array(Webhook))

const ranAtAap = ({ aap }: Rig): Effect.Effect<ReadonlyArray<Ran>, ProcessFailed> =>
  Effect.map(ledgerOf(aap), (jobs) =>
    jobs.map(({ created, finished, name, template }) => ({
      operation: template === PROVISION.name ? "provision" : "deprovision",
      name,
      triggered: created,
      ended: finished
    }))
  )

const ran = (rig: Rig): Effect.Effect<ReadonlyArray<Ran>, ProcessFailed> =>
  Option.match(rig.eda, {
    onNone: () => ranAtAap(rig),
    onSome: (eda) =>
      Effect.gen(function* () {
        const webhooks = yield* eda.get("/webhooks", decodeWebhooks)
        const runs = yield* eda.get("/runs", decodeRuns)
        return webhooks.map(({ at, event: { name, operation } }) => ({
          operation,
          name,
          triggered: at,
          ended: runs.find((run) => run.name === name && run.operation === operation)?.ended ?? Number.NaN
        }))
      })
  })

const playing = (rig: Rig, scale: number) =>
  Option.match(rig.eda, {
    onNone: () =>
      rig.aap.post("/play", {
        pendingFor: PENDING / scale,
        runningFor: (JOB - PENDING) / scale,
        ends: "successful"
      }),
    onSome: (eda) => eda.post("/play", { takes: JOB / scale })
  })

/** From one moment of each machine to another. */
const between = (
  launches: ReadonlyArray<Ran>,
  operation: Operation,
  from: (ran: Ran) => number | undefined,
  to: (ran: Ran) => number | undefined
): ReadonlyArray<number> =>
  launches
    .filter((one) => one.operation === operation)
    .map((one) => Math.max(0, (to(one) ?? Number.NaN) - (from(one) ?? Number.NaN)))
    .filter((time) => !Number.isNaN(time))

const seriesOf = (launches: ReadonlyArray<Ran>, users: Users): ReadonlyArray<Series> => {
  const half = (
    operation: Operation,
    [asked, request]: readonly [ReadonlyMap<string, number>, string],
    [reached, end]: readonly [ReadonlyMap<string, number>, string]
  ): ReadonlyArray<Series> => {
    const times = (from: (ran: Ran) => number | undefined, to: (ran: Ran) => number | undefined) =>
      between(launches, operation, from, to)
    const [requested, done] = [({ name }: Ran) => asked.get(name), ({ name }: Ran) => reached.get(name)]
    const [triggered, ended] = [(one: Ran) => one.triggered, (one: Ran) => one.ended]
    return [
      { name: `${request} → trigger`, values: times(requested, triggered) },
      { name: `trigger → ${end}`, values: times(triggered, done) },
      { name: `playbook's end → ${end}`, values: times(ended, done) },
      { name: `${request} → ${end}`, values: times(requested, done) }
    ]
  }
  return [
    ...half("provision", [users.created, "create"], [users.ready, "Ready"]),
    ...half("deprovision", [users.deleted, "delete"], [users.gone, "gone"])
  ]
}

const inSeconds = (milliseconds: number) => milliseconds / 1000

const measuresOf = (series: ReadonlyArray<Series>, afterEnd: number): ReadonlyArray<Measure> =>
  series.flatMap(({ name, values }): ReadonlyArray<Measure> => {
    const percentiles = [0.5, 0.95, 0.99].map(
      (share): Measure => ({ what: `${name} p${100 * share}`, value: inSeconds(percentile(values, share)), unit: "s" })
    )
    if (!name.startsWith("playbook")) return percentiles
    const target = inSeconds(afterEnd)
    return [...percentiles, { what: `${name}, slowest`, value: inSeconds(Math.max(...values)), unit: "s", target }]
  })

export const parallel: Row = {
  name: "parallel",
  title: "creates all at once, then deletes all at once",
  n: 100,
  portable: true,
  run: (setting, n) =>
    Effect.gen(function* () {
      const scale = setting.timeScale
      const rig = yield* makeRig({
        directory: setting.directory,
        operator: setting.operator,
        kubernetes: setting.kube === "real" ? "real" : "kubernetes",
        provider: setting.provider,
        pollInterval: Duration.millis(POLL / scale)
      })
      yield* playing(rig, scale)
      yield* rig.aap.post("/capacity", { takes: AAP_ANSWERS })
      const operator = yield* startOperator(rig)
      yield* ready(operator)
      const users = yield* makeUsers(rig)
      const launcher = Option.getOrElse(rig.eda, () => rig.aap)
      const watcher = yield* watchProcesses(operator.child.pid, [rig.kubernetes.pid, launcher.pid])
      const names = namesOf("vm", n)
      const patience = 120 + (2 * (JOB + POLL)) / scale / 1000
      yield* users.create(names, 0)
      yield* until("every machine Ready", () => users.ready.size >= n, patience)
      yield* users.remove(names, 0)
      yield* until("every machine gone", () => users.gone.size >= n, patience)
      const beside = watcher.beside()
      const launches = yield* ran(rig)
      const series = seriesOf(launches, users)
      const poll = setting.provider === "aap" ? POLL / scale : 0
      const measures: ReadonlyArray<Measure> = [
        ...measuresOf(series, poll + BEYOND),
        { what: "launches beside two per machine", value: launches.length - 2 * n, unit: "", target: 0 }
      ]
      const lasting = `${Math.round(JOB / scale / 1000)} s`
      const title = `${n} machines in parallel with ${setting.provider.toUpperCase()}, playbooks of ${lasting}`
      return { row: `parallel-${setting.provider}`, n, measures, beside, picture: distribution(title, series) }
    })
}
