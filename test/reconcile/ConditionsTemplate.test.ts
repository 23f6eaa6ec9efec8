/** What the object says when the template is not what it should be. */
import { assert, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { assertNoOverlap, at, condition, isLaunch, jobsOf, stored, verdict } from "../support/expectations.ts"
import type { Options } from "../support/SimulatedAap.ts"
import { DEPROVISION_TEMPLATE, makeWorld, PROVISION_TEMPLATE, type World } from "../support/World.ts"

const spec = { name: "vm-1", vcpu: 2, memory: 4096, disk: 40 }
const quick = { pendingFor: Duration.seconds(2), runningFor: Duration.seconds(10), ends: "successful" } as const

const begun = Effect.fnUntraced(function* (aap: Options) {
  const world = yield* makeWorld({ aap })
  yield* world.aap.play(() => quick)
  yield* world.start
  yield* world.user.create("vm-1", spec)
  yield* TestClock.adjust("2 seconds")
  return world
})

const assertSays = Effect.fnUntraced(function* (world: World, reason: string, words: ReadonlyArray<string>) {
  const object = yield* stored(world, "vm-1")
  const message = String(condition(object, "Ready")?.message)
  assert.strictEqual(verdict(object, "Ready"), `False ${reason}`, message)
  assert.strictEqual(verdict(object, "Reconciling"), `True ${reason}`)
  for (const word of words) assert.include(message, word)
  assert.strictEqual(at(object, "status", "jobs"), undefined)
  assert.strictEqual(yield* world.aapWire.count(isLaunch), 0)
})

const assertReady = Effect.fnUntraced(function* (world: World) {
  assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "phase"), "Ready")
  assert.strictEqual((yield* jobsOf(world, "vm-1")).length, 1)
})

it.effect("a template that is missing is named, launches nothing, and is found when somebody makes it", () =>
  Effect.gen(function* () {
    const world = yield* begun({ templates: [{ name: DEPROVISION_TEMPLATE }] })
    yield* assertSays(world, "TemplateNotFound", [`Template '${PROVISION_TEMPLATE}' not found`])
    yield* TestClock.adjust("1 hour")
    yield* assertSays(world, "TemplateNotFound", [`Template '${PROVISION_TEMPLATE}' not found`])
    assert.isAtMost((yield* world.aapWire.exchanges).length, 25)
    yield* world.aap.addTemplate({ name: PROVISION_TEMPLATE })
    yield* world.aap.setUserRoles("operator", [
      { role: "execute", template: PROVISION_TEMPLATE },
      { role: "execute", template: DEPROVISION_TEMPLATE }
    ])
    yield* TestClock.adjust("7 minutes")
    yield* assertReady(world)
  })
)

it.effect("a template that may not be read looks missing, and is found when the role is granted", () =>
  Effect.gen(function* () {
    const world = yield* begun({ users: [{ name: "operator", token: "operator-token", roles: [] }] })
    yield* assertSays(world, "TemplateNotFound", [`Template '${PROVISION_TEMPLATE}' not found`, "may read"])
    yield* world.aap.setUserRoles("operator", [{ role: "execute", template: PROVISION_TEMPLATE }])
    yield* TestClock.adjust("7 minutes")
    yield* assertReady(world)
  })
)

it.effect("a template that may be read but not executed says which role is missing", () =>
  Effect.gen(function* () {
    const world = yield* begun({
      users: [{ name: "operator", token: "operator-token", roles: [{ role: "read", template: PROVISION_TEMPLATE }] }]
    })
    yield* assertSays(world, "PermissionDenied", ["403 Forbidden", PROVISION_TEMPLATE, "execute"])
  })
)

it.effect("a name that two organizations use is refused with the list of both", () =>
  Effect.gen(function* () {
    const world = yield* begun({
      organizations: ["blue", "green"],
      templates: [
        { name: PROVISION_TEMPLATE, organization: "blue" },
        { name: PROVISION_TEMPLATE, organization: "green" },
        { name: DEPROVISION_TEMPLATE, organization: "blue" }
      ]
    })
    yield* assertSays(world, "TemplateAmbiguous", ["ambiguous", "'blue'", "'green'", "CLOUDKIT_AAP_ORGANIZATION"])
    const [, second] = [7, 8]
    yield* world.aap.renameTemplate(second, "another")
    yield* TestClock.adjust("7 minutes")
    yield* assertReady(world)
  })
)

