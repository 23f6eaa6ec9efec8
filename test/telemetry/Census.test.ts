/** What is counted of all objects together, one changed object at a time. */
import { assert, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import type { KubernetesObject } from "../../src/domain/Resource.ts"
import * as Census from "../../src/reconcile/Census.ts"
import { isolated, scrape } from "./scraped.ts"

const BEGINNING = "1970-01-01T00:00:00Z"
const FINALIZER = "cloudkit.openshift.io/computeinstance"

interface Shape {
  readonly status?: KubernetesObject["status"]
  readonly annotations?: Readonly<Record<string, string>>
  readonly deleting?: boolean
  readonly finalizers?: ReadonlyArray<string>
}

const object = ({ annotations, deleting, finalizers, status }: Shape): KubernetesObject => ({
  apiVersion: "cloudkit.openshift.io/v1alpha1",
  kind: "ComputeInstance",
  metadata: {
    name: "vm",
    namespace: "default",
    uid: "u",
    resourceVersion: "1",
    creationTimestamp: BEGINNING,
    ...(annotations === undefined ? {} : { annotations }),
    ...(finalizers === undefined ? {} : { finalizers }),
    ...(deleting === true ? { deletionTimestamp: BEGINNING } : {})
  },
  ...(status === undefined ? {} : { status })
})

/** Counts these objects; answers whatever is not 0 an hour later. */
const counted = (...shapes: ReadonlyArray<Shape>) =>
  isolated(
    Effect.gen(function* () {
      const census = yield* Census.make
      for (const [index, shape] of shapes.entries()) yield* census.look(`default/${index}`, Option.some(object(shape)))
      yield* TestClock.setTime(3_600_000)
      return Object.fromEntries([...(yield* scrape).samples].filter(([, value]) => value !== 0))
    }).pipe(Effect.scoped)
  )

const job = (state: string, more: object = {}) => ({ jobID: "1", type: "provision", state, ...more })
const phase = (name: string) => `cloudkit_computeinstances{phase="${name}"}`
const oldest = (name: string) => `cloudkit_computeinstances_oldest_seconds{phase="${name}"}`
const jobs = (type: string, state: string) => `cloudkit_jobs{type="${type}",state="${state}"}`

it.effect("live jobs count, and of ended ones the newest of each type", () =>
  Effect.gen(function* () {
    const history = [
      job("Failed"),
      job("Succeeded"),
      job("Running", { duplicate: true }),
      job("Unknown"),
      job("Unknown", { gone: true, duplicate: true }),
      { jobID: "9", type: "deprovision", state: "Canceled" }
    ]
    assert.deepStrictEqual(yield* counted({ status: { phase: "Failed", jobs: history } }), {
      [phase("Failed")]: 1,
      [jobs("provision", "Running")]: 1,
      [jobs("provision", "Unknown")]: 1,
      [jobs("deprovision", "Canceled")]: 1
    })
    const ended = [job("Failed"), job("Succeeded")]
    assert.deepStrictEqual(yield* counted({ status: { phase: "Ready", jobs: ended } }), {
      [phase("Ready")]: 1,
      [jobs("provision", "Succeeded")]: 1
    })
  })
)

it.effect("an object ages in a phase that should pass, from when it stopped being Ready", () =>
  Effect.gen(function* () {
    const since = [{ type: "Ready", status: "False", lastTransitionTime: "1970-01-01T00:30:00Z" }]
    assert.deepStrictEqual(yield* counted({ status: { phase: "Progressing", conditions: since } }), {
      [phase("Progressing")]: 1,
      [oldest("Progressing")]: 1_800
    })
    assert.deepStrictEqual(yield* counted({}), { [phase("New")]: 1, [oldest("New")]: 3_600 })
    assert.deepStrictEqual(yield* counted({ deleting: true, finalizers: [FINALIZER], status: { phase: "Ready" } }), {
      [phase("Deleting")]: 1,
      [oldest("Deleting")]: 3_600
    })
  })
)

it.effect("an object that nobody is to look after, or that others hold, does not age", () =>
  Effect.gen(function* () {
    assert.deepStrictEqual(yield* counted({ annotations: { "cloudkit.openshift.io/management-state": "unmanaged" } }), {
      [phase("New")]: 1
    })
    assert.deepStrictEqual(yield* counted({ deleting: true, finalizers: ["example.com/theirs"] }), {
      [phase("Deleting")]: 1
    })
  })
)

it.effect("an intent counts until a record names its key and its stamp", () =>
  Effect.gen(function* () {
    const intent = {
      "cloudkit.openshift.io/launch-intent": JSON.stringify({
        object: "default/vm",
        key: "u/deprovision/1",
        stamp: "now"
      })
    }
    const open = Effect.fnUntraced(function* (status: KubernetesObject["status"]) {
      return (yield* counted({ annotations: intent, ...(status === undefined ? {} : { status }) }))
        .cloudkit_open_launch_intents
    })
    assert.strictEqual(yield* open(undefined), 1)
    assert.strictEqual(
      yield* open({ jobs: [job("Running", { launchKey: "u/deprovision/1", launchStamp: "then" })] }),
      1
    )
    assert.isUndefined(yield* open({ jobs: [job("Running", { launchKey: "u/deprovision/1", launchStamp: "now" })] }))
    assert.isUndefined(yield* open({ launch: { key: "u/deprovision/1", stamp: "now" } }))
    const copied = {
      "cloudkit.openshift.io/launch-intent": JSON.stringify({ object: "default/other", key: "k", stamp: "now" })
    }
    assert.isUndefined((yield* counted({ annotations: copied })).cloudkit_open_launch_intents, "it is the original's")
  })
)

it.effect("reasons that are none, words of strangers and broken records become other, or nothing", () =>
  Effect.gen(function* () {
    const strange = yield* counted(
      { status: { phase: "vm-canary", jobs: [job("vm-canary")], conditions: "none" } },
      { status: { conditions: [{ type: "Stalled", status: "True", reason: "VmCanary" }, null, 7] } },
      { status: { conditions: [{ type: "Canary", status: "True", reason: "JobFailed" }] } },
      { status: "gone", annotations: { "cloudkit.openshift.io/launch-intent": "{" } },
      { status: { phase: "__proto__", jobs: [job("constructor"), null, []] } }
    )
    assert.notInclude(JSON.stringify(strange).toLowerCase(), "canary")
    assert.strictEqual(strange['cloudkit_computeinstance_conditions{type="Stalled",reason="other"}'], 1)
    assert.strictEqual(strange[phase("New")], 3)
  })
)

it.effect("what changes or goes is counted anew, and the counts of twenty thousand objects are right", () =>
  isolated(
    Effect.gen(function* () {
      const census = yield* Census.make
      const ready = Option.some(object({ status: { phase: "Ready", jobs: [job("Succeeded")] } }))
      const running = Option.some(object({ status: { phase: "Progressing", jobs: [job("Running")] } }))
      for (let index = 0; index < 20_000; index++) yield* census.look(`default/${index}`, running)
      for (let index = 0; index < 12_000; index++) yield* census.look(`default/${index}`, ready)
      for (let index = 10_000; index < 14_000; index++) yield* census.look(`default/${index}`, Option.none())
      const { samples } = yield* scrape
      assert.deepStrictEqual(
        [phase("Ready"), phase("Progressing"), jobs("provision", "Running"), jobs("provision", "Succeeded")].map(
          (name) => samples.get(name)
        ),
        [10_000, 6_000, 6_000, 10_000]
      )
    }).pipe(Effect.scoped)
  )
)
