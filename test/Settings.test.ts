import { assert, describe, it } from "@effect/vitest"
import { Array as Arr, ConfigProvider, Duration, Effect, Option, Redacted } from "effect"
import { declarations, loadSettings, type Problem, type Settings, type SettingsError } from "../src/Settings.ts"
import type { ProblemKind } from "../src/settings/Problem.ts"

type Environment = Readonly<Record<string, string>>

const load = (env: Environment): Effect.Effect<Settings, SettingsError> =>
  Effect.provideService(loadSettings, ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))

const aap: Environment = {
  CLOUDKIT_PROVISIONING_PROVIDER: "aap",
  CLOUDKIT_AAP_URL: "https://aap.example.com/api/controller",
  CLOUDKIT_AAP_TOKEN: "t0ken-of-aap",
  CLOUDKIT_AAP_PROVISION_TEMPLATE: "create-vm",
  CLOUDKIT_AAP_DEPROVISION_TEMPLATE: "delete-vm"
}
const eda: Environment = {
  CLOUDKIT_COMPUTE_INSTANCE_PROVISION_WEBHOOK: "http://eda:5000/create",
  CLOUDKIT_COMPUTE_INSTANCE_DEPROVISION_WEBHOOK: "http://eda:5000/delete"
}
const without = (env: Environment, ...names: ReadonlyArray<string>): Environment =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !names.includes(name)))

const given = <A>(option: Option.Option<A>): A => Option.getOrThrow(option)
const problemsOf = (env: Environment): Effect.Effect<ReadonlyArray<Problem>> =>
  Effect.match(load(env), { onFailure: (error) => error.problems, onSuccess: () => [] })

/** Base, what is wrong in it, and what is said: kind, variable, found, and words of what is expected. */
type Bad = readonly [
  base: Environment,
  wrong: Environment,
  kind: ProblemKind,
  name: string,
  found: string,
  expected: string
]

