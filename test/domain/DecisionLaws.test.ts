/** Laws of the decision, over objects and views of every sort. */
import { Result } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { FINALIZER } from "../../src/domain/ComputeInstance.ts"
import { decide, type Observation, type Step } from "../../src/domain/Decision.ts"
import { withSeen } from "../../src/domain/History.ts"
import type { Job, Operation } from "../../src/domain/Job.ts"
import { scene, seen } from "./support/arbitraries.ts"
import { look } from "./support/objects.ts"

const RUNS = { numRuns: 1_200 }

/** A view, the record in it brought up to date with what the providers saw. */
const observation: fc.Arbitrary<Observation> = fc.tuple(scene, seen).map(([s, news]) => {
  const o = look(s)
  return { ...o, history: withSeen(o.history, news) }
})

// What the words of the laws mean, said once more and independently of the code under test.
const ended = (job: Job) => ["Succeeded", "Failed", "Canceled"].includes(job.state) || job.gone === true
const anyLive = (o: Observation) => o.history.jobs.some((job) => !ended(job))
const deleting = (o: Observation) => o.instance.object.metadata.deletionTimestamp !== undefined
const holds = (o: Observation) => (o.instance.object.metadata.finalizers ?? []).includes(FINALIZER)
const isOpen = (o: Observation) => {
  const { intent } = o.instance
  if (intent === undefined) return false
  const { jobs, launch } = o.history
  const recorded = jobs.some((job) => job.launchKey === intent.key && job.launchStamp === intent.stamp)
  return !(recorded || (launch?.key === intent.key && launch.stamp === intent.stamp))
}
const counting = (o: Observation, type: Operation) =>
  o.history.jobs.filter((job) => job.type === type && job.duplicate !== true).at(-1)

const law = (holdsFor: (step: Step, o: Observation) => void) => () =>
  fc.assert(
    fc.property(observation, (o) => holdsFor(decide(o), o)),
    RUNS
  )

/** A law about one kind of step, which must not be empty talk: the generator reaches the step. */
const lawOf = <T extends Step["_tag"]>(
  tag: T,
  holdsFor: (step: Extract<Step, { readonly _tag: T }>, o: Observation) => void
) => {
  const is = (step: Step): step is Extract<Step, { readonly _tag: T }> => step._tag === tag
  return () => {
    let reached = 0
    law((step, o) => {
      if (!is(step)) return
      reached++
      holdsFor(step, o)
    })()
    expect(reached).toBeGreaterThan(0)
  }
}

describe("the decision, whatever is observed", () => {
  it("answers always, and the same for the same view", () =>
    fc.assert(
      fc.property(scene, (s) => {
        expect(decide(look(s))).toEqual(decide(look(s)))
      }),
      RUNS
    ))

  it(
    "never launches while a recorded job is alive or a launch is unresolved",
    lawOf("Launch", (_, o) => {
      expect(anyLive(o)).toBe(false)
      expect(isOpen(o)).toBe(false)
    })
  )

  it(
    "launches a deprovision only when deleting, and a provision only when not, managed, with a sound spec",
    lawOf("Launch", (step, o) => {
      expect(step.operation).toBe(deleting(o) ? "deprovision" : "provision")
      if (deleting(o)) expect(holds(o)).toBe(true)
      else expect([o.instance.management, Result.isSuccess(o.instance.spec)]).toEqual(["managed", true])
      expect(step.configVersion).toBe(o.instance.desiredVersion)
    })
  )

  it(
    "never uses an attempt again, nor one below any that was ever used",
    lawOf("Launch", (step, o) => {
      const { intent } = o.instance
      const used = [
        o.history.attempts[step.operation],
        ...o.history.jobs.filter((job) => job.type === step.operation).map((job) => job.attempt ?? 0),
        intent?.operation === step.operation ? intent.attempt : 0
      ]
      expect(step.attempt).toBeGreaterThan(Math.max(...used))
    })
  )

  it(
    "launches what has ended only for a person, or because it proves nothing",
    lawOf("Launch", (step, o) => {
      const last = counting(o, step.operation)
      const asked = o.instance.retryRequested !== undefined && o.instance.retryRequested !== o.instance.intent?.retry
      if (last === undefined || asked || last.gone === true) return
      if (step.operation === "provision") expect(last.configVersion).not.toBe(o.instance.desiredVersion)
      else {
        const after = o.history.jobs.slice(o.history.jobs.indexOf(last))
        expect(after.some((job) => job.type === "provision")).toBe(true)
      }
    })
  )
})

