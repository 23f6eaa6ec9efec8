/** What becomes of jobs and of deletions under AAP. */
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { at, jobsOf, stored } from "../../support/expectations.ts"
import { aapRequests, kubernetesRequests } from "../../support/schedulesHarms.ts"
import type { Scenario } from "../../support/tour.ts"
import { json, type WireRequest } from "../../support/Wire.ts"
import { crd, PROVISION_TEMPLATE, type World } from "../../support/World.ts"
import { RETRY, spec } from "../courses.ts"
import { permissive } from "./permissive.ts"

export const quick = { pendingFor: Duration.seconds(2), runningFor: Duration.seconds(10), ends: "successful" } as const
export const long = { pendingFor: Duration.seconds(40), runningFor: Duration.hours(30), ends: "successful" } as const
const doomed = { ...quick, ends: "failed" } as const

const MANAGEMENT = "cloudkit.openshift.io/management-state"
const ADOPT = "cloudkit.openshift.io/adopt-job"
const cancels = (request: WireRequest): boolean => aapRequests.cancel(request)

/** A resource whose provision runs. */
export const underWay = Effect.fnUntraced(function* (world: World, runs: typeof long | typeof quick = long) {
  yield* world.aap.play(({ template }) => (template === PROVISION_TEMPLATE ? runs : quick))
  yield* world.start
  yield* world.user.create("vm-1", spec)
  yield* TestClock.adjust("90 seconds")
})

const firstJob = (world: World) => Effect.map(jobsOf(world, "vm-1"), (jobs) => jobs[0]?.id ?? 0)

const courses: ReadonlyArray<Scenario> = [
  {
    name: "built, changed and torn down",
    play: Effect.fnUntraced(function* (world) {
      yield* world.aap.play(() => ({ ...quick, pendingFor: Duration.seconds(40), runningFor: Duration.minutes(1) }))
      yield* world.start
      yield* world.user.create("vm-1", spec)
      yield* TestClock.adjust("4 minutes")
      yield* world.user.patch("vm-1", { spec: { vcpu: 4 } })
      yield* TestClock.adjust("4 minutes")
      yield* world.user.remove("vm-1")
      yield* TestClock.adjust("4 minutes")
    }),
    course: ["InProgress", "Current", "InProgress", "Current", "Terminating"]
  },
  {
    name: "failed, and retried",
    play: Effect.fnUntraced(function* (world) {
      yield* world.aap.play(() => doomed)
      yield* world.start
      yield* world.user.create("vm-1", spec)
      yield* TestClock.adjust("2 minutes")
      yield* world.aap.play(() => quick)
      yield* world.user.annotate("vm-1", { [ADOPT]: "4711" })
      yield* TestClock.adjust("1 minute")
      yield* world.user.annotate("vm-1", { [RETRY]: "again" })
      yield* TestClock.adjust("2 minutes")
    }),
    course: ["InProgress", "Failed", "InProgress", "Failed", "InProgress", "Current"]
  },
  {
    name: "cancelled by a person",
    play: Effect.fnUntraced(function* (world) {
      yield* underWay(world)
      yield* world.aap.setStatus(yield* firstJob(world), "canceled")
      yield* TestClock.adjust("1 minute")
    }),
    course: ["InProgress", "Failed"]
  },
  {
    name: "purged while it ran",
    play: Effect.fnUntraced(function* (world) {
      yield* underWay(world)
      yield* world.aap.purge(yield* firstJob(world))
      yield* TestClock.adjust("2 minutes")
    }),
    course: ["InProgress", "Failed"]
  },
  {
    name: "alive for longer than a job should be",
    world: { settings: { jobDeadline: Duration.toMillis("10 minutes") } },
    play: Effect.fnUntraced(function* (world) {
      yield* underWay(world)
      yield* TestClock.adjust("15 minutes")
    }),
    course: ["InProgress", "Failed"]
  }
]