const bad: ReadonlyArray<Bad> = [
  [
    eda,
    { CLOUDKIT_PROVISIONING_PROVIDER: "terraform" },
    "NotAllowed",
    "PROVISIONING_PROVIDER",
    '"terraform"',
    "one of eda, aap"
  ],
  [
    eda,
    { CLOUDKIT_COMPUTE_INSTANCE_NAMESPACE: "My_Space" },
    "Malformed",
    "COMPUTE_INSTANCE_NAMESPACE",
    '"My_Space"',
    "name of a namespace"
  ],
  [
    eda,
    { CLOUDKIT_COMPUTE_INSTANCE_NAMESPACE: "a".repeat(64) },
    "Malformed",
    "COMPUTE_INSTANCE_NAMESPACE",
    `"${"a".repeat(64)}"`,
    "at most 63"
  ],
  [
    eda,
    { CLOUDKIT_COMPUTE_INSTANCE_NAMESPACE: "a,b" },
    "Malformed",
    "COMPUTE_INSTANCE_NAMESPACE",
    '"a,b"',
    "name of a namespace"
  ],
  [eda, { CLOUDKIT_MAX_CONCURRENT_RECONCILES: "0" }, "OutOfRange", "MAX_CONCURRENT_RECONCILES", '"0"', "from 1 to 256"],
  [
    eda,
    { CLOUDKIT_MAX_CONCURRENT_RECONCILES: "many" },
    "Malformed",
    "MAX_CONCURRENT_RECONCILES",
    '"many"',
    "whole number"
  ],
  [eda, { CLOUDKIT_MAX_JOB_HISTORY: "1" }, "OutOfRange", "MAX_JOB_HISTORY", '"1"', "from 2 to 100"],
  [eda, { CLOUDKIT_MAX_JOB_HISTORY: "101" }, "OutOfRange", "MAX_JOB_HISTORY", '"101"', "from 2 to 100"],
  [eda, { CLOUDKIT_MAX_JOB_HISTORY: "-5" }, "OutOfRange", "MAX_JOB_HISTORY", '"-5"', "from 2 to 100"],
  [eda, { CLOUDKIT_MAX_JOB_HISTORY: "10.5" }, "Malformed", "MAX_JOB_HISTORY", '"10.5"', "whole number"],
  [eda, { CLOUDKIT_MAX_JOB_HISTORY: "1e1" }, "Malformed", "MAX_JOB_HISTORY", '"1e1"', "whole number"],
  [eda, { CLOUDKIT_CANCEL_DEADLINE: "10" }, "Malformed", "CANCEL_DEADLINE", '"10"', "with its unit"],
  [eda, { CLOUDKIT_CANCEL_DEADLINE: "1s" }, "OutOfRange", "CANCEL_DEADLINE", '"1s"', "from 10s to 24h"],
  [eda, { CLOUDKIT_JOB_DEADLINE: "1 day" }, "Malformed", "JOB_DEADLINE", '"1 day"', "a duration"],
  [eda, { CLOUDKIT_JOB_DEADLINE: "1d" }, "Malformed", "JOB_DEADLINE", '"1d"', "such as 1h30m"],
  [eda, { CLOUDKIT_LEADER_ELECT: "yes" }, "NotAllowed", "LEADER_ELECT", '"yes"', "true or false"],
  [eda, { CLOUDKIT_LEASE_DURATION: "1h" }, "OutOfRange", "LEASE_DURATION", '"1h"', "from 5s to 5m"],
  [eda, { CLOUDKIT_HEALTH_PORT: "0" }, "OutOfRange", "HEALTH_PORT", '"0"', "from 1 to 65535"],
  [eda, { CLOUDKIT_HEALTH_PORT: "http" }, "Malformed", "HEALTH_PORT", '"http"', "whole number"],
  [eda, { CLOUDKIT_METRICS_PORT: "70000" }, "OutOfRange", "METRICS_PORT", '"70000"', "from 1 to 65535"],
  [eda, { CLOUDKIT_METRICS_PORT: ":8080" }, "Malformed", "METRICS_PORT", '":8080"', "whole number"],
  [
    eda,
    { CLOUDKIT_METRICS_PORT: "8081" },
    "Contradictory",
    "METRICS_PORT",
    '"8081", the same as in CLOUDKIT_HEALTH_PORT',
    "two different ports"
  ],
  [eda, { CLOUDKIT_LOG_LEVEL: "loud" }, "NotAllowed", "LOG_LEVEL", '"loud"', "trace, debug, info, warn, error"],
  [eda, { CLOUDKIT_LOG_FORMAT: "xml" }, "NotAllowed", "LOG_FORMAT", '"xml"', "one of json, pretty"],
  [eda, { CLOUDKIT_AAP_LAUNCH_QUIET_PERIOD: "2h" }, "OutOfRange", "AAP_LAUNCH_QUIET_PERIOD", '"2h"', "to 1h"],
  [eda, { CLOUDKIT_AAP_JOB_RETENTION: "5m" }, "OutOfRange", "AAP_JOB_RETENTION", '"5m"', "from 1h"],
  [
    without(eda, "CLOUDKIT_COMPUTE_INSTANCE_PROVISION_WEBHOOK"),
    {},
    "Missing",
    "COMPUTE_INSTANCE_PROVISION_WEBHOOK",
    "nothing",
    "because the provider is eda"
  ],
  [
    without(eda, "CLOUDKIT_COMPUTE_INSTANCE_DEPROVISION_WEBHOOK"),
    {},
    "Missing",
    "COMPUTE_INSTANCE_DEPROVISION_WEBHOOK",
    "nothing",
    "address of an EDA webhook"
  ],
  [
    eda,
    { CLOUDKIT_COMPUTE_INSTANCE_PROVISION_WEBHOOK: "eda:5000/create" },
    "Malformed",
    "COMPUTE_INSTANCE_PROVISION_WEBHOOK",
    '"eda:5000/create"',
    "such as http://"
  ],
  [
    eda,
    { CLOUDKIT_COMPUTE_INSTANCE_PROVISION_WEBHOOK: "ftp://eda/create" },
    "NotAllowed",
    "COMPUTE_INSTANCE_PROVISION_WEBHOOK",
    '"ftp://eda/create"',
    "such as http://"
  ],
  [
    eda,
    { CLOUDKIT_COMPUTE_INSTANCE_DEPROVISION_WEBHOOK: "http://u:s3cret@eda/x" },
    "Malformed",
    "COMPUTE_INSTANCE_DEPROVISION_WEBHOOK",
    "<redacted>",
    "without user name"
  ],
  [eda, { CLOUDKIT_MINIMUM_REQUEST_INTERVAL: "-1s" }, "OutOfRange", "MINIMUM_REQUEST_INTERVAL", '"-1s"', "from 0s"],
  [
    eda,
    { CLOUDKIT_MINIMUM_REQUEST_INTERVAL: "600" },
    "Malformed",
    "MINIMUM_REQUEST_INTERVAL",
    '"600"',
    "with its unit"
  ],
  [eda, { CLOUDKIT_EDA_SETTLE_PERIOD: "48h" }, "OutOfRange", "EDA_SETTLE_PERIOD", '"48h"', "to 24h"],
  [
    eda,
    { CLOUDKIT_EDA_TOKEN_FILE: "/nowhere/token" },
    "Unreadable",
    "EDA_TOKEN_FILE",
    '"/nowhere/token" (ENOENT)',
    "readable file"
  ],
  [
    eda,
    { CLOUDKIT_EDA_CA_FILE: "/nowhere/ca.crt" },
    "Unreadable",
    "EDA_CA_FILE",
    '"/nowhere/ca.crt" (ENOENT)',
    "readable file"
  ],
  [without(aap, "CLOUDKIT_AAP_URL"), {}, "Missing", "AAP_URL", "nothing", "https://aap.example.com/api/controller"],
  [aap, { CLOUDKIT_AAP_URL: "  " }, "Missing", "AAP_URL", "nothing", "address of AAP"],
  [aap, { CLOUDKIT_AAP_URL: "https://" }, "Malformed", "AAP_URL", '"https://"', "address of AAP"],
  [aap, { CLOUDKIT_AAP_URL: "https://aap example" }, "Malformed", "AAP_URL", '"https://aap example"', "address of AAP"],
  [aap, { CLOUDKIT_AAP_URL: "ldap://aap" }, "NotAllowed", "AAP_URL", '"ldap://aap"', "address of AAP"],
  [
    aap,
    { CLOUDKIT_AAP_URL: "https://admin:pa55@aap" },
    "Malformed",
    "AAP_URL",
    "<redacted>",
    "without user name, password"
  ],
  [aap, { CLOUDKIT_AAP_URL: "https://aap/?token=abc" }, "Malformed", "AAP_URL", "<redacted>", "and query"],
  [without(aap, "CLOUDKIT_AAP_TOKEN"), {}, "Missing", "AAP_TOKEN", "nothing", "CLOUDKIT_AAP_TOKEN_FILE"],
  [aap, { CLOUDKIT_AAP_TOKEN: "two\nlines" }, "Malformed", "AAP_TOKEN", "<redacted>", "on one line"],
  [
    aap,
    { OSAC_AAP_TOKEN: "another" },
    "Contradictory",
    "AAP_TOKEN",
    "<redacted> there and <redacted> in OSAC_AAP_TOKEN",
    "the same value"
  ],
  [
    aap,
    { OSAC_AAP_URL: "https://other" },
    "Contradictory",
    "AAP_URL",
    '"https://other" in OSAC_AAP_URL',
    "only one of them"
  ],
  [
    aap,
    { CLOUDKIT_AAP_TOKEN_FILE: "/nowhere/token" },
    "Unreadable",
    "AAP_TOKEN_FILE",
    '"/nowhere/token" (ENOENT)',
    "readable file"
  ],
  [
    aap,
    { CLOUDKIT_AAP_TOKEN_FILE: "t0ken-itself" },
    "Unreadable",
    "AAP_TOKEN_FILE",
    "<redacted> (ENOENT)",
    "readable file"
  ],
  [without(aap, "CLOUDKIT_AAP_PROVISION_TEMPLATE"), {}, "Missing", "AAP_PROVISION_TEMPLATE", "nothing", "job template"],
  [
    without(aap, "CLOUDKIT_AAP_DEPROVISION_TEMPLATE"),
    {},
    "Missing",
    "AAP_DEPROVISION_TEMPLATE",
    "nothing",
    "job template"
  ],
  [
    aap,
    { CLOUDKIT_AAP_PROVISION_TEMPLATE: "a\u0000b" },
    "Malformed",
    "AAP_PROVISION_TEMPLATE",
    '"a\\u0000b"',
    "job template"
  ],
  [
    aap,
    { CLOUDKIT_AAP_DEPROVISION_TEMPLATE: "x".repeat(513) },
    "OutOfRange",
    "AAP_DEPROVISION_TEMPLATE",
    `"${"x".repeat(80)}…"`,
    "job template"
  ],
  [aap, { CLOUDKIT_AAP_STATUS_POLL_INTERVAL: "30" }, "Malformed", "AAP_STATUS_POLL_INTERVAL", '"30"', "with its unit"],
  [aap, { CLOUDKIT_AAP_STATUS_POLL_INTERVAL: "0" }, "OutOfRange", "AAP_STATUS_POLL_INTERVAL", '"0"', "from 1s to 1h"],
  [
    aap,
    { CLOUDKIT_AAP_STATUS_POLL_INTERVAL: "1h1ms" },
    "OutOfRange",
    "AAP_STATUS_POLL_INTERVAL",
    '"1h1ms"',
    "from 1s to 1h"
  ],
  [
    aap,
    { CLOUDKIT_AAP_STATUS_POLL_INTERVAL: "-30s" },
    "OutOfRange",
    "AAP_STATUS_POLL_INTERVAL",
    '"-30s"',
    "from 1s to 1h"
  ],
  [aap, { CLOUDKIT_AAP_ORGANIZATION: "a\tb" }, "Malformed", "AAP_ORGANIZATION", '"a\\tb"', "organization"],
  [
    aap,
    { CLOUDKIT_AAP_CA_FILE: "/nowhere/ca.crt" },
    "Unreadable",
    "AAP_CA_FILE",
    '"/nowhere/ca.crt" (ENOENT)',
    "readable file"
  ],
  [aap, { CLOUDKIT_AAP_INSECURE_SKIP_VERIFY: "on" }, "NotAllowed", "AAP_INSECURE_SKIP_VERIFY", '"on"', "true or false"],
  [aap, { CLOUDKIT_AAP_REQUEST_TIMEOUT: "11m" }, "OutOfRange", "AAP_REQUEST_TIMEOUT", '"11m"', "from 1s to 10m"]
]

