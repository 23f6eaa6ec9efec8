/** Real courses of events, and what Prometheus reads of them: every metric that is declared, with the true numbers. */
import { assert, it } from "@effect/vitest"
import { Duration, Effect, Metric } from "effect"
import { TestClock } from "effect/testing"
import { declared, processMetrics } from "../../src/telemetry/Metrics.ts"
import { launchAgain } from "../reconcile/person.ts"
import { jobsOf } from "../support/expectations.ts"
import { text, type WireRequest } from "../support/Wire.ts"
import { makeWorld, PROVISION_TEMPLATE } from "../support/World.ts"
import { isPresent, promtool } from "./promtool.ts"
import { isolated, type Scrape, scrape, valueIn } from "./scraped.ts"

const spec = {
  name: "vm-canary",
  vcpu: 2,
  memory: 4096,
  disk: 40,
  templateParameters: '{"password":"canary-parameter"}'
}
const quick = { pendingFor: Duration.seconds(2), runningFor: Duration.seconds(10), ends: "successful" } as const
const slow = { ...quick, runningFor: Duration.minutes(90) }

const launches = (request: WireRequest): boolean =>
  request.method === "POST" && request.url.pathname.endsWith("/launch/")
const searches = (request: WireRequest): boolean => request.url.search.includes("created__gte")

const values = (scraped: Scrape, expected: Readonly<Record<string, number>>) =>
  assert.deepStrictEqual(
    Object.fromEntries(Object.keys(expected).map((series) => [series, valueIn(scraped, series)])),
    expected
  )

const own = new Set(Object.values(processMetrics).map(({ declaration }) => declaration.name))
const inWorld = declared.map(({ declaration }) => declaration).filter(({ name }) => !own.has(name))

/** The oldest operator of all: it never heard of what does not belong into a label. */
const secrets = ["canary", "default/", "operator-token", "aap.test", "kubernetes.test", "eda.test", "Bearer"]

const assertNothingLeaks = ({ text: scraped }: Scrape) =>
  assert.deepStrictEqual(
    secrets.filter((secret) => scraped.includes(secret)),
    []
  )

/** Everything that a label may say is declared; what is not, is `other`, and nothing here should be. */
const assertLabels = ({ samples }: Scrape) => {
  for (const series of samples.keys()) {
    const [, name = "", labels = ""] = /^([a-z0-9_]+)(?:\{(.*)\})?$/u.exec(series) ?? []
    const family = inWorld.find((one) => name.replace(/_(bucket|sum|count)$/u, "") === one.name || name === one.name)
    assert.isDefined(family, `${series} is not declared`)
    for (const [, label = "", value = ""] of labels.matchAll(/([a-z_]+)="([^"]*)"/gu)) {
      if (label === "le") continue
      const known = family?.labels[label]
      const isKnown = known !== undefined && (known.values.includes(value) || known.form?.test(value) === true)
      assert.isTrue(isKnown, `${label}="${value}" of ${series}`)
    }
  }
}

