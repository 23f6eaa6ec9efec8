/** Does one command of a schedule to the world it is played on. */
import { Clock, Effect, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { at } from "./expectations.ts"
import type { Command, CrashPoint } from "./schedules.ts"
import { aapHarm, aapRequests, edaHarm, kubernetesHarm, kubernetesRequests } from "./schedulesHarms.ts"
import type { Processes } from "./schedulesProcesses.ts"
import type { Network } from "./schedulesWire.ts"
import type { WireRequest } from "./Wire.ts"
import { settled, type World } from "./World.ts"

export const RETRY = "cloudkit.openshift.io/retry-requested-at"
export const MANAGEMENT = "cloudkit.openshift.io/management-state"
const INTENT = "cloudkit.openshift.io/launch-intent"
const spec = { name: "vm", vcpu: 1, memory: 1024, disk: 10 }
export const nameOf = (vm: number): string => `vm-${vm}`

const crashPoints: Readonly<Record<CrashPoint, (request: WireRequest) => boolean>> = {
  launch: aapRequests.launch,
  cancel: aapRequests.cancel,
  intent: kubernetesRequests.intent,
  status: kubernetesRequests.status,
  webhook: ({ url }) => url.host === "eda.test"
}

/** Everything a course of events is made with. */
export interface Stage {
  readonly world: World
  readonly processes: Processes
  readonly network: Network
  /** Minutes in which nothing must move before everything counts as at rest. */
  readonly patience: number
  /** Notes that something struck. */
  readonly count: (fault: string) => void
}

export const stored = (world: World, vm: number) => world.kubernetes.object("default", nameOf(vm))

/** A value that was not there before. */
export const fresh = Effect.map(Clock.currentTimeMillis, (now) => `asked at ${now}`)

const onJob = Effect.fnUntraced(function* (
  { count, world }: Stage,
  command: { readonly do: "purge" | "cancel"; readonly nth: number }
) {
  const ledger = yield* world.aap.ledger
  const ended = command.do === "purge"
  const jobs = ledger.filter(({ gone, finished }) => gone === undefined && (finished !== undefined) === ended)
  const job = jobs.at(command.nth % Math.max(1, jobs.length))
  if (job === undefined) return
  count(command.do)
  yield* settled(ended ? world.aap.purge(job.id) : world.aap.setStatus(job.id, "canceled"))
})

const byUser = Effect.fnUntraced(function* (
  { count, world }: Stage,
  command: Extract<Command, { readonly vm: number }>
) {
  const { user } = world
  const name = nameOf(command.vm)
  const object = yield* stored(world, command.vm)
  if (command.do === "create") return yield* object !== undefined ? Effect.void : Effect.asVoid(user.create(name, spec))
  if (object === undefined) return
  switch (command.do) {
    case "delete":
      return yield* Effect.asVoid(user.remove(name))
    case "retry":
      return yield* Effect.asVoid(user.annotate(name, { [RETRY]: yield* fresh }))
    case "annotateElsewhere":
      return yield* Effect.asVoid(user.annotate(name, { "example.com/note": yield* fresh }))
    case "wipeIntent":
      if (at(object, "metadata", "annotations", INTENT) !== undefined) count("wipe")
      return yield* Effect.asVoid(user.annotate(name, { [INTENT]: null }))
    case "resize":
      return yield* Effect.asVoid(user.patch(name, { spec: { vcpu: command.vcpu } }))
    case "manage":
      return yield* Effect.asVoid(user.annotate(name, { [MANAGEMENT]: command.state === "" ? null : command.state }))
  }
})

const onWatch = ({ count, network, world }: Stage, command: Extract<Command, { readonly do: "watch" }>) => {
  switch (command.harm) {
    case "disconnect":
      return Effect.andThen(
        Effect.sync(() => count("watch disconnect")),
        settled(world.kubernetes.disconnectWatches)
      )
    case "stall":
      return Effect.andThen(
        Effect.sync(() => count("watch stall")),
        settled(world.kubernetes.stallWatches)
      )
    case "compact":
      return Effect.andThen(
        Effect.sync(() => count("watch compact")),
        settled(world.kubernetes.compact)
      )
    default: {
      const { harm } = command
      return Effect.sync(() => network.mangle(harm))
    }
  }
}

const onClock = ({ count, network, processes }: Stage, command: Extract<Command, { readonly do: "clock" }>) =>
  Effect.sync(() => {
    count(`clock ${command.of}`)
    if (command.of === "operator") processes.setSkew(command.seconds)
    else network.setAhead(command.of, command.seconds)
  })

const onWire = ({ world }: Stage, command: Extract<Command, { readonly do: "aap" | "eda" | "kubernetes" }>) => {
  const { times } = command
  const name = `${command.do} ${command.harm}`
  switch (command.do) {
    case "aap":
      return world.aapWire.order({ name, when: aapRequests[command.on], harm: aapHarm(command.harm), times })
    case "eda":
      return world.edaWire.order({ name, when: () => true, harm: edaHarm(command.harm), times })
    case "kubernetes":
      return world.kubernetesWire.order({
        name,
        when: (request) => request.headers["user-agent"] !== "kubectl" && kubernetesRequests[command.on](request),
        harm: kubernetesHarm(command.harm),
        times
      })
  }
}

export const perform = (stage: Stage, command: Command): Effect.Effect<void, never, Scope.Scope> => {
  const { count, processes, world } = stage
  switch (command.do) {
    case "wait":
      return TestClock.adjust(`${command.seconds} seconds`)
    case "aap":
    case "eda":
    case "kubernetes":
      return onWire(stage, command)
    case "crash":
      return Effect.sync(() => processes.arm({ at: crashPoints[command.at], after: command.after }))
    case "start":
      return processes.start(world)
    case "stop":
      return processes.stop
    case "kill":
      count("kill")
      return processes.killFirst
    case "switch":
      count("switch")
      return Effect.andThen(processes.switchTo(command.to), processes.start(world))
    case "watch":
      return onWatch(stage, command)
    case "clock":
      return onClock(stage, command)
    case "purge":
    case "cancel":
      return onJob(stage, command)
    default:
      return byUser(stage, command)
  }
}
