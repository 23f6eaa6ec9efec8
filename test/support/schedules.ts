/**
 * Random courses of events as plain data: what people, networks, crashes and time do to the operator. A schedule printed
 * as JSON is all that is needed to see the same thing again.
 */
import * as fc from "fast-check"
import type { Playbook } from "./SimulatedAap.ts"
import {
  type AapHarm,
  type AapRequest,
  type EdaHarm,
  edaHarms,
  type KubernetesHarm,
  type KubernetesRequest,
  kubernetesHarms,
  readHarms,
  writeHarms
} from "./schedulesHarms.ts"
import { type WatchHarm, watchHarms } from "./schedulesWire.ts"

/** What processes are configured for; the first one launches. */
export type Configuration = "aap" | "eda" | "aap+eda" | "eda+aap"

/** Where a crash waits for a process. */
export type CrashPoint = "launch" | "cancel" | "intent" | "status" | "webhook"

export type Command =
  | { readonly do: "create" | "delete" | "retry" | "annotateElsewhere" | "wipeIntent"; readonly vm: number }
  | { readonly do: "resize"; readonly vm: number; readonly vcpu: number }
  | { readonly do: "manage"; readonly vm: number; readonly state: "unmanaged" | "manual" | "" }
  | { readonly do: "aap"; readonly on: AapRequest; readonly harm: AapHarm; readonly times: number }
  | { readonly do: "eda"; readonly harm: EdaHarm; readonly times: number }
  | { readonly do: "kubernetes"; readonly on: KubernetesRequest; readonly harm: KubernetesHarm; readonly times: number }
  /** The process that sends the next such request dies at it. */
  | { readonly do: "crash"; readonly at: CrashPoint; readonly after: boolean }
  | { readonly do: "start" | "stop" | "kill" }
  /** The operator is configured anew: whatever runs is stopped, and one process starts. */
  | { readonly do: "switch"; readonly to: Configuration }
  | { readonly do: "watch"; readonly harm: WatchHarm }
  /** Somebody's wall clock is this far ahead of the true time from now on. */
  | { readonly do: "clock"; readonly of: "operator" | "aap" | "cluster"; readonly seconds: number }
  /** AAP forgets an ended job, or a person cancels a live one. */
  | { readonly do: "purge" | "cancel"; readonly nth: number }
  | { readonly do: "wait"; readonly seconds: number }

export interface Schedule {
  readonly as: Configuration
  /** The playbooks that launched jobs follow, by turns. */
  readonly plays: ReadonlyArray<keyof typeof playbooks>
  /** Templates are workflows. */
  readonly workflow?: boolean
  readonly commands: ReadonlyArray<Command>
  /** Whoever sends these requests, counted from 1 over all processes, dies before or after them, and comes back. */
  readonly crashes?: ReadonlyArray<Crash>
}

export interface Crash {
  readonly request: number
  readonly after: boolean
}

export const playbooks = {
  quick: { pendingFor: "2 seconds", runningFor: "10 seconds", ends: "successful" },
  long: { pendingFor: "5 seconds", runningFor: "4 minutes", ends: "successful" },
  queued: { pendingFor: "3 minutes", runningFor: "20 seconds", ends: "successful" },
  fails: { pendingFor: "2 seconds", runningFor: "20 seconds", ends: "failed" },
  breaks: { pendingFor: "1 second", runningFor: "90 seconds", ends: "error" },
  clings: { pendingFor: "1 second", runningFor: "5 minutes", ends: "successful", cancelTakes: "70 seconds" },
  races: { pendingFor: "1 second", runningFor: "3 minutes", ends: "successful", cancelRace: "successful" },
  slowToAnswer: {
    pendingFor: "1 second",
    runningFor: "3 minutes",
    ends: "successful",
    cancelTakes: "15 seconds",
    cancelAnswerTakes: "10 seconds"
  }
} as const satisfies Readonly<Record<string, Playbook>>

const plays = ["quick", "long", "queued", "fails", "breaks", "clings", "races", "slowToAnswer"] as const