it.effect("a name that is both a job template and a workflow template is refused as well", () =>
  Effect.gen(function* () {
    const world = yield* begun({
      templates: [
        { name: PROVISION_TEMPLATE },
        { name: PROVISION_TEMPLATE, kind: "workflow_job_template" },
        { name: DEPROVISION_TEMPLATE }
      ]
    })
    yield* assertSays(world, "TemplateAmbiguous", ["job template 7", "workflow job template 8"])
  })
)

it.effect("a template that does not prompt for variables is refused before anything is launched", () =>
  Effect.gen(function* () {
    const world = yield* begun({
      templates: [{ name: PROVISION_TEMPLATE, asks: [] }, { name: DEPROVISION_TEMPLATE }]
    })
    yield* assertSays(world, "TemplateRefusesVariables", [PROVISION_TEMPLATE, "Prompt on launch"])
    yield* TestClock.adjust("1 hour")
    yield* assertSays(world, "TemplateRefusesVariables", ["Prompt on launch"])
  })
)

it.effect("variables that AAP ignores all the same are said, and the job that runs without them is cancelled", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => ({ ...quick, runningFor: Duration.minutes(30) }))
    yield* world.start
    // somebody switches prompting off between the check and the launch
    yield* world.user.create("vm-0", spec)
    yield* TestClock.adjust("2 seconds")
    yield* world.aap.removeTemplate(PROVISION_TEMPLATE)
    yield* world.aap.addTemplate({ name: PROVISION_TEMPLATE, id: 7, asks: [] })
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("3 minutes")
    const object = yield* stored(world, "vm-1")
    const message = String(condition(object, "Ready")?.message)
    assert.strictEqual(verdict(object, "Ready"), "False TemplateRefusesVariables", message)
    assert.include(message, PROVISION_TEMPLATE)
    const recorded = at(object, "status", "jobs", 0)
    assert.strictEqual(at(recorded, "duplicate"), true, "the job counts for nothing")
    const blind = (yield* world.aap.ledger).filter((job) => job.object === undefined)
    assert.strictEqual(blind.length, 1)
    assert.strictEqual(blind[0]?.status, "canceled")
  })
)

it.effect("a workflow template is provisioned and cancelled as a whole", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld({
      aap: {
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
          {
            name: DEPROVISION_TEMPLATE,
            kind: "workflow_job_template",
            nodes: [{ identifier: "n", template: "network" }]
          }
        ]
      }
    })
    yield* world.aap.play((launch) => (launch.template === "machine" ? { ...quick, runningFor: "10 minutes" } : quick))
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("2 minutes")
    const running = yield* stored(world, "vm-1")
    assert.strictEqual(at(running, "status", "provisionJob", "message"), "Job running")
    assert.strictEqual(at(running, "status", "jobs", 0, "kind"), "workflow_job")
    yield* world.user.remove("vm-1")
    yield* TestClock.adjust("5 minutes")
    assert.strictEqual(yield* stored(world, "vm-1"), undefined)
    const own = (yield* jobsOf(world, "vm-1")).filter(({ workflow }) => workflow === undefined)
    assert.deepStrictEqual(
      own.map(({ kind, status }) => `${kind} ${status}`),
      ["workflow_job canceled", "workflow_job successful"]
    )
    yield* assertNoOverlap(world)
  })
)

it.effect("a template made anew under the same name is found again after AAP's 404", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.aap.play(() => quick)
    yield* world.start
    yield* world.user.create("vm-1", spec)
    yield* TestClock.adjust("1 minute")
    yield* world.aap.removeTemplate(PROVISION_TEMPLATE)
    yield* world.aap.addTemplate({ name: PROVISION_TEMPLATE })
    yield* world.user.patch("vm-1", { spec: { vcpu: 4 } })
    yield* TestClock.adjust("3 minutes")
    const jobs = yield* jobsOf(world, "vm-1")
    assert.strictEqual(jobs.length, 2)
    assert.notStrictEqual(jobs[0]?.templateId, jobs[1]?.templateId)
    assert.strictEqual(at(yield* stored(world, "vm-1"), "status", "phase"), "Ready")
  })
)
