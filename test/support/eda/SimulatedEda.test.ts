/** The simulated EDA does to a cluster what playbooks do, and what can go wrong with them can be ordered. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import {
  DEPROVISIONED_ANNOTATION,
  FINALIZER,
  PLAYBOOK_FINALIZERS,
  RECONCILED_VERSION_ANNOTATION
} from "../../../src/domain/ComputeInstance.ts"
import { type Json, objectAt, stringAt, stringsAt } from "../kubernetes/Json.ts"
import * as SimulatedEda from "../SimulatedEda.ts"
import * as SimulatedKubernetes from "../SimulatedKubernetes.ts"
import { makeUser } from "../User.ts"
import { crd } from "../World.ts"

const CLUSTER = "https://kubernetes.test"
const [playbooks] = PLAYBOOK_FINALIZERS
const VERSION = "cfd490dd9e0eef4b"
const OLDER = "0000000000000001"

/** A cluster with one object, and what the operator and people do to it. */
const makeSite = Effect.gen(function* () {
  const kubernetes = yield* SimulatedKubernetes.make({ crds: [crd] })
  const eda = yield* SimulatedEda.make({ cluster: { handler: kubernetes.handler, origin: CLUSTER } })
  const user = makeUser(kubernetes.handler, CLUSTER)
  const created = yield* user.create("vm-1", { templateID: "t" }, { finalizers: [FINALIZER] })
  const uid = stringAt(created, "metadata", "uid") ?? ""
  const object = Effect.map(kubernetes.object("default", "vm-1"), (found): Json => found ?? {})

  const call = (path: string, kind = "ComputeInstance") =>
    Effect.flatMap(object, (found) =>
      eda.handler({
        method: "POST",
        url: new URL(`http://eda.test/${path}`),
        headers: {},
        body: JSON.stringify({
          kind,
          metadata: { ...objectAt(found, "metadata"), uid, name: "vm-1", namespace: "default" },
          status: { desiredConfigVersion: VERSION }
        })
      })
    )
  const finalizers = Effect.map(object, (found) => stringsAt(found, "metadata", "finalizers"))
  const annotation = (name: string) => Effect.map(object, (found) => stringAt(found, "metadata", "annotations", name))
  return {
    eda,
    user,
    uid,
    provision: call(SimulatedEda.PROVISION_PATH),
    deprovision: call(SimulatedEda.DEPROVISION_PATH),
    call,
    finalizers,
    reconciled: annotation(RECONCILED_VERSION_ANNOTATION),
    deprovisioned: annotation(DEPROVISIONED_ANNOTATION),
    machines: Effect.map(eda.machines, (machines) => [...machines.keys()])
  }
})
const elapse = (time: `${number} seconds`) => TestClock.adjust(time)

describe("a playbook that provisions", () => {
  it.effect("puts its finalizer on at the start, and names the version at the end, when the machine is there", () =>
    Effect.gen(function* () {
      const site = yield* makeSite
      yield* site.provision
      assert.deepStrictEqual(yield* site.finalizers, [FINALIZER])
      yield* elapse("1 seconds")
      assert.deepStrictEqual(yield* site.finalizers, [FINALIZER, playbooks])
      assert.deepStrictEqual([yield* site.reconciled, yield* site.machines], [undefined, []])
      yield* elapse("30 seconds")
      assert.deepStrictEqual([yield* site.reconciled, yield* site.machines], [VERSION, [site.uid]])
      assert.deepStrictEqual(
        (yield* site.eda.runs).map(({ operation, uid, began, ended, outcome }) => [
          operation,
          uid,
          began,
          ended,
          outcome
        ]),
        [["provision", site.uid, 1_000, 31_000, "successful"]]
      )
    })
  )

  it.effect("signals late, though the machine is there", () =>
    Effect.gen(function* () {
      const site = yield* makeSite
      yield* site.eda.playNext({ startsAfter: "10 seconds", signalsAfter: "1 minute" })
      yield* site.provision
      yield* elapse("40 seconds")
      assert.deepStrictEqual([yield* site.reconciled, yield* site.machines], [undefined, [site.uid]])
      yield* elapse("60 seconds")
      assert.strictEqual(yield* site.reconciled, VERSION)
    })
  )

  for (const [title, playbook, machine, reconciled, held] of [
    ["fails, and signals nothing but its beginning", { ends: "failed" }, false, undefined, true],
    ["never ends", { ends: "never" }, false, undefined, false],
    ["is never started", { runs: 0 }, false, undefined, false],
    ["forgets the finalizer", { finalizer: "notAtAll" }, true, VERSION, false],
    ["forgets the annotation", { annotates: false }, true, undefined, true],
    ["puts the finalizer on at the end", { finalizer: "atEnd" }, true, VERSION, true]
  ] as const) {
    it.effect(title, () =>
      Effect.gen(function* () {
        const site = yield* makeSite
        yield* site.eda.play(() => playbook)
        yield* site.provision
        yield* elapse("3600 seconds")
        assert.deepStrictEqual((yield* site.machines).length === 1, machine)
        assert.strictEqual(yield* site.reconciled, reconciled)
        assert.strictEqual((yield* site.finalizers).includes(playbooks), held)
      })
    )
  }
})

