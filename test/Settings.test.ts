import { assert, describe, it } from "@effect/vitest"
import { Array as Arr, Effect } from "effect"
import * as fc from "fast-check"
import type { Problem } from "../src/settings/Problem.ts"
import { badConfigurations } from "./settings/badConfigurations.ts"
import { aap, type Environment, eda, load } from "./settings/environment.ts"

const problemsOf = (env: Environment): Effect.Effect<ReadonlyArray<Problem>> =>
  Effect.match(load(env), { onFailure: (error) => error.problems, onSuccess: () => [] })

const bad = badConfigurations.map((line) => {
  const [provider = "", assignment = "", kind = "", expected = "", found] = line.split(" | ")
  const split = assignment.indexOf("=")
  const name = `CLOUDKIT_${assignment.slice(0, split)}`
  const value = assignment.slice(split + 1)
  return {
    base: provider === "aap" ? aap : eda,
    name,
    value,
    kind,
    expected,
    found: found ?? JSON.stringify(value),
    line
  }
})

describe("a configuration that cannot be used", () => {
  for (const { base, name, value, kind, expected, found, line } of bad)
    it.effect(line, () =>
      Effect.gen(function* () {
        const problems = yield* problemsOf({ ...base, [name]: value })
        assert.deepStrictEqual(
          problems.map(({ kind, variable, found }) => ({ kind, variable, found })),
          [{ kind, variable: name, found }]
        )
        assert.include(problems[0]?.expected, expected)
      })
    )

  it("is tried with at least 40 mistakes in at least 20 variables", () => {
    assert.isAtLeast(bad.length, 40)
    assert.isAtLeast(Arr.dedupe(bad.map(({ name }) => name)).length, 20)
  })
})

/** Where people put a token, rightly and wrongly. */
const place = fc.constantFrom<(token: string) => Environment>(
  (token) => ({ CLOUDKIT_AAP_TOKEN: token }),
  (token) => ({ CLOUDKIT_AAP_TOKEN: token, OSAC_AAP_TOKEN: `${token}x` }),
  (token) => ({ CLOUDKIT_AAP_TOKEN: `${token}\u0007` }),
  (token) => ({ CLOUDKIT_AAP_TOKEN_FILE: token }),
  (token) => ({ CLOUDKIT_AAP_URL: `https://${token}@aap` }),
  (token) => ({ CLOUDKIT_AAP_URL: `https://user:${token}@aap` }),
  (token) => ({ CLOUDKIT_AAP_URL: `https://aap/?token=${token}` })
)
const otherMistake = fc.constantFrom(...bad.filter(({ base, name }) => base === aap && !/TOKEN|URL/u.test(name)))

describe("the message", () => {
  it.effect("names every variable at once, what was found and what is expected", () =>
    Effect.gen(function* () {
      const wrong = bad.filter(({ base, kind }) => base === aap && kind !== "Contradictory")
      // of several wrong values of one variable, the last
      const env = { ...aap, ...Object.fromEntries(wrong.map(({ name, value }) => [name, value])) }
      const { message } = yield* Effect.flip(load(env))
      const names = Arr.dedupe(wrong.map(({ name }) => name))
      for (const name of names) assert.match(message, new RegExp(`^  ${name}: found .+, expected .+$`, "mu"))
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

  for (const [name, one, other] of [
    ["AAP_TOKEN", "<redacted>", "<redacted>"],
    ["AAP_ORGANIZATION", '"ours"', '"theirs"']
  ])
    it.effect(`shows both values when ${name} is given twice and differently`, () =>
      Effect.gen(function* () {
        const both = { [`CLOUDKIT_${name}`]: "ours", [`OSAC_${name}`]: "theirs" }
        const [problem] = yield* problemsOf({ ...aap, ...both })
        assert.strictEqual(problem?.kind, "Contradictory")
        assert.strictEqual(problem?.found, `${one} there and ${other} in OSAC_${name}`)
      })
    )

  it("never shows a token, wherever it was put and whatever else is wrong", () =>
    fc.assert(
      fc.asyncProperty(fc.stringMatching(/^[A-Za-z0-9]{12,40}$/u), place, otherMistake, (token, place, other) =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(load({ ...aap, [other.name]: other.value, ...place(token) }))
          assert.notInclude(error.message, token)
          assert.notInclude(JSON.stringify(error.problems), token)
          assert.include(error.message, other.name)
        }).pipe(Effect.runPromise)
      )
    ))
})
