/** A tour of all scenarios shows every reason and every Event that is declared, and kstatus makes of each what it should. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { REPORTING_CONTROLLER } from "../../src/adapters/kubernetes/Events.ts"
import { eventReasons, explain } from "../../src/domain/EventReasons.ts"
import { reasons } from "../../src/domain/Reasons.ts"
import { at } from "../support/expectations.ts"
import { type Kstatus, kstatusOf } from "../support/kstatus.ts"
import { healthOf, isPresent, leftOut } from "../support/lua.ts"
import type { JsonObject } from "../support/SimulatedKubernetes.ts"
import { type Shown, show } from "../support/tour.ts"
import { answerScenarios } from "./scenarios/answers.ts"
import { jobScenarios } from "./scenarios/jobs.ts"
import { signalScenarios } from "./scenarios/signals.ts"

const scenarios = [...jobScenarios, ...answerScenarios, ...signalScenarios]
const shown: Array<Shown> = []

const conditionsOf = (version: JsonObject): ReadonlyArray<unknown> => {
  const conditions = at(version, "status", "conditions")
  return Array.isArray(conditions) ? conditions : []
}

/** What kstatus says, one version after the other, from the operator's first word on, repetitions left out. */
const courseOf = (versions: ReadonlyArray<JsonObject>): ReadonlyArray<Kstatus> =>
  versions
    .filter((version) => conditionsOf(version).length > 0)
    .map(kstatusOf)
    .filter((status, index, all) => status !== all[index - 1])

for (const scenario of scenarios) {
  it.effect(`kstatus of ${scenario.name}: ${scenario.course.join(", ")}`, () =>
    Effect.gen(function* () {
      const what = yield* show(scenario)
      shown.push(what)
      assert.deepStrictEqual(courseOf(what.versions), scenario.course)
      for (const version of what.versions) {
        const types = conditionsOf(version).map((condition) => at(condition, "type"))
        assert.strictEqual(new Set(types).size, types.length, "one condition of a type")
        assert.isFalse(types.includes("Reconciling") && types.includes("Stalled"), "never both")
      }
    })
  )
}

/** What kstatus says, in Argo CD's words; what people took upon themselves is suspended. */
const healthExpected = (version: JsonObject): string => {
  const types = new Map(conditionsOf(version).map((condition) => [at(condition, "type"), at(condition, "status")]))
  const ready = conditionsOf(version).find((condition) => at(condition, "type") === "Ready")
  switch (kstatusOf(version)) {
    case "Terminating":
      return types.get("DeletionBlocked") === "True" ? "Degraded" : "Progressing"
    case "Failed":
      return "Degraded"
    case "Current":
      return ready === undefined ? "Progressing" : "Healthy"
    case "InProgress":
      return ["Manual", "Unmanaged"].includes(String(at(ready, "reason"))) ? "Suspended" : "Progressing"
  }
}

it.skipIf(!isPresent)(
  isPresent ? "Argo CD's health of every version of every resource is that of kstatus" : `Argo CD's health, ${leftOut}`,
  () => {
    const versions = shown.flatMap((what) => what.versions)
    assert.isAbove(versions.length, 100)
    const health = healthOf(versions)
    assert.deepStrictEqual(health, versions.map(healthExpected))
    assert.deepStrictEqual([...new Set(health)].sort(), ["Degraded", "Healthy", "Progressing", "Suspended"])
  }
)

it("every declared reason of a condition was shown, and no other", () => {
  const seen = new Set(
    shown.flatMap(({ versions }) => versions.flatMap(conditionsOf)).map((condition) => String(at(condition, "reason")))
  )
  assert.deepStrictEqual([...seen].sort(), Object.keys(reasons).sort())
})

it("every declared reason of an Event was shown, and no other, with its type and action", () => {
  const events = shown.flatMap((what) => what.events)
  const seen = new Map(events.map((event) => [String(event.reason), event]))
  assert.deepStrictEqual([...seen.keys()].sort(), [...eventReasons].sort())
  for (const reason of eventReasons) {
    const { action, type } = explain(reason)
    assert.deepInclude(seen.get(reason), { action, type })
  }
})

/** Stored as the older API calls them: the controller is a component, and the note a message. */
it("every Event has what events.k8s.io/v1 asks for, and a note that says something in less than a kilobyte", () => {
  for (const { events } of shown) {
    for (const event of events) {
      assert.match(String(event.eventTime), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/u)
      assert.strictEqual(event.reportingComponent, REPORTING_CONTROLLER)
      assert.strictEqual(event.reportingInstance, "operator-0")
      const note = String(event.message)
      assert.isAbove(note.length, 5)
      assert.isBelow(Buffer.byteLength(note), 1_024)
      assert.notMatch(note, /undefined|\[object/u)
    }
  }
})