it.effect("one object that is provisioned and deleted is counted step by step", () =>
  isolated(
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.aap.play(() => quick)
      yield* world.start
      yield* world.user.create("vm-canary", spec)
      yield* TestClock.adjust("1 second")
      values(yield* scrape, {
        'cloudkit_jobs_triggered_total{provider="aap",type="provision",result="launched"}': 1,
        'cloudkit_jobs{type="provision",state="Pending"}': 1,
        'cloudkit_computeinstances{phase="Progressing"}': 1,
        'cloudkit_computeinstances_oldest_seconds{phase="Deleting"}': 0,
        'cloudkit_aap_requests_total{operation="launch",code="201"}': 1,
        cloudkit_open_launch_intents: 0,
        'leader_election_master_status{name="cloudkit-operator-leader"}': 1
      })
      yield* TestClock.adjust("5 minutes")
      const ready = yield* scrape
      values(ready, {
        'cloudkit_jobs{type="provision",state="Pending"}': 0,
        'cloudkit_jobs{type="provision",state="Succeeded"}': 1,
        'cloudkit_computeinstances{phase="Progressing"}': 0,
        'cloudkit_computeinstances{phase="Ready"}': 1,
        'cloudkit_computeinstances_oldest_seconds{phase="Progressing"}': 0,
        'cloudkit_job_duration_seconds_count{provider="aap",type="provision",state="Succeeded"}': 1,
        'cloudkit_job_duration_seconds_bucket{provider="aap",type="provision",state="Succeeded",le="10"}': 0,
        'cloudkit_job_duration_seconds_bucket{provider="aap",type="provision",state="Succeeded",le="60"}': 1
      })
      assertNothingLeaks(ready)
      assertLabels(ready)
      yield* world.user.remove("vm-canary")
      yield* TestClock.adjust("5 minutes")
      values(yield* scrape, {
        'cloudkit_jobs_triggered_total{provider="aap",type="deprovision",result="launched"}': 1,
        'cloudkit_jobs{type="provision",state="Succeeded"}': 0,
        'cloudkit_computeinstances{phase="Ready"}': 0,
        'cloudkit_computeinstances{phase="Deleting"}': 0
      })
    })
  )
)

it.effect(
  "an operator that stops takes what only it could tell out of the metrics, and no longer counts as leader",
  () =>
    isolated(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const process = yield* world.start
        yield* world.user.create("vm-canary", spec)
        assert.isDefined(valueIn(yield* scrape, 'workqueue_depth{name="computeinstance"}'))
        yield* process.stop
        const after = yield* scrape
        assert.isUndefined(valueIn(after, 'workqueue_depth{name="computeinstance"}'))
        assert.isUndefined(valueIn(after, 'cloudkit_computeinstances{phase="Progressing"}'))
        values(after, { 'leader_election_master_status{name="cloudkit-operator-leader"}': 0 })
      })
    )
)

/** Everything that can go wrong with AAP between two jobs, one object each. */
const mishaps = Effect.gen(function* () {
  const world = yield* makeWorld()
  yield* world.aap.play((launch) => (launch.template === PROVISION_TEMPLATE ? slow : { ...quick, ends: "failed" }))
  yield* world.aapWire.order({ when: launches, harm: { _tag: "Lose", code: "ECONNRESET", after: true } })
  yield* world.aapWire.order({ when: searches, harm: { _tag: "Lose", code: "ECONNRESET" }, times: 8 })
  yield* world.start
  yield* world.user.create("vm-canary", spec)
  const [first] = yield* jobsOf(world, "vm-canary")
  if (first !== undefined) yield* launchAgain(world, first)
  const doubtful = yield* scrape
  yield* TestClock.adjust("5 minutes")
  yield* world.user.create("vm-canary-2", spec)
  yield* TestClock.adjust("1 minute")
  const away = { _tag: "Answer", response: text(503, "away") } as const
  for (const method of ["GET", "PATCH"]) {
    yield* world.kubernetesWire.order({ when: (request) => request.method === method, harm: away, times: 2 })
  }
  yield* world.user.remove("vm-canary-2")
  yield* TestClock.adjust("30 minutes")
  return { doubtful, blocked: yield* scrape }
})