const vm = fc.nat({ max: 1 })
const times = fc.constantFrom(1, 1, 1, 2, 4)
const one = <const A extends string>(...values: ReadonlyArray<A>): fc.Arbitrary<A> => fc.constantFrom(...values)

const byPeople: ReadonlyArray<fc.WeightedArbitrary<Command>> = [
  { weight: 4, arbitrary: fc.record({ do: one("create"), vm }) },
  { weight: 4, arbitrary: fc.record({ do: one("delete", "retry", "annotateElsewhere", "wipeIntent"), vm }) },
  { weight: 2, arbitrary: fc.record({ do: one("resize"), vm, vcpu: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ do: one("manage"), vm, state: one("unmanaged", "manual", "") }) },
  { weight: 2, arbitrary: fc.record({ do: one("purge", "cancel"), nth: fc.nat({ max: 5 }) }) }
]

const byFate: ReadonlyArray<fc.WeightedArbitrary<Command>> = [
  { weight: 9, arbitrary: fc.record({ do: one("wait"), seconds: fc.constantFrom(1, 3, 10, 30, 75, 240, 600) }) },
  { weight: 4, arbitrary: fc.record({ do: one("start", "start", "start", "stop", "kill") }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: one("crash"),
      at: one("launch", "cancel", "intent", "status", "webhook"),
      after: fc.boolean()
    })
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: one("kubernetes"),
      on: one("intent", "metadata", "status", "status", "read"),
      harm: one(...kubernetesHarms),
      times
    })
  },
  { weight: 3, arbitrary: fc.record({ do: one("watch"), harm: one(...watchHarms) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: one("clock"),
      of: one("operator", "aap", "cluster"),
      seconds: fc.integer({ min: -240, max: 240 })
    })
  }
]

const byAap: ReadonlyArray<fc.WeightedArbitrary<Command>> = [
  {
    weight: 5,
    arbitrary: fc.record({ do: one("aap"), on: one("launch", "launch", "cancel"), harm: one(...writeHarms), times })
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: one("aap"), on: one("poll", "search", "lookUp"), harm: one(...readHarms), times })
  }
]

const byEda: ReadonlyArray<fc.WeightedArbitrary<Command>> = [
  { weight: 5, arbitrary: fc.record({ do: one("eda"), harm: one(...edaHarms), times }) }
]

const bySwitch: ReadonlyArray<fc.WeightedArbitrary<Command>> = [
  { weight: 2, arbitrary: fc.record({ do: one("switch"), to: one("aap", "eda", "aap+eda", "eda+aap") }) }
]

const course = (
  as: fc.Arbitrary<Configuration>,
  commands: ReadonlyArray<fc.WeightedArbitrary<Command>>,
  length: number
): fc.Arbitrary<Schedule> =>
  fc.record({
    as,
    plays: fc.array(one(...plays), { minLength: 1, maxLength: 4 }),
    commands: fc
      .array(fc.oneof(...commands), { minLength: 8, maxLength: length, size: "max" })
      .map((rest): ReadonlyArray<Command> => [{ do: "create", vm: 0 }, ...rest])
  })

const whole = (length: number): fc.Arbitrary<Schedule> =>
  fc.oneof(
    { weight: 6, arbitrary: course(one("aap"), [...byPeople, ...byFate, ...byAap], length) },
    { weight: 1, arbitrary: course(one("eda"), [...byPeople, ...byFate, ...byEda], length) },
    {
      weight: 2,
      arbitrary: course(
        one("aap", "eda", "aap+eda", "eda+aap"),
        [...byPeople, ...byFate, ...byAap, ...byEda, ...bySwitch],
        length
      )
    }
  )

/** The schedule of a seed, always the same. */
export const scheduleOf = (seed: number): Schedule => {
  const [schedule] = fc.sample(whole(34), { seed, numRuns: 1 })
  if (schedule === undefined) throw new Error(`no schedule of seed ${seed}`)
  return schedule
}