describe("a playbook that provisions", () => {
  it.effect("names an older version first", () =>
    Effect.gen(function* () {
      const site = yield* makeSite
      yield* site.eda.playNext({ olderVersion: OLDER })
      yield* site.provision
      yield* elapse("16 seconds")
      assert.strictEqual(yield* site.reconciled, OLDER)
      yield* elapse("15 seconds")
      assert.strictEqual(yield* site.reconciled, VERSION)
    })
  )

  it.effect("may not put its finalizer on an object that is being deleted, and signals by the annotation", () =>
    Effect.gen(function* () {
      const site = yield* makeSite
      yield* site.provision
      yield* site.user.remove("vm-1")
      yield* elapse("31 seconds")
      assert.deepStrictEqual(yield* site.finalizers, [FINALIZER])
      assert.strictEqual(yield* site.reconciled, VERSION)
      assert.match((yield* site.eda.runs)[0]?.refusals[0] ?? "", /^add the finalizer: 4\d\d /u)
    })
  )

  it.effect("builds a machine for an object that is gone", () =>
    Effect.gen(function* () {
      const site = yield* makeSite
      yield* site.provision
      yield* site.user.patch("vm-1", { metadata: { finalizers: [] } })
      yield* site.user.remove("vm-1")
      yield* elapse("31 seconds")
      assert.deepStrictEqual(yield* site.machines, [site.uid])
      assert.deepStrictEqual(
        (yield* site.eda.runs)[0]?.refusals.map((refusal) => /: 404 /u.test(refusal)),
        [true, true]
      )
    })
  )
})

describe("a playbook that deprovisions", () => {
  it.effect("takes the machine away, then the playbooks' finalizers, and leaves the operator's", () =>
    Effect.gen(function* () {
      const site = yield* makeSite
      yield* site.provision
      yield* elapse("31 seconds")
      yield* site.user.remove("vm-1")
      yield* site.eda.playNext({ signalsAfter: "1 minute" })
      yield* site.deprovision
      yield* elapse("31 seconds")
      assert.deepStrictEqual([yield* site.machines, yield* site.finalizers], [[], [FINALIZER, playbooks]])
      yield* elapse("60 seconds")
      assert.deepStrictEqual([yield* site.finalizers, yield* site.deprovisioned], [[FINALIZER], undefined])
    })
  )

  it.effect("fails, and leaves everything; or says in words what it did", () =>
    Effect.gen(function* () {
      const site = yield* makeSite
      yield* site.provision
      yield* elapse("31 seconds")
      yield* site.eda.playNext({ ends: "failed" })
      yield* site.eda.playNext({ releases: false, marksDeprovisioned: true })
      yield* site.deprovision
      yield* elapse("31 seconds")
      assert.deepStrictEqual([yield* site.machines, yield* site.deprovisioned], [[site.uid], undefined])
      yield* site.deprovision
      yield* elapse("31 seconds")
      assert.deepStrictEqual([yield* site.machines, yield* site.deprovisioned], [[], "true"])
      assert.deepStrictEqual(yield* site.finalizers, [FINALIZER, playbooks])
    })
  )
})

describe("the ground truth", () => {
  it.effect("tells of every request, of those without consequence too", () =>
    Effect.gen(function* () {
      const site = yield* makeSite
      yield* site.provision
      yield* elapse("5 seconds")
      yield* site.call("health")
      yield* site.call(SimulatedEda.PROVISION_PATH, "Other")
      yield* site.eda.handler({ method: "GET", url: new URL("http://eda.test/health"), headers: {}, body: "" })
      assert.deepStrictEqual(
        (yield* site.eda.webhooks).map(({ at, path, status, accepted, event }) => [
          at,
          path,
          status,
          accepted,
          event?.n
        ]),
        [
          [0, "create-compute-instance", 200, true, 1],
          [5_000, "health", 200, true, undefined],
          [5_000, "create-compute-instance", 200, true, undefined],
          [5_000, "health", 405, false, undefined]
        ]
      )
    })
  )

  it.effect("tells runs apart that go on at once from those that follow one another", () =>
    Effect.gen(function* () {
      const site = yield* makeSite
      yield* site.eda.playNext({ runs: 2 })
      yield* site.provision
      yield* elapse("61 seconds")
      assert.deepStrictEqual(
        (yield* site.eda.runs).map(({ began, ended }) => [began, ended]),
        [
          [1_000, 31_000],
          [31_000, 61_000]
        ]
      )
      assert.deepStrictEqual(SimulatedEda.overlaps(yield* site.eda.runs), [])
      yield* site.provision
      yield* site.deprovision
      yield* elapse("31 seconds")
      assert.deepStrictEqual(
        SimulatedEda.overlaps(yield* site.eda.runs).map((pair) => pair.map(({ operation }) => operation)),
        [["provision", "deprovision"]]
      )
    })
  )
})
