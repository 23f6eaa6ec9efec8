/**
 * Plays a schedule on a world, lets everything heal, deletes everything, and answers what went wrong.
 *
 * The same schedule takes the same course each time: time is virtual, and chance is seeded.
 */
import { Effect, Logger, Random, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { at, condition } from "./expectations.ts"
import { violations } from "./invariants.ts"
import { makeHistory, type Truth } from "./invariantsHistory.ts"
import { atRest, isSettled, liesAtRest } from "./invariantsRest.ts"
import { type Configuration, playbooks, type Schedule } from "./schedules.ts"
import { fresh, MANAGEMENT, nameOf, perform, RETRY, type Stage, stored } from "./schedulesCommands.ts"
import { makeProcesses } from "./schedulesProcesses.ts"
import { makeNetwork } from "./schedulesWire.ts"
import * as VirtualTime from "./VirtualTime.ts"
import { DEPROVISION_TEMPLATE, makeWorld, PROVISION_TEMPLATE, type World } from "./World.ts"

export interface Outcome extends Truth {
  readonly violations: ReadonlyArray<string>
  /** What really struck, by name, and how often. */
  readonly faults: Readonly<Record<string, number>>
  /** Requests of the operator until the schedule was over and everything was at rest. */
  readonly requests: number
}

const DEPROVISIONED = "cloudkit.openshift.io/deprovisioned"

/** Whoever was ever asked to launch must be configured to see to what it launched. */
const everything = (schedule: Schedule): Configuration => {
  const all = [schedule.as, ...schedule.commands.flatMap((command) => (command.do === "switch" ? [command.to] : []))]
  const last = all.at(-1) ?? "aap"
  if (all.every((one) => one === "aap" || one === "eda") && all.every((one) => one === last)) return last
  return last.startsWith("aap") ? "aap+eda" : "eda+aap"
}

/** Lets time pass until nothing moves any more, or the time is up. */
const settle = Effect.fnUntraced(function* (stage: Stage, minutes: number) {
  const { patience, world } = stage
  let before = ""
  for (let passed = 0; passed < minutes; passed += patience) {
    yield* TestClock.adjust(`${patience} minutes`)
    const now = yield* world.kubernetes.resourceVersion
    const rests = yield* atRest(world)
    if (rests && (now === before || (yield* world.kubernetes.objects).length === 0)) return
    before = now
  }
})

/** No fault is left and one process runs; what is not done by itself after this is stuck. */
const heal = Effect.fnUntraced(function* (stage: Stage, schedule: Schedule) {
  const { network, processes, world } = stage
  // those who die come back by themselves
  if (schedule.crashes !== undefined) yield* settle(stage, 60)
  const requests = processes.requests()
  processes.spare()
  yield* world.aapWire.heal
  yield* world.kubernetesWire.heal
  yield* world.edaWire.heal
  network.heal()
  yield* world.kubernetes.resumeWatches
  yield* world.aap.play(() => playbooks.quick)
  if (schedule.crashes !== undefined) return requests
  yield* processes.switchTo(everything(schedule))
  yield* processes.start(world)
  yield* settle(stage, 60)
  return requests
})

const isStalled = (object: unknown): boolean => condition(object, "Stalled")?.status === "True"

const report = (object: unknown): string =>
  JSON.stringify({ metadata: at(object, "metadata"), status: at(object, "status") })

/** Whatever lives on is as wanted, or says which person is needed. */
const stuck = Effect.fnUntraced(function* (world: World) {
  const objects = yield* world.kubernetes.objects
  return objects.flatMap((object) =>
    isSettled(object) ? [] : [`neither ready nor stalled after everything healed: ${report(object)}`]
  )
})

/** What the conditions ask of a person: to look for the machine, and to say that it is gone or to ask once more. */
const help = Effect.fnUntraced(function* (world: World, vm: number, object: unknown) {
  const uid = String(at(object, "metadata", "uid"))
  const runs = yield* world.eda.runs
  const machines = yield* world.eda.machines
  const isGone = !machines.has(uid) && runs.every((run) => run.uid !== uid || run.outcome !== "running")
  const asks = condition(object, "Stalled")?.reason === "AwaitingSignal"
  const byEda = runs.some((run) => run.uid === uid && run.operation === "deprovision" && run.outcome === "successful")
  yield* world.user.annotate(
    nameOf(vm),
    asks && isGone && byEda ? { [DEPROVISIONED]: "true" } : { [RETRY]: yield* fresh }
  )
})

/** Deletes everything, and does what the conditions ask for until nothing is left. */
const clear = Effect.fnUntraced(function* (stage: Stage) {
  const { world } = stage
  for (const vm of [0, 1]) {
    if ((yield* stored(world, vm)) === undefined) continue
    yield* world.user.annotate(nameOf(vm), { [MANAGEMENT]: null })
    if ((yield* stored(world, vm)) !== undefined) yield* world.user.remove(nameOf(vm))
  }
  yield* settle(stage, 60)
  const wrong: Array<string> = []
  for (const last of [false, false, true]) {
    for (const vm of [0, 1]) {
      const object = yield* stored(world, vm)
      if (object === undefined) continue
      if (!isStalled(object)) wrong.push(`deletion does not end, and no person is asked: ${report(object)}`)
      else if (last) wrong.push(`deletion does not end even when a person does what is asked: ${report(object)}`)
      yield* help(world, vm, object)
    }
    if ((yield* world.kubernetes.objects).length === 0) break
    yield* settle(stage, 60)
  }
  return wrong
})

/** Something takes effect long after its request. */
const strikesLate = ({ commands }: Schedule): boolean =>
  commands.some((command) => "harm" in command && command.harm.startsWith("late"))

const furnish = Effect.fnUntraced(function* (schedule: Schedule) {
  const history = makeHistory()
  const network = makeNetwork()
  const processes = yield* makeProcesses(schedule.as, schedule.crashes ?? [])
  const world = yield* makeWorld({
    ...(schedule.workflow === true ? { aap: workflows } : {}),
    around: { kubernetes: (inner) => network.kubernetes(history.recording(inner)), aap: network.aap }
  })
  history.watches(world.kubernetes)
  yield* processes.resurrect(world)
  const struck = new Map<string, number>()
  const count = (fault: string, times = 1) => void struck.set(fault, (struck.get(fault) ?? 0) + times)
  let launches = 0
  yield* world.aap.play(() => playbooks[schedule.plays[launches++ % schedule.plays.length] ?? "quick"])
  const stage: Stage = { world, processes, network, count, patience: strikesLate(schedule) ? 3 : 1 }
  const truth = Effect.gen(function* (): Effect.fn.Return<Truth> {
    return { ledger: yield* world.aap.ledger, versions: history.versions(), runs: yield* world.eda.runs }
  })
  const faults = Effect.sync(() => {
    const onWires = [world.aapWire, world.kubernetesWire, world.edaWire].flatMap((wire) => [...wire.suffered()])
    for (const [name, times] of onWires) count(name, times)
    count("watch event or list", network.struck())
    count("crash", processes.deaths())
    return Object.fromEntries([...struck].filter(([, times]) => times > 0))
  })
  return { stage, truth, faults }
})

/** The provision template is a workflow of two nodes. */
const workflows = {
  templates: [
    {
      name: PROVISION_TEMPLATE,
      kind: "workflow_job_template",
      nodes: [
        { identifier: "network", template: "network", success: ["machine"] },
        { identifier: "machine", template: "machine" }
      ]
    },
    { name: "network" },
    { name: "machine" },
    { name: DEPROVISION_TEMPLATE }
  ]
} as const

const course = Effect.fnUntraced(function* (schedule: Schedule): Effect.fn.Return<Outcome, never, Scope.Scope> {
  const { faults, stage, truth } = yield* furnish(schedule)
  const { processes, world } = stage
  yield* processes.start(world)
  for (const command of schedule.commands) yield* perform(stage, command)
  const requests = yield* heal(stage, schedule)
  const middle = yield* truth
  const early = [...violations(middle), ...(yield* stuck(world)), ...liesAtRest(middle)]
  const struck = yield* faults
  const late = yield* clear(stage)
  const last = yield* truth
  yield* processes.killAll
  const racing = processes.racing()
  const all = new Set([...early, ...late, ...violations(last), ...(racing === undefined ? [] : [racing])])
  return { ...last, faults: struck, requests, violations: [...all] }
})

export const play = (schedule: Schedule): Promise<Outcome> =>
  Effect.runPromise(
    course(schedule).pipe(
      Effect.scoped,
      Random.withSeed("one course for each schedule"),
      Effect.provide([VirtualTime.layer, Logger.layer([])])
    )
  )