describe("a configuration that cannot be used", () => {
  for (const [base, wrong, kind, name, found, expected] of bad)
    it.effect(`${name}: ${kind}, found ${found.slice(0, 60)}`, () =>
      Effect.gen(function* () {
        const problems = yield* problemsOf({ ...base, ...wrong })
        assert.deepStrictEqual(
          problems.map(({ kind, variable }) => ({ kind, variable })),
          [{ kind, variable: `CLOUDKIT_${name}` }]
        )
        assert.include(problems[0]?.found, found)
        assert.include(problems[0]?.expected, expected)
      })
    )

  it.effect("is told in one message that names every variable, what was found and what is expected", () =>
    Effect.gen(function* () {
      const wrong = bad.filter(([base, , kind]) => base === aap && kind !== "Contradictory")
      // of several wrong values of one variable, the last
      const env = Object.assign({}, without(aap, "CLOUDKIT_AAP_TOKEN"), ...wrong.map(([, wrong]) => wrong))
      const { message } = yield* Effect.flip(load(env))
      const names = Arr.dedupe(wrong.map(([, , , name]) => name))
      assert.isAtLeast(names.length, 9)
      for (const name of names) assert.match(message, new RegExp(`^  CLOUDKIT_${name}: found .+, expected .+$`, "mu"))
      assert.include(message, `${names.length} variables are wrong`)
    })
  )

  it.effect("names the operator's and the active provider's variables together, and not the other provider's", () =>
    Effect.gen(function* () {
      const problems = yield* problemsOf({ CLOUDKIT_PROVISIONING_PROVIDER: "aap", CLOUDKIT_HEALTH_PORT: "x" })
      assert.deepStrictEqual(
        problems.map(({ variable }) => variable),
        ["HEALTH_PORT", "AAP_URL", "AAP_TOKEN", "AAP_PROVISION_TEMPLATE", "AAP_DEPROVISION_TEMPLATE"].map(
          (name) => `CLOUDKIT_${name}`
        )
      )
    })
  )

  it.effect("names the variable by the prefix that it was given under", () =>
    Effect.gen(function* () {
      const [problem] = yield* problemsOf({ ...eda, OSAC_LOG_LEVEL: "loud" })
      assert.strictEqual(problem?.variable, "OSAC_LOG_LEVEL")
    })
  )
})

