/** What the EDA provider records of a call, and how it hears of the end of what the call set going. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Option } from "effect"
import * as fc from "fast-check"
import {
  DEPROVISIONED_ANNOTATION,
  FINALIZER,
  PLAYBOOK_FINALIZERS,
  RECONCILED_VERSION_ANNOTATION
} from "../../../src/domain/ComputeInstance.ts"
import type { JobReference } from "../../../src/ports/ProvisioningProvider.ts"
import { CONCURRENT_CALLS } from "../../../src/providers/eda/EdaProvider.ts"
import { nextId, recognises } from "../../../src/providers/eda/JobIds.ts"
import { failure, held, launch, makeRig, objectOf, observe, orderOf, VERSION } from "./Rig.ts"

describe("the id of a call is eda-webhook-N, where N", () => {
  for (const [recorded, id] of [
    [[], "eda-webhook-1"],
    [["eda-webhook-1"], "eda-webhook-2"],
    [["eda-webhook-9", "eda-webhook-10", "eda-webhook-2"], "eda-webhook-11"],
    [["eda-webhook-3", "eda-webhook-7"], "eda-webhook-8"],
    [["eda-webhook"], "eda-webhook-1"],
    [["4870", "eda-webhook-x", "eda-webhook-2x", "my-eda-webhook-9", "eda-webhook--9", ""], "eda-webhook-1"],
    [["4870", "eda-webhook-1"], "eda-webhook-2"]
  ] as const) {
    it(`is one more than the highest of [${recorded.join(", ")}]`, () => assert.strictEqual(nextId(recorded), id))
  }

  it("is never one that is recorded already", () => {
    const id = fc.oneof(
      fc.nat({ max: 10 ** 12 }).map((n) => `eda-webhook-${n}`),
      fc.constant("eda-webhook"),
      fc.string()
    )
    fc.assert(
      fc.property(fc.array(id), (recorded) => {
        const next = nextId(recorded)
        return !recorded.includes(next) && recognises(next)
      })
    )
  })

  it.effect("counts what the order says is recorded, for calls and for presumed ones alike", () =>
    Effect.gen(function* () {
      const { provider } = yield* makeRig()
      const order = orderOf("provision", { recorded: ["eda-webhook-4", "41"] })
      assert.strictEqual((yield* launch(provider, "provision", order)).id, "eda-webhook-5")
      assert.strictEqual(provider.presume?.(order, "provision").id, "eda-webhook-5")
    })
  )
})

describe("the EDA provider", () => {
  it.effect("says what it can do, and that its playbooks hold a finalizer", () =>
    Effect.gen(function* () {
      const { provider } = yield* makeRig({
        settings: { settlePeriod: Duration.minutes(7), minimumRequestInterval: Duration.seconds(90) }
      })
      const { find, cancel, lookUp, settlePeriod, minimumInterval, playbooksHoldFinalizer } = provider
      assert.deepStrictEqual([find, cancel, lookUp], [undefined, undefined, undefined])
      assert.deepStrictEqual([settlePeriod, minimumInterval, playbooksHoldFinalizer], [420_000, 90_000, true])
    })
  )

  it.effect("records an accepted call as unknown until its playbook signals", () =>
    Effect.gen(function* () {
      const { provider } = yield* makeRig()
      assert.deepStrictEqual(yield* launch(provider), {
        id: "eda-webhook-1",
        kind: "annotation",
        state: "Unknown",
        detail: "Webhook accepted; waiting for the playbook's signal",
        unusable: Option.none()
      })
    })
  )

  it.effect("records a call without an answer as one that may have been accepted", () =>
    Effect.gen(function* () {
      const { provider, wire } = yield* makeRig()
      const sent = yield* launch(
        provider,
        "deprovision",
        orderOf("deprovision", { payload: held(...PLAYBOOK_FINALIZERS) })
      )
      const presumed = provider.presume?.(
        orderOf("deprovision", { payload: held(...PLAYBOOK_FINALIZERS) }),
        "deprovision"
      )
      assert.deepStrictEqual(presumed, {
        ...sent,
        detail: "The webhook may have been accepted; waiting for the playbook's signal"
      })
      assert.strictEqual((yield* wire.exchanges).length, 1)
    })
  )
})

describe("the EDA provider", () => {
  for (const operation of ["provision", "deprovision"] as const) {
    it.effect(`without a webhook for ${operation} observes, and says what is missing when it is to launch`, () =>
      Effect.gen(function* () {
        const { provider, wire } = yield* makeRig({
          settings: { webhooks: { provision: Option.none(), deprovision: Option.none() } }
        })
        const { applied, message } = yield* failure(provider, operation)
        const variable = `CLOUDKIT_COMPUTE_INSTANCE_${operation.toUpperCase()}_WEBHOOK`
        assert.deepStrictEqual(
          [applied, message],
          ["no", `No EDA webhook is configured for ${operation}: set ${variable}`]
        )
        const object = objectOf({ annotations: { [RECONCILED_VERSION_ANNOTATION]: VERSION } })
        assert.strictEqual((yield* observe(provider, object, provisionJob))?.state, "Succeeded")
        assert.deepStrictEqual(yield* wire.exchanges, [])
      })
    )
  }

  it.effect("names what it launches by host and path", () =>
    Effect.gen(function* () {
      const webhook = Option.some("https://u:p@eda.example.com:8443/hooks/create?key=k")
      const { provider } = yield* makeRig({ settings: { webhooks: { provision: webhook, deprovision: webhook } } })
      const { template } = yield* Effect.scoped(provider.prepare("provision"))
      assert.strictEqual(template, "webhook eda.example.com:8443/hooks/create")
    })
  )

  it.effect("lets no more calls under way than its connections can carry", () =>
    Effect.gen(function* () {
      const { eda, provider, wire } = yield* makeRig()
      yield* wire.order({ when: () => true, times: 100, harm: { _tag: "Hang", after: true } })
      const calls = yield* Effect.forEach(Array.from({ length: 3 * CONCURRENT_CALLS }), () =>
        Effect.forkChild(Effect.exit(launch(provider)), { startImmediately: true })
      )
      assert.strictEqual((yield* eda.webhooks).length, CONCURRENT_CALLS)
      yield* Fiber.interruptAll(calls)
    })
  )
})

const provisionJob: JobReference = {
  id: "eda-webhook-1",
  kind: "annotation",
  operation: "provision",
  launchKey: undefined,
  configVersion: VERSION
}
const deprovisionJob: JobReference = { ...provisionJob, operation: "deprovision", configVersion: undefined }
const done = { state: "Succeeded", detail: "", gone: false }

describe("a provision is done", () => {
  const annotated = (version: string) => objectOf({ annotations: { [RECONCILED_VERSION_ANNOTATION]: version } })

  for (const [title, object, job, expected] of [
    ["when the annotation names its version", annotated(VERSION), provisionJob, done],
    ["not without the annotation", objectOf(), provisionJob, undefined],
    ["not for an older version", annotated("0000000000000001"), provisionJob, undefined],
    ["not by the playbooks' finalizer", objectOf({ finalizers: [...PLAYBOOK_FINALIZERS] }), provisionJob, undefined],
    [
      "not by the annotation that ends a deprovision",
      objectOf({ annotations: { [DEPROVISIONED_ANNOTATION]: "true" } }),
      provisionJob,
      undefined
    ],
    [
      "by the version in its launch key, where the record has no other",
      annotated("0123456789abcdef"),
      { ...provisionJob, configVersion: undefined, launchKey: "u/provision/0123456789abcdef/1" },
      done
    ],
    ["never where no version is known", annotated(""), { ...provisionJob, configVersion: undefined }, undefined]
  ] as const) {
    it.effect(title, () =>
      Effect.gen(function* () {
        const { provider } = yield* makeRig()
        assert.deepStrictEqual(yield* observe(provider, object, job), expected)
      })
    )
  }
})

describe("a deprovision is done", () => {
  const [aap, older] = PLAYBOOK_FINALIZERS
  const with_ = (...finalizers: ReadonlyArray<string>) => objectOf({ finalizers })
  const said = (value: string) =>
    objectOf({ finalizers: [FINALIZER, aap], annotations: { [DEPROVISIONED_ANNOTATION]: value } })
  const byFinalizer: JobReference = { ...deprovisionJob, kind: "finalizer" }
  const ofOldRecord: JobReference = { ...deprovisionJob, kind: undefined }

  for (const [title, object, job, expected] of [
    ["when the playbooks' finalizer is gone", with_(FINALIZER), byFinalizer, done],
    ["in an old record too", with_(FINALIZER), ofOldRecord, done],
    ["when all finalizers are gone", objectOf(), byFinalizer, done],
    ["not while the playbooks' finalizer is there", with_(FINALIZER, aap), byFinalizer, undefined],
    ["not while the other of the playbooks' finalizers is there", with_(older ?? ""), ofOldRecord, undefined],
    ["not by the absence of a finalizer that was never there", with_(FINALIZER), deprovisionJob, undefined],
    ["when the annotation says so, whatever the finalizers", said("true"), byFinalizer, done],
    ["when the annotation says so, where there was no finalizer", said("true"), deprovisionJob, done],
    ["when the annotation says so, in an old record", said("true"), ofOldRecord, done],
    ["not when the annotation says otherwise", said("false"), byFinalizer, undefined],
    [
      "not by the annotation that ends a provision",
      objectOf({ finalizers: [aap], annotations: { [RECONCILED_VERSION_ANNOTATION]: VERSION } }),
      byFinalizer,
      undefined
    ]
  ] as const) {
    it.effect(title, () =>
      Effect.gen(function* () {
        const { provider } = yield* makeRig()
        assert.deepStrictEqual(yield* observe(provider, object, job), expected)
      })
    )
  }

  for (const [title, payload, kind] of [
    ["the finalizer that playbooks held when it was sent", held(FINALIZER, aap), "finalizer"],
    ["the other name of that finalizer", held(older ?? ""), "finalizer"],
    ["the annotation alone, where only the operator held one", held(FINALIZER), "annotation"],
    ["the annotation alone, where nobody held one", held(), "annotation"],
    ["the annotation alone, where the payload has no metadata", {}, "annotation"]
  ] as const) {
    it.effect(`by ${title}`, () =>
      Effect.gen(function* () {
        const { provider } = yield* makeRig()
        const job = yield* launch(provider, "deprovision", orderOf("deprovision", { payload }))
        assert.strictEqual(job.kind, kind)
      })
    )
  }
})

describe("tracking", () => {
  it.effect("tells of several jobs apart, and of those that are done only", () =>
    Effect.gen(function* () {
      const { provider } = yield* makeRig()
      const object = objectOf({ annotations: { [RECONCILED_VERSION_ANNOTATION]: VERSION } })
      const older = { ...provisionJob, id: "eda-webhook-2", configVersion: "0000000000000001" }
      const { seen, problem } = yield* provider.track(object, [older, provisionJob])
      assert.deepStrictEqual([...seen], [["eda-webhook-1", done]])
      assert.isTrue(Option.isNone(problem))
    })
  )
})
