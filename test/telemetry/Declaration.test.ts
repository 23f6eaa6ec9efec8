/** Metrics are what their declaration says, and nothing that turns up makes more of them than it allows. */
import { assert, it } from "@effect/vitest"
import { Duration, Effect, Exit, Option, Scope } from "effect"
import { describe } from "vitest"
import { counter, gauge, histogram } from "../../src/telemetry/Declaration.ts"
import { declared } from "../../src/telemetry/Metrics.ts"
import { countPass } from "../../src/telemetry/Passes.ts"
import { isolated, scrape } from "./scraped.ts"

const colour = { meaning: "A colour.", values: ["red", "green"] }
const code = { meaning: "A status.", values: ["<error>"], form: /^[1-5]\d\d$/u }

const apples = counter({ name: "apples_total", help: "Apples.", labels: { colour } })
const answers = counter({ name: "answers_total", help: "Answers.", labels: { code } })
const basket = gauge({ name: "basket", help: "In the basket.", labels: {} })
const weight = histogram({ name: "weight_grams", help: "Weight.", labels: {}, boundaries: [100, 200] })

describe("a declared metric", () => {
  it.effect("counts what no label lists as other, whatever it is", () =>
    isolated(
      Effect.gen(function* () {
        for (const given of ["red", "blue", 'x"} 1\nevil 2', "default/vm-1", ""]) yield* apples.add({ colour: given })
        for (const given of ["200", "<error>", "2000", "OK"]) yield* answers.add({ code: given })
        assert.deepStrictEqual(Object.fromEntries((yield* scrape).samples), {
          'apples_total{colour="red"}': 1,
          'apples_total{colour="other"}': 4,
          'answers_total{code="200"}': 1,
          'answers_total{code="<error>"}': 1,
          'answers_total{code="other"}': 2
        })
      })
    )
  )

  it.effect("begins at 0 for every listed value once it is registered, and not where a form allows others", () =>
    isolated(
      Effect.gen(function* () {
        for (const metric of [apples, answers, basket, weight]) yield* metric.register
        assert.deepStrictEqual(Object.fromEntries((yield* scrape).samples), {
          'apples_total{colour="red"}': 0,
          'apples_total{colour="green"}': 0,
          basket: 0,
          'weight_grams_bucket{le="100"}': 0,
          'weight_grams_bucket{le="200"}': 0,
          'weight_grams_bucket{le="+Inf"}': 0,
          weight_grams_sum: 0,
          weight_grams_count: 0
        })
      })
    )
  )

  it.effect("counts into buckets of which each holds the smaller ones", () =>
    isolated(
      Effect.gen(function* () {
        for (const value of [50, 100, 150, 999]) yield* weight.observe({}, value)
        assert.deepStrictEqual(Object.fromEntries((yield* scrape).samples), {
          'weight_grams_bucket{le="100"}': 2,
          'weight_grams_bucket{le="200"}': 3,
          'weight_grams_bucket{le="+Inf"}': 4,
          weight_grams_sum: 1299,
          weight_grams_count: 4
        })
      })
    )
  )

  it.effect("that is kept elsewhere is read at every scrape, and is gone with its scope", () =>
    isolated(
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        let content = 1
        yield* Scope.provide(
          basket.reads({}, () => content),
          scope
        )
        assert.strictEqual((yield* scrape).samples.get("basket"), 1)
        content = 7
        assert.strictEqual((yield* scrape).samples.get("basket"), 7)
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual((yield* scrape).samples.size, 0)
      })
    )
  )
})

describe("all metrics together", () => {
  const names = declared.map(({ declaration }) => declaration.name)

  it("have different names, and few enough series that all can be listed", () => {
    assert.strictEqual(new Set(names).size, names.length)
    for (const { declaration } of declared) {
      const listed = Object.values(declaration.labels).reduce((product, { values }) => product * values.length, 1)
      assert.isAtMost(listed, 100, declaration.name)
    }
  })

  it("say what they are in one sentence or two", () => {
    for (const { declaration } of declared) assert.match(declaration.help, /^[A-Z0-9].{8,}\.$/u, declaration.name)
  })
})

it.effect("a pass is an error, a success, or one that is followed by another soon or later", () =>
  isolated(
    Effect.gen(function* () {
      const after = (delay: Duration.Input) => ({ _tag: "After", delay: Duration.fromInputUnsafe(delay) })
      for (const action of [
        Option.none(),
        Option.some({ _tag: "AwaitChange" }),
        Option.some({ _tag: "Gone" }),
        Option.some(after("1 second")),
        Option.some(after("30 seconds"))
      ])
        yield* countPass({ waited: 1_500, took: 250, action })
      const { samples } = yield* scrape
      const passes = (result: string) =>
        samples.get(`controller_runtime_reconcile_total{controller="computeinstance",result="${result}"}`)
      assert.deepStrictEqual(["error", "success", "requeue", "requeue_after"].map(passes), [1, 2, 1, 1])
      assert.strictEqual(samples.get('controller_runtime_reconcile_errors_total{controller="computeinstance"}'), 1)
      assert.strictEqual(samples.get('workqueue_retries_total{name="computeinstance"}'), 1)
      assert.strictEqual(samples.get('workqueue_queue_duration_seconds_sum{name="computeinstance"}'), 7.5)
      assert.strictEqual(samples.get('workqueue_work_duration_seconds_sum{name="computeinstance"}'), 1.25)
    })
  )
)