it.effect("lost answers, duplicates, failures and a blocked deletion are counted, and every metric is emitted", () =>
  isolated(
    Effect.gen(function* () {
      const { blocked, doubtful } = yield* mishaps
      values(doubtful, {
        'cloudkit_jobs_triggered_total{provider="aap",type="provision",result="ambiguous"}': 1,
        cloudkit_launch_ambiguous_total: 1,
        cloudkit_open_launch_intents: 1
      })
      values(blocked, {
        cloudkit_launch_ambiguous_total: 1,
        cloudkit_duplicate_jobs_total: 1,
        cloudkit_open_launch_intents: 0,
        'cloudkit_jobs{type="provision",state="Running"}': 1,
        'cloudkit_jobs{type="deprovision",state="Failed"}': 1,
        'cloudkit_computeinstance_conditions{type="DeletionBlocked",reason="DeprovisionFailed"}': 1,
        'cloudkit_computeinstances{phase="Deleting"}': 1,
        'cloudkit_aap_requests_total{operation="launch",code="<error>"}': 1
      })
      assert.isAtLeast(valueIn(blocked, 'rest_client_requests_total{code="503",method="GET"}') ?? 0, 1)
      assert.isAtLeast(valueIn(blocked, 'cloudkit_computeinstances_oldest_seconds{phase="Deleting"}') ?? 0, 1_700)
      assertNothingLeaks(blocked)
      assertLabels(blocked)
      if (isPresent) assert.deepStrictEqual(promtool(["check", "metrics"], blocked.text), { status: 0, said: "" })
      const eda = new Set(["cloudkit_eda_requests_total"])
      assert.deepStrictEqual(
        inWorld.map(({ name }) => name).filter((name) => !blocked.families.has(name) && !eda.has(name)),
        [],
        "declared, and never emitted"
      )
      for (const { name, type } of inWorld) if (!eda.has(name)) assert.strictEqual(blocked.families.get(name), type)
    })
  )
)

it.effect("webhooks are counted by their answer, and a call nobody answered for is a launch in doubt", () =>
  isolated(
    Effect.gen(function* () {
      const world = yield* makeWorld({ providers: ["eda"] })
      yield* world.edaWire.order({ when: () => true, harm: { _tag: "Lose", code: "ECONNRESET", after: true } })
      yield* world.start
      yield* world.user.create("vm-canary", spec)
      yield* world.user.create("vm-canary-2", spec)
      yield* TestClock.adjust("5 minutes")
      const scraped = yield* scrape
      values(scraped, {
        'cloudkit_eda_requests_total{code="<error>"}': 1,
        'cloudkit_eda_requests_total{code="200"}': 1,
        'cloudkit_jobs_triggered_total{provider="eda",type="provision",result="presumed"}': 1,
        'cloudkit_jobs_triggered_total{provider="eda",type="provision",result="launched"}': 1,
        cloudkit_launch_ambiguous_total: 1
      })
      assertNothingLeaks(scraped)
      assertLabels(scraped)
    })
  )
)

it.effect("an intent that a dead process left behind is a launch in doubt, counted once", () =>
  isolated(
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.aapWire.order({ when: launches, harm: { _tag: "Hang" } })
      // who died does not know, and goes on counting for itself
      const process = yield* isolated(world.start)
      yield* world.user.create("vm-canary", spec)
      yield* process.kill
      yield* world.start
      values(yield* scrape, { cloudkit_open_launch_intents: 1 })
      yield* TestClock.adjust("10 minutes")
      values(yield* scrape, { cloudkit_launch_ambiguous_total: 1, cloudkit_open_launch_intents: 0 })
    })
  )
)

it.effect("a replica that stands by counts objects as well, and only the one that works is the leader", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld({ leader: "15 seconds" })
    const replicas = [new Map(), new Map()]
    for (const registry of replicas) {
      yield* Effect.provideService(world.start, Metric.MetricRegistry, registry)
      yield* TestClock.adjust("20 seconds")
    }
    yield* world.user.create("vm-canary", spec)
    yield* TestClock.adjust("5 minutes")
    const [first, second] = yield* Effect.forEach(replicas, (registry) =>
      Effect.provideService(scrape, Metric.MetricRegistry, registry)
    )
    const ready = 'cloudkit_computeinstances{phase="Ready"}'
    const leads = 'leader_election_master_status{name="cloudkit-operator-leader"}'
    const series = [ready, leads, 'workqueue_depth{name="computeinstance"}']
    assert.deepStrictEqual(
      series.map((one) => first?.samples.get(one)),
      [1, 1, 0]
    )
    assert.deepStrictEqual(
      series.map((one) => second?.samples.get(one)),
      [1, 0, undefined]
    )
  })
)
