/**
 * Courses of events around the pure core: passes that die anywhere, requests of every fate, jobs that end as they like,
 * people who change their minds. The world knows the truth; the core has only the record.
 */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Step } from "../../src/domain/Decision.ts"
import type { JobState } from "../../src/domain/Job.ts"
import { reasons } from "../../src/domain/Reasons.ts"
import { HOUR } from "./support/objects.ts"
import { deliver, type Fate, fair, run } from "./support/walk.ts"
import { alive, annotate, begin, pass, progress, remove, replace, setSpec, type World } from "./support/world.ts"

type Event = (world: World) => void
const named = (name: string, event: Event): Event => Object.assign(event, { toString: () => name })

const RETRY = "cloudkit.openshift.io/retry-requested-at"
const MANAGEMENT = "cloudkit.openshift.io/management-state"

/** What must hold at every moment. */
const truth = (world: World): void => expect(alive(world).length).toBeLessThanOrEqual(1)

const reconcile = (world: World, fate: Fate): Step | undefined => {
  if (world.released) return undefined
  const step = run(world, fate)
  truth(world)
  if (step?._tag === "Release") {
    expect([alive(world).length, world.flights.length, world.machine]).toEqual([0, 0, false])
  }
  return step
}

const fate: fc.Arbitrary<Fate> = fc.record({
  post: fc.constantFrom<Fate["post"]>(
    "answered",
    "answered",
    "answered",
    "lost",
    "slow",
    "late",
    "dropped",
    "refused",
    "unusable"
  ),
  crashAfter: fc.oneof(fc.constant(99), fc.constant(99), fc.nat(5)),
  blind: fc.boolean()
})
const ending = fc.constantFrom<JobState>("Succeeded", "Succeeded", "Failed", "Canceled")

const operator = fate.map((f) => named(`pass ${JSON.stringify(f)}`, (world) => void reconcile(world, f)))
const work = ending.map((state) =>
  named(`jobs ${state}`, (world) => {
    for (const job of alive(world)) progress(world, job, state)
  })
)
const time = fc
  .constantFrom(1_000, 60_000, 300_000, 300_000, 30 * HOUR)
  .map((n) => named(`time ${n}`, (world) => pass(world, n)))
const answer = fc.constant(named("answer", deliver))
const people = fc.oneof(
  fc
    .constantFrom("A" as const, "B" as const, "C" as const)
    .map((spec) => named(`spec ${spec}`, (world) => setSpec(world, spec))),
  fc.nat(3).map((value) => named(`retry ${value}`, (world) => annotate(world, RETRY, `${value}`))),
  fc
    .constantFrom("manual", "unmanaged", undefined, undefined)
    .map((state) => named(`management ${state}`, (world) => annotate(world, MANAGEMENT, state))),
  fc.constant(named("replace", replace))
)
const deletion = fc.constant(named("delete", remove))
const courseWith = (wishes: fc.Arbitrary<Event>) =>
  fc.array(
    fc.oneof(
      { weight: 8, arbitrary: operator },
      { weight: 4, arbitrary: work },
      { weight: 4, arbitrary: time },
      { weight: 2, arbitrary: answer },
      { weight: 3, arbitrary: wishes }
    ),
    { minLength: 5, maxLength: 30, size: "max" }
  )
const course = courseWith(fc.oneof({ weight: 5, arbitrary: people }, { weight: 1, arbitrary: deletion }))

/** Everything that is under way arrives, jobs end well, and the operator is not disturbed. */
const quietly = (world: World, until: (step: Step) => boolean): Step | undefined => {
  let step: Step | undefined
  for (let round = 0; round < 60 && !world.released; round++) {
    deliver(world)
    pass(world, 100_000)
    for (const job of alive(world)) progress(world, job, "Succeeded")
    truth(world)
    step = reconcile(world, fair)
    if (step !== undefined && until(step) && alive(world).length === 0) return step
  }
  return step
}
const play = (world: World, events: ReadonlyArray<Event>): void => {
  for (const one of events) {
    one(world)
    truth(world)
  }
}
const needsPerson = (step: Step | undefined) => step?._tag === "Block" && reasons[step.reason].person

const worlds = fc.constantFrom(2, 3, 50)

describe("whatever happens, and whenever the operator dies", () => {
  it("there are never two live jobs of one object, and what is let go has neither job nor machine", () => {
    fc.assert(
      fc.property(worlds, course, (limit, events) => {
        play(begin(limit), events)
      }),
      { numRuns: 1_200 }
    )
  })

  it("a deleted object is let go in the end, or waits for a person and says so", () => {
    fc.assert(
      fc.property(worlds, course, (limit, events) => {
        const world = begin(limit)
        play(world, events)
        annotate(world, MANAGEMENT, undefined)
        remove(world)
        const last = quietly(world, (step) => step._tag === "LeaveAlone" || needsPerson(step))
        expect(world.released || last?._tag === "LeaveAlone" || needsPerson(last)).toBe(true)
      }),
      { numRuns: 1_000 }
    )
  })

  it("a deleted object that waits for a person is let go when the person asks again", () => {
    fc.assert(
      fc.property(worlds, course, (limit, events) => {
        const world = begin(limit)
        play(world, events)
        annotate(world, MANAGEMENT, undefined)
        remove(world)
        for (const value of ["again", "and again", "once more"]) {
          quietly(world, (step) => step._tag === "LeaveAlone" || needsPerson(step))
          annotate(world, RETRY, value)
        }
        const last = quietly(world, (step) => step._tag === "LeaveAlone")
        expect([world.released || last?._tag === "LeaveAlone", alive(world).length]).toEqual([true, 0])
      }),
      { numRuns: 1_000 }
    )
  })

  it("an object that is to live comes to rest: Ready, with people, or with a reason why not", () => {
    fc.assert(
      fc.property(worlds, courseWith(people), (limit, events) => {
        const world = begin(limit)
        play(world, events)
        const rests = (step: Step | undefined) =>
          needsPerson(step) || ["Settle", "Manual", "LeaveAlone"].includes(step?._tag ?? "")
        expect(rests(quietly(world, rests))).toBe(true)
      }),
      { numRuns: 1_000 }
    )
  })
})
