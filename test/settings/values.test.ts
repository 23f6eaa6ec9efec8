import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Option, Redacted } from "effect"
import { aapSettings } from "../../src/providers/aap/Variables.ts"
import { edaSettings } from "../../src/providers/eda/Variables.ts"
import { registry } from "../../src/providers/registry.ts"
import { declarationsOf } from "../../src/Settings.ts"
import { aap, eda, load, readFrom } from "./environment.ts"

describe("a configuration that can be used", () => {
  it.effect("has the documented defaults", () =>
    Effect.gen(function* () {
      const { operator, providers, warnings } = yield* load(eda)
      const settings = yield* readFrom(eda, edaSettings)
      assert.deepStrictEqual(
        {
          ...operator,
          cancelDeadline: Duration.toMinutes(operator.cancelDeadline),
          jobDeadline: Duration.toHours(operator.jobDeadline),
          launchQuietPeriod: Duration.toMinutes(operator.launchQuietPeriod),
          jobRetention: Duration.toHours(operator.jobRetention),
          leaseDuration: Duration.toSeconds(operator.leaseDuration)
        },
        {
          provider: "eda",
          namespace: Option.none(),
          maxConcurrentReconciles: 64,
          maxJobHistory: 10,
          cancelDeadline: 10,
          jobDeadline: 24,
          launchQuietPeriod: 4,
          jobRetention: 24,
          leaderElect: false,
          leaseDuration: 15,
          healthPort: 8081,
          metricsPort: 8080,
          logLevel: "Info",
          logFormat: "json"
        }
      )
      assert.strictEqual(Duration.toMillis(settings.minimumRequestInterval), 0)
      assert.strictEqual(Duration.toMinutes(settings.settlePeriod), 10)
      assert.deepStrictEqual(
        providers.map(({ name }) => name),
        ["eda"]
      )
      assert.deepStrictEqual(warnings, [])
    })
  )

  it.effect("gives the AAP provider what it needs", () =>
    Effect.gen(function* () {
      const settings = yield* readFrom({ ...aap, CLOUDKIT_AAP_STATUS_POLL_INTERVAL: "1m30s" }, aapSettings)
      assert.strictEqual(settings.url, "https://aap.example.com/api/controller")
      assert.strictEqual(Redacted.value(yield* settings.token), "t0ken-of-aap")
      assert.deepStrictEqual(settings.templates, { provision: "create-vm", deprovision: "delete-vm" })
      assert.strictEqual(Duration.toSeconds(settings.pollInterval), 90)
      assert.strictEqual(Duration.toSeconds(settings.requestTimeout), 30)
      assert.isFalse(settings.insecureSkipVerify)
    })
  )

  it.effect("may be given under the new prefix, or under both with the same value", () =>
    Effect.gen(function* () {
      const renamed = Object.fromEntries(
        Object.entries(aap).map(([name, value]) => [name.replace("CLOUDKIT_", "OSAC_"), value])
      )
      assert.strictEqual((yield* load(renamed)).operator.provider, "aap")
      assert.deepStrictEqual((yield* load({ ...aap, ...renamed })).warnings, [])
    })
  )

  for (const url of ["aap.example.com", "aap.example.com/", "http://aap:8052", "https://aap.example.com/api/v2/"])
    it.effect(`accepts ${url} as AAP's address`, () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* readFrom({ ...aap, CLOUDKIT_AAP_URL: url }, aapSettings)).url, url)
      })
    )
})

describe("the provider that is not active", () => {
  it.effect("is there if its configuration is whole", () =>
    Effect.gen(function* () {
      const settings = yield* load({ ...aap, CLOUDKIT_PROVISIONING_PROVIDER: "eda", ...eda })
      assert.deepStrictEqual(
        settings.providers.map(({ name }) => name),
        ["eda", "aap"]
      )
    })
  )

  it.effect("needs no webhook to observe what EDA launched earlier", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* readFrom(aap, edaSettings)).webhooks, {
        provision: Option.none(),
        deprovision: Option.none()
      })
    })
  )
})

describe("the declarations", () => {
  it("name every variable once", () => {
    const names = declarationsOf(registry).flatMap((group) => group.declarations.map(({ name }) => name))
    assert.strictEqual(new Set(names).size, names.length)
    assert.isAtLeast(names.length, 31)
  })
})