const deletions: ReadonlyArray<Scenario> = [
  {
    name: "deleted while it ran, and the cancel goes unheard",
    play: Effect.fnUntraced(function* (world) {
      yield* world.aap.play(({ template }) =>
        template === PROVISION_TEMPLATE ? { ...long, cancelTakes: Duration.minutes(40) } : quick
      )
      yield* world.start
      yield* world.user.create("vm-1", spec)
      yield* TestClock.adjust("2 minutes")
      yield* world.user.remove("vm-1")
      yield* TestClock.adjust("1 hour")
    }),
    course: ["InProgress", "Terminating"]
  },
  {
    name: "deleted, and the deprovision fails",
    play: Effect.fnUntraced(function* (world) {
      yield* underWay(world, quick)
      yield* world.aap.play(() => doomed)
      yield* world.user.remove("vm-1")
      yield* TestClock.adjust("2 minutes")
      const jobs = at(yield* stored(world, "vm-1"), "status", "jobs")
      const [provision, deprovision] = Array.isArray(jobs) ? jobs : []
      yield* world.user.patchStatus("vm-1", { jobs: [provision, { ...deprovision, blockDeletionOnFailure: false }] })
      yield* TestClock.adjust("1 minute")
    }),
    course: ["InProgress", "Current", "Terminating"]
  },
  {
    name: "deleted while people provision it",
    play: Effect.fnUntraced(function* (world) {
      yield* underWay(world, quick)
      yield* world.user.annotate("vm-1", { [MANAGEMENT]: "manual" })
      yield* world.user.patch("vm-1", { spec: { vcpu: 4 } })
      yield* TestClock.adjust("1 minute")
      yield* world.user.remove("vm-1")
      yield* TestClock.adjust("1 minute")
    }),
    course: ["InProgress", "Current", "InProgress", "Terminating"]
  },
  {
    name: "left alone while its launch was under way",
    play: Effect.fnUntraced(function* (world) {
      yield* world.aap.play(() => quick)
      yield* world.aapWire.order({
        when: aapRequests.launch,
        harm: { _tag: "Delay", by: "5 seconds", after: true }
      })
      yield* world.start
      yield* world.user.create("vm-1", spec)
      yield* TestClock.adjust("2 seconds")
      yield* world.user.annotate("vm-1", { [MANAGEMENT]: "unmanaged" })
      yield* TestClock.adjust("1 minute")
    }),
    course: ["InProgress"]
  }
]

const objects: ReadonlyArray<Scenario> = [
  {
    name: "parameters that are no JSON",
    play: Effect.fnUntraced(function* (world) {
      yield* world.start
      yield* world.user.create("vm-1", { ...spec, templateParameters: "{oops}" })
      yield* TestClock.adjust("1 minute")
    }),
    course: ["Failed"]
  },
  {
    name: "a record that somebody edited",
    world: { cluster: { crds: [permissive(crd)] } },
    play: Effect.fnUntraced(function* (world) {
      yield* underWay(world, quick)
      yield* world.user.patchStatus("vm-1", { jobs: [1, 2, 3] })
      yield* TestClock.adjust("1 minute")
    }),
    course: ["InProgress", "Current", "Failed"]
  },
  {
    name: "a cluster that refuses the status",
    play: Effect.fnUntraced(function* (world) {
      const body = { kind: "Status", apiVersion: "v1", status: "Failure", reason: "Invalid", code: 422 }
      yield* world.kubernetesWire.order({
        when: kubernetesRequests.status,
        harm: { _tag: "Answer", response: json(422, body) },
        times: 1_000
      })
      yield* underWay(world, quick)
      yield* world.kubernetesWire.heal
      yield* TestClock.adjust("10 minutes")
    }),
    course: ["InProgress", "Current"]
  },
  {
    name: "cancelling is not allowed",
    play: Effect.fnUntraced(function* (world) {
      yield* underWay(world)
      const denied = json(403, { detail: "You do not have permission to perform this action." })
      yield* world.aapWire.order({ when: cancels, harm: { _tag: "Answer", response: denied }, times: 1_000 })
      yield* world.user.remove("vm-1")
      yield* TestClock.adjust("2 minutes")
    }),
    course: ["InProgress", "Terminating"]
  }
]

export const jobScenarios = [...courses, ...deletions, ...objects]
