/** The blocks of the design document that are no commands, and whether every block of it was looked at. */
import { existsSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { parse } from "yaml"
import { entries } from "../../scripts/docs/designDocumentBlocks.ts"
import { load } from "../settings/environment.ts"
import { at, fromUnknown, listAt, stringAt } from "../support/kubernetes/Json.ts"
import * as SimulatedAap from "../support/SimulatedAap.ts"
import { block, blocks } from "./Blocks.ts"
import { sections } from "./Pages.ts"
import { stories } from "./stories.ts"

const THIS_FILE = readFileSync("test/document/blocks.test.ts", "utf8")

/** The variables of a block; a Secret's key gives a token. */
const variablesOf = (number: number): Readonly<Record<string, string>> =>
  Object.fromEntries(
    listAt(fromUnknown(parse(block(number).text)), "env").map((one) => [
      stringAt(one, "name") ?? "",
      at(one, "valueFrom") === undefined ? (stringAt(one, "value") ?? "") : "a-token-of-aap"
    ])
  )

describe("the design document", () => {
  it.effect("the variables of the design document are accepted as they are printed", () =>
    Effect.gen(function* () {
      for (const number of [4, 5, 10, 14]) {
        const settings = yield* load(variablesOf(number))
        assert.strictEqual(settings.operator.provider, variablesOf(number).CLOUDKIT_PROVISIONING_PROVIDER)
        assert.deepStrictEqual(settings.warnings, [])
      }
      const alone = yield* Effect.result(load(variablesOf(3)))
      assert.isTrue(Result.isFailure(alone))
      if (Result.isFailure(alone)) assert.include(alone.failure.message, "CLOUDKIT_AAP_URL")
    })
  )

  it("what the Go operator kept in these files is in the folders of this one", () => {
    const here: Readonly<Record<string, string>> = {
      "internal/provisioning/provider.go": "src/ports/ProvisioningProvider.ts",
      "internal/provisioning/eda_provider.go": "src/providers/eda/EdaProvider.ts",
      "internal/provisioning/aap_provider.go": "src/providers/aap/AapProvider.ts",
      "internal/aap/client.go": "src/providers/aap/AapClient.ts",
      "internal/aap/types.go": "src/providers/aap/Wire.ts",
      "internal/controller/computeinstance_controller.go": "src/reconcile/ComputeInstance.ts"
    }
    for (const file of block(2).text.split("\n")) assert.isTrue(existsSync(here[file] ?? ""), file)
  })

  it("what make and go test do for the Go operator, npm test does here", () => {
    const scripts = fromUnknown(JSON.parse(readFileSync("package.json", "utf8")))
    assert.include(stringAt(scripts, "scripts", "test"), "vitest run")
    assert.include(stringAt(scripts, "scripts", "coverage"), "--coverage")
  })

  it.effect("a token of scope write can launch, and one of scope read is refused and said to lack a permission", () =>
    Effect.gen(function* () {
      assert.include(block(8).text, '"scope": "write"')
      const aap = yield* SimulatedAap.make()
      const launch = (token: string) =>
        Effect.map(
          aap.handler({
            method: "POST",
            url: new URL("http://aap.test/api/v2/job_templates/7/launch/"),
            headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
            body: "{}"
          }),
          ({ status }) => status
        )
      for (const scope of ["read", "write"] as const) yield* aap.issueToken("operator", scope, scope)
      assert.deepStrictEqual([yield* launch("write"), yield* launch("read")], [201, 403])
    })
  )
})

describe("of the design document", () => {
  it("every block was looked at, by a test that goes through it", () => {
    assert.deepStrictEqual(
      [...entries.keys()],
      blocks.map(({ number }) => number)
    )
    for (const [number, { test }] of entries) {
      const story = stories.find(({ name }) => name === test)
      const goesThrough = story === undefined ? THIS_FILE.includes(`"${test}", () =>`) : story.blocks.includes(number)
      assert.isTrue(goesThrough, `block ${number} is not gone through by: ${test}`)
    }
  })

  it("every deviation names a test that exists", () => {
    const rows = [...readFileSync("docs/deviations.md", "utf8").matchAll(/`(test\/[^`]+)`: (.+) \|$/gmu)]
    assert.isAtLeast(rows.length, 25)
    for (const [, file = "", name = ""] of rows) {
      const source = readFileSync(file, "utf8")
      assert.isTrue(source.includes(name), `${file} has no test "${name}"`)
    }
  })
})

it("every command of the product's own pages is run by a test", () => {
  const run = stories.flatMap((story) => story.sections ?? [])
  assert.deepStrictEqual(
    sections.map(({ heading, page }) => `${page} ${heading}`),
    run
  )
})
