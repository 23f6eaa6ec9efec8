import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { aap, type Environment, eda, load } from "./environment.ts"

describe("a warning is given", () => {
  const warns = (name: string, env: Environment, ...words: ReadonlyArray<string>) =>
    it.effect(name, () =>
      Effect.gen(function* () {
        const { warnings } = yield* load(env)
        assert.lengthOf(warnings, 1, warnings.join("\n"))
        for (const word of words) assert.include(warnings[0], word)
      })
    )
  warns(
    "when a lost launch could be sent twice, because the quiet period is shorter than a launch may take",
    { ...aap, CLOUDKIT_AAP_LAUNCH_QUIET_PERIOD: "164s" },
    "CLOUDKIT_AAP_LAUNCH_QUIET_PERIOD",
    "2m 45s"
  )
  it.effect("but not when the quiet period is just long enough", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* load({ ...aap, CLOUDKIT_AAP_LAUNCH_QUIET_PERIOD: "165s" })).warnings, [])
    })
  )
  warns("when AAP's certificate is not checked", { ...aap, CLOUDKIT_AAP_INSECURE_SKIP_VERIFY: "true" }, "NOT checked")
  warns("when the token travels in clear text", { ...aap, CLOUDKIT_AAP_URL: "http://aap" }, "clear text")
  warns(
    "when a variable is misspelled",
    { ...aap, CLOUDKIT_APP_ORGANIZATION: "x" },
    "CLOUDKIT_APP_ORGANIZATION is not a variable",
    "did you mean CLOUDKIT_AAP_ORGANIZATION?"
  )
  warns(
    "when a variable under the new prefix is misspelled",
    { ...aap, OSAC_LOG_LEVL: "x" },
    "did you mean OSAC_LOG_LEVEL?"
  )
  warns("without a guess when a variable resembles none", { ...aap, CLOUDKIT_BANANA_TREES_PER_ACRE: "x" }, "is ignored")
  warns(
    "when the other provider is configured in part",
    { ...eda, CLOUDKIT_AAP_URL: "aap", CLOUDKIT_AAP_TOKEN: "x", CLOUDKIT_AAP_PROVISION_TEMPLATE: "p" },
    "provider aap is not active and will not be available",
    "CLOUDKIT_AAP_DEPROVISION_TEMPLATE"
  )
  it.effect("but not for what Kubernetes says of Services whose names begin like ours", () =>
    Effect.gen(function* () {
      const links = {
        CLOUDKIT_OPERATOR_METRICS_SERVICE_HOST: "10.0.0.1",
        CLOUDKIT_OPERATOR_METRICS_SERVICE_PORT: "8080",
        CLOUDKIT_OPERATOR_METRICS_SERVICE_PORT_HTTP: "8080",
        CLOUDKIT_OPERATOR_METRICS_PORT: "tcp://10.0.0.1:8080",
        CLOUDKIT_OPERATOR_METRICS_PORT_8080_TCP_ADDR: "10.0.0.1"
      }
      assert.deepStrictEqual((yield* load({ ...eda, ...links })).warnings, [])
    })
  )
})