describe("the end of an object's affairs, whatever is observed", () => {
  it(
    "sends a launch again only on a quiet search of its own, within the retention, if still wanted and nothing lives",
    lawOf("Renew", (step, o) => {
      expect(anyLive(o)).toBe(false)
      expect(isOpen(o)).toBe(true)
      expect(o.search).toMatchObject({ purpose: "intent", quiet: true })
      expect(o.now - Date.parse(step.intent.since ?? step.intent.stamp)).toBeLessThanOrEqual(o.limits.jobRetention)
      expect(step.intent.operation).toBe(deleting(o) ? "deprovision" : "provision")
      if (!deleting(o)) expect(step.intent.configVersion).toBe(o.instance.desiredVersion)
    })
  )

  it(
    "lets go only of what is being deleted and is ours, with nothing alive, nothing unresolved, and nothing owed",
    lawOf("Release", (step, o) => {
      expect([deleting(o), holds(o), anyLive(o), isOpen(o)]).toEqual([true, true, false, false])
      const { jobs, lostLaunches } = o.history
      const last = counting(o, "deprovision")
      const maybeBuilt = [...jobs, ...lostLaunches.map((lost) => ({ type: lost.operation }))].some(
        (one) => one.type === "provision"
      )
      if (last === undefined) return expect(maybeBuilt).toBe(false)
      expect(jobs.slice(jobs.indexOf(last)).some((job) => job.type === "provision")).toBe(false)
      expect(last.gone).not.toBe(true)
      if (last.state === "Succeeded") return expect(step.warning).toBeUndefined()
      expect(last.blockDeletionOnFailure).not.toBe(true)
      expect(step.warning).toContain(last.jobID)
    })
  )

  it(
    "lets go only after launches that were given up were looked for once more",
    lawOf("Release", (_, o) => {
      const owed = o.history.lostLaunches.filter((lost) => lost.provider !== "eda")
      if (owed.length > 0) expect(o.search?.purpose).toBe("lost")
    })
  )

  it(
    "settles only when the newest provision built what is wanted, with nothing alive and nothing unresolved",
    lawOf("Settle", (_, o) => {
      expect([deleting(o), anyLive(o), isOpen(o)]).toEqual([false, false, false])
      const [last, before] = o.history.jobs
        .filter((job) => job.type === "provision" && job.duplicate !== true)
        .reverse()
      expect(last?.configVersion).toBe(o.instance.desiredVersion)
      if (last?.state === "Succeeded") return
      expect([last?.gone, o.history.reconciledConfigVersion]).toEqual([true, o.instance.desiredVersion])
      expect([undefined, o.instance.desiredVersion]).toContain(before?.configVersion)
    })
  )
})

describe("steps, whatever is observed", () => {
  it(
    "jobs are cancelled only while they live, at a provider that can, and only duplicates or provisions of the dying",
    lawOf("Cancel", (step, o) => {
      expect(step.jobs.length).toBeGreaterThan(0)
      for (const job of step.jobs) {
        expect(ended(job)).toBe(false)
        expect(o.providers.of(job.provider ?? "").canCancel).toBe(true)
        if (step.why === "Duplicate") expect(job.duplicate).toBe(true)
        else expect([job.type, deleting(o)]).toEqual(["provision", true])
      }
    })
  )

  it(
    "only live jobs of configured providers are followed",
    lawOf("Follow", (step, o) => {
      expect(ended(step.job)).toBe(false)
      expect(o.providers.of(step.job.provider ?? "").configured).toBe(true)
    })
  )

  it(
    "only live jobs of providers that see nothing are given up as silent, and none before its time",
    lawOf("Supersede", (step, o) => {
      for (const job of step.jobs) {
        expect(ended(job)).toBe(false)
        const { settlePeriod } = o.providers.of(job.provider ?? "")
        expect(o.now - Date.parse(job.timestamp ?? "")).toBeGreaterThanOrEqual(settlePeriod ?? Number.POSITIVE_INFINITY)
      }
    })
  )

  it(
    "a launch counts as sent only where nobody can look for it",
    lawOf("Presume", (step, o) => {
      expect([isOpen(o), o.providers.of(step.intent.provider).canFind]).toEqual([true, false])
    })
  )

  it(
    "an intent is closed only while it is open, as unknown only for a reason, as not found only after a quiet search",
    lawOf("Close", (step, o) => {
      expect(isOpen(o)).toBe(true)
      const facts = o.providers.of(step.intent.provider)
      if (step.outcome === "NotFound") expect(o.search).toMatchObject({ purpose: "intent", quiet: true })
      else if (facts.canFind) {
        const age = o.now - Date.parse(step.intent.since ?? step.intent.stamp)
        expect(age).toBeGreaterThan(o.limits.jobRetention)
      }
    })
  )

  it(
    "what is adopted was found just now, bears no person's relaunch, and closes nothing but the open intent",
    lawOf("Adopt", (step, o) => {
      expect(step.found.length).toBeGreaterThan(0)
      for (const one of step.found) {
        expect(one.relaunched).toBe(false)
        expect(o.search?.found).toContainEqual(one)
        if (step.intent !== undefined) expect(one.launchKey).toBe(step.intent.key)
      }
      expect(step.intent !== undefined).toBe(isOpen(o))
    })
  )
})

describe("precedence, whatever is observed", () => {
  it(
    "an unmanaged object is left alone, and one that is being deleted never is while it holds our finalizer",
    law((step, o) => {
      const alone = deleting(o) ? !holds(o) : o.instance.management === "unmanaged"
      expect(step._tag === "LeaveAlone").toBe(alone)
    })
  )

  it(
    "a job that a person names comes before everything but hands off",
    law((step, o) => {
      if (o.instance.adoptRequested === undefined || step._tag === "LeaveAlone") return
      expect(step).toEqual({ _tag: "AdoptNamed", id: o.instance.adoptRequested })
    })
  )

  it(
    "while a launch is unresolved nothing happens but its resolution",
    law((step, o) => {
      if (!isOpen(o) || step._tag === "LeaveAlone" || step._tag === "AdoptNamed") return
      const open = [
        "Search",
        "AwaitQuiet",
        "Renew",
        "Close",
        "Adopt",
        "Presume",
        "Block",
        "Cancel",
        "Follow",
        "Wait",
        "Supersede"
      ]
      expect(open).toContain(step._tag)
      if (step._tag === "Search") expect(step.purpose).toBe("intent")
      if (step._tag === "Block") expect(step.reason).toBe("ProviderNotConfigured")
    })
  )
})
