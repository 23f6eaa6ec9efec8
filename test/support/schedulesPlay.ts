/**
 * Plays a schedule on a world, lets everything heal, deletes everything, and answers what went wrong.
 *
 * The same schedule takes the same course each time: time is virtual, and chance is seeded.
 */
import { Clock, Effect, Logger, Random, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { at, condition } from "./expectations.ts"
import { type Truth, violations } from "./invariants.ts"
import { makeHistory } from "./invariantsHistory.ts"
import { type Command, playbooks, type Schedule } from "./schedules.ts"
import { aapHarm, aapRequests, kubernetesHarm, kubernetesRequests } from "./schedulesHarms.ts"
import type { WireHandler, WireRequest } from "./Wire.ts"
import { makeWorld, type Process, settled, type World } from "./World.ts"

export interface Outcome extends Truth {
  readonly violations: ReadonlyArray<string>
}

const RETRY = "cloudkit.openshift.io/retry-requested-at"
const MANAGEMENT = "cloudkit.openshift.io/management-state"
const spec = { name: "vm", vcpu: 1, memory: 1024, disk: 10 }
const nameOf = (vm: number): string => `vm-${vm}`

/** The processes of the operator, and a crash that waits for its moment. */
const makeProcesses = () => {
  const running: Array<Process> = []
  let crashes = 0
  let armed: { readonly at: (request: WireRequest) => boolean; readonly after: boolean } | undefined

  const killAll = Effect.suspend(() => Effect.forEach(running.splice(0), (process) => process.kill, { discard: true }))

  /** Whoever sends the request that the crash waits for dies at it, and all other processes with it. */
  const crashing =
    (inner: WireHandler): WireHandler =>
    (request) =>
      Effect.suspend(() => {
        if (armed === undefined || !armed.at(request)) return inner(request)
        const { after } = armed
        armed = undefined
        crashes += 1
        return Effect.andThen(after ? Effect.andThen(Effect.ignore(inner(request)), killAll) : killAll, Effect.never)
      })

  return {
    crashing,
    arm: (crash: typeof armed) => {
      armed = crash
    },
    killAll,
    start: Effect.fnUntraced(function* (world: World) {
      if (running.length > 1) return
      const before = crashes
      const process = yield* world.start
      // the crash may have come with the first requests
      if (crashes > before) yield* process.kill
      else running.push(process)
    }),
    /** As on SIGTERM: the process drains while the world goes on. */
    stop: Effect.suspend(() => {
      const process = running.shift()
      return process === undefined ? Effect.void : settled(Effect.forkScoped(process.stop))
    }),
    kill: Effect.suspend(() => running.shift()?.kill ?? Effect.void)
  }
}
type Processes = ReturnType<typeof makeProcesses>

const crashPoints = {
  launch: aapRequests.launch,
  cancel: aapRequests.cancel,
  intent: kubernetesRequests.intent,
  status: kubernetesRequests.status
}

const stored = (world: World, vm: number) => world.kubernetes.object("default", nameOf(vm))

/** A value that was not there before. */
const fresh = Effect.map(Clock.currentTimeMillis, (now) => `asked at ${now}`)

const onJob = Effect.fnUntraced(function* (
  world: World,
  command: { readonly do: "purge" | "cancel"; readonly nth: number }
) {
  const ledger = yield* world.aap.ledger
  const ended = command.do === "purge"
  const jobs = ledger.filter(({ gone, finished }) => gone === undefined && (finished !== undefined) === ended)
  const job = jobs.at(command.nth % Math.max(1, jobs.length))
  if (job === undefined) return
  yield* settled(ended ? world.aap.purge(job.id) : world.aap.setStatus(job.id, "canceled"))
})

const byUser = Effect.fnUntraced(function* (world: World, command: Extract<Command, { readonly vm: number }>) {
  const { user } = world
  const name = nameOf(command.vm)
  const there = (yield* stored(world, command.vm)) !== undefined
  if (command.do === "create") return yield* there ? Effect.void : Effect.asVoid(user.create(name, spec))
  if (!there) return
  switch (command.do) {
    case "delete":
      return yield* Effect.asVoid(user.remove(name))
    case "retry":
      return yield* Effect.asVoid(user.annotate(name, { [RETRY]: yield* fresh }))
    case "annotateElsewhere":
      return yield* Effect.asVoid(user.annotate(name, { "example.com/note": yield* fresh }))
    case "resize":
      return yield* Effect.asVoid(user.patch(name, { spec: { vcpu: command.vcpu } }))
    case "manage":
      return yield* Effect.asVoid(user.annotate(name, { [MANAGEMENT]: command.state === "" ? null : command.state }))
  }
})

const perform = (world: World, processes: Processes, command: Command): Effect.Effect<void, never, Scope.Scope> => {
  switch (command.do) {
    case "wait":
      return TestClock.adjust(`${command.seconds} seconds`)
    case "aap":
      return world.aapWire.order({ when: aapRequests[command.on], harm: aapHarm(command.harm), times: command.times })
    case "kubernetes":
      return world.kubernetesWire.order({
        when: (request) => request.headers["user-agent"] !== "kubectl" && kubernetesRequests[command.on](request),
        harm: kubernetesHarm(command.harm),
        times: command.times
      })
    case "crash":
      return Effect.sync(() => processes.arm({ at: crashPoints[command.at], after: command.after }))
    case "start":
      return processes.start(world)
    case "stop":
      return processes.stop
    case "kill":
      return processes.kill
    case "disconnect":
      return settled(world.kubernetes.disconnectWatches)
    case "stall":
      return settled(world.kubernetes.stallWatches)
    case "compact":
      return settled(world.kubernetes.compact)
    case "purge":
    case "cancel":
      return onJob(world, command)
    default:
      return byUser(world, command)
  }
}

/** No fault is left and one process runs; what is not done by itself after this is stuck. */
const heal = Effect.fnUntraced(function* (world: World, processes: Processes) {
  processes.arm(undefined)
  yield* world.aapWire.heal
  yield* world.kubernetesWire.heal
  yield* world.kubernetes.resumeWatches
  yield* world.aap.play(() => playbooks.quick)
  yield* processes.stop
  yield* processes.stop
  yield* processes.start(world)
  yield* TestClock.adjust("45 minutes")
})

const isStalled = (object: unknown): boolean => condition(object, "Stalled")?.status === "True"

const report = (object: unknown): string =>
  JSON.stringify({ metadata: at(object, "metadata"), status: at(object, "status") })

/** Whatever lives on is as wanted, or says which person is needed. */
const stuck = Effect.fnUntraced(function* (world: World) {
  const objects = yield* world.kubernetes.objects
  return objects.flatMap((object) => {
    const settledDown = at(object, "status", "phase") === "Ready" || isStalled(object)
    const handsOff = ["unmanaged", "manual"].includes(String(at(object, "metadata", "annotations", MANAGEMENT)))
    return settledDown || handsOff ? [] : [`neither ready nor stalled after everything healed: ${report(object)}`]
  })
})

/** Deletes everything, and does what the conditions ask for until nothing is left. */
const clear = Effect.fnUntraced(function* (world: World) {
  for (const vm of [0, 1]) {
    if ((yield* stored(world, vm)) === undefined) continue
    yield* world.user.annotate(nameOf(vm), { [MANAGEMENT]: null })
    if ((yield* stored(world, vm)) !== undefined) yield* world.user.remove(nameOf(vm))
  }
  yield* TestClock.adjust("45 minutes")
  const wrong: Array<string> = []
  for (const vm of [0, 1]) {
    const object = yield* stored(world, vm)
    if (object === undefined) continue
    if (!isStalled(object)) wrong.push(`deletion does not end, and no person is asked: ${report(object)}`)
    yield* world.user.annotate(nameOf(vm), { [RETRY]: yield* fresh })
  }
  yield* TestClock.adjust("45 minutes")
  const left = yield* world.kubernetes.objects
  return [...wrong, ...left.map((object) => `deletion does not end even when asked to retry: ${report(object)}`)]
})

const course = Effect.fnUntraced(function* (schedule: Schedule): Effect.fn.Return<Outcome, never, Scope.Scope> {
  const history = makeHistory()
  const processes = makeProcesses()
  const world = yield* makeWorld({
    around: {
      kubernetes: (inner) => processes.crashing(history.recording(inner)),
      aap: processes.crashing
    }
  })
  history.watches(world.kubernetes)
  let launches = 0
  yield* world.aap.play(() => playbooks[schedule.plays[launches++ % schedule.plays.length] ?? "quick"])
  yield* processes.start(world)
  for (const command of schedule.commands) yield* perform(world, processes, command)
  yield* heal(world, processes)
  const truth = Effect.map(world.aap.ledger, (ledger): Truth => ({ ledger, versions: history.versions() }))
  const early = [...violations(yield* truth), ...(yield* stuck(world))]
  const late = yield* clear(world)
  const last = yield* truth
  yield* processes.killAll
  return { ...last, violations: [...new Set([...early, ...late, ...violations(last)])] }
})

export const play = (schedule: Schedule): Promise<Outcome> =>
  Effect.runPromise(
    course(schedule).pipe(
      Effect.scoped,
      Random.withSeed("one course for each schedule"),
      Effect.provide([TestClock.layer(), Logger.layer([])])
    )
  )

/** The course of events in lines, for whoever has to understand a violation. */
export const story = ({ ledger, versions }: Truth): string => {
  const lines = [
    ...ledger.flatMap((job) =>
      job.transitions.map(({ status, at: when }) => ({
        when,
        line: `AAP   job ${job.id} ${status} ${job.launchKey ?? ""}`
      }))
    ),
    ...versions.map(({ from, name, object }) => ({
      when: from,
      line: `KUBE  ${name} ${object === undefined ? "gone" : JSON.stringify({ ...summary(object) })}`
    }))
  ]
  return lines
    .toSorted((a, b) => a.when - b.when)
    .map(({ when, line }) => `${(when / 1000).toFixed(1).padStart(9)} ${line}`)
    .join("\n")
}

const summary = (object: unknown) => ({
  deleting: at(object, "metadata", "deletionTimestamp") !== undefined,
  finalizers: at(object, "metadata", "finalizers"),
  annotations: at(object, "metadata", "annotations"),
  phase: at(object, "status", "phase"),
  jobs: at(object, "status", "jobs"),
  launch: at(object, "status", "launch"),
  ready: condition(object, "Ready")?.message
})
