/**
 * Random courses of events as plain data: what people, networks, crashes and time do to the operator. A schedule printed
 * as JSON is all that is needed to see the same thing again.
 */
import * as fc from "fast-check"
import type { Playbook } from "./SimulatedAap.ts"
import {
  type AapHarm,
  type AapRequest,
  type KubernetesHarm,
  type KubernetesRequest,
  kubernetesHarms,
  readHarms,
  writeHarms
} from "./schedulesHarms.ts"

export type Command =
  | { readonly do: "create" | "delete" | "retry" | "annotateElsewhere"; readonly vm: number }
  | { readonly do: "resize"; readonly vm: number; readonly vcpu: number }
  | { readonly do: "manage"; readonly vm: number; readonly state: "unmanaged" | "manual" | "" }
  | { readonly do: "aap"; readonly on: AapRequest; readonly harm: AapHarm; readonly times: number }
  | { readonly do: "kubernetes"; readonly on: KubernetesRequest; readonly harm: KubernetesHarm; readonly times: number }
  /** The process that sends the next such request dies at it. */
  | { readonly do: "crash"; readonly at: "launch" | "cancel" | "intent" | "status"; readonly after: boolean }
  | { readonly do: "start" | "stop" | "kill" }
  | { readonly do: "disconnect" | "stall" | "compact" }
  /** AAP forgets an ended job, or a person cancels a live one. */
  | { readonly do: "purge" | "cancel"; readonly nth: number }
  | { readonly do: "wait"; readonly seconds: number }

export interface Schedule {
  /** The playbooks that launched jobs follow, by turns. */
  readonly plays: ReadonlyArray<keyof typeof playbooks>
  readonly commands: ReadonlyArray<Command>
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

const starts = ["start", "start", "start", "start", "stop", "kill"] as const
const vm = fc.nat({ max: 1 })
const times = fc.constantFrom(1, 1, 1, 2, 4)

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({ do: fc.constant("wait" as const), seconds: fc.constantFrom(1, 3, 10, 30, 75, 240, 600) })
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("create" as const), vm }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom("delete" as const, "retry" as const, "annotateElsewhere" as const), vm })
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("resize" as const), vm, vcpu: fc.integer({ min: 1, max: 3 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("manage" as const),
      vm,
      state: fc.constantFrom("unmanaged" as const, "manual" as const, "" as const)
    })
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("aap" as const),
      on: fc.constantFrom("launch" as const, "launch" as const, "cancel" as const),
      harm: fc.constantFrom(...writeHarms),
      times
    })
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("aap" as const),
      on: fc.constantFrom("poll" as const, "search" as const, "lookUp" as const),
      harm: fc.constantFrom(...readHarms),
      times
    })
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("kubernetes" as const),
      on: fc.constantFrom(
        "intent" as const,
        "metadata" as const,
        "status" as const,
        "status" as const,
        "read" as const
      ),
      harm: fc.constantFrom(...kubernetesHarms),
      times
    })
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("crash" as const),
      at: fc.constantFrom("launch" as const, "cancel" as const, "intent" as const, "status" as const),
      after: fc.boolean()
    })
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constantFrom(...starts) })
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("disconnect" as const, "stall" as const, "compact" as const) })
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("purge" as const, "cancel" as const), nth: fc.nat({ max: 5 }) })
  }
)

export const schedules = (length = 30): fc.Arbitrary<Schedule> =>
  fc.record({
    plays: fc.array(fc.constantFrom(...plays), { minLength: 1, maxLength: 4 }),
    commands: fc.array(command, { minLength: 4, maxLength: length, size: "max" })
  })
