import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { applyVerdicts, type Condition, type ConditionType, type Verdict } from "../../src/domain/Conditions.ts"
import { type Reason, reasons } from "../../src/domain/Reasons.ts"

const before = "2026-01-01T00:00:00Z"
const now = "2026-01-02T00:00:00Z"

const ready = (fields: Partial<Condition>): Condition => ({
  type: "Ready",
  status: "False",
  reason: "JobRunning",
  message: "Job running",
  observedGeneration: 1,
  lastTransitionTime: before,
  ...fields
})
const verdict = (fields: Partial<Verdict>): Verdict => ({
  type: "Ready",
  status: "False",
  reason: "JobRunning",
  message: "Job running",
  ...fields
})

const types: ReadonlyArray<ConditionType> = ["Ready", "Reconciling", "Stalled", "Provisioned", "DeletionBlocked"]
const names: ReadonlyArray<Reason> = ["Provisioned", "JobRunning", "JobFailed", "TemplateNotFound"]
const status = fc.constantFrom<"True" | "False" | "Unknown">("True", "False", "Unknown")
const verdicts: fc.Arbitrary<ReadonlyArray<Verdict>> = fc.uniqueArray(
  fc.record({
    type: fc.constantFrom(...types),
    status,
    reason: fc.constantFrom(...names),
    message: fc.string()
  }),
  { selector: ({ type }) => type }
)

describe("conditions", () => {
  it("keep their transition time while their status is the same, whatever else changes", () => {
    const next = applyVerdicts([ready({})], [verdict({ reason: "JobPending", message: "Job queued" })], 2, now)
    expect(next).toEqual([ready({ reason: "JobPending", message: "Job queued", observedGeneration: 2 })])
  })
  it("move their transition time when their status changes", () => {
    const next = applyVerdicts([ready({})], [verdict({ status: "True", reason: "Provisioned" })], 1, now)
    expect(next).toEqual([ready({ status: "True", reason: "Provisioned", lastTransitionTime: now })])
  })
  it("that earlier writers left without a transition time get one", () => {
    const { lastTransitionTime: _, ...bare } = ready({})
    expect(applyVerdicts([bare], [verdict({})], 1, now)).toEqual([ready({ lastTransitionTime: now })])
  })
  it("that nobody gives a verdict on are absent", () => {
    expect(applyVerdicts([ready({}), ready({ type: "Stalled", status: "True" })], [verdict({})], 1, now)).toEqual([
      ready({})
    ])
  })
  it("of other writers stay as they are, and in front", () => {
    const foreign = ready({ type: "example.com/Backup", reason: "Nightly", observedGeneration: 7 })
    expect(applyVerdicts([ready({}), foreign], [verdict({})], 1, now)).toEqual([foreign, ready({})])
  })
  for (const type of ["Accepted", "Progressing", "Available", "Deleting"])
    it(`of the type ${type}, which an earlier operator wrote, are dropped`, () => {
      expect(applyVerdicts([ready({ type, status: "True" })], [], 1, now)).toEqual([])
    })
  it("carry no generation where the object has none", () => {
    const [condition] = applyVerdicts([ready({})], [verdict({})], undefined, now)
    expect(condition).not.toHaveProperty("observedGeneration")
  })

  it("do not flap: the same verdicts at any later time change nothing", () =>
    fc.assert(
      fc.property(verdicts, fc.integer(), (verdicts, generation) => {
        const first = applyVerdicts([], verdicts, generation, before)
        expect(applyVerdicts(first, verdicts, generation, now)).toEqual(first)
      })
    ))
  it("are there once for each verdict, say what it says, and moved when its status did", () =>
    fc.assert(
      fc.property(verdicts, verdicts, (earlier, later) => {
        const next = applyVerdicts(applyVerdicts([], earlier, 1, before), later, 2, now)
        expect(next.map(({ type, status, reason, message }) => ({ type, status, reason, message }))).toEqual(later)
        for (const condition of next) {
          const same = earlier.find(({ type }) => type === condition.type)?.status === condition.status
          expect(condition.lastTransitionTime).toBe(same ? before : now)
          expect(condition.observedGeneration).toBe(2)
        }
      })
    ))
})

describe("the reasons", () => {
  for (const [reason, { meaning, remedy, person }] of Object.entries(reasons))
    it(`${reason} is one CamelCase word with a meaning and a remedy`, () => {
      expect(reason).toMatch(/^[A-Z][A-Za-z]{2,}$/u)
      expect(meaning).toMatch(/\S.*\.$/u)
      expect(remedy).toMatch(/\S.*\.$/u)
      if (person) expect(remedy).not.toMatch(/^Nothing to do/u)
    })
})