describe("a configuration that can be used", () => {
  it.effect("has the documented defaults", () =>
    Effect.gen(function* () {
      const { operator, eda: provider, aap: other, warnings } = yield* load(eda)
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
          maxConcurrentReconciles: 10,
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
      assert.strictEqual(Duration.toMillis(given(provider).minimumRequestInterval), 0)
      assert.strictEqual(Duration.toMinutes(given(provider).settlePeriod), 10)
      assert.isTrue(Option.isNone(other))
      assert.deepStrictEqual(warnings, [])
    })
  )

  it.effect("gives the AAP provider what it needs", () =>
    Effect.gen(function* () {
      const settings = given((yield* load({ ...aap, CLOUDKIT_AAP_STATUS_POLL_INTERVAL: "1m30s" })).aap)
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
        assert.strictEqual(given((yield* load({ ...aap, CLOUDKIT_AAP_URL: url })).aap).url, url)
      })
    )

  it.effect("keeps the provider that is not active, if its configuration is whole", () =>
    Effect.gen(function* () {
      const settings = yield* load({ ...aap, CLOUDKIT_PROVISIONING_PROVIDER: "eda", ...eda })
      assert.isTrue(Option.isSome(settings.aap) && Option.isSome(settings.eda))
    })
  )

  it.effect("needs no webhook to observe what EDA launched earlier", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(given((yield* load(aap)).eda).webhooks, {
        provision: Option.none(),
        deprovision: Option.none()
      })
    })
  )
})

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

describe("the declarations", () => {
  it("name every variable once", () => {
    const names = declarations.flatMap((group) => group.declarations.map(({ name }) => name))
    assert.strictEqual(new Set(names).size, names.length)
    assert.isAtLeast(names.length, 31)
  })
})
